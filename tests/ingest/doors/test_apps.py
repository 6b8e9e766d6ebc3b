"""The doors for phone apps: a known phone is never stuck, an unknown one is told, nothing shows a token."""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from geo.pings import Pings
from geo.trust.clean import Flag
from sql.inbox.quarantine import ListedQuarantined, list_quarantined
from sql.pool import Pool
from tests.ingest.doors.phones import Client, Doors, Phone, locked_inbox, ping, until_writers_wait

Kept = Callable[[], Awaitable[Pings]]
FIX = "lat=19.432608&lon=-99.133209"


def url(phone: Phone, query: str = "") -> str:
    return f"/ingest/{phone.ingest_token}/osmand" + (f"?{query}" if query else "")


async def quarantined(pool: Pool, phone: Phone) -> list[ListedQuarantined]:
    return await list_quarantined(pool, account_id=phone.account_id, after_id=None, limit=10)


async def test_each_dialect_of_the_osmand_door_is_on_disk_when_it_is_answered(
    client: Client, phone: Phone, kept: Kept
) -> None:
    answers = [
        await client.get(url(phone, FIX)),
        await client.post(url(phone, f"id=1&speed=10&{FIX}")),
        await client.post(url(phone), data={"id": "1", "lat": "19.432608", "lon": "-99.133209", "speed": "10"}),
        await client.post(url(phone), json={"location": {"coords": {"latitude": 19.432608, "longitude": -99.133209}}}),
    ]
    assert [(answer.status, await answer.read()) for answer in answers] == [(200, b"")] * 4
    rows = (await kept()).rows
    assert rows["lat_e6"].tolist() == [19432608] * 4
    assert set(rows["driver_id"].tolist()) == {phone.driver_id}
    assert set(rows["flags"].tolist()) == {Flag.RECEIVE_TIME}
    assert rows["speed_mps"][1] == pytest.approx(5.14444)


async def test_the_osmand_app_has_its_own_units(
    client: Client, make_phone: Callable[..., Awaitable[Phone]], kept: Kept
) -> None:
    phone = await make_phone("eva", app="osmand")
    await client.get(url(phone, f"{FIX}&speed=10&hdop=4.5"))
    row = (await kept()).rows[0]
    assert (row["speed_mps"], row["accuracy_m"]) == (10, 4.5)


async def test_a_heartbeat_is_answered_and_stores_nothing(client: Client, phone: Phone, pool: Pool, kept: Kept) -> None:
    response = await client.post(url(phone), data={"id": "1", "batt": "81", "charge": "false"})
    assert response.status == 200
    assert (len(await kept()), await quarantined(pool, phone)) == (0, [])
    (beat,) = await pool.fetch("SELECT driver_id, battery, now() - received_at AS ago FROM heartbeat")
    assert (beat["driver_id"], round(beat["battery"], 2), abs(beat["ago"].total_seconds()) < 60) == (
        phone.driver_id, 0.81, True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("query", "lives"),
    [
        (FIX, False),
        (f"{FIX}&valid=false", True),
        ("lat=91&lon=2&batt=5", True),
        ("id=1&batt=200", True),
        ("x=1", False),
    ],
)
async def test_what_has_no_usable_place_says_that_the_phone_lives(
    client: Client, phone: Phone, pool: Pool, query: str, lives: bool
) -> None:
    assert (await client.post(url(phone, query))).status == 200
    assert bool(await pool.fetchval("SELECT count(*) FROM heartbeat")) is lives


async def test_outside_a_shift_no_heartbeat_is_kept_where_nothing_else_is(
    client: Client, phone: Phone, pool: Pool
) -> None:
    await pool.execute("UPDATE account SET shift_only_since = now() WHERE id = $1", phone.account_id)
    await client.post(url(phone), data={"id": "1", "batt": "81"})
    assert await pool.fetchval("SELECT count(*) FROM heartbeat") == 0


