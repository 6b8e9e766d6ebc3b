"""The whole way through the doors: what was recorded outside a shift is acknowledged, and no answer ever shows it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from api.http.auth import KEY_PREFIX, hash_of, new_secret
from ingest.config import IngestConfig
from ingest.track.tracker import Tracker
from reparto.run.app import create_app
from reparto.settings.settings import Settings
from sql.account.accounts import ensure_account, read_instance
from sql.account.keys import create_key
from sql.config import DatabaseConfig
from sql.feed.events import number_events
from sql.pool import Pool, connect
from work.upkeep.partitions import make_partitions

BASE = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
LAT = 6.2442


def at(minute: float) -> str:
    return (BASE + timedelta(minutes=minute)).isoformat()


@dataclass(slots=True)
class Day:
    """A driver's day: their phone, a dispatcher, and a tracker that is turned by hand."""

    client: TestClient[web.Request, web.Application]
    pool: Pool
    tracker: Tracker
    key: str
    token: str = ""

    async def ask(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> Any:
        headers = {"Authorization": f"Bearer {token or self.key}"}
        response = await self.client.request(method, path, json=body, headers=headers)
        assert response.status in (200, 201), (path, response.status, await response.text())
        return await response.json()

    async def record(self, *minutes: float) -> None:
        """Send a ping of each minute, a place of its own: the minute is in it."""
        pings = [{"time": at(minute), "lat": LAT, "lon": place(minute), "accuracy_m": 5} for minute in minutes]
        assert await self.ask("POST", "/v1/pings", {"pings": pings}, token=self.token) == {
            "accepted": len(minutes),
            "rejected": [],
        }

    async def say(self, kind: str, minute: float) -> None:
        event = {"id": str(uuid4()), "type": kind, "occurred_at": at(minute)}
        results = (await self.ask("POST", "/v1/driver/events", {"events": [event]}, token=self.token))["results"]
        assert [one["result"] for one in results] == ["applied"]

    async def track(self) -> None:
        while await self.tracker.turn():
            pass
        async with self.pool.acquire() as db:
            await number_events(db)

    async def answers(self) -> str:
        """Everything that can be asked about the driver."""
        paths = ("/v1/positions", "/v1/drivers/ana/track", "/v1/events", "/v1/quarantine", "/v1/drivers/ana/shifts")
        return str([await self.ask("GET", path) for path in paths])

    async def shown(self, *minutes: float) -> list[float]:
        """Which of these minutes' places any answer shows."""
        text = await self.answers()
        return [minute for minute in minutes if str(place(minute)) in text]

    async def facts(self) -> list[str]:
        """What the feed says of coming to the fence."""
        return [
            one["state"] for one in (await self.ask("GET", "/v1/events"))["events"] if one["type"] == "geofence.entered"
        ]

    async def position(self) -> float | None:
        """The longitude of the driver on the map."""
        features = (await self.ask("GET", "/v1/positions"))["features"]
        return features[0]["geometry"]["coordinates"][0] if features else None


def place(minute: float) -> float:
    """The longitude of a minute: 100 m further each."""
    return round(-75.5690 + minute * 0.001, 6)


@pytest.fixture
async def day(database: DatabaseConfig, pool: Pool) -> AsyncIterator[Day]:
    """An account that keeps only shifts, a fence where its driver is at minute 30, and the driver's phone."""
    config = replace(IngestConfig(), rerun_every_s=0.0)
    key = new_secret(KEY_PREFIX)
    account_id = await ensure_account(pool, "mensajeria")
    await create_key(pool, account_id=account_id, role="admin", label=None, secret_hash=hash_of(key))
    connections = [await connect(database), await connect(database)]
    await make_partitions(connections[0], config.oldest_ping_days)
    tracker = Tracker(connections[0], connections[1], config, (await read_instance(pool)).lanes)
    async with TestClient(TestServer(create_app(Settings(database=database), database))) as client:
        made = Day(client, pool, tracker, key)
        await made.ask("POST", "/v1/drivers", {"external_id": "ana", "name": "Ana"})
        device = await made.ask("POST", "/v1/drivers/ana/devices", {"app": "native"})
        made.token = device["token"]
        assert (await made.ask("GET", "/v1/account"))["location_policy"] == "always"
        point = {"type": "Point", "coordinates": [place(30), LAT]}
        fence = {"type": "Feature", "geometry": point, "properties": {"radius_m": 50, "dwell_s": 0}}
        await made.ask("PUT", "/v1/geofences/corner", fence)
        await pool.execute("UPDATE geofence_version SET effective_at = '-infinity'")
        changed = await made.ask("PATCH", "/v1/account", {"location_policy": "shift"})
        assert changed["location_policy"] == "shift"
        yield made
    for connection in connections:
        await connection.close()


async def test_a_day_with_a_late_start_and_a_late_end(day: Day) -> None:
    minutes = (0, 10, 20, 30, 40)
    await day.record(*minutes)
    await day.track()
    assert await day.shown(*minutes) == []
    assert await day.position() is None

    await day.say("shift_started", 5)
    await day.track()
    assert await day.shown(*minutes) == [10, 20, 30, 40]
    assert await day.facts() == ["asserted"]
    assert await day.position() == place(40)

    await day.say("shift_ended", 25)
    await day.track()
    assert await day.shown(*minutes) == [10, 20]
    assert await day.facts() == ["asserted", "retracted"]
    assert await day.position() == place(20)

    await day.record(50)
    await day.say("shift_started", 35)
    await day.track()
    assert await day.shown(*minutes, 50) == [10, 20, 40, 50]

    await day.ask("PATCH", "/v1/account", {"location_policy": "always"})
    await day.track()
    assert await day.shown(*minutes, 50) == [*minutes, 50]
    assert await day.pool.fetchval("SELECT count(*) FROM held") == 0


async def test_other_settings_leave_the_policy_alone(day: Day) -> None:
    since = await day.pool.fetchval("SELECT shift_only_since FROM account")
    assert (await day.ask("PATCH", "/v1/account", {"brand": "Ya llega"}))["location_policy"] == "shift"
    await day.ask("PATCH", "/v1/account", {"location_policy": "shift"})
    assert await day.pool.fetchval("SELECT shift_only_since FROM account") == since is not None


async def test_a_message_that_nobody_can_read_is_listed_without_its_body(day: Day) -> None:
    headers = {"Authorization": f"Bearer {day.token}"}
    ping = {"time": at(0), "lat": 1234.5, "lon": -75.5}
    await day.client.post("/v1/pings", json={"pings": [ping]}, headers=headers)
    (entry,) = (await day.ask("GET", "/v1/quarantine"))["quarantined"]
    assert "1234.5" not in str(entry)
    assert await day.pool.fetchval("SELECT length(body) FROM quarantine") == 0
