"""Everybody sees how they sign in, and nobody else does."""

from typing import get_args

import pytest

from api.desk_page.settings import account as account_settings
from api.desk_page.settings import brand, company, fences, me, messages, offers, people, phones, webhooks
from api.desk_page.settings.frame import TABS
from api.fleet.enrolment import APP_NAMES, App
from api.http.auth import Role
from sql.desk import factors, links
from sql.desk.passkeys import add_passkey
from sql.webhooks.webhooks import create_webhook
from tests.api.desk.desk import make_user, signed_in, somebody

ME = "/desk/settings/me"
LEAST = {f"/desk/settings/{name}": least for name, least in TABS.items() if name != "me"}
PAGES = (me, people, company, phones, webhooks, account_settings, brand, messages, offers, fences)


@pytest.fixture
def app_parts(app_parts):
    return [*app_parts, *(page.operations.add_to for page in PAGES)]


@pytest.mark.parametrize("role", Role)
async def test_everybody_sees_their_own_and_nothing_of_others(client, account, pool, role):
    beto = await make_user(pool, account.id, "beto@tienda.example", "owner")
    ana = await somebody(pool, account.id, role, "ana@tienda.example")
    for person_id, name in ((beto, "ajena"), (ana, "<b>mía")):
        kept = {"credential_id": name.encode(), "public_key": b"", "sign_count": 0, "name": name}
        await add_passkey(pool, person_id, **kept)
    response = await client.get(f"{ME}?lang=es", headers=await signed_in(pool, account.id, ana))
    text = await response.text()
    assert response.status == 200
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    assert "&lt;b&gt;mía" in text
    assert "ana@tienda.example" in text
    assert not [word for word in ("ajena", "beto") if word in text]
    assert 'data-path="/v1/session/totp/remove"' not in text


async def test_it_says_whether_codes_are_asked_for(client, account, pool):
    ana = await make_user(pool, account.id)
    await factors.begin_totp(pool, ana, b"x")
    await factors.take_step(pool, ana, 1)
    text = await (await client.get(ME, headers=await signed_in(pool, account.id, ana))).text()
    assert 'data-path="/v1/session/totp/remove"' in text
    assert 'data-path="/v1/session/totp"' not in text


@pytest.mark.parametrize("path", [ME, *LEAST])
async def test_nobody_else_sees_anything(client, account, path):
    for headers in ({}, account.headers, {"Cookie": "__Host-reparto=rps_x"}):
        response = await client.get(f"{path}?lang=pt", headers=headers, allow_redirects=False)
        assert (response.status, response.headers["Location"]) == (303, "/desk?lang=pt")


@pytest.mark.parametrize(
    ("language", "words"), [("es", "Cómo entras"), ("pt", "Como você entra"), ("en", "How you sign in")]
)
async def test_each_language(client, account, pool, language, words):
    mine = await signed_in(pool, account.id, await make_user(pool, account.id))
    assert f"<h1>{words}</h1>" in await (await client.get(f"{ME}?lang={language}", headers=mine)).text()


@pytest.mark.parametrize("path", LEAST)
async def test_a_page_shows_nothing_to_who_may_less_and_sends_nobody_else_there(
    client, account, pool, path, make_driver
):
    await make_driver(client, account.key, "luis")
    for role in Role:
        mine, may = await signed_in(pool, account.id, await somebody(pool, account.id, role)), role >= LEAST[path]
        response = await client.get(f"{path}?lang=en", headers=mine)
        text = await response.text()
        assert (response.status, "data-path=" in text) == ((200, True) if may else (403, False)), role
        text = await (await client.get(f"{ME}?lang=en", headers=mine)).text()
        assert (path in text) is may


async def people_page(client, pool, account, role):
    beto = await make_user(pool, account.id, "beto@tienda.example", "owner")
    ana = await make_user(pool, account.id, role=role)
    response = await client.get("/desk/settings/users?lang=en", headers=await signed_in(pool, account.id, ana))
    return await response.text(), ana, beto


