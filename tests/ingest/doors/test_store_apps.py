"""Doors of store apps over real HTTP: the answer that each app waits for, after the commit, whatever it sent."""

import gzip
import json
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from yarl import URL

from geo.pings import Pings
from sql.inbox.quarantine import ListedQuarantined, list_quarantined
from sql.pool import Pool
from tests.ingest.doors.phones import Client, Doors, Phone, locked_inbox

Kept = Callable[[], Awaitable[Pings]]

NOW_S = int(time.time())
LAT, LON = 19.432608, -99.133208


def feature(seconds_ago: float, *, lat: float = LAT, **more: Any) -> dict[str, Any]:
    """As Overland sends it."""
    about = {"timestamp": datetime.fromtimestamp(NOW_S - seconds_ago, UTC).isoformat(), "speed": 8, **more}
    return {"type": "Feature", "geometry": {"type": "Point", "coordinates": [LON, lat]}, "properties": about}


def location(seconds_ago: float, *, lat: float = LAT) -> dict[str, Any]:
    """As background-geolocation sends it."""
    at = datetime.fromtimestamp(NOW_S - seconds_ago, UTC).isoformat()
    return {"timestamp": at, "coords": {"latitude": lat, "longitude": LON, "accuracy": 5}}


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """How an app talks: what it sends of one fix, what of none, and the answer that it waits for."""

    door: str
    fix: Any
    lives: Any
    bad: Any
    answer: bytes
    media: str


APPS = [
    App(
        door="owntracks",
        fix={"_type": "location", "lat": LAT, "lon": LON, "tst": NOW_S - 60, "vel": 36, "batt": 81, "tid": "an"},
        lives={"_type": "lwt", "tst": NOW_S},
        bad={"_type": "location", "lat": 91, "lon": LON, "tst": NOW_S - 60, "tid": "an"},
        answer=b"[]",
        media="application/json",
    ),
    App(
        door="overland",
        fix={"locations": [feature(60)]},
        lives={"locations": [feature(60, action="visit")]},
        bad={"locations": [feature(60, lat=91)]},
        answer=b'{"result":"ok"}',
        media="application/json",
    ),
    App(
        door="gpslogger",
        fix={"lat": LAT, "lon": LON, "timestamp": NOW_S - 60, "spd": 8.5, "batt": 81.0, "ischarging": True},
        lives={"timestamp": NOW_S, "batt": 81.0},
        bad={"lat": 91, "lon": LON, "timestamp": NOW_S - 60},
        answer=b"",
        media="application/octet-stream",
    ),
    App(
        door="bggeo",
        fix={"location": location(60)},
        lives={"location": location(60) | {"sample": True}},
        bad={"location": location(60, lat=91)},
        answer=b"",
        media="application/octet-stream",
    ),
]
each_app = pytest.mark.parametrize("app", APPS, ids=[app.door for app in APPS])


def url(app: App, phone: Phone) -> str:
    return f"/ingest/{phone.ingest_token}/{app.door}"


async def quarantined(pool: Pool, phone: Phone) -> list[ListedQuarantined]:
    return await list_quarantined(pool, account_id=phone.account_id, after_id=None, limit=10)


@each_app
async def test_a_fix_is_on_disk_when_it_is_answered(client: Client, phone: Phone, kept: Kept, app: App) -> None:
    response = await client.post(url(app, phone), json=app.fix)
    assert (response.status, response.content_type, await response.read()) == (200, app.media, app.answer)
    row = (await kept()).rows[0]
    assert (row["device_id"], row["driver_id"]) == (phone.id, phone.driver_id)
    assert (row["lat_e6"], row["lon_e6"]) == (19432608, -99133208)
    assert abs(row["recorded_ms"] / 1000 - NOW_S) < 120


@each_app
async def test_a_sign_of_life_is_noted_and_stores_no_place(
    client: Client, phone: Phone, pool: Pool, kept: Kept, app: App
) -> None:
    response = await client.post(url(app, phone), json=app.lives)
    assert (response.status, await response.read()) == (200, app.answer)
    assert (len(await kept()), await quarantined(pool, phone)) == (0, [])
    assert await pool.fetchval("SELECT driver_id FROM heartbeat") == phone.driver_id


@each_app
async def test_what_cannot_be_used_is_answered_as_if_it_could_and_quarantined(
    client: Client, phone: Phone, pool: Pool, kept: Kept, app: App
) -> None:
    sent = [json.dumps(app.bad).encode(), b"{", b"\xff\xfe\x00", b"not gzip"]
    for body in sent:
        headers = {"Content-Type": "application/json"} | ({"Content-Encoding": "gzip"} if body == sent[-1] else {})
        response = await client.post(url(app, phone), data=body, headers=headers)
        assert (response.status, response.content_type, await response.read()) == (200, app.media, app.answer)
    entries = await quarantined(pool, phone)
    assert {(one.source, one.device_id) for one in entries} == {(app.door, phone.id)}
    assert [one.reason for one in entries] == [*["body-unreadable"] * 3, "lat-out-of-range"]
    assert len(await kept()) == 0


