"""Who may read: API keys by Basic, Bearer, token and cookie; people by their password; nobody else."""

from typing import Any

import pytest
from aiohttp import FormData, encode_basic_auth

from api.http.auth import Role
from sql.desk import factors
from sql.pool import Pool
from tests.api.desk.desk import PASSWORD, make_user, signed_in, somebody

ANA = "ana@tienda.example"


async def sign_in(client: Any, **form: str) -> Any:
    return await client.post("/api/session", data=FormData(form))


def cookie_of(response: Any) -> Any:
    return response.cookies["JSESSIONID"]


async def test_a_key_opens_by_every_way_that_clients_have(client: Any, account: Any) -> None:
    key = account.viewer_key
    for headers in (
        {"Authorization": f"Bearer {key}"},
        {"Authorization": encode_basic_auth("ana@tienda.example", key)},
        {"Authorization": encode_basic_auth("", key)},
        {"Cookie": f"JSESSIONID={key}"},
    ):
        async with client.get("/api/session", headers=headers) as response:
            assert response.status == 200, headers
            user = await response.json()
            assert (user["name"], user["readonly"], user["email"]) == ("mensajeria", True, None)
            assert response.headers["Cache-Control"] == "no-store"
            assert not response.cookies


async def test_a_token_sets_a_cookie_for_api_alone(client: Any, account: Any) -> None:
    async with client.get("/api/session", params={"token": account.viewer_key}) as response:
        cookie = cookie_of(response)
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/api", True, "Strict")
    async with client.get("/api/devices") as response:
        assert response.status == 200
    async with client.get("/v1/drivers") as response:
        assert response.status == 401


async def test_a_token_is_read_where_clients_sign_in_and_nowhere_else(client: Any, account: Any) -> None:
    for path in ("devices", "positions", "geofences", "reports/events"):
        async with client.get(f"/api/{path}", params={"token": account.viewer_key}) as response:
            assert response.status == 401, path


@pytest.mark.parametrize("public_url", ["https://reparto.example"])
async def test_by_https_the_cookie_is_secure(client: Any, account: Any) -> None:
    async with client.get("/api/session", params={"token": account.viewer_key}) as response:
        assert cookie_of(response)["secure"] is True


@pytest.mark.parametrize(
    "header",
    ["Basic", "Basic !", "Basic " + "A" * 9, "Bearer", "Bearer rpk_wrong", "Digest x", "Basic " + "/w==", ""],
)
async def test_what_is_no_key_is_answered_401(client: Any, header: str) -> None:
    async with client.get("/api/devices", headers={"Authorization": header}) as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")  # no browser remembers a password for that


async def test_a_password_is_taken_by_the_form_alone(client: Any, account: Any, pool: Pool) -> None:
    """By Basic it would be tried with every request, which is more often than it may be tried."""
    await make_user(pool, account.id, ANA)
    async with client.get("/api/devices", auth=None, headers={"Authorization": encode_basic_auth(ANA, PASSWORD)}) as no:
        assert no.status == 401
    async with await sign_in(client, email=ANA, password=PASSWORD) as response:
        assert response.status == 200
        assert (await response.json())["email"] == ANA
    async with client.get("/api/devices") as response:
        assert response.status == 200


async def test_a_key_is_taken_by_the_form_too(client: Any, account: Any) -> None:
    async with await sign_in(client, email="whoever", password=account.viewer_key) as response:
        assert (response.status, cookie_of(response).value) == (200, account.viewer_key)
    async with await sign_in(client, email="whoever", password=account.viewer_key + "x") as response:
        assert (response.status, "JSESSIONID" in response.cookies) == (401, False)


