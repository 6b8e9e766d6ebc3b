"""What drivers say, through the tracker: late, without pings, taken back, and what the feed says of it."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from ingest.track.tracker import Tracker
from sql.account.accounts import read_instance
from sql.pool import connect
from sql.track.folds import claims_changed
from sql.track.lanes import lock_lanes
from tests.ingest.track.conftest import START, Fleet, Phone
from tests.settling import PATIENCE_S
from work.feed.settle import settle_routes


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


async def say(
    fleet: Fleet, phone: Phone, second: float, kind: str, stop_id: int | None, *, effective: bool = True, name: int = 0
) -> None:
    """Write an event of a driver, or whether it is in force, as the API does."""
    route_id = await fleet.pool.fetchval("SELECT route_id FROM route_version WHERE driver_id = $1", phone.driver_id)
    async with fleet.pool.acquire() as db, db.transaction():
        await lock_lanes(db, [phone.lane])
        await db.execute(
            "INSERT INTO driver_event (driver_id, id, account_id, lane, type, route_id, stop_id, occurred_at,"
            " effective) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
            " ON CONFLICT (driver_id, id) DO UPDATE SET effective = excluded.effective",
            phone.driver_id, UUID(int=name or round(second * 1000)), fleet.account_id, phone.lane, kind, route_id,
            stop_id, after(second), effective,
        )  # fmt: skip
        await claims_changed(
            db, lane=phone.lane, driver_id=phone.driver_id, account_id=fleet.account_id, from_at=after(second),
            until_at=after(second),
        )  # fmt: skip
        if kind == "reopened":
            await settle_routes(db, [route_id])


async def visits(fleet: Fleet, stop_id: int) -> list[tuple[Any, ...]]:
    """(arrived, departed, source) of each visit of a stop; times in seconds after START."""
    rows = await fleet.pool.fetch("SELECT * FROM visit WHERE stop_id = $1 ORDER BY arrived_at", stop_id)
    return [
        (
            (row["arrived_at"] - START).total_seconds(),
            row["departed_at"] and (row["departed_at"] - START).total_seconds(),
            row["source"],
        )
        for row in rows
    ]


async def feed(fleet: Fleet, kind: str, stop_id: int) -> list[tuple[Any, ...]]:
    """(revision, state, source, second) of what the feed said of a stop."""
    rows = await fleet.pool.fetch(
        "SELECT * FROM event WHERE type = $1 AND stop_id = $2 ORDER BY fact_id, revision", kind, stop_id
    )
    return [
        (row["revision"], row["state"], row["data"]["source"], (row["occurred_at"] - START).total_seconds())
        for row in rows
    ]


@pytest.fixture
async def driven(fleet: Fleet, east, tour) -> tuple[Phone, list[int]]:
    """A tour that was driven and folded."""
    phone = await fleet.phone(await fleet.driver())
    stops = await fleet.route(phone.driver_id, [600, 1500])
    await fleet.send(phone, east(tour))
    await fleet.settle()
    return phone, stops


@pytest.mark.parametrize("steps", [256, 4])
async def test_what_is_told_three_hours_late_corrects_the_visit(fleet: Fleet, driven, steps: int):
    """The phone had no network; what it kept comes when the tour is over. With small takes, from a checkpoint on."""
    await fleet.take_less(steps=steps)
    phone, (first, _) = driven
    [(arrived, departed, source)] = await visits(fleet, first)
    assert source == "auto"
    before = await fleet.history()
    await say(fleet, phone, arrived + 20, "arrived", first)
    await say(fleet, phone, departed + 4, "departed", first)
    await fleet.settle()
    assert await visits(fleet, first) == [(arrived + 20, departed + 4, "driver")]
    for kind, then, now in (("stop.arrived", arrived, arrived + 20), ("stop.departed", departed, departed + 4)):
        told = await feed(fleet, kind, first)
        assert told[0] == (1, "asserted", "auto", then)
        assert told[-1][1:] == ("corrected", "driver", now)
    assert await fleet.pool.fetchval("SELECT late FROM event WHERE data->>'source' = 'driver' LIMIT 1")
    for second, kind in ((arrived + 20, "arrived"), (departed + 4, "departed")):
        await say(fleet, phone, second, kind, first, effective=False)
    await fleet.settle()
    assert await fleet.history() == before


async def test_a_word_taken_back_gives_the_visit_as_the_fixes_say(fleet: Fleet, east, tour):
    """It corrected what an earlier take made known, and the nearest checkpoint lies between."""
    await fleet.take_less(steps=2)
    phone = await fleet.phone(await fleet.driver())
    first, _ = await fleet.route(phone.driver_id, [600, 1500])
    for begin in range(16):
        await fleet.send(phone, east(tour[begin : begin + 1]))
        await fleet.settle()
    [(arrived, departed, _)] = await visits(fleet, first)
    assert departed is None
    await say(fleet, phone, arrived + 55, "arrived", first)
    await fleet.settle()
    assert await visits(fleet, first) == [(arrived + 55, None, "driver")]
    await say(fleet, phone, arrived + 55, "arrived", first, effective=False)
    await fleet.settle()
    assert await visits(fleet, first) == [(arrived, None, "auto")]
    assert [state for _, state, _, _ in await feed(fleet, "stop.arrived", first)] == [
        "asserted",
        "corrected",
        "corrected",
    ]


async def test_a_driver_without_pings_has_visits(fleet: Fleet):
    phone = await fleet.phone(await fleet.driver())
    first, second = await fleet.route(phone.driver_id, [600, 1500])
    await say(fleet, phone, 100, "arrived", first)
    await fleet.settle()
    await say(fleet, phone, 400, "arrived", second)
    await say(fleet, phone, 160, "departed", first)
    await fleet.settle()
    assert await visits(fleet, first) == [(100, 160, "driver")]
    assert await visits(fleet, second) == [(400, None, "driver")]
    assert await fleet.pool.fetchval("SELECT status FROM route") == "started"
    assert [row["status"] for row in await fleet.pool.fetch("SELECT status FROM stop ORDER BY seq")] == ["arrived"] * 2
    assert not await fleet.pool.fetchval("SELECT count(*) FROM live")
    await say(fleet, phone, 400, "arrived", second, effective=False)
    await fleet.settle()
    assert await visits(fleet, second) == []
    assert (await feed(fleet, "stop.arrived", second))[-1][1] == "retracted"


async def test_a_ping_from_before_the_last_word_is_late(fleet: Fleet, east, tour):
    phone = await fleet.phone(await fleet.driver())
    first, _ = await fleet.route(phone.driver_id, [600, 1500])
    await say(fleet, phone, 120, "completed", first)
    await say(fleet, phone, 1000, "departed", first)
    await fleet.settle()
    for begin in range(0, len(tour), 7):
        await fleet.send(phone, east(tour[begin : begin + 7]))
        await fleet.settle()
    await say(fleet, phone, 130, "arrived", first)
    await fleet.settle()
    [(arrived, _, source)] = await visits(fleet, first)
    assert (arrived, source) == (130, "driver")
    assert await fleet.pool.fetchval("SELECT count(*) FROM ping WHERE believed") == len(tour)


async def test_two_trackers_hear_each_word_once(fleet: Fleet, east, tour):
    phones = [await fleet.phone(await fleet.driver(name)) for name in ("ana", "bo", "cy")]
    stops = await fleet.route(phones[0].driver_id, [600, 1500])
    connections = [await connect(fleet.database) for _ in range(4)]
    lanes = (await read_instance(fleet.pool)).lanes
    trackers = [Tracker(*connections[i : i + 2], fleet.config, lanes) for i in (0, 2)]
    for phone in phones:
        await fleet.send(phone, east(tour))
    for second, kind, stop in ((150, "arrived", stops[0]), (155, "departed", stops[0]), (160, "failed", stops[1])):
        await asyncio.gather(say(fleet, phones[0], second, kind, stop), *(one.turn() for one in trackers))
    async with asyncio.timeout(PATIENCE_S):
        while any(await asyncio.gather(*(one.turn() for one in trackers))):
            pass
    for connection in connections:
        await connection.close()
    [(arrived, departed, source)] = await visits(fleet, stops[0])
    assert (arrived, departed, source) == (150, 155, "driver")
    newest = await fleet.pool.fetch("SELECT DISTINCT ON (fact_id) * FROM event ORDER BY fact_id, revision DESC")
    assert len({(row["type"], row["driver_id"], row["stop_id"], row["occurred_at"]) for row in newest}) == len(newest)


async def test_a_route_of_which_a_stop_is_opened_again_is_not_finished(fleet: Fleet, driven):
    phone, (first, _) = driven
    assert await fleet.pool.fetchval("SELECT status FROM route") == "finished"
    await say(fleet, phone, 800, "reopened", first)
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT status FROM route") == "started"
    assert await fleet.pool.fetchval("SELECT next_stop_id FROM live") == first
