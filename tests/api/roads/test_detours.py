"""Detours follow the feed: made when a driver is back, changed by what comes late, gone when it was no detour."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from api.history import detours
from sql import locks
from sql.feed.events import number_events
from tests.api.tour_rows import PATH_LAT, PATH_LON, Tour
from work.roads.choose import STRAIGHT
from work.roads.detours import match_detours
from work.roads.protocol import Matched, NoWay, RoadsAway
from work.upkeep.config import RetentionConfig
from work.upkeep.retention import retention_jobs

START = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)


def at(minutes):
    return START + timedelta(minutes=minutes)


@pytest.fixture
def app_parts(app_parts):
    return [*app_parts, detours.operations.add_to]


@dataclass
class Moved:
    """Roads a little north of every trace; `refusal` is raised instead."""

    asked: int = 0
    refusal: Exception | None = None
    source: str = "road"
    traces: list = field(default_factory=list)

    async def match(self, trace):
        self.asked += 1
        self.traces.append(trace)
        if self.refusal is not None:
            raise self.refusal
        return Matched(source="road", lines=[(trace.lon, trace.lat + 0.0001)])


@pytest.fixture
def streets():
    return Moved()


@pytest.fixture
async def tour(pool, account):
    return await Tour.put(pool, account.id, start_at=START)


@dataclass
class Feed:
    """Writes facts about a tour as the tracker and `work` do."""

    tour: Tour

    async def say(self, kind, minutes, *, fact_id: UUID | None = None, revision=1, state="asserted"):
        """One revision of `off_route` or `back_on_route`; gives the fact's id."""
        fact_id = fact_id or uuid4()
        await self.tour.pool.execute(
            """INSERT INTO event (account_id, fact_id, revision, state, type, occurred_at, known_at, folded_at, lane,
                                  driver_id, route_id, route_version, late)
               VALUES ($1, $2, $3, $4, $5, $6, now(), $6, $7, $8, $9, 1, false)""",
            *(self.tour.account_id, fact_id, revision, state, f"route.{kind}", at(minutes), self.tour.lane),
            *(self.tour.driver_id, self.tour.route_id),
        )
        await self.number()
        return fact_id

    async def number(self):
        async with self.tour.pool.acquire() as db:
            while await number_events(db):
                pass


@pytest.fixture
async def feed(tour, pool):
    await pool.execute(
        "INSERT INTO track (lane, driver_id, account_id) VALUES ($1, $2, $3)",
        tour.lane,
        tour.driver_id,
        tour.account_id,
    )
    return Feed(tour)


@pytest.fixture
def read(client, account):
    async def read():
        response = await client.get("/v1/routes/tour-1/detours", headers=account.headers)
        assert response.status == 200
        return (await response.json())["detours"]

    return read


async def settle(pool, roads):
    while await match_detours(pool, roads):
        pass


async def fold_again(tour):
    await tour.pool.execute("UPDATE track SET rerun_at = now() WHERE driver_id = $1", tour.driver_id)


async def test_a_driver_who_came_back_has_a_detour(pool, tour, feed, streets, read):
    await tour.keep_pings([at(minute) for minute in range(20)])
    await feed.say("off_route", 5)
    await settle(pool, streets)
    assert await read() == []
    await feed.say("back_on_route", 12)
    await settle(pool, streets)
    (detour,) = await read()
    assert detour["driver_id"] == f"dr_{tour.driver_id}"
    assert (detour["from_at"], detour["to_at"]) == ("2026-03-02T13:05:00Z", "2026-03-02T13:12:00Z")
    assert detour["source"] == "road"
    assert detour["path"]["type"] == "MultiLineString"
    ((first, *_, _),) = detour["path"]["coordinates"]
    assert PATH_LON[0] < first[0] < PATH_LON[4]
    assert min(PATH_LAT) < first[1] < max(PATH_LAT)
    assert 100 < detour["length_m"] < 2_000
    (trace,) = streets.traces
    assert (trace.time_s[0], len(trace.time_s)) == (at(5).timestamp(), 8)
    assert trace.accuracy_m.tolist() == pytest.approx([12.3] * 8, abs=0.1)


async def test_what_was_seen_is_not_matched_again(pool, tour, feed, streets):
    await tour.keep_pings([at(minute) for minute in range(20)])
    for kind, minute in [("off_route", 2), ("back_on_route", 5), ("off_route", 8), ("back_on_route", 12)]:
        await feed.say(kind, minute)
    await settle(pool, streets)
    assert streets.asked == 2
    await feed.say("off_route", 15)
    await feed.say("back_on_route", 18)
    await settle(pool, streets)
    assert streets.asked == 3
    assert await match_detours(pool, streets) is False


async def test_pings_that_do_not_count_are_left_out(pool, tour, feed, streets, read):
    await tour.keep_pings([at(minute) for minute in range(10)], believed=False)
    await feed.say("off_route", 1)
    await feed.say("back_on_route", 8)
    await settle(pool, streets)
    assert (await read(), streets.asked) == ([], 0)