async def test_signing_out_ends_the_session_of_a_person_and_no_key(client: Any, account: Any, pool: Pool) -> None:
    await make_user(pool, account.id, ANA)
    async with await sign_in(client, email=ANA, password=PASSWORD) as response:
        secret = cookie_of(response).value
    kept = {"Cookie": f"JSESSIONID={secret}"}
    async with client.delete("/api/session") as response:
        assert response.status == 204
    client.session.cookie_jar.clear()
    async with client.get("/api/devices", headers=kept) as response:
        assert response.status == 401
    operations = await pool.fetch("SELECT operation FROM audit_entry ORDER BY id")
    assert [row["operation"] for row in operations] == ["POST /api/session", "DELETE /api/session"]
    async with client.delete("/api/session", headers={"Cookie": f"JSESSIONID={account.viewer_key}"}) as response:
        assert response.status == 204
    async with client.get("/api/devices", headers={"Cookie": f"JSESSIONID={account.viewer_key}"}) as response:
        assert response.status == 200


async def test_a_wrong_password_is_counted_as_at_the_desk(client: Any, account: Any, pool: Pool) -> None:
    await make_user(pool, account.id, ANA)
    statuses = []
    for _ in range(11):
        async with await sign_in(client, email=ANA, password="wrong") as response:
            statuses.append(response.status)
    assert statuses == [401] * 10 + [429]


async def test_who_has_codes_of_a_phone_is_asked_for_one(
    client: Any, account: Any, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_user(pool, account.id, ANA)

    async def totp_of(*_: Any) -> Any:
        return factors.Totp(sealed=b"", is_confirmed=True)

    monkeypatch.setattr(factors, "totp_of", totp_of)
    async with await sign_in(client, email=ANA, password=PASSWORD) as response:
        assert (response.status, response.headers["WWW-Authenticate"]) == (401, "TOTP")


async def test_drivers_do_not_read_the_fleet(client: Any, account: Any, pool: Pool) -> None:
    await somebody(pool, account.id, Role.DRIVER, "luis@tienda.example")
    async with await sign_in(client, email="luis@tienda.example", password=PASSWORD) as response:
        assert (response.status, "JSESSIONID" in response.cookies) == (403, False)
    assert await pool.fetchval("SELECT count(*) FROM desk_session") == 0


async def test_who_is_signed_in_at_the_desk_reads_too(client: Any, account: Any, pool: Pool) -> None:
    mine = await signed_in(pool, account.id, await make_user(pool, account.id, ANA, "viewer"), "reparto")
    async with client.get("/api/session", headers=mine) as response:
        assert (response.status, (await response.json())["email"]) == (200, ANA)


async def test_no_page_of_another_site_signs_somebody_in(client: Any, account: Any) -> None:
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    async with client.get("/api/session", params={"token": account.viewer_key}, headers=elsewhere) as response:
        assert response.status == 403
        assert "Set-Cookie" not in response.headers


async def test_no_page_of_another_site_reads_by_a_cookie(client: Any, account: Any) -> None:
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    async with client.get("/api/devices", headers={"Cookie": f"JSESSIONID={account.key}", **elsewhere}) as response:
        assert response.status == 403
    async with client.get("/api/devices", headers={**account.headers, **elsewhere}) as response:
        assert response.status == 200
    async with client.post("/api/session", data={"password": account.key}, headers=elsewhere) as response:
        assert response.status == 403


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/x-www-form-urlencoded", 422),
        (b"email=a&password=%FF%00", "application/x-www-form-urlencoded; charset=klingon", 401),
        (b"email=%00%40b.co&password=x", "text/plain", 401),
        (b"email=a%40b.co&password=x", "multipart/form-data", 401),
        (b"\xff\xfe", "application/x-www-form-urlencoded", 422),
        (b"a=" + b"x" * 20_000, "application/x-www-form-urlencoded", 413),
        (b"&" * 16_000, "application/x-www-form-urlencoded", 422),
    ],
)
async def test_what_is_no_form_is_refused(client: Any, body: bytes, kind: str, status: int) -> None:
    async with client.post("/api/session", data=body, headers={"Content-Type": kind}) as response:
        assert response.status == status, await response.text()


async def test_a_revoked_key_reads_no_more(client: Any, account: Any, pool: Pool) -> None:
    await pool.execute("UPDATE api_key SET revoked_at = now()")
    for headers in (account.headers, {"Cookie": f"JSESSIONID={account.key}"}):
        async with client.get("/api/session", headers=headers) as response:
            assert response.status == 401
