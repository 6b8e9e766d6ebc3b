from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.history import visits
from sql.pool import Pool
from tests.api.tour_rows import Tour

START = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)


@pytest.fixture
def app_parts(app_parts: list[Any]) -> list[Any]:
    return [*app_parts, visits.operations.add_to]


@pytest.fixture
async def tour(pool: Pool, account: Any) -> Tour:
    return await Tour.put(pool, account.id, start_at=START)


async def test_visits_come_in_the_order_of_arrival(client: Any, account: Any, tour: Tour) -> None:
    await tour.visit(1, START + timedelta(minutes=30))
    await tour.visit(0, START + timedelta(minutes=10), START + timedelta(minutes=15))
    response = await client.get("/v1/routes/tour-1/visits", headers=account.headers)
    assert (await response.json())["visits"] == [
        {
            "stop_id": f"st_{tour.stop_ids[0]}",
            "stop_external_id": "stop-0",
            "driver_id": f"dr_{tour.driver_id}",
            "arrived_at": "2026-03-02T13:10:00Z",
            "departed_at": "2026-03-02T13:15:00Z",
            "source": "auto",
            "certainty": None,
            "on_foot_m": None,
        },
        {
            "stop_id": f"st_{tour.stop_ids[1]}",
            "stop_external_id": "stop-1",
            "driver_id": f"dr_{tour.driver_id}",
            "arrived_at": "2026-03-02T13:30:00Z",
            "departed_at": None,
            "source": "auto",
            "certainty": None,
            "on_foot_m": None,
        },
    ]


async def test_how_far_a_driver_went_from_the_van_is_told(client: Any, account: Any, tour: Tour, pool: Pool) -> None:
    """To a door 55 m from the van and back; one fix is simply wrong, and two say nothing of the next stop."""
    for stop, north_m in ((0, [0, 20, 55, 55, 55, 55, 55, 55, 55, 30, 0]), (1, [0, 80])):
        came = START + timedelta(minutes=10 + 10 * stop)
        await tour.visit(stop, came, came + timedelta(minutes=5))
        await pool.execute("SELECT make_ping_partition($1)", came.date())
        lat_e6 = [6_244_200 + round(metres / 0.11132) for metres in north_m]
        await pool.execute(
            "INSERT INTO packed_ping (device_id, recorded_at, lat_e6, lon_e6, received_after_ms, bits)"
            " SELECT $1, $2::timestamptz + n * interval '10 s', lat + CASE WHEN n = 5 THEN 9000 ELSE 0 END,"
            " -75569000, 0, CASE WHEN n = 5 THEN 1 << 16 ELSE 3 << 16 END"
            " FROM unnest($3::int[]) WITH ORDINALITY AS fix (lat, n)",
            *(tour.device_id, came, lat_e6),
        )
    response = await client.get("/v1/routes/tour-1/visits", headers=account.headers)
    told = [visit["on_foot_m"] for visit in (await response.json())["visits"]]
    assert told == [pytest.approx(55, abs=0.5), None]


async def test_a_route_nobody_drove_has_no_visits(client: Any, account: Any, tour: Tour) -> None:
    response = await client.get(f"/v1/routes/rt_{tour.route_id}/visits", headers=account.headers)
    assert await response.json() == {"visits": []}


async def test_another_account_s_route_is_not_there(client: Any, other_account: Any, tour: Tour) -> None:
    for route in ("tour-1", f"rt_{tour.route_id}"):
        response = await client.get(f"/v1/routes/{route}/visits", headers=other_account.headers)
        assert response.status == 404
