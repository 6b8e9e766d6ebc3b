"""Which plans a tracker folds against, and what it folds again when one changes."""

from datetime import datetime, timedelta

from api.http.refs import Ref
from api.routes.write import Written, hold_route, put_plan
from geo.times import SINCE_EVER
from sql import locks
from sql.account.drivers import find_driver
from sql.pings.partitions import drop_partitions_before, ensure_partitions
from sql.track.folds import plan_changed
from tests.ingest.track.conftest import START, Fleet, after, newest_facts
from tests.ingest.track.planning import commit, make_route, plan
from tests.ingest.track.street import tour_plan


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
    assert {state for state, _ in await newest_facts(fleet, "stop.arrived")} == {"asserted"}


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


async def _put(fleet: Fleet, name: str, driver_id: int | None, start_at: datetime) -> Written:
    """Put a route as `PUT /v1/routes/{route}` does."""
    tour = tour_plan(driver_id, [456.0], start=start_at)
    async with fleet.pool.acquire() as db, db.transaction():
        driver = None
        if driver_id is not None:
            driver = await find_driver(db, account_id=fleet.account_id, driver_id=driver_id, external_id=None)
        head = await hold_route(db, account_id=fleet.account_id, ref=Ref(id=None, external_id=name), driver=driver)
        return await put_plan(
            db, account_id=fleet.account_id, external_id=name, head=head, driver=driver, plan=tour, most_wrong_pins=5
        )


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
        "SELECT objid::int FROM pg_locks WHERE locktype = 'advisory' AND classid = $1 AND granted"
        " AND pid = pg_backend_pid()"
    )
    async with fleet.pool.acquire() as db, db.transaction():
        await hold_route(db, account_id=fleet.account_id, ref=Ref(id=None, external_id="tour"), driver=None)
        assert {row["objid"] for row in await db.fetch(held, locks.LANE_CLASS)} == {ana.lane, bo.lane}