async def test_a_spell_that_is_taken_back_takes_its_detour_with_it(pool, tour, feed, streets, read):
    await tour.keep_pings([at(minute) for minute in range(20)])
    off = await feed.say("off_route", 5)
    back = await feed.say("back_on_route", 12)
    await feed.say("off_route", 14)
    await feed.say("back_on_route", 16)
    await settle(pool, streets)
    assert len(await read()) == 2
    await feed.say("off_route", 5, fact_id=off, revision=2, state="retracted")
    await feed.say("back_on_route", 12, fact_id=back, revision=2, state="retracted")
    await settle(pool, streets)
    assert [detour["from_at"] for detour in await read()] == ["2026-03-02T13:14:00Z"]
    assert streets.asked == 2


async def test_a_spell_that_is_corrected_moves_its_detour(pool, tour, feed, streets, read):
    await tour.keep_pings([at(minute) for minute in range(20)])
    await feed.say("off_route", 5)
    back = await feed.say("back_on_route", 12)
    await settle(pool, streets)
    await feed.say("back_on_route", 15, fact_id=back, revision=2, state="corrected")
    await settle(pool, streets)
    assert [detour["to_at"] for detour in await read()] == ["2026-03-02T13:15:00Z"]
    assert len(streets.traces[-1].time_s) == 11


async def test_pings_that_come_late_into_a_spell_change_its_detour(pool, tour, feed, streets, read):
    await tour.keep_pings([at(5), at(12)])
    await feed.say("off_route", 5)
    await feed.say("back_on_route", 12)
    await settle(pool, streets)
    before = await read()
    await tour.keep_pings([at(minute) for minute in (6, 8, 10)])
    await settle(pool, streets)
    assert await read() == before  # nothing says yet that they are folded
    await fold_again(tour)
    await settle(pool, streets)
    assert len(streets.traces[-1].time_s) == 5
    assert await read() != before
    await settle(pool, streets)
    assert streets.asked == 2


async def test_while_the_roads_are_away_a_detour_is_straight_and_later_on_roads(pool, tour, feed, streets, read):
    await tour.keep_pings([at(minute) for minute in range(20)])
    for kind, minute in [("off_route", 2), ("back_on_route", 5), ("off_route", 8), ("back_on_route", 12)]:
        await feed.say(kind, minute)
    streets.refusal = RoadsAway("gone")
    await settle(pool, streets)
    assert [detour["source"] for detour in await read()] == ["straight", "straight"]
    streets.asked, streets.refusal = 0, None
    await settle(pool, streets)
    assert [detour["source"] for detour in await read()] == ["road", "road"]
    assert streets.asked == 2
    await settle(pool, streets)
    assert streets.asked == 2


async def test_roads_that_are_away_are_asked_once_a_round(pool, tour, feed, streets):
    await tour.keep_pings([at(minute) for minute in range(20)])
    for kind, minute in [("off_route", 2), ("back_on_route", 5), ("off_route", 8), ("back_on_route", 12)]:
        await feed.say(kind, minute)
    streets.refusal = RoadsAway("gone")
    await match_detours(pool, streets)
    assert streets.asked == 1


async def test_a_trace_that_fits_no_road_stays_straight(pool, tour, feed, streets, read):
    await tour.keep_pings([at(minute) for minute in range(20)])
    await feed.say("off_route", 5)
    await feed.say("back_on_route", 12)
    streets.refusal = NoWay("Could not match the trace.")
    await settle(pool, streets)
    await settle(pool, streets)
    assert [detour["source"] for detour in await read()] == ["straight"]
    assert streets.asked == 1


async def test_without_roads_a_detour_is_what_the_phone_said(pool, tour, feed, read):
    await tour.keep_pings([at(minute) for minute in range(20)])
    await feed.say("off_route", 5)
    await feed.say("back_on_route", 12)
    await settle(pool, STRAIGHT)
    (detour,) = await read()
    assert detour["source"] == "straight"
    assert len(detour["path"]["coordinates"][0]) == 8


async def test_one_process_at_a_time_matches(pool, tour, feed, streets):
    await tour.keep_pings([at(minute) for minute in range(20)])
    await feed.say("off_route", 5)
    await feed.say("back_on_route", 12)
    async with pool.acquire() as other:
        await other.execute("SELECT pg_advisory_lock($1)", locks.DETOURS)
        assert await match_detours(pool, streets) is False
        assert streets.asked == 0
    await settle(pool, streets)
    assert streets.asked == 1


async def test_detours_are_forgotten_with_their_pings(pool, tour, feed, streets, read):
    await tour.keep_pings([at(minute) for minute in range(20)])
    await feed.say("off_route", 5)
    await feed.say("back_on_route", 12)
    await settle(pool, streets)

    async def forget(days):
        config = RetentionConfig(ping_retention_days=days, retention_most_days=36_500)
        jobs = retention_jobs(config, oldest_ping_days=30.0, proof_retention_days=730.0)
        return await next(job for job in jobs if job.name == "detour retention").do(pool)

    assert await forget(36_500) is False
    assert len(await read()) == 1
    await pool.execute("UPDATE detour SET to_at = now() - interval '91 days'")
    await forget(90)
    assert await read() == []


async def test_another_account_sees_none(client, tour, other_account, account, refused):
    await refused(await client.get("/v1/routes/tour-1/detours", headers=other_account.headers), 404)
    await refused(await client.get("/v1/routes/rt_999/detours", headers=account.headers), 404)
