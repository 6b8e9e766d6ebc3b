"""A plan and its ETAs: the same legs take the same minutes, whatever was learned and whichever roads there are."""

import numpy as np
import pytest

from geo.eta.model import Model
from geo.eta.rows import Row
from geo.shape import plane
from geo.times import ms_of
from geo.tours.matrix import DoorWork, keys_of_hour, service_keys
from sql.delivery.plans import read_plans
from sql.eta.learning import put_rows
from tests.api.planning.conftest import DAY, some_orders
from work.plans import plan_of
from work.roads.protocol import RoadPath


class OneWayRoads:
    """Straight roads, fast to the east and slow to the west: no drive takes as long as its way back."""

    async def table(self, places):
        lon, lat = places.T
        space = plane.in_space(lon, lat)
        apart_m = np.sqrt(((space[:, None] - space[None]) ** 2).sum(axis=2))
        return apart_m, apart_m / np.where(lon[:, None] > lon[None], 5.0, 9.0)

    async def route(self, places):
        metres, seconds = await self.table(places)
        lon, lat = places.T
        return RoadPath(
            source="road", lon=lon, lat=lat, leg_lengths_m=metres.diagonal(1), leg_durations_s=seconds.diagonal(1)
        )


@pytest.fixture(params=["straight", "roads"])
def roads(request, roads):
    return roads if request.param == "straight" else OneWayRoads()


async def test_what_was_learned_is_in_the_plan_and_in_its_etas_once(call, day, planned, pool, account, roads):
    at_ms, offset_s = 1_772_463_600_000, -5 * 3600  # ten in the morning of the day, in Bogotá
    orders = some_orders(10, parcels=[{"quantity": 3}])
    await call("POST", "/v1/orders", {"orders": orders})
    works = [DoorWork(kind="delivery", parcels=3, lat=one["lat"], lon=one["lon"], planned_s=180) for one in orders]
    keys = sorted(keys_of_hour(at_ms, offset_s)) + sorted(service_keys(works))
    rows = {
        key: Row(5_000.0, 1.1 + 0.02 * (n % 7), 1.0, at_ms) for n, key in enumerate(keys) if "driver" not in key.scope
    }
    async with pool.acquire() as db:
        await put_rows(db, account.id, 1, rows)
    for shift in (await call("GET", f"/v1/shifts?date={DAY}"))["shifts"]:
        name, hours = shift.pop("external_id"), {"start_at": f"{DAY}T09:00:00-05:00", "end_at": f"{DAY}T11:50:00-05:00"}
        await call("PUT", f"/v1/shifts/{name}", {**shift, **hours})
    plan = await planned(shifts=["turno-van-1"])
    assert plan["unplanned"] == []
    published = await call("POST", f"/v1/plans/{plan['id']}/publish")
    (tour,) = published["tours"]
    (row,) = await read_plans(pool, [(int(tour["route"][3:]), 1)])
    prepared = plan_of(row)
    columns = Model(version=1, rows=rows).outlook(prepared).columns
    services_before_s = np.cumsum(columns[2]) - columns[2]
    expected_s = columns[1] + services_before_s
    planned_s = np.array([(ms_of(at) - ms_of(row.start_at)) / 1000 for at in row.stop_planned_at])
    assert planned_s == pytest.approx(expected_s, abs=len(orders))  # whole seconds a leg
    plain_s = Model().outlook(prepared).columns[1, -1]
    assert columns[1, -1] > 1.2 * plain_s