@each_app
async def test_it_may_come_packed_and_say_no_type(client: Client, phone: Phone, kept: Kept, app: App) -> None:
    body = gzip.compress(json.dumps(app.fix).encode())
    assert (await client.post(url(app, phone), data=body, headers={"Content-Encoding": "gzip"})).status == 200
    assert (
        await client.post(url(app, phone), data=json.dumps(app.fix).encode(), skip_auto_headers=["Content-Type"])
    ).status == 200
    assert len(await kept()) == 2


@each_app
async def test_a_token_is_checked_and_too_much_is_refused(open_doors: Doors, phone: Phone, app: App) -> None:
    async with open_doors(max_ping_bytes=2_000, pings_per_minute=2) as client:
        for token in ("rpi_unknown", phone.token):
            assert (await client.post(f"/ingest/{token}/{app.door}", json=app.fix)).status == 401
        assert (await client.post(url(app, phone), data=b"x" * 2_001)).status == 413
        assert (await client.post(url(app, phone), json=app.fix)).status == 200
        response = await client.post(url(app, phone), json=app.fix)
        assert (response.status, "Retry-After" in response.headers) == (429, True)


@each_app
async def test_a_phone_keeps_its_fix_while_the_database_takes_none(
    open_doors: Doors, phone: Phone, pool: Pool, monkeypatch: pytest.MonkeyPatch, app: App
) -> None:
    monkeypatch.setattr("ingest.inbox.WAIT_S", 0.3)
    async with open_doors() as client:
        async with locked_inbox(pool):
            response = await client.post(url(app, phone), json=app.fix)
        assert (response.status, "Retry-After" in response.headers) == (503, True)


@each_app
async def test_no_log_line_shows_a_token_or_a_place(
    client: Client, phone: Phone, caplog: pytest.LogCaptureFixture, app: App
) -> None:
    caplog.set_level(logging.DEBUG)
    for said in (app.fix, app.bad, app.lives):
        await client.post(url(app, phone), json=said)
    ours = [line.getMessage() for line in caplog.records if not line.name.startswith(("aiohttp", "asyncio"))]
    assert not any(secret in line for line in ours for secret in (phone.ingest_token, "19.43"))


async def test_a_batch_is_one_commit_and_only_what_cannot_be_used_of_it_is_quarantined(
    client: Client, phone: Phone, pool: Pool, kept: Kept
) -> None:
    features = [feature(second) for second in range(1_000)]
    features[7] = feature(7, lat=91)
    headers = {"Authorization": f"Bearer {phone.ingest_token}"}
    response = await client.post("/ingest/overland", json={"locations": features}, headers=headers)
    assert (response.status, await response.json()) == (200, {"result": "ok"})
    assert len(await kept()) == 999
    assert await pool.fetchval("SELECT count(DISTINCT xmin::text) FROM inbox") == 1
    (entry,) = await quarantined(pool, phone)
    assert (entry.source, entry.reason, json.loads(entry.body)) == ("overland", "lat-out-of-range", [features[7]])


async def test_more_than_a_request_may_hold_is_said_so(open_doors: Doors, phone: Phone, kept: Kept) -> None:
    async with open_doors(max_batch=10) as client:
        path = f"/ingest/{phone.ingest_token}/overland"
        assert (await client.post(path, json={"locations": [feature(s) for s in range(11)]})).status == 413
        assert (await client.post(path, json={"locations": [feature(s) for s in range(10)]})).status == 200
    assert len(await kept()) == 10


async def test_gpslogger_sends_by_any_verb_and_as_to_opengts(client: Client, phone: Phone, kept: Kept) -> None:
    query = f"lat={LAT}&lon={LON}&timestamp={NOW_S - 60}&spd=8.5&acc=0.0"
    time_of_day, day = (time.strftime(form, time.gmtime(NOW_S - 60)) for form in ("%H%M%S", "%d%m%y"))
    rmc = f"$GPRMC,{time_of_day},A,1925.95648,N,9907.99248,W,16.5,271.0,{day},,*00"
    opengts = f"/ingest/{phone.ingest_token}/gprmc?id=a&dev=a&acct=a&batt=81&code=0xF020&alt=2240&gprmc={rmc}"
    path = f"/ingest/{phone.ingest_token}/gpslogger"
    answers = [
        await client.get(f"{path}?{query}"),
        await client.put(path, data=query.encode(), skip_auto_headers=["Content-Type"]),
        await client.post(path, data=query.encode()),
        await client.get(URL(opengts, encoded=True)),
        await client.get(opengts),
    ]
    assert [(answer.status, await answer.read()) for answer in answers] == [(200, b"")] * 5
    rows = (await kept()).rows
    assert rows["lat_e6"].tolist() == [19432608] * 5
    assert rows["lon_e6"].tolist() == [-99133208] * 5
    assert rows["speed_mps"].tolist() == pytest.approx([8.5] * 3 + [8.4883] * 2, abs=1e-3)