async def test_an_admin_sees_no_way_to_make_or_change_an_owner(client, account, other_account, pool):
    await make_user(pool, other_account.id, "ajena@otra.example")
    text, ana, beto = await people_page(client, pool, account, "admin")
    assert f'data-path="/v1/users/us_{ana}"' in text
    assert f"/v1/users/us_{beto}" not in text
    assert 'value="owner"' not in text
    assert "beto@tienda.example" in text
    assert "ajena" not in text


async def test_an_owner_sees_people_and_invitations(client, account, pool):
    kept = {"account_id": account.id, "email": "eva@tienda.example", "makes": links.InvitedAs("support"), "hours": 1}
    await links.make_link(pool, kind="invitation", is_mailed=False, **kept)
    text, ana, beto = await people_page(client, pool, account, "owner")
    assert {f'data-path="/v1/users/us_{one}"' in text for one in (ana, beto)} == {True}
    assert 'value="owner"' in text
    assert 'data-path="/v1/invitations/in_1"' in text
    assert "eva@tienda.example" in text


async def test_keys_are_listed_and_none_of_another_account(client, account, other_account, pool):
    mine = await signed_in(pool, account.id, await make_user(pool, account.id))
    await pool.execute("UPDATE api_key SET expires_at = now(), label = '<b>' WHERE id = 1")
    await pool.execute("UPDATE api_key SET label = 'ajena' WHERE account_id = $1", other_account.id)
    text = await (await client.get("/desk/settings/keys?lang=en", headers=mine)).text()
    assert 'data-path="/v1/keys/ky_1"' in text
    assert "&lt;b&gt;" in text
    assert text.count(">over<") == 1
    assert "ajena" not in text


async def test_phones_are_listed_by_their_drivers_and_none_of_another_account(
    client, account, other_account, pool, make_driver
):
    for one, driver in ((account, "luis"), (other_account, "ajeno")):
        await make_driver(client, one.key, driver)
        for label in ("<b>azul", "rojo"):
            body = {"label": label}
            response = await client.post(f"/v1/drivers/{driver}/devices", json=body, headers=one.headers)
            last = (await response.json())["id"]
        if driver == "luis":
            assert (await client.delete(f"/v1/devices/{last}", headers=one.headers)).status == 204
    mine = await signed_in(pool, account.id, await make_user(pool, account.id, role="dispatcher"))
    text = await (await client.get("/desk/settings/phones?lang=es", headers=mine)).text()
    assert "&lt;b&gt;azul</b><br>Reparto · desde" in text
    assert APP_NAMES.keys() == {*get_args(App)}
    assert 'data-path="/v1/drivers/dr_1/devices"' in text
    assert text.count('data-path="/v1/devices/') == 1
    assert "rojo" not in text
    assert "ajeno" not in text


async def test_webhooks_are_listed_as_they_go_and_none_of_another_account(client, account, other_account, pool):
    for one, name in ((account, "mia"), (account, "rota"), (other_account, "ajena")):
        url = f"https://{name}.example/?a=<b>"
        await create_webhook(
            pool, account_id=one.id, url=url, types=["stop.failed"], form="json", enabled=True, secrets=b"secreto"
        )
    await pool.execute("UPDATE webhook SET failing_since = '2026-03-02' WHERE id = 2")
    mine = await signed_in(pool, account.id, await make_user(pool, account.id))
    text = await (await client.get("/desk/settings/webhooks?lang=en", headers=mine)).text()
    assert "https:&#x2f;&#x2f;mia.example&#x2f;?a=&lt;b&gt;" in text
    assert "nothing was taken since 2 Mar 2026" in text
    assert [f"/v1/webhooks/wh_{n}/rotate" in text for n in (1, 2, 3)] == [True, True, False]
    assert not [word for word in ("ajena", "secreto") if word in text]
