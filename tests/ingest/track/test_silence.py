"""Who fell silent is found without looking at everybody."""

from datetime import UTC, datetime, timedelta
from typing import Any

from geo.times import ms_of
from ingest.track.silence import end_visits, notice_silence
from sql import locks
from sql.inbox.heartbeats import keep_heartbeat
from tests.ingest.track.conftest import START, Fleet, newest_facts

_LANES = range(64)


async def _look(fleet: Fleet) -> int:
    async with fleet.pool.acquire() as db:
        return await notice_silence(db, _LANES, now=datetime.now(UTC), after_s=600)


async def _due(fleet: Fleet) -> int:
    due: int = await fleet.pool.fetchval("SELECT count(*) FROM live WHERE look_at <= now()")
    return due


async def test_nobody_is_looked_at_again_before_they_can_have_fallen_silent(fleet: Fleet, east: Any) -> None:
    heard_at = datetime.now(UTC) - timedelta(seconds=400)
    phones = {route: await fleet.phone(await fleet.driver(route)) for route in ("on a route", "on none")}
    await fleet.route(phones["on a route"].driver_id, [600, 1500])
    for phone in phones.values():
        await fleet.send(phone, east([(0, 0), (10, 80)]), received_at=heard_at)
    await fleet.settle()
    assert await _due(fleet) == 2
    assert await _look(fleet) == 0
    assert await _due(fleet) == 0
    look_at = await fleet.pool.fetchval("SELECT look_at FROM live WHERE driver_id = $1", phones["on a route"].driver_id)
    late = look_at - heard_at - timedelta(seconds=600)  # kept to two seconds, months after it was recorded
    assert timedelta(milliseconds=-1) <= late <= timedelta(seconds=2)


async def test_the_silent_are_not_looked_at_before_something_comes(fleet: Fleet, east: Any) -> None:
    driver = await fleet.driver()
    phone = await fleet.phone(driver)
    await fleet.route(driver, [600, 1500])
    await fleet.send(phone, east([(0, 0), (10, 80)]))
    await fleet.settle()
    assert (await _look(fleet), await _look(fleet)) == (1, 0)
    assert await fleet.pool.fetchval("SELECT look_at = 'infinity' FROM live")
    await fleet.send(phone, east([(20, 160)]), received_at=datetime.now(UTC))
    await fleet.settle()
    assert await _due(fleet) == 1
    assert (await _look(fleet), await _look(fleet), await _due(fleet)) == (1, 0, 0)


async def test_a_driver_who_comes_on_a_route_without_a_ping_is_looked_at(fleet: Fleet, east: Any) -> None:
    driver = await fleet.driver()
    phone = await fleet.phone(driver)
    await fleet.send(phone, east([(0, 0), (10, 80)]))
    await fleet.settle()
    assert (await _look(fleet), await _due(fleet)) == (0, 0)
    await fleet.route(driver, [600, 1500])
    await fleet.send(phone, east([(5, 40)]))  # a late one: the fold is told again, on the route
    await fleet.settle()
    assert await _look(fleet) == 1


async def test_a_ping_leaves_the_indexes_of_the_live_row_alone(fleet: Fleet, east: Any) -> None:
    """Postgres rewrites a row in its place (HOT) only while no column of an index changes."""
    driver = await fleet.driver()
    phone = await fleet.phone(driver)
    await fleet.route(driver, [600, 1500])
    heard_at = datetime.now(UTC) - timedelta(seconds=10)  # months after it was recorded it is kept to two seconds
    await fleet.send(phone, east([(0, 0), (10, 80)]), received_at=heard_at)
    await fleet.settle()
    await _look(fleet)
    indexed = "SELECT lane, driver_id, account_id, route_id, look_at FROM live"
    before = await fleet.pool.fetchrow(indexed)
    moved = await fleet.pool.fetchval("SELECT recorded_at FROM live")
    await fleet.send(phone, east([(20, 160), (30, 240)]), received_at=datetime.now(UTC))
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT recorded_at FROM live") > moved
    assert await fleet.pool.fetchrow(indexed) == before
    columns = await fleet.pool.fetchval(
        "SELECT array_agg(DISTINCT attname::text ORDER BY attname::text) FROM pg_index, pg_attribute"
        " WHERE indrelid = 'live'::regclass AND attrelid = indrelid AND attnum = ANY (indkey)"
    )
    assert columns == ["account_id", "driver_id", "lane", "look_at", "route_id"]


