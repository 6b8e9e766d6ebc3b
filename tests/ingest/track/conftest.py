"""A fleet in the database, phones that put blocks into the inbox, and a tracker that is turned by hand."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import numpy as np
import pytest

from geo.pings import Pings
from geo.times import SINCE_EVER, ms_of
from ingest import blocks
from ingest.config import IngestConfig
from ingest.track.batch import Limits, Step
from ingest.track.take import STEPS
from ingest.track.tracker import Tracker
from sql.account.accounts import ensure_account, read_instance
from sql.account.devices import create_device
from sql.account.drivers import create_driver
from sql.config import DatabaseConfig
from sql.delivery import routes
from sql.delivery.plans import add_version
from sql.inbox.inbox import put_blocks
from sql.pings.partitions import ensure_partitions
from sql.pool import Pool, connect
from sql.track.folds import plan_changed
from sql.track.lanes import lock_lanes
from tests.ingest.track.street import LAT, lon_at, put_stops, tour_plan

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""When every tour of these tests begins."""

AT_FIRST_STOP = [(at, 600.0) for at in range(100, 200, 10)]

UNSETTLED = "SELECT count(*) FROM track WHERE folded_until < head_at OR rerun_from IS NOT NULL"


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class Phone:
    """A device and where its pings go."""

    device_id: int
    driver_id: int
    lane: int


@dataclass(slots=True)
class Fleet:
    """The fleet of one test."""

    pool: Pool
    database: DatabaseConfig
    account_id: int
    config: IngestConfig = field(default_factory=lambda: replace(IngestConfig(), rerun_every_s=0.0))
    steps: Sequence[Step] = STEPS
    limits: Limits = field(default_factory=Limits)
    tracker: Tracker | None = None
    connections: list[asyncpg.Connection] = field(default_factory=list)

    async def driver(self, name: str = "ana") -> int:
        """Hire a driver."""
        async with self.pool.acquire() as db:
            made = await create_driver(
                db, account_id=self.account_id, external_id=name, name=name, phone=None, locale=None
            )
        assert made is not None
        return made.id

    async def phone(self, driver_id: int) -> Phone:
        """Give a driver a phone."""
        secret = f"{driver_id}-{await self.pool.fetchval('SELECT count(*) FROM device')}".encode()
        device_id = await create_device(
            self.pool, account_id=self.account_id, driver_id=driver_id, label=None, app="native",
            token_hash=secret, ingest_token_hash=secret,
        )  # fmt: skip
        lane = await self.pool.fetchval("SELECT lane FROM driver WHERE id = $1", driver_id)
        return Phone(device_id, driver_id, lane)

    async def route(
        self, driver_id: int, east_m: Sequence[float], *, version: int = 1, effective_at: datetime = SINCE_EVER
    ) -> list[int]:
        """Plan a tour along a street that runs east, with a stop after each of these metres; return the stop ids."""
        plan = tour_plan(driver_id, east_m, start=START)
        lane = await self.pool.fetchval("SELECT lane FROM driver WHERE id = $1", driver_id)
        async with self.pool.acquire() as db, db.transaction():
            await lock_lanes(db, [lane])
            head = await routes.find_route(db, account_id=self.account_id, route_id=None, external_id="tour")
            if head is None:
                route_id = await routes.create_route(db, account_id=self.account_id, external_id="tour", plan=plan)
            else:
                route_id = head.id
                await routes.replace_route(db, route_id=route_id, version=version, plan=plan, has_new_stops=True)
            stop_ids = await put_stops(db, self.account_id, route_id, plan)
            await add_version(
                db, route_id=route_id, version=version, effective_at=effective_at, plan=plan, stop_ids=stop_ids
            )
            await plan_changed(
                db, lane=lane, driver_id=driver_id, account_id=self.account_id, effective_at=effective_at
            )
        return stop_ids

    async def send(self, phone: Phone, pings: Pings, *, received_at: datetime | None = None) -> None:
        """Put pings of one phone into the inbox, as a receiver does; one that says when it was received keeps that."""
        rows = pings.rows.copy()
        rows["device_id"], rows["driver_id"] = phone.device_id, phone.driver_id
        received_ms = rows["recorded_ms"].max() + 1000 if received_at is None else ms_of(received_at)
        rows["received_ms"] = np.where(rows["received_ms"] == 0, received_ms, rows["received_ms"])
        made = blocks.split([(phone.lane, Pings(rows, pings.texts))])
        async with self.pool.acquire() as db:
            await put_blocks(
                db,
                received_at=received_at or START,
                lanes=[block.lane for block in made],
                pings=[block.pings for block in made],
                bodies=[block.body for block in made],
            )

    async def turn(self) -> bool:
        """Let the tracker take once; a new one after an error."""
        if self.tracker is None:
            self.connections = [await connect(self.database), await connect(self.database)]
            lanes = (await read_instance(self.pool)).lanes
            self.tracker = Tracker(*self.connections, self.config, lanes, steps=self.steps, limits=self.limits)
        try:
            return await self.tracker.turn()
        except BaseException:
            await self.restart()
            raise

    async def take_less(self, **limits: int) -> None:
        """Have the next tracker do less in one take."""
        await self.restart()
        self.limits = Limits(**limits)

    async def take_in_steps(self, steps: Sequence[Step]) -> None:
        """Have the next tracker take in other steps."""
        await self.restart()
        self.steps = steps

    async def restart(self) -> None:
        """Forget the tracker, as a crash does."""
        self.tracker = None
        for connection in self.connections:
            connection.terminate()

    async def settle(self) -> None:
        """Track until nothing is left to do."""
        while await self.turn():
            pass
        assert await self.pool.fetchval("SELECT count(*) FROM inbox") == 0
        assert await self.pool.fetchval(UNSETTLED) == 0

    async def history(self) -> dict[str, list[tuple[Any, ...]]]:
        """Read what promise 3 says is the same however the pings came."""
        facts = (
            "SELECT type, fact_id, occurred_at, route_id, route_version, stop_id, geofence_id, data::text FROM"
            " (SELECT DISTINCT ON (fact_id) * FROM event ORDER BY fact_id, revision DESC) newest"
            " WHERE state <> 'retracted' ORDER BY occurred_at, type, fact_id"
        )
        queries = {
            "pings": "SELECT driver_id, device_id, recorded_at, lat_e6, lon_e6, flags, believed, on_route, route_id,"
            " route_version, along_m, offset_m, snapped_lat_e6, snapped_lon_e6 FROM ping ORDER BY 1, 3, 4, 5, 2",
            "visits": "SELECT driver_id, visit_id, route_id, route_version, stop_id, geofence_id, arrived_at,"
            " departed_at, source FROM visit ORDER BY arrived_at, visit_id",
            "facts": facts,
            "live": "SELECT driver_id, recorded_at, lat_e6, lon_e6, speed_mps, route_id, on_route, along_m,"
            " next_stop_id, delay_s FROM live ORDER BY 1",
            "stops": "SELECT id, status, arrived_at, departed_at FROM stop ORDER BY id",
            "routes": "SELECT id, status, started_at, finished_at FROM route ORDER BY id",
        }
        return {name: [tuple(row) for row in await self.pool.fetch(text)] for name, text in queries.items()}


