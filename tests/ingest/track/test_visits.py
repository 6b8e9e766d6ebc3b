"""When visits end."""

from datetime import timedelta

import pytest

from sql.pings.partitions import ensure_partitions
from tests.ingest.track.conftest import AT_FIRST_STOP, START, Fleet, after
from tests.ingest.track.planning import commit, fence, make_fence


async def test_a_visit_of_a_geofence_ends_whatever_route_has_begun_meanwhile(fleet: Fleet, east):
    """The van stands at the depot before its route may be driven, and leaves for it."""
    driver = await fleet.driver()
    phone = await fleet.phone(driver)
    await fleet.route(driver, [600, 1500])
    geofence_id = await make_fence(fleet, "depot")
    await commit(fleet, fence(fleet.account_id, geofence_id, 1, after(-20_000), 0, 150))
    standing = [(-9_000.0 + 600 * i, 0.0) for i in range(8)]
    await fleet.send(phone, east([*standing, (-4_000, 0), (-3_990, 80), (-3_980, 160), (-3_970, 240), (-3_960, 320)]))
    await fleet.settle()
    visit = await fleet.pool.fetchrow("SELECT geofence_id, arrived_at, departed_at FROM visit")
    assert tuple(visit) == (geofence_id, after(-9_000), after(-3_990))


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
