"""Days on which the tracker once went wrong, or would have: each test is a scenario that a fleet can meet."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import asyncpg
import numpy as np
import pytest

from api.http.refs import Ref
from api.routes.write import Written, hold_route, put_plan
from geo.pings import Pings
from geo.times import SINCE_EVER, ms_of
from ingest.track import tracker
from ingest.track.isolate import advance_what_can
from ingest.track.silence import notice_silence
from ingest.track.tracker import Hints, run_tracker
from sql.account.drivers import find_driver
from sql.delivery.routes import RoutePlan
from sql.delivery.stop_states import settle_stops
from sql.delivery.stops import StopPlan
from sql.feed.facts import Revision
from sql.pool import connect
from sql.track.folds import plan_changed
from sql.track.partitions import drop_partitions_before, ensure_partitions
from sql.track.takes import Block
from sql.track.visits import put_arrivals
from tests.ingest.track.conftest import LAT, LON, START, Fleet, Phone
from tests.ingest.track.test_random_days import after, commit, fence, make_route, plan

AT_FIRST_STOP = [(at, 600.0) for at in range(100, 200, 10)]


async def _facts(fleet: Fleet, kind: str) -> list[tuple[str, int]]:
    """State and number of revisions of each fact of a kind, as the feed ends."""
    rows = await fleet.pool.fetch(
        "SELECT DISTINCT ON (fact_id) state, revision FROM event WHERE type = $1 ORDER BY fact_id, revision DESC", kind
    )
    return [tuple(row) for row in rows]


# What stops a tracker -------------------------------------------------------------------------------------------------


async def test_a_driver_whose_only_ping_is_ahead_of_time_stops_nobody(fleet: Fleet, east):
    phone, other = await fleet.phone(await fleet.driver("ana")), await fleet.phone(await fleet.driver("bo"))
    await fleet.route(phone.driver_id, [600, 1500])
    await fleet.send(phone, east([(4000, 100)], flags=8))
    await fleet.send(other, east([(0, 0)]))
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT count(*) FROM ping") == 2
    assert await fleet.pool.fetchval("SELECT driver_id FROM live") == other.driver_id


async def test_a_block_that_kills_takes_no_other_lane_with_it(fleet: Fleet, east, monkeypatch):
    deadly, harmless = await fleet.phone(await fleet.driver("ana")), await fleet.phone(await fleet.driver("bo"))
    assert deadly.lane < harmless.lane
    for phone in (deadly, harmless):
        await fleet.send(phone, east([(0, 0)]))
    poison = await fleet.pool.fetchval("SELECT body FROM inbox WHERE lane = $1", deadly.lane)
    decode = tracker.blocks.decode

    def die_of_it(body: bytes) -> Pings:
        if bytes(body) == poison:
            raise SystemError("the process was killed")
        return decode(body)

    monkeypatch.setattr("ingest.blocks.decode", die_of_it)
    monkeypatch.setattr("ingest.track.tracker.random.choice", min)
    for _ in range(3):
        with pytest.raises(SystemError):
            await fleet.turn()
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT count(*) FROM quarantine") == 1
    assert await fleet.pool.fetchval("SELECT driver_id FROM ping") == harmless.driver_id


async def test_a_lane_that_fails_without_a_block_is_left_alone_for_a_while(fleet: Fleet, east, monkeypatch):
    stuck, other = await fleet.phone(await fleet.driver("ana")), await fleet.phone(await fleet.driver("bo"))
    await fleet.send(stuck, east([(0, 0), (10, 80)]))
    await fleet.settle()
    await fleet.pool.execute("UPDATE track SET rerun_from = '-infinity'")
    follow = tracker.take.__globals__["follow"]

    async def fail_for_her(db, drivers, *args):
        if stuck.driver_id in drivers.ids:
            raise ZeroDivisionError
        await follow(db, drivers, *args)

    monkeypatch.setattr("ingest.track.take.follow", fail_for_her)
    for _ in range(4):
        with pytest.raises(ZeroDivisionError):
            await fleet.turn()
    await fleet.send(other, east([(0, 0)]))
    assert await fleet.turn()
    assert not await fleet.turn()
    assert await fleet.pool.fetchval("SELECT count(*) FROM ping WHERE driver_id = $1", other.driver_id) == 1
    monkeypatch.undo()
    await fleet.pool.execute("UPDATE lane_attempt SET tried_at = tried_at - interval '1 hour'")
    await fleet.settle()


async def test_what_postgres_cannot_do_now_is_no_blocks_fault(fleet: Fleet, east):
    """Somebody makes an index on the pings, for longer than a tracker waits for a lock."""
    fleet.database = replace(fleet.database, lock_timeout_s=0.05)
    phone = await fleet.phone(await fleet.driver())
    await fleet.send(phone, east([(0, 0)]))
    async with fleet.pool.acquire() as db, db.transaction():
        await db.execute("LOCK TABLE ping IN SHARE MODE")
        for _ in range(5):
            with pytest.raises(asyncpg.LockNotAvailableError):
                await fleet.turn()
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT count(*) FROM ping") == 1


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
        # the first phone was active all the time: the ping of the second one does not count
        await fleet.send(phone, east([(395, 160)], accuracy_m=900))
        await fleet.settle()
        assert await notice_silence(db, range(64), now=datetime.now(UTC), after_s=600) == 1
    assert await fleet.pool.fetchval("SELECT silent FROM track")
    assert await _facts(fleet, "driver.silent") == [("asserted", 1)]


async def test_what_fails_beside_the_takes_does_not_stop_them(fleet: Fleet, east, monkeypatch):
    async def fail(*_: object, **__: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr("ingest.track.tracker.notice_silence", fail)
    phone = await fleet.phone(await fleet.driver())
    await fleet.send(phone, east([(0, 0)]))
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(60):
        tasks.create_task(run_tracker(fleet.config, fleet.database, stop=stop))
        while not await fleet.pool.fetchval("SELECT count(*) FROM ping"):
            await asyncio.sleep(0.02)
        stop.set()


def test_only_the_driver_whose_fold_breaks_is_folded_ping_by_ping(east, monkeypatch):
    from geo.fold import fold as track

    calls = 0

    def break_at_20(tracks, pings, timelines, settles=None):
        nonlocal calls
        calls += 1
        if (pings.rows["recorded_ms"] == ms_of(START) + 20_000).any():
            raise ZeroDivisionError
        return track.advance(tracks, pings, timelines, settles)

    monkeypatch.setattr("ingest.track.isolate.advance", break_at_20)
    parts = []
    for driver in range(1, 21):
        pings = east([(100 * driver + at, at) for at in range(50)])
        pings.rows["driver_id"] = pings.rows["device_id"] = driver
        parts.append(pings)
    parts[7].rows["recorded_ms"][13] = ms_of(START) + 20_000
    pings = Pings.concat(parts)
    pings = pings.take(np.lexsort((pings.rows["recorded_ms"], pings.rows["driver_id"])))
    from geo.plan.plans import Timeline

    timelines = [Timeline(driver_id=driver) for driver in range(1, 21)]
    _, facts, bad = advance_what_can(track.fresh(np.arange(1, 21)), pings, timelines, np.zeros(20, bool))
    assert (pings.rows["recorded_ms"][bad] == ms_of(START) + 20_000).all()
    assert len(bad) == 1
    assert len(facts.judged) == len(pings) - 1
    assert calls < 100


def test_a_block_that_came_very_late_is_found_in_the_end(monkeypatch):
    now_s = 0.0
    monkeypatch.setattr("ingest.track.tracker.time.monotonic", lambda: now_s)
    hints = Hints(2)
    hints.note([Block(lane=1, id=7, received_at=START, body=b"")])
    now_s = 61.0
    hints.note([])
    hints.look_again()
    assert hints.after == {0: 0, 1: 7}
    now_s = 700.0
    hints.look_again()
    assert hints.after == {0: 0, 1: 0}


# Who waits ------------------------------------------------------------------------------------------------------------


async def test_a_driver_who_must_wait_for_a_re_run_still_moves(fleet: Fleet, east):
    fleet.config = replace(fleet.config, rerun_every_s=3600)
    phone = await fleet.phone(await fleet.driver())
    await fleet.send(phone, east([(0, 0), (30, 240)]))
    await fleet.settle()
    for late_s in (10, 20):
        await fleet.send(phone, east([(late_s, 8 * late_s)]))
        while await fleet.turn():
            pass
    await fleet.send(phone, east([(40, 320)]))
    while await fleet.turn():
        pass
    assert await fleet.pool.fetchval("SELECT recorded_at FROM live") == after(40)
    assert await fleet.pool.fetchval("SELECT rerun_from FROM track") == after(20)
    fleet.config = replace(fleet.config, rerun_every_s=0)
    await fleet.restart()
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT count(*) FROM ping WHERE believed") == 5


async def test_every_ping_of_one_millisecond_is_folded(fleet: Fleet, east):
    phone = await fleet.phone(await fleet.driver())
    await fleet.send(phone, east([(0, i / 10) for i in range(700)]))
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT count(*) FROM ping WHERE believed") == 700


# What later pings change ----------------------------------------------------------------------------------------------


async def test_a_jump_believed_after_a_checkpoint_is_doubted_again(fleet: Fleet, east, monkeypatch):
    """The ping that spoke for it is not the next one any more."""
    monkeypatch.setattr("ingest.track.take.MOST_STEPS", 4)
    phone = await fleet.phone(await fleet.driver())
    await fleet.send(phone, east([(0, 0), (10, 80), (20, 160), (30, 30_000)]))
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT folded_until FROM checkpoint") == after(30)
    await fleet.send(phone, east([(40, 30_080)]))
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT count(*) FROM ping WHERE believed") == 5
    await fleet.send(phone, east([(35, 280)]))
    await fleet.settle()
    unbelieved = await fleet.pool.fetch("SELECT recorded_at, flags FROM ping WHERE NOT believed ORDER BY 1")
    assert [tuple(row) for row in unbelieved] == [(after(30), 2), (after(40), 2)]


async def test_a_visit_that_begins_later_after_all_keeps_its_end(fleet: Fleet, east, monkeypatch):
    """Its beginning is taken back in one take of a re-run and told anew in the next; its end is the same."""
    monkeypatch.setattr("ingest.track.take.MOST_STEPS", 4)
    driver = await fleet.driver()
    phone = await fleet.phone(driver)
    await fleet.route(driver, [600, 1500])
    approach = [(60.0, 400.0), (70.0, 450.0), (80.0, 500.0), (90.0, 520.0)]
    leaving = [(200.0 + 10 * i, 680.0 + 80 * i) for i in range(6)]
    await fleet.send(phone, east([*approach, *AT_FIRST_STOP, *leaving]))
    await fleet.settle()
    before = await fleet.pool.fetchrow("SELECT * FROM visit")
    assert (before["arrived_at"], before["departed_at"]) == (after(100), after(190))
    await fleet.send(phone, east([(105, 800)], speed_mps=30))
    await fleet.settle()
    visit = await fleet.pool.fetchrow("SELECT * FROM visit")
    assert (visit["arrived_at"], visit["departed_at"]) == (after(120), after(190))
    stop = await fleet.pool.fetchrow("SELECT arrived_at, departed_at FROM stop WHERE arrived_at IS NOT NULL")
    assert tuple(stop) == (after(120), after(190))


async def test_a_visit_of_a_geofence_ends_whatever_route_has_begun_meanwhile(fleet: Fleet, east):
    """The van stands at the depot before its route may be driven, and leaves for it."""
    driver = await fleet.driver()
    phone = await fleet.phone(driver)
    await fleet.route(driver, [600, 1500])
    geofence_id = await fleet.pool.fetchval(
        "INSERT INTO geofence (account_id, external_id, version) VALUES ($1, 'depot', 1) RETURNING id", fleet.account_id
    )
    await commit(fleet, fence(fleet.account_id, geofence_id, 1, after(-20_000), 0, 150))
    standing = [(-9_000.0 + 600 * i, 0.0) for i in range(8)]
    await fleet.send(phone, east([*standing, (-4_000, 0), (-3_990, 80), (-3_980, 160), (-3_970, 240), (-3_960, 320)]))
    await fleet.settle()
    visit = await fleet.pool.fetchrow("SELECT geofence_id, arrived_at, departed_at FROM visit")
    assert tuple(visit) == (geofence_id, after(-9_000), after(-3_990))


# Routes that change hands ---------------------------------------------------------------------------------------------


async def _given_away(fleet: Fleet, at_s: float) -> tuple[Phone, Phone, int]:
    """A route that ana drives until some seconds after START, and bo from then on."""
    ana, bo = await fleet.phone(await fleet.driver("ana")), await fleet.phone(await fleet.driver("bo"))
    route_id, stops = await make_route(fleet, "tour", [600, 1500])
    await commit(fleet, plan(route_id, 1, SINCE_EVER, ana, stops, [ana], fleet.account_id))
    await commit(fleet, plan(route_id, 2, after(at_s), bo, stops, [ana, bo], fleet.account_id))
    return ana, bo, route_id


@pytest.mark.parametrize("late", [False, True])
async def test_a_route_of_two_drivers_began_with_the_first_whoever_is_heard_first(fleet: Fleet, east, late: bool):
    ana, bo, _ = await _given_away(fleet, 60)
    sends = [(ana, east([(0, 0), (10, 80), (20, 160)])), (bo, east([(70, 240), (80, 320)]))]
    for phone, pings in reversed(sends) if late else sends:
        await fleet.send(phone, pings)
        await fleet.settle()
    assert await fleet.pool.fetchval("SELECT started_at FROM route") == START


async def test_an_eta_by_a_driver_who_lost_the_route_does_not_replace_a_newer_one(fleet: Fleet, east):
    ana, bo, _ = await _given_away(fleet, 60)
    await fleet.send(bo, east([(70, 240), (80, 320)]))
    await fleet.settle()
    await fleet.send(ana, east([(0, 0), (10, 80)]))
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT version FROM route_eta") == 2


async def test_both_drivers_of_a_route_in_one_take_stop_nobody(fleet: Fleet, east):
    ana, bo, _ = await _given_away(fleet, 60)
    await fleet.send(ana, east([(0, 0), (10, 80)]))
    await fleet.send(bo, east([(70, 240), (80, 320)]))
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT version FROM route_eta") == 2


async def test_two_trackers_that_see_visits_of_one_stop_both_count(fleet: Fleet):
    ana, bo, route_id = await _given_away(fleet, 60)
    stop_id = await fleet.pool.fetchval("SELECT min(id) FROM stop")

    def arrival(phone: Phone, at: datetime) -> Revision:
        return Revision(
            fact_id=uuid4(), revision=1, state="asserted", type="stop.arrived", occurred_ms=ms_of(at),
            folded_ms=ms_of(at), lane=phone.lane, account_id=fleet.account_id, driver_id=phone.driver_id,
            route_id=route_id, route_version=1, stop_id=stop_id, geofence_id=None, visit_id=uuid4(), data={},
        )  # fmt: skip

    first, second = await connect(fleet.database), await connect(fleet.database)
    try:
        held = first.transaction()
        await held.start()
        await put_arrivals(first, [(arrival(ana, START), uuid4())])
        await settle_stops(first, [stop_id])

        async def other() -> None:
            async with second.transaction():
                await put_arrivals(second, [(arrival(bo, after(90)), uuid4())])
                await settle_stops(second, [stop_id])

        waiting = asyncio.create_task(other())
        async with asyncio.timeout(60):
            while not await fleet.pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                await asyncio.sleep(0.01)
        await held.commit()
        await waiting
    finally:
        await first.close()
        await second.close()
    assert await fleet.pool.fetchval("SELECT arrived_at FROM stop WHERE id = $1", stop_id) == START


# How far back plans are read ------------------------------------------------------------------------------------------


async def test_a_version_that_ends_sooner_still_ends_the_one_before(fleet: Fleet, east):
    """A route planned for days by mistake was corrected; long after, a tracker that was made anew reads the plans."""
    async with fleet.pool.acquire() as db:
        await ensure_partitions(db, START.date(), START.date() + timedelta(days=4))
    phone = await fleet.phone(await fleet.driver())
    route_id, stops = await make_route(fleet, "tour", [600, 1500])
    await commit(fleet, plan(route_id, 1, SINCE_EVER, phone, stops, [phone], fleet.account_id, hours=96))
    await commit(fleet, plan(route_id, 2, after(60), phone, stops, [phone], fleet.account_id, hours=8))
    await fleet.send(phone, east([(3 * 86_400, 0)]))
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT route_id FROM ping") is None


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_visit_left_open_for_days_ends_when_the_driver_is_believed_again(fleet: Fleet, east, restarted: bool):
    async with fleet.pool.acquire() as db:
        await ensure_partitions(db, START.date(), START.date() + timedelta(days=4))
    driver = await fleet.driver()
    phone = await fleet.phone(driver)
    await fleet.route(driver, [600, 1500])
    await fleet.send(phone, east([(80, 440), (90, 520), *AT_FIRST_STOP]))
    await fleet.settle()
    await fleet.send(phone, east([(3 * 86_400, 600)], accuracy_m=900))
    await fleet.settle()
    if restarted:
        await fleet.restart()
    await fleet.send(phone, east([(3 * 86_400 + 60, 900)]))
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT departed_at FROM visit") == after(190)


async def test_what_followed_from_pings_past_their_retention_stays(fleet: Fleet, east, tour):
    """Everything stored is folded again, but the pings of the first day are not stored any more."""
    driver = await fleet.driver()
    phone = await fleet.phone(driver)
    await fleet.route(driver, [600, 1500])
    await fleet.send(phone, east(tour))
    await fleet.send(phone, east([(86_400, 0), (86_410, 80)]))
    await fleet.settle()
    visits = await fleet.pool.fetch("SELECT visit_id, arrived_at, departed_at FROM visit ORDER BY 1")
    assert visits
    async with fleet.pool.acquire() as db:
        await drop_partitions_before(db, START.date() + timedelta(days=1))
        await db.execute("DELETE FROM checkpoint")
        await plan_changed(db, lane=phone.lane, driver_id=driver, account_id=fleet.account_id, effective_at=SINCE_EVER)
    await fleet.settle()
    assert await fleet.pool.fetch("SELECT visit_id, arrived_at, departed_at FROM visit ORDER BY 1") == visits
    assert {state for state, _ in await _facts(fleet, "stop.arrived")} == {"asserted"}


# Where the API and the tracker meet -----------------------------------------------------------------------------------


async def _put(fleet: Fleet, name: str, driver_id: int | None, start_at: datetime) -> Written:
    """Put a route as `PUT /v1/routes/{route}` does."""
    stop = StopPlan(
        external_id="1", kind="delivery", name="1", address=None, lat=LAT, lon=LON + 0.005, along_m=456.0,
        radius_m=50.0, geofence=None, phone=None, email=None, locale=None, window_start=None, window_end=None,
        service_s=60.0, planned_arrival=None, instructions=None, cash_amount=None, cash_currency=None, proof=[],
        parcels=[],
    )  # fmt: skip
    routes_plan = RoutePlan(
        driver_id=driver_id, date=date(2026, 3, 2), timezone="UTC", start_at=start_at,
        end_at=start_at + timedelta(hours=8), depot_name=None, depot_lat=None, depot_lon=None, return_to_depot=False,
        path_source="given", length_m=912.0, path_lon=[LON, LON + 0.01], path_lat=[LAT, LAT], path_along_m=[0.0, 912.0],
        stops=[stop],
    )  # fmt: skip
    async with fleet.pool.acquire() as db, db.transaction():
        driver = None
        if driver_id is not None:
            driver = await find_driver(db, account_id=fleet.account_id, driver_id=driver_id, external_id=None)
        head = await hold_route(db, account_id=fleet.account_id, ref=Ref(id=None, external_id=name), driver=driver)
        return await put_plan(
            db, account_id=fleet.account_id, external_id=name, head=head, driver=driver, plan=routes_plan,
            most_wrong_pins=5,
        )  # fmt: skip


async def test_a_route_for_tomorrow_folds_nothing_of_today_again(fleet: Fleet, east):
    phone = await fleet.phone(await fleet.driver())
    await fleet.send(phone, east([(0, 0), (10, 80)]))
    await fleet.settle()
    await _put(fleet, "tomorrow", phone.driver_id, START + timedelta(days=1))
    assert await fleet.pool.fetchval("SELECT rerun_from FROM track") is None
    await _put(fleet, "today", phone.driver_id, START - timedelta(hours=1))
    assert await fleet.pool.fetchval("SELECT rerun_from FROM track") == START - timedelta(hours=3)


async def test_a_route_is_written_while_no_tracker_folds_any_driver_it_ever_had(fleet: Fleet):
    """Late pings of a driver who lost the route still write its stops."""
    ana, bo = await fleet.phone(await fleet.driver("ana")), await fleet.phone(await fleet.driver("bo"))
    await _put(fleet, "tour", ana.driver_id, START)
    await _put(fleet, "tour", bo.driver_id, START)
    held = (
        "SELECT objid::int FROM pg_locks WHERE locktype = 'advisory' AND classid = x'6c616e65'::int AND granted"
        " AND pid = pg_backend_pid()"
    )
    async with fleet.pool.acquire() as db, db.transaction():
        await hold_route(db, account_id=fleet.account_id, ref=Ref(id=None, external_id="tour"), driver=None)
        assert {row["objid"] for row in await db.fetch(held)} == {ana.lane, bo.lane}


async def test_a_driver_of_many_short_tours_does_not_begin_the_first_again(fleet: Fleet, east):
    phone = await fleet.phone(await fleet.driver())
    places: list[tuple[float, float]] = []
    for tour in range(6):
        start_s = 600.0 * tour
        route_id, stops = await make_route(fleet, f"tour {tour}", [300])
        tour_plan = plan(
            route_id, 1, SINCE_EVER, phone, stops, [phone], fleet.account_id, start=after(start_s), hours=0.1
        )
        await commit(fleet, tour_plan)
        standing = [(start_s + 50 + 10 * i, 300.0) for i in range(8)]
        places += [(start_s, 0), (start_s + 20, 150), *standing, (start_s + 150, 450), (start_s + 160, 540)]
    await fleet.send(phone, east([*places, (3_700, 0), (3_710, 80)]))
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT count(*) FROM route WHERE status = 'finished'") == 6
    assert await fleet.pool.fetchval("SELECT route_id FROM live") is None
