"""A passkey is added, signs its owner in, and is removed; what was not signed for here and now signs nobody in."""

import pytest

from api.desk import passkeys as api
from api.desk.addresses import SIGN_INS_OF_AN_ADDRESS
from sql.desk import factors
from tests.api.desk.authenticator import PRESENT, Authenticator
from tests.api.desk.desk import CSRF, PASSWORD, ask, make_user, signed_in

OWN = {"password": PASSWORD}


@pytest.fixture
async def ana(account, pool):
    """Headers of a browser in which ana is signed in."""
    return await signed_in(pool, account.id, await make_user(pool, account.id, role="dispatcher"))


async def begun(client, path, headers, body=None):
    """Begin; give what the browser hands the authenticator, and the headers that it goes on with."""
    response = await client.post(path, json=body, headers=headers)
    assert response.status == 201, await response.text()
    [half] = [one.partition(";")[0] for one in response.headers.getall("Set-Cookie")]
    cookies = "; ".join(one for one in (headers.get("Cookie"), half) if one)
    return (await response.json())["options"], {**headers, "Cookie": cookies}


async def add(client, ana, authenticator, name="Portátil"):
    options, headers = await begun(client, "/v1/session/passkeys/begin", ana, OWN)
    body = {"name": name, "credential": authenticator.create(options)}
    return await ask(client, "POST", "/v1/session/passkeys", body, headers=headers)


async def sign_in(client, authenticator, **others):
    options, headers = await begun(client, "/v1/session/passkey/begin", {})
    body = {"credential": authenticator.get(options, **others)}
    return await client.post("/v1/session/passkey", json=body, headers=headers)


async def test_a_passkey_is_added_signs_in_and_is_removed(client, pool, ana):
    authenticator = Authenticator()
    status, added = await add(client, ana, authenticator)
    assert (status, added["name"], added["last_used_at"]) == (201, "Portátil", None)
    assert (await add(client, ana, authenticator))[0] == 409
    response = await sign_in(client, authenticator)
    assert (response.status, (await response.json())["role"]) == (201, "dispatcher")
    [cookie] = [one for one in response.headers.getall("Set-Cookie") if one.startswith("__Host-reparto=")]
    assert {"HttpOnly", "Secure", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    mine = {"Cookie": cookie.partition(";")[0], **CSRF}
    [listed] = (await ask(client, "GET", "/v1/session/passkeys", headers=mine))[1]["passkeys"]
    assert (listed["id"], listed["last_used_at"] is None) == (added["id"], False)
    noted = await pool.fetch("SELECT operation, after FROM audit_entry ORDER BY id DESC LIMIT 1")
    assert noted == [("POST /v1/session/passkey", {"by": "passkey"})]
    assert (await ask(client, "DELETE", f"/v1/session/passkeys/{added['id']}", headers=mine))[0] == 204
    assert (await ask(client, "DELETE", f"/v1/session/passkeys/{added['id']}", headers=mine))[0] == 404
    assert (await sign_in(client, authenticator)).status == 401


async def test_it_is_enough_where_codes_are_asked_for(client, pool, ana):
    authenticator = Authenticator()
    await add(client, ana, authenticator)
    await factors.begin_totp(pool, 1, b"x")
    await factors.take_step(pool, 1, 1)
    assert (await sign_in(client, authenticator)).status == 201


@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "https://reparto.example.evil.example"},
        {"origin": "http://reparto.example"},
        {"rp_id": "evil.example"},
        {"flags": PRESENT},  # whoever has the phone, be it unlocked or not
        {"flags": 0},
    ],
)
async def test_what_was_not_made_here_is_not_added(client, ana, lie):
    status, said = await add(client, ana, Authenticator(**lie))
    assert (status, [one["at"] for one in said["errors"]]) == (422, ["/credential"])


@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "https://evil.example"},
        {"rp_id": "evil.example"},
        {"flags": PRESENT},
        {"key": Authenticator().key},
        {"credential_id": b"another"},
        {"count": -1},  # a copy of the key counts from where it was copied
    ],
)
async def test_what_was_not_signed_here_signs_nobody_in(client, ana, lie):
    true = Authenticator(count=5)
    await add(client, ana, true)
    for name, value in lie.items():
        setattr(true, name, value)
    response = await sign_in(client, true)
    assert (response.status, (await response.json())["detail"]) == (401, "This passkey does not count here.")
    assert not [one for one in response.headers.getall("Set-Cookie", []) if one.startswith("__Host-reparto=")]


@pytest.mark.parametrize("credential", [{}, {"rawId": 7}, {"rawId": "é"}, {"id": "AA", "rawId": "AA", "type": "x"}])
async def test_what_is_no_credential_signs_nobody_in(client, ana, credential):
    await add(client, ana, Authenticator(credential_id=b"\x00"))
    _, headers = await begun(client, "/v1/session/passkey/begin", {})
    body = {"credential": credential}
    assert (await ask(client, "POST", "/v1/session/passkey", body, headers=headers))[0] == 401
    _, headers = await begun(client, "/v1/session/passkeys/begin", ana, OWN)
    body = {"name": "x", "credential": credential}
    assert (await ask(client, "POST", "/v1/session/passkeys", body, headers=headers))[0] == 422


async def test_a_challenge_counts_once_in_its_browser_and_not_for_long(client, ana, pool):
    authenticator = Authenticator()
    await add(client, ana, authenticator)
    options, headers = await begun(client, "/v1/session/passkey/begin", {})
    body = {"credential": authenticator.get(options)}
    assert (await ask(client, "POST", "/v1/session/passkey", body))[0] == 401
    assert (await ask(client, "POST", "/v1/session/passkey", body, headers=headers))[0] == 201
    assert (await ask(client, "POST", "/v1/session/passkey", body, headers=headers))[0] == 401
    options, headers = await begun(client, "/v1/session/passkey/begin", {})
    await pool.execute("UPDATE sign_in_step SET expires_at = now()")
    body = {"credential": authenticator.get(options)}
    assert (await ask(client, "POST", "/v1/session/passkey", body, headers=headers))[0] == 401


async def test_one_persons_passkey_is_not_added_to_another(client, account, ana, pool):
    beto = await signed_in(pool, account.id, await make_user(pool, account.id, "beto@tienda.example"))
    options, headers = await begun(client, "/v1/session/passkeys/begin", ana, OWN)
    mixed = {**beto, "Cookie": f"{beto['Cookie']}; {headers['Cookie'].rpartition('; ')[2]}"}
    body = {"name": "x", "credential": Authenticator().create(options)}
    assert (await ask(client, "POST", "/v1/session/passkeys", body, headers=mixed))[0] == 409


async def test_only_who_knows_the_password_adds_one_and_only_so_many(client, ana, refused, monkeypatch):
    response = await client.post("/v1/session/passkeys/begin", json={"password": "wrong"}, headers=ana)
    await refused(response, 422, "/password")
    monkeypatch.setattr(api, "MOST", 1)
    assert [(await add(client, ana, Authenticator()))[0] for _ in range(2)] == [201, 409]


async def test_challenges_are_not_given_without_end(client, monkeypatch):
    monkeypatch.setattr("api.desk.addresses.SIGN_INS_OF_AN_ADDRESS", 2)
    asked = [(await ask(client, "POST", "/v1/session/passkey/begin"))[0] for _ in range(3)]
    assert asked == [201, 201, 429]
    assert SIGN_INS_OF_AN_ADDRESS > 2
    other = {"Sec-Fetch-Site": "cross-site"}
    assert (await ask(client, "POST", "/v1/session/passkey/begin", headers=other))[0] == 403