async def test_silence_is_noticed_once_and_ends_with_the_next_ping(fleet: Fleet, east):
    driver = await fleet.driver()
    phone = await fleet.phone(driver)
    await fleet.route(driver, [600, 1500])
    await fleet.send(phone, east([(0, 0), (10, 80)]))
    await fleet.settle()
    async with fleet.pool.acquire() as db:
        assert await notice_silence(db, range(64), now=datetime.now(UTC), after_s=600) == 1
        assert await notice_silence(db, range(64), now=datetime.now(UTC), after_s=600) == 0
        await fleet.send(phone, east([(20, 160)]), received_at=datetime.now(UTC))
        await fleet.settle()
        assert await notice_silence(db, range(64), now=datetime.now(UTC), after_s=600) == 1
    types = await fleet.pool.fetch("SELECT type FROM event WHERE type LIKE 'driver.%' ORDER BY id")
    assert [row["type"] for row in types] == ["driver.silent", "driver.seen"]


async def test_a_tracker_whose_clock_is_wrong_tells_who_is_silent_and_nobody_else(
    fleet: Fleet, east: Any, misdated: Any
) -> None:
    phone = await fleet.phone(await fleet.driver())
    await fleet.route(phone.driver_id, [600, 1500])

    async def heard(pings: Any, at: datetime) -> None:
        await fleet.send(phone, pings, received_at=at)
        await fleet.settle()
        assert fleet.tracker is not None
        fleet.tracker._looked_s = float("-inf")
        await fleet.tracker.look()

    right = datetime.now(UTC)
    with misdated():
        await heard(east([(0, 0), (10, 80)]), right - timedelta(minutes=11))
        await heard(east([(20, 160)]), right)
    types = await fleet.pool.fetch("SELECT type FROM event WHERE type LIKE 'driver.%' ORDER BY id")
    assert [row["type"] for row in types] == ["driver.silent", "driver.seen"]


async def test_a_driver_who_falls_silent_twice_after_one_ping_stops_nobody(fleet: Fleet, east):
    driver = await fleet.driver()
    phone, second = await fleet.phone(driver), await fleet.phone(driver)
    await fleet.route(driver, [600, 1500])
    await fleet.send(phone, east([(0, 0), (10, 80)]))
    await fleet.settle()
    async with fleet.pool.acquire() as db:
        assert await notice_silence(db, range(64), now=datetime.now(UTC), after_s=600) == 1
        await fleet.send(second, east([(400, 160)]), received_at=datetime.now(UTC))
        await fleet.settle()
        assert await notice_silence(db, range(64), now=datetime.now(UTC), after_s=600) == 1
        # a copy says how vague it was: that ping does not count after all
        await fleet.send(second, east([(400, 160)], accuracy_m=900))
        await fleet.settle()
        assert await notice_silence(db, range(64), now=datetime.now(UTC), after_s=600) == 1
    assert await fleet.pool.fetchval("SELECT silent FROM track")
    assert await newest_facts(fleet, "driver.silent") == [("asserted", 1)]


async def test_one_tracker_at_a_time_looks_for_silence(fleet: Fleet, east: Any) -> None:
    driver = await fleet.driver()
    phone = await fleet.phone(driver)
    await fleet.route(driver, [600, 1500])
    await fleet.send(phone, east([(0, 0), (10, 80)]))
    await fleet.settle()
    async with fleet.pool.acquire() as other, other.transaction():
        assert await other.fetchval("SELECT pg_try_advisory_xact_lock($1)", locks.SILENCE)
        assert (await _look(fleet), await _due(fleet)) == (0, 1)  # what is due stays due
    assert await _look(fleet) == 1


async def test_silence_is_told_by_the_clock_that_is_given(fleet: Fleet, east: Any) -> None:
    driver = await fleet.driver()
    phone = await fleet.phone(driver)
    await fleet.route(driver, [600, 1500])
    received_at = datetime.now(UTC)
    await fleet.send(phone, east([(0, 0), (10, 80)]), received_at=received_at)
    await fleet.settle()
    async with fleet.pool.acquire() as db:
        for after_s, found in ((599, 0), (1_202, 1)):
            now = received_at + timedelta(seconds=after_s)
            assert await notice_silence(db, _LANES, now=now, after_s=600) == found


