"""The second port: a phone that knows no path says who it is in what it sends."""

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp.test_utils import TestClient

from api.http.shares.rates import RATES
from geo.pings import Pings
from ingest.doors.bare_port import create_bare_app
from sql.inbox.quarantine import list_quarantined
from sql.pool import Pool
from tests.ingest.doors.phones import Client, OurServer, Phone

Kept = Callable[[], Awaitable[Pings]]
FIX = "lat=19.432608&lon=-99.133208"
JSON = {"location": {"coords": {"latitude": 19.432608, "longitude": -99.133208}}}


@pytest.fixture
async def bare(client: Client) -> AsyncIterator[Client]:
    async with TestClient(OurServer(create_bare_app(client.server.app))) as made:  # type: ignore[attr-defined]
        yield made


async def test_it_says_who_it_is_in_the_query_the_form_or_json(bare: Client, phone: Phone, kept: Kept) -> None:
    token = phone.ingest_token
    answers = [
        await bare.get(f"/?{FIX}&id={token}"),
        await bare.post(f"/?deviceid={token}&{FIX}"),
        await bare.post("/", data={"id": token, "lat": "19.432608", "lon": "-99.133208"}),
        await bare.post("/", json={"device_id": token, **JSON}),
        await bare.post(f"/?id={token}", json=JSON),
    ]
    assert [(answer.status, await answer.read()) for answer in answers] == [(200, b"")] * 5
    assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}
    rows = (await kept()).rows
    assert rows["device_id"].tolist() == [phone.id] * 5
    assert rows["lat_e6"].tolist() == [19432608] * 5


async def test_an_app_has_its_own_units(bare: Client, make_phone: Callable[..., Awaitable[Phone]], kept: Kept) -> None:
    for name, app in (("ana", "traccar"), ("eva", "osmand")):
        token = (await make_phone(name, app=app)).ingest_token
        await bare.get(f"/?{FIX}&speed=10&id={token}")
    assert (await kept()).rows["speed_mps"].tolist() == pytest.approx([5.14444, 10])


async def test_head_stores_nothing(bare: Client, phone: Phone, kept: Kept) -> None:
    assert (await bare.head(f"/?{FIX}&id={phone.ingest_token}")).status == 200
    assert len(await kept()) == 0


async def test_an_unusable_message_is_answered_and_kept_without_its_token(
    bare: Client, phone: Phone, pool: Pool
) -> None:
    sent = [f"lat=91&lon=2&id={phone.ingest_token}", json.dumps({"device_id": phone.ingest_token, "location": 5})]
    assert (await bare.get(f"/?{sent[0]}")).status == 200
    headers = {"Content-Type": "application/json"}
    assert (await bare.post("/", data=sent[1], headers=headers)).status == 200
    packed = {"Content-Encoding": "gzip"}
    assert (await bare.post(f"/?id={phone.ingest_token}", data=b"not gzip", headers=packed)).status == 200
    entries = await list_quarantined(pool, account_id=phone.account_id, after_id=None, limit=10)
    assert [one.reason for one in entries] == ["body-unreadable", "body-unreadable", "lat-out-of-range"]
    assert all(phone.ingest_token.encode() not in one.body for one in entries)


async def test_whoever_is_not_known_is_refused(bare: Client, phone: Phone, kept: Kept) -> None:
    for wrong in ("", "id=", "id=48241179", f"id={phone.token}", "id=%ED%A0%80"):
        for method in ("GET", "POST"):
            response = await bare.request(method, f"/?{FIX}&{wrong}")
            assert (response.status, (await response.json())["type"]) == (401, "unauthorized")
    for body in (b"{", b"[]", b'{"device_id": ["x"]}', b'{"device_id": 5}', b"[" * 100_000):
        response = await bare.post("/", data=body, headers={"Content-Type": "application/json"})
        assert response.status == 401
    assert (await bare.post("/", data=b"x", headers={"Content-Encoding": "gzip"})).status == 401
    assert len(await kept()) == 0


async def test_nothing_else_is_there(bare: Client, phone: Phone) -> None:
    for path in ("/health/live", "/v1/pings", f"/ingest/{phone.ingest_token}/osmand", "/metrics"):
        assert (await bare.get(path)).status == 404
    assert (await bare.put("/")).status == 405


async def test_what_one_phone_may_send_is_counted_for_both_ports(client: Client, bare: Client, phone: Phone) -> None:
    rates = client.server.app[RATES]  # type: ignore[attr-defined]
    rates.pay(phone.id, 10**9)
    response = await bare.get(f"/?{FIX}&id={phone.ingest_token}")
    assert (response.status, "Retry-After" in response.headers) == (429, True)


async def test_no_log_line_shows_a_token(bare: Client, phone: Phone, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await bare.get(f"/?{FIX}&id={phone.ingest_token}")
    await bare.get(f"/?{FIX}&id=rpi_wrong")
    ours = [line.getMessage() for line in caplog.records if not line.name.startswith(("aiohttp", "asyncio"))]
    assert not any(secret in line for line in ours for secret in (phone.ingest_token, "rpi_wrong", "19.43"))
