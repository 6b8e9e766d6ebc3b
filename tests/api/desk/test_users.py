"""Who may sign in at an account, and who may say so."""

import re

import pytest

from sql.account.accounts import read_instance
from sql.desk import links, people
from sql.messages.setup import put_channel
from tests.api.desk.desk import PASSWORD, ask, make_user, signed_in
from work.links import desk_token

BETO = "beto@tienda.example"
FORM = re.compile(r'<form method="post">.*name="password"', re.DOTALL)


@pytest.fixture
async def owner(account, pool):
    """The headers of the account's owner, us_1."""
    return await signed_in(pool, account.id, await make_user(pool, account.id, role="owner"))


def path_of(url: str) -> str:
    return url.removeprefix("https://reparto.example")


async def test_an_invitation_is_taken_once_by_a_form_that_works_without_scripts(client, account, pool, owner):
    invited = {"email": "Beto@tienda.example", "role": "dispatcher"}
    status, made = await ask(client, "POST", "/v1/invitations", invited, headers=owner)
    assert (status, made["email"], made["role"]) == (201, BETO, "dispatcher")
    page = path_of(made["link"])
    response = await client.get(page)
    text = await response.text()
    assert response.status == 200
    assert FORM.search(text)
    assert BETO in text
    assert "mensajeria" in text
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert (await client.post(page, data={"password": "short"})).status == 422
    assert (await client.post(page, data={"password": PASSWORD})).status == 200
    assert (await client.post(page, data={"password": "staple staple"})).status == 410
    assert (await client.get(page)).status == 410
    status, said = await ask(client, "POST", "/v1/session", {"email": BETO, "password": PASSWORD})
    assert (status, said["role"]) == (201, "dispatcher")
    status, listed = await ask(client, "GET", "/v1/users", headers=owner)
    assert [(one["email"], one["role"], one["state"]) for one in listed["users"]] == [
        ("ana@tienda.example", "owner", "active"),
        (BETO, "dispatcher", "active"),
    ]
    assert (await ask(client, "POST", "/v1/invitations", invited, headers=owner))[0] == 409


@pytest.mark.parametrize(("language", "word"), [("es", "contraseña"), ("pt", "senha"), ("en", "password")])
async def test_the_page_speaks_the_language_that_is_asked_for(client, owner, language, word):
    _, made = await ask(client, "POST", "/v1/invitations", {"email": BETO, "role": "viewer"}, headers=owner)
    text = await (await client.get(path_of(made["link"]), params={"lang": language})).text()
    assert f'<html lang="{language}">' in text
    assert word in text


async def test_an_invitation_ends_when_it_is_taken_back_made_anew_or_a_week_old(client, pool, owner):
    async def invite():
        return (await ask(client, "POST", "/v1/invitations", {"email": BETO, "role": "viewer"}, headers=owner))[1]

    first, second = await invite(), await invite()
    _, listed = await ask(client, "GET", "/v1/invitations", headers=owner)
    assert [one["id"] for one in listed["invitations"]] == [second["id"]]
    assert (await client.get(path_of(first["link"]))).status == 410
    assert (await ask(client, "DELETE", f"/v1/invitations/{second['id']}", headers=owner))[0] == 204
    assert (await client.get(path_of(second["link"]))).status == 410
    assert (await ask(client, "DELETE", f"/v1/invitations/{second['id']}", headers=owner))[0] == 404
    third = await invite()
    await pool.execute("UPDATE desk_link SET expires_at = now()")
    assert (await client.post(path_of(third["link"]), data={"password": PASSWORD})).status == 410


async def first_page(pool, account):
    """The path of the link that a first start prints."""
    async with pool.acquire() as db:
        link = await links.owner_link(db, account.id)
    return f"/desk/link/{desk_token((await read_instance(pool)).secret, link.id)}"


async def test_a_first_start_makes_the_owner_once(client, account, pool):
    page = await first_page(pool, account)
    text = await (await client.get(f"{page}?lang=en")).text()
    assert "Begin here" in text
    assert 'name="email"' in text
    for email, password, said in (("ana", PASSWORD, "is not an e-mail address"), (BETO, "short", "Too short")):
        response = await client.post(f"{page}?lang=en", data={"email": email, "password": password})
        assert response.status == 422
        text = await response.text()
        assert said in text
        assert f'value="{email}"' in text
    assert (await client.post(page, data={"email": BETO, "password": PASSWORD})).status == 200
    assert (await client.post(page, data={"email": "eva@tienda.example", "password": PASSWORD})).status == 410
    status, said = await ask(client, "POST", "/v1/session", {"email": BETO, "password": PASSWORD})
    assert (status, said["role"]) == (201, "owner")
    entry = await pool.fetchrow("SELECT person_id, after FROM audit_entry ORDER BY id LIMIT 1")
    assert entry == (1, {"email": BETO, "role": "owner"})


async def test_the_link_of_a_first_start_is_over_once_somebody_may_sign_in(client, account, pool):
    page = await first_page(pool, account)
    await make_user(pool, account.id, "carla@tienda.example", "viewer")
    assert (await client.get(page)).status == 410
    assert (await client.post(page, data={"email": BETO, "password": PASSWORD})).status == 410
    assert await people.find_person(pool, BETO) is None


@pytest.mark.parametrize("token", ["2.x", "x", "9" * 12 + ".x", "é.x"])
async def test_a_link_that_was_never_made_is_over(client, token):
    assert (await client.get(f"/desk/link/{token}")).status == 410
    assert (await client.post(f"/desk/link/{token}", data={"password": PASSWORD})).status == 410