async def _beat(fleet: Fleet, driver_id: int, at: datetime) -> None:
    await keep_heartbeat(fleet.pool, driver_id, received_ms=ms_of(at), battery=0.55)


async def test_a_phone_that_lives_without_a_place_is_not_silent(fleet: Fleet, east: Any) -> None:
    driver = await fleet.driver()
    phone = await fleet.phone(driver)
    await fleet.route(driver, [600, 1500])
    now = datetime.now(UTC)
    await fleet.send(phone, east([(0, 0), (10, 80)]), received_at=now - timedelta(hours=1))
    await fleet.settle()
    await _beat(fleet, driver, now - timedelta(seconds=100))
    assert await _look(fleet) == 0
    look_at = await fleet.pool.fetchval("SELECT look_at FROM live")
    assert abs((look_at - now).total_seconds() - 500) < 1


async def test_silence_begins_and_ends_with_heartbeats_too(fleet: Fleet, east: Any) -> None:
    driver = await fleet.driver()
    phone = await fleet.phone(driver)
    await fleet.route(driver, [600, 1500])
    now = datetime.now(UTC)
    await fleet.send(phone, east([(0, 0), (10, 80)]), received_at=now - timedelta(hours=2))
    await fleet.settle()

    async def look(at: datetime) -> int:
        async with fleet.pool.acquire() as db:
            return await notice_silence(db, _LANES, now=at, after_s=600)

    beats = [now - timedelta(minutes=minutes) for minutes in (60, 30)]
    for beat in beats:
        await _beat(fleet, driver, beat)
        await fleet.pool.execute("UPDATE live SET look_at = $1 WHERE look_at > $1", beat)
        assert await look(beat + timedelta(seconds=1)) == (0 if beat is beats[0] else 1)
        await fleet.pool.execute("UPDATE live SET look_at = $1", beat)
        assert await look(beat + timedelta(seconds=601)) == 1
    told = await fleet.pool.fetch("SELECT type, occurred_at FROM event WHERE type LIKE 'driver.%' ORDER BY id")
    assert [row["type"] for row in told] == ["driver.silent", "driver.seen", "driver.silent"]
    expected = [beats[0], beats[1], beats[1]]
    for row, at in zip(told, expected, strict=True):
        assert abs((row["occurred_at"] - at).total_seconds()) < 0.01


async def test_a_heartbeat_wakes_the_look_at_the_silent(fleet: Fleet, east: Any) -> None:
    driver = await fleet.driver()
    phone = await fleet.phone(driver)
    await fleet.route(driver, [600, 1500])
    await fleet.send(phone, east([(0, 0), (10, 80)]))
    await fleet.settle()
    assert (await _look(fleet), await _look(fleet)) == (1, 0)
    assert await _due(fleet) == 0
    before = await fleet.pool.fetchrow("SELECT recorded_at, lat_e6, lon_e6 FROM live")
    await _beat(fleet, driver, datetime.now(UTC))
    assert (await _due(fleet), await _look(fleet)) == (1, 1)
    assert await fleet.pool.fetchrow("SELECT recorded_at, lat_e6, lon_e6 FROM live") == before


HOUR = timedelta(hours=1)


async def _end_visits(fleet: Fleet, hours: float) -> int:
    async with fleet.pool.acquire() as db:
        return await end_visits(db, _LANES, now=START + hours * HOUR, silent_after_s=600)


async def _ends(fleet: Fleet) -> list[tuple[str, float, str | None]]:
    rows = await fleet.pool.fetch(
        "SELECT state, occurred_at, data->>'how' AS how FROM event WHERE type = 'stop.departed' ORDER BY id"
    )
    return [(row["state"], (row["occurred_at"] - START).total_seconds(), row["how"]) for row in rows]


async def _left(fleet: Fleet) -> list[float | None]:
    rows = await fleet.pool.fetch("SELECT departed_at FROM visit ORDER BY arrived_at")
    return [None if row["departed_at"] is None else (row["departed_at"] - START).total_seconds() for row in rows]