@pytest.mark.parametrize(
    ("method", "query", "body", "headers", "reason"),
    [
        ("GET", "lat=91&lon=2", None, {}, "lat-out-of-range"),
        ("GET", "", None, {}, "body-unreadable"),
        ("POST", "", b"{", {"Content-Type": "application/json"}, "body-unreadable"),
        ("POST", "", b"\xff\xfe", {"Content-Type": "text/xml"}, "body-unreadable"),
        ("POST", "", b"not gzip", {"Content-Encoding": "gzip"}, "body-unreadable"),
        ("POST", "lat=1&lon=2&timestamp=5", b"", {}, "time-too-old"),
    ],
)
async def test_an_unusable_message_of_a_known_phone_is_answered_and_quarantined(
    client: Client, phone: Phone, pool: Pool, kept: Kept,
    method: str, query: str, body: bytes | None, headers: dict[str, str], reason: str,
) -> None:  # fmt: skip
    response = await client.request(method, url(phone, query), data=body, headers=headers)
    assert (response.status, await response.read()) == (200, b"")
    (entry,) = await quarantined(pool, phone)
    assert (entry.source, entry.reason, entry.device_id) == ("osmand", reason, phone.id)
    assert len(await kept()) == 0


async def test_what_is_quarantined_shows_what_was_sent_but_no_token(client: Client, phone: Phone, pool: Pool) -> None:
    await client.get(url(phone, f"lat=91&lon=2&id={phone.ingest_token}"))
    (entry,) = await quarantined(pool, phone)
    assert entry.body == b"lat=91&lon=2&id=[token]"


async def test_a_quarantined_message_is_cut(open_doors: Doors, phone: Phone, pool: Pool) -> None:
    async with open_doors(quarantine_body_bytes=100) as client:
        await client.post(url(phone), data=b"x" * 1_000)
    assert [len(entry.body) for entry in await quarantined(pool, phone)] == [100]


async def test_an_unknown_token_is_refused(client: Client, phone: Phone, pool: Pool) -> None:
    for token in ("rpi_unknown", phone.token):
        for method in ("GET", "POST"):
            assert (await client.request(method, f"/ingest/{token}/osmand?{FIX}")).status == 401
    assert (await client.get("/ingest//osmand")).status == 404
    assert await quarantined(pool, phone) == []


async def test_too_much_is_refused(open_doors: Doors, phone: Phone) -> None:
    async with open_doors(max_ping_bytes=1_000, pings_per_minute=2) as client:
        assert (await client.post(url(phone), data=b"x" * 1_001)).status == 413
        assert (await client.get(url(phone, FIX))).status == 200
        response = await client.get(url(phone, FIX))
        assert (response.status, 0 < int(response.headers["Retry-After"]) <= 60) == (429, True)


async def test_junk_is_dearer_the_longer_it_is(open_doors: Doors, phone: Phone) -> None:
    async with open_doors(pings_per_minute=100) as client:
        assert (await client.post(url(phone), data=b"x" * 50_000)).status == 200
        assert (await client.get(url(phone, FIX))).status == 429


async def test_a_phone_keeps_its_fix_while_the_database_is_away(open_doors: Doors, phone: Phone, pool: Pool) -> None:
    async with open_doors() as client:
        assert (await client.get(url(phone, FIX))).status == 200
        async with locked_inbox(pool):
            getting = asyncio.create_task(client.get(url(phone, FIX)))
            (backend,) = await until_writers_wait(pool)
            await pool.execute("SELECT pg_terminate_backend($1)", backend)
            response = await getting
        assert (response.status, "Retry-After" in response.headers) == (503, True)


async def test_no_log_line_of_ours_shows_a_token_or_a_place(
    client: Client, phone: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await client.get(url(phone, FIX))
    await client.get(url(phone, "lat=91"))
    await client.get("/ingest/rpi_unknown/osmand")
    await client.post("/v1/pings", data=json.dumps([ping(lat=91)]), headers=phone.headers)
    ours: list[Any] = [line.getMessage() for line in caplog.records if not line.name.startswith(("aiohttp", "asyncio"))]
    assert not any(secret in line for line in ours for secret in (phone.token, phone.ingest_token, "19.43", "rpi_"))


async def test_head_asks_and_stores_nothing(client: Client, phone: Phone, kept: Kept) -> None:
    path = f"/ingest/{phone.ingest_token}/osmand?lat=19.4&lon=-99.1&timestamp={int(time.time())}"
    assert (await client.head(path)).status == 200
    assert len(await kept()) == 0
    assert (await client.get(path)).status == 200
    assert len(await kept()) == 1
