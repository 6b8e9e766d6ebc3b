"""Routes that change hands: whoever is heard first, the route and its stops end the same."""

import asyncio
from datetime import datetime
from uuid import uuid4

import pytest

from geo.times import SINCE_EVER, ms_of
from sql.delivery.stop_states import settle_stops
from sql.feed.facts import Revision
from sql.pool import connect
from sql.track.visits import put_arrivals
from tests.ingest.track.conftest import START, Fleet, Phone, after
from tests.ingest.track.planning import commit, make_route, plan


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