async def _stand(fleet: Fleet, east: Any) -> Any:
    """A van comes to its first stop, stands there for two minutes, and its phone dies."""
    driver = await fleet.driver()
    phone = await fleet.phone(driver)
    await fleet.route(driver, [600, 1500])
    drive = [(at_s, 10.0 * at_s) for at_s in range(0, 60, 5)]
    await fleet.send(phone, east([*drive, *((at_s, 600) for at_s in range(60, 181, 10))]))
    await fleet.settle()
    assert await _left(fleet) == [None]
    return phone


async def test_a_visit_that_a_dead_phone_left_open_ends_with_the_last_that_is_known_of_it(
    fleet: Fleet, east: Any
) -> None:
    phone = await _stand(fleet, east)
    assert (await _end_visits(fleet, 4), await _end_visits(fleet, 4.1), await _end_visits(fleet, 5)) == (0, 1, 0)
    assert await _ends(fleet) == [("asserted", 180, "silence")]
    assert await _left(fleet) == [180]
    assert await fleet.pool.fetchval("SELECT departed_at IS NOT NULL FROM stop ORDER BY id LIMIT 1")
    # it was only off: the van is seen to have been there for longer, and leaves
    await fleet.send(phone, east([(4000, 600), (4010, 600)]), received_at=START + 5.5 * HOUR)
    await fleet.settle()
    assert await _end_visits(fleet, 5.6) == 1
    assert (await _ends(fleet))[-1] == ("retracted", 180, "silence")
    assert await _left(fleet) == [None]
    await fleet.send(phone, east([(4030, 800), (4040, 900), (4050, 1000)]), received_at=START + 5.6 * HOUR)
    await fleet.settle()
    assert (await _ends(fleet))[-1] == ("asserted", 4010, None)
    assert (await _left(fleet), await _end_visits(fleet, 20)) == ([4010], 0)


async def test_what_a_fix_shows_stands_where_silence_had_ended_a_visit(fleet: Fleet, east: Any) -> None:
    phone = await _stand(fleet, east)
    assert await _end_visits(fleet, 5) == 1
    await fleet.send(phone, east([(190, 700), (200, 800), (210, 900)]), received_at=START + 6 * HOUR)
    await fleet.settle()
    assert await _ends(fleet) == [("asserted", 180, "silence"), ("corrected", 180, None)]
    assert (await _left(fleet), await _end_visits(fleet, 6), await _end_visits(fleet, 20)) == ([180], 0, 0)


async def test_a_visit_of_a_tour_that_is_over_ends_with_the_first_silence(fleet: Fleet, east: Any) -> None:
    await _stand(fleet, east)
    assert await _end_visits(fleet, 1) == 0
    await fleet.pool.execute("UPDATE route SET closed_at = $1", START + 0.5 * HOUR)
    assert (await _end_visits(fleet, 0.1), await _end_visits(fleet, 1)) == (0, 1)
    assert await _ends(fleet) == [("asserted", 180, "tour")]


async def test_who_is_heard_is_where_they_were(fleet: Fleet, east: Any) -> None:
    phone = await _stand(fleet, east)
    await fleet.pool.execute(
        "INSERT INTO heartbeat (lane, driver_id, received_at) VALUES ($1, $2, $3)",
        *(phone.lane, phone.driver_id, START + 2 * HOUR),
    )
    assert (await _end_visits(fleet, 5), await _end_visits(fleet, 6.1)) == (0, 1)


async def test_an_end_by_silence_goes_with_its_arrival(fleet: Fleet, east: Any) -> None:
    phone = await _stand(fleet, east)
    assert await _end_visits(fleet, 5) == 1
    # copies say how vague the fixes were: the van was not there after all
    vague = [(at_s, 600.0) for at_s in range(60, 181, 10)]
    await fleet.send(phone, east(vague, accuracy_m=900), received_at=START + 5 * HOUR)
    await fleet.settle()
    assert await newest_facts(fleet, "stop.arrived") == [("retracted", 2)]
    assert await newest_facts(fleet, "stop.departed") == [("retracted", 2)]
    assert (await _left(fleet), await _end_visits(fleet, 20)) == ([], 0)
