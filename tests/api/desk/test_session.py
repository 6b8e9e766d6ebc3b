"""Somebody signs in, is who they are until it is over, and nobody else is."""

import pytest

from api.desk import addresses
from tests.api.desk.desk import CSRF, PASSWORD, ask, make_user, signed_in

ANA = {"email": "Ana@Tienda.example", "password": PASSWORD}


async def test_signing_in_and_out(client, account, pool):
    await make_user(pool, account.id, role="dispatcher")
    response = await client.post("/v1/session", json=ANA)
    assert response.status == 201
    assert await response.json() == {
        "user": {"id": "us_1", "email": "ana@tienda.example", "name": "", "totp": False},
        "account": "mensajeria",
        "role": "dispatcher",
        "accounts": [{"name": "mensajeria", "role": "dispatcher"}],
    }
    cookie = response.headers["Set-Cookie"]
    assert cookie.startswith("__Host-reparto=rps_")
    assert {"HttpOnly", "Secure", "SameSite=Strict", "Path=/", "Max-Age=604800"} <= set(cookie.split("; "))
    secret = cookie.partition(";")[0]
    assert secret.partition("=")[2].encode() not in await pool.fetchval("SELECT secret_hash FROM desk_session")
    mine = {"Cookie": secret}
    assert (await client.get("/v1/session", headers=mine)).status == 200
    assert (await client.delete("/v1/session", headers=mine | CSRF)).status == 204
    assert (await client.get("/v1/session", headers=mine)).status == 401


@pytest.mark.parametrize(
    "who",
    [
        ANA | {"password": "correct horse"},
        ANA | {"email": "nobody@tienda.example"},
        ANA | {"email": "nobody"},
        ANA | {"email": "new@tienda.example"},
        ANA | {"email": "gone@tienda.example"},
    ],
)
async def test_every_refusal_is_the_same(client, account, pool, who):
    await make_user(pool, account.id)
    await make_user(pool, account.id, "new@tienda.example")
    await make_user(pool, account.id, "gone@tienda.example")
    await pool.execute("UPDATE person SET password_hash = NULL WHERE email LIKE 'new%'")
    await pool.execute("DELETE FROM member USING person WHERE person.id = person_id AND email LIKE 'gone%'")
    status, said = await ask(client, "POST", "/v1/session", who)
    assert (status, said["detail"]) == (401, "This e-mail address and this password do not go together.")


@pytest.mark.parametrize("email", ["ana@tienda.example", "nobody@tienda.example"])
async def test_too_many_tries_close_the_door_whoever_is_behind_it(client, account, pool, monkeypatch, email):
    monkeypatch.setattr(addresses, "SIGN_INS_OF_A_PERSON", 2)
    await make_user(pool, account.id)
    wrong = {"email": email, "password": "wrong"}
    assert [(await ask(client, "POST", "/v1/session", wrong))[0] for _ in range(3)] == [401, 401, 429]
    response = await client.post("/v1/session", json={"email": email, "password": PASSWORD})
    assert response.status == 429
    assert 0 < int(response.headers["Retry-After"]) <= 900
    other = await make_user(pool, account.id, "beto@tienda.example")
    assert other
    assert (await ask(client, "POST", "/v1/session", {"email": "beto@tienda.example", "password": PASSWORD}))[0] == 201


async def test_whoever_gets_in_begins_to_be_counted_anew(client, account, pool, monkeypatch):
    monkeypatch.setattr(addresses, "SIGN_INS_OF_A_PERSON", 2)
    await make_user(pool, account.id)
    for password, status in (("wrong", 401), (PASSWORD, 201), ("wrong", 401), (PASSWORD, 201)):
        assert (await ask(client, "POST", "/v1/session", ANA | {"password": password}))[0] == status


async def test_one_address_of_the_network_tries_many_people_only_so_often(client, account, monkeypatch):
    monkeypatch.setattr(addresses, "SIGN_INS_OF_AN_ADDRESS", 2)
    tries = [{"email": f"{n}@tienda.example", "password": "wrong"} for n in range(3)]
    assert [(await ask(client, "POST", "/v1/session", one))[0] for one in tries] == [401, 401, 429]


@pytest.mark.parametrize(
    "headers", [{"Reparto-Csrf": ""}, {"Reparto-Csrf": "0"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "x"}]
)
async def test_another_sites_page_changes_nothing(client, account, pool, headers):
    mine = await signed_in(pool, account.id, await make_user(pool, account.id))
    assert (await ask(client, "POST", "/v1/keys", {"role": "viewer"}, headers=mine | headers))[0] == 403
    assert (await ask(client, "DELETE", "/v1/session", headers=mine | headers))[0] == 403
    assert (await ask(client, "POST", "/v1/keys", {"role": "viewer"}, headers=mine))[0] == 201


