"""Doors of phones whose ingest token stands in a header: Bearer, or the password of Basic."""

import time
from base64 import b64encode
from collections.abc import Awaitable, Callable

import pytest

from api.http.known.devices import DEVICES
from geo.pings import Pings
from sql.pool import Pool
from tests.ingest.doors.phones import Client, Phone
from tests.ingest.doors.test_at_once import asked

Kept = Callable[[], Awaitable[Pings]]


def said() -> dict[str, object]:
    return {"_type": "location", "lat": 19.432608, "lon": -99.133208, "tst": int(time.time()) - 60, "tid": "an"}


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


@pytest.mark.parametrize("user", ["", "ana", "somebody else", "ñ"])
async def test_the_password_says_whose_phone_it_is_and_the_user_name_nothing(
    client: Client, phone: Phone, kept: Kept, user: str
) -> None:
    response = await client.post("/pub", json=said(), headers=basic(user, phone.ingest_token))
    assert (response.status, response.content_type, await response.json()) == (200, "application/json", [])
    assert (await kept()).rows["device_id"].tolist() == [phone.id]


async def test_a_bearer_and_overlands_basic_without_base64_are_the_same(
    client: Client, phone: Phone, kept: Kept
) -> None:
    for credential in (
        f"Bearer {phone.ingest_token}",
        f"bearer  {phone.ingest_token} ",
        f"Basic {phone.ingest_token}:",
    ):
        assert (await client.post("/pub", json=said(), headers={"Authorization": credential})).status == 200
    assert set((await kept()).rows["device_id"].tolist()) == {phone.id}


async def test_whoever_shows_no_ingest_token_that_works_is_told_what_to_show(
    client: Client, phone: Phone, kept: Kept
) -> None:
    wrong = [
        *(basic(phone.ingest_token, ""), basic("ana", phone.token), basic("ana", "rpi_wrong")),
        *(
            {"Authorization": one}
            for one in ("Basic", "Basic !", "Basic \xff", "Basic rpi_x:", "Bearer rpi_x", "Bearer \xff", "Digest x")
        ),
        *({"Authorization": f"Bearer {phone.token}"}, {}),
    ]
    for headers in wrong:
        response = await client.post("/pub", json=said(), headers=headers)
        assert (response.status, (await response.json())["type"]) == (401, "unauthorized"), headers
        assert response.headers["WWW-Authenticate"] == 'Basic realm="reparto", Bearer realm="reparto"'
    assert len(await kept()) == 0


async def test_a_phone_that_is_shut_out_is_told(client: Client, phone: Phone, pool: Pool) -> None:
    headers = basic("ana", phone.ingest_token)
    assert (await client.post("/pub", json=said(), headers=headers)).status == 200
    await pool.execute("UPDATE device SET revoked_at = now() WHERE id = $1", phone.id)
    client.server.app[DEVICES].forget(phone.id)  # type: ignore[attr-defined]
    assert (await client.post("/pub", json=said(), headers=headers)).status == 401


async def test_bytes_that_are_no_text_are_no_credential(client: Client, phone: Phone) -> None:
    for path, scheme in (("/pub", b"Bearer"), ("/pub", b"Basic"), ("/v1/pings", b"Bearer")):
        head = b"POST %b HTTP/1.1\r\nHost: x\r\nAuthorization: %b \xff\xed\r\nContent-Length: 2\r\n\r\n[]"
        [(status, _, _)] = await asked(client.port, head % (path.encode(), scheme))
        assert status == 401