async def test_whoever_is_known_joins_by_their_password_and_no_link_sets_another(client, account, pool, other_account):
    await make_user(pool, account.id, BETO, "viewer")
    headers = other_account.headers
    _, made = await ask(client, "POST", "/v1/invitations", {"email": BETO, "role": "admin"}, headers=headers)
    page = path_of(made["link"])
    assert (await client.post(page, data={"password": "somebody else's"})).status == 422
    assert (await ask(client, "POST", "/v1/session", {"email": BETO, "password": "somebody else's"}))[0] == 401
    assert (await client.post(page, data={"password": PASSWORD})).status == 200
    _, said = await ask(client, "POST", "/v1/session", {"email": BETO, "password": PASSWORD})
    assert [one["name"] for one in said["accounts"]] == ["mensajeria", "competencia"]


async def test_whoever_has_no_password_yet_is_not_taken_over_by_another_accounts_link(
    client, account, other_account, pool
):
    person = await people.ensure_person(pool, BETO)
    await people.add_member(pool, account.id, person.id, "owner")
    invited = {"email": BETO, "role": "viewer"}
    _, made = await ask(client, "POST", "/v1/invitations", invited, headers=other_account.headers)
    for ask_page in (client.get, client.post):
        assert (await ask_page(path_of(made["link"]), data={"password": PASSWORD})).status == 409
    assert (await people.person_by_id(pool, person.id)).password_hash is None


async def test_an_admin_makes_and_changes_no_owner(client, account, pool, owner):
    admin = await signed_in(pool, account.id, await make_user(pool, account.id, BETO))
    carla = await make_user(pool, account.id, "carla@tienda.example", "viewer")
    for headers in (admin, account.headers):
        for method, path, body in (
            ("POST", "/v1/invitations", {"email": "d@tienda.example", "role": "owner"}),
            ("PATCH", f"/v1/users/us_{carla}", {"role": "owner"}),
            ("PATCH", "/v1/users/us_1", {"role": "viewer"}),
            ("DELETE", "/v1/users/us_1", None),
        ):
            assert (await ask(client, method, path, body, headers=headers))[0] == 403, path
    assert (await ask(client, "PATCH", f"/v1/users/us_{carla}", {"role": "support"}, headers=admin))[0] == 200
    status, user = await ask(client, "PATCH", f"/v1/users/us_{carla}", {"role": "owner"}, headers=owner)
    assert (status, user["role"]) == (200, "owner")


async def test_an_account_keeps_an_owner(client, account, pool, owner):
    assert (await ask(client, "DELETE", "/v1/users/us_1", headers=owner))[0] == 409
    assert (await ask(client, "PATCH", "/v1/users/us_1", {"role": "admin"}, headers=owner))[0] == 409
    await make_user(pool, account.id, BETO, "owner")
    assert (await ask(client, "PATCH", "/v1/users/us_1", {"role": "admin"}, headers=owner))[0] == 200


async def test_who_is_taken_out_is_out_at_once_and_forgotten_with_the_last_account(
    client, account, other_account, pool, owner
):
    beto = await make_user(pool, account.id, BETO)
    await make_user(pool, other_account.id, BETO)
    here, there = await signed_in(pool, account.id, beto), await signed_in(pool, other_account.id, beto)
    assert (await ask(client, "DELETE", f"/v1/users/us_{beto}", headers=owner))[0] == 204
    assert (await ask(client, "GET", "/v1/session", headers=here))[0] == 401
    assert (await ask(client, "GET", "/v1/session", headers=there))[0] == 200
    assert (await ask(client, "DELETE", f"/v1/users/us_{beto}", headers=owner))[0] == 404
    await make_user(pool, other_account.id, role="owner")
    assert (await ask(client, "DELETE", f"/v1/users/us_{beto}", headers=other_account.headers))[0] == 204
    assert await people.find_person(pool, BETO) is None


async def test_another_role_counts_at_once(client, account, pool, owner):
    beto = await make_user(pool, account.id, BETO)
    mine = await signed_in(pool, account.id, beto)
    assert (await ask(client, "GET", "/v1/users", headers=mine))[0] == 200
    await ask(client, "PATCH", f"/v1/users/us_{beto}", {"role": "viewer"}, headers=owner)
    assert (await ask(client, "GET", "/v1/users", headers=mine))[0] == 403


async def test_another_accounts_users_are_not_there(client, account, other_account, pool, owner):
    assert (await ask(client, "GET", "/v1/users", headers=other_account.headers))[1]["users"] == []
    assert (await ask(client, "GET", "/v1/users/us_1", headers=other_account.headers))[0] == 404
    change = {"role": "viewer"}
    assert (await ask(client, "PATCH", "/v1/users/us_1", change, headers=other_account.headers))[0] == 404


async def test_a_forgotten_password_is_mailed_for_and_nobody_learns_who_is_there(client, account, pool):
    mine = await signed_in(pool, account.id, await make_user(pool, account.id, BETO))
    settings = {"host": "127.0.0.1", "port": 25, "tls": "none", "from": "a@tienda.example"}

    async def reset(email):
        return (await ask(client, "POST", "/v1/session/reset", {"email": email}))[0]

    assert [await reset(one) for one in (BETO, "nobody@tienda.example", "nobody")] == [204, 204, 204]
    assert await pool.fetchval("SELECT count(*) FROM desk_link") == 0  # no mail server: nothing could be sent
    await put_channel(pool, account_id=account.id, channel="email", enabled=True, settings=settings, secrets=None)
    assert await reset(BETO) == 204
    [mail] = await links.lease_mails(pool, lease_s=60, at_most=9)
    assert (mail.kind, mail.email, mail.account) == ("password", BETO, "mensajeria")
    assert (await ask(client, "GET", "/v1/session", headers=mine))[0] == 200