async def newest_facts(fleet: Fleet, kind: str) -> list[tuple[str, int]]:
    """State and number of revisions of each fact of a kind, as the feed ends."""
    rows = await fleet.pool.fetch(
        "SELECT DISTINCT ON (fact_id) state, revision FROM event WHERE type = $1 ORDER BY fact_id, revision DESC", kind
    )
    return [tuple(row) for row in rows]


@pytest.fixture
async def fleet(pool: Pool, database: DatabaseConfig) -> AsyncIterator[Fleet]:
    """An account and an idle tracker."""
    async with pool.acquire() as db:
        await ensure_partitions(db, START.date(), START.date() + timedelta(days=1))
    made = Fleet(pool, database, await ensure_account(pool, "default"))
    yield made
    await made.restart()


def pings_east(places: Iterable[tuple[float, float]], **columns: Any) -> Pings:
    """Make pings along the street: (seconds after START, metres east); `columns` set other fields."""
    places = list(places)
    pings = Pings.empty(len(places))
    seconds, metres = (np.array(column, float) for column in zip(*places, strict=True))
    pings.rows["recorded_ms"] = ms_of(START) + (seconds * 1000).astype(np.int64)
    pings.rows["lon_e6"] = np.round(lon_at(metres) * 1e6)
    pings.rows["lat_e6"] = round(LAT * 1e6)
    pings.rows["accuracy_m"] = 5
    for name, value in columns.items():
        pings.rows[name] = value
    return pings


@pytest.fixture
def east():
    """`pings_east`, for tests."""
    return pings_east


@pytest.fixture
def tour():
    """A drive along the street that serves stops at 600 and 1500 m: (seconds, metres east), every 10 s."""
    places: list[tuple[float, float]] = []
    at_s, at_m = 0.0, 0.0
    for stop_m in (600.0, 1500.0, 1790.0):
        while at_m < stop_m:
            places.append((at_s, at_m))
            at_s, at_m = at_s + 10, min(at_m + 80, stop_m)
        for _ in range(9):
            places.append((at_s, at_m))
            at_s += 10
    return places