async def test_another_sites_page_signs_nobody_in(client, account, pool):
    await make_user(pool, account.id)
    assert (await ask(client, "POST", "/v1/session", ANA, headers={"Sec-Fetch-Site": "cross-site"}))[0] == 403


async def test_a_key_counts_before_a_cookie_and_needs_no_header(client, account, pool):
    mine = await signed_in(pool, account.id, await make_user(pool, account.id, role="viewer"))
    headers = account.headers | {"Cookie": mine["Cookie"]}
    assert (await ask(client, "POST", "/v1/keys", {"role": "viewer"}, headers=headers))[0] == 201


async def test_a_session_ends_by_itself(client, account, pool):
    mine = await signed_in(pool, account.id, await make_user(pool, account.id))
    for column, span in (("last_used_at", "14 hours"), ("created_at", "7 days")):
        await pool.execute(f"UPDATE desk_session SET {column} = now() - interval '{span}' + interval '1 minute'")
        assert (await ask(client, "GET", "/v1/session", headers=mine))[0] == 200
        await pool.execute(f"UPDATE desk_session SET {column} = now() - interval '{span}'")
        assert (await ask(client, "GET", "/v1/session", headers=mine))[0] == 401
        await pool.execute("UPDATE desk_session SET last_used_at = now(), created_at = now()")


async def test_signing_out_everywhere(client, account, other_account, pool):
    ana = await make_user(pool, account.id)
    await make_user(pool, other_account.id)
    beto = await signed_in(pool, account.id, await make_user(pool, account.id, "beto@tienda.example"))
    here, there = await signed_in(pool, account.id, ana), await signed_in(pool, other_account.id, ana)
    assert (await ask(client, "DELETE", "/v1/session?everywhere=true", headers=here))[0] == 204
    asked = [(await ask(client, "GET", "/v1/session", headers=one))[0] for one in (here, there, beto)]
    assert asked == [401, 401, 200]


async def test_another_password_ends_the_other_sessions(client, account, pool, refused):
    ana = await make_user(pool, account.id)
    here, there = await signed_in(pool, account.id, ana), await signed_in(pool, account.id, ana)
    change = {"old": "wrong", "new": "staple staple staple"}
    await refused(await client.put("/v1/session/password", json=change, headers=here), 422, "/old")
    assert (await ask(client, "PUT", "/v1/session/password", change | {"old": PASSWORD}, headers=here))[0] == 204
    asked = [(await ask(client, "GET", "/v1/session", headers=one))[0] for one in (here, there)]
    assert asked == [200, 401]
    assert (await ask(client, "POST", "/v1/session", ANA))[0] == 401
    assert (await ask(client, "POST", "/v1/session", ANA | {"password": change["new"]}))[0] == 201


async def test_somebody_in_two_accounts_is_in_one_at_a_time(client, account, other_account, pool, refused):
    ana = await make_user(pool, account.id, role="viewer")
    await make_user(pool, other_account.id, role="owner")
    status, said = await ask(client, "POST", "/v1/session", ANA | {"account": "competencia"})
    assert (status, said["account"], said["role"]) == (201, "competencia", "owner")
    assert [one["name"] for one in said["accounts"]] == ["mensajeria", "competencia"]
    mine = await signed_in(pool, account.id, ana)
    assert (await ask(client, "GET", "/v1/keys", headers=mine))[0] == 403
    change = {"account": "competencia", "name": "Ana"}
    status, said = await ask(client, "PATCH", "/v1/session", change, headers=mine)
    assert (status, said["role"], said["user"]["name"]) == (200, "owner", "Ana")
    status, said = await ask(client, "GET", "/v1/keys", headers=mine)
    assert (status, len(said["keys"])) == (200, 3)
    await refused(await client.patch("/v1/session", json={"account": "nadie"}, headers=mine), 422, "/account")


async def test_a_key_is_told_what_it_is_and_has_no_session(client, account):
    status, said = await ask(client, "GET", "/v1/session", headers=account.headers)
    assert (status, said["user"], said["role"]) == (200, None, "admin")
    assert (await ask(client, "DELETE", "/v1/session", headers=account.headers))[0] == 403


async def test_by_http_the_cookie_is_one_that_browsers_keep_there(client, account, pool, api_config):
    object.__setattr__(api_config, "public_url", "")
    await make_user(pool, account.id)
    response = await client.post("/v1/session", json=ANA)
    assert response.headers["Set-Cookie"].startswith("reparto=rps_")
    assert "Secure" not in response.headers["Set-Cookie"]
