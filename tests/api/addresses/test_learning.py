"""The book learns where deliveries were, and forgets by age."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from api.fleet import drivers
from api.routes import endpoints as routes
from tests.api.planning.conftest import DAY
from work.addresses.learn import learn_addresses
from work.addresses.upkeep import address_retention_jobs
from work.upkeep.config import RetentionConfig
from work.upkeep.retention import retention_guard

LAT, LON = 6.2500, -75.5700
WHERE = {"address": "Carrera 43A # 1-50", "name": "Ana", "phone": "+573001112233"}


@pytest.fixture
def app_parts(app_parts):
    return [*app_parts, routes.operations.add_to, drivers.operations.add_to]


@pytest.fixture
def delivered(call, pool):
    """`await delivered("1", door=…, van=…)`: a tour that is over, on which the address was delivered to."""

    async def one(name, *, door=None, van=None, **more):
        stop = {"external_id": "ped", "kind": "delivery", "lat": LAT, "lon": LON, **WHERE, **more}
        depot = {"lat": 6.2442, "lon": -75.5690}
        times = {"start_at": f"{DAY}T08:00:00-05:00", "end_at": f"{DAY}T16:00:00-05:00"}
        body = {"date": DAY, "timezone": "America/Bogota", **times, "driver": "ana", "depot": depot, "stops": [stop]}
        await call("PUT", f"/v1/routes/{name}", body)
        at = datetime(2026, 3, 2, 15, int(name), tzinfo=UTC)
        route_id, stop_id, driver_id, account_id = await pool.fetchrow(
            "SELECT route.id, stop.id, route.driver_id, route.account_id"
            " FROM route JOIN stop ON stop.route_id = route.id WHERE route.external_id = $1",
            name,
        )
        lane = await pool.fetchval("SELECT lane FROM driver WHERE id = $1", driver_id)
        await pool.execute("UPDATE stop SET status = 'completed', outcome_at = $2 WHERE id = $1", stop_id, at)
        if door:
            await pool.execute(
                "INSERT INTO driver_event (driver_id, id, account_id, lane, type, route_id, stop_id, occurred_at, lat,"
                " lon, effective) VALUES ($1, $2, $3, $4, 'completed', $5, $6, $7, $8, $9, true)",
                *(driver_id, uuid4(), account_id, lane, route_id, stop_id, at, *door),
            )
        if van:
            await pool.execute("SELECT make_ping_partition($1)", at.date())
            await pool.execute(
                "INSERT INTO visit (lane, visit_id, driver_id, account_id, route_id, stop_id, arrived_at, departed_at,"
                " source) VALUES ($1, $2, $3, $4, $5, $6, $7::timestamptz, $7::timestamptz + interval '1 min', 'auto')",
                *(lane, uuid4(), driver_id, account_id, route_id, stop_id, at),
            )
            await pool.execute(
                "WITH phone AS (INSERT INTO device (account_id, driver_id, app, ingest_token_hash)"
                " VALUES ($1, $2, 'native', $3) RETURNING id)"
                " INSERT INTO packed_ping (device_id, recorded_at, lat_e6, lon_e6, received_after_ms, bits)"
                " SELECT id, $4::timestamptz + n * interval '10 s', $5 + n, $6, 0,"
                " CASE WHEN n < 4 THEN 3 << 16 ELSE 1 << 16 END FROM phone, generate_series(0, 4) AS n",
                *(account_id, driver_id, uuid4().bytes, at, round(van[0] * 1e6), round(van[1] * 1e6)),
            )
        await pool.execute("UPDATE route SET closed_at = now() - interval '2 h' WHERE id = $1", route_id)

    return one


async def known(call):
    return (await call("GET", "/v1/addresses"))["addresses"]


async def test_doors_and_vans_are_learned_from_tours_that_are_over(call, client, account, depot, delivered, pool):
    await call("POST", "/v1/drivers", {"external_id": "ana", "name": "Ana"})
    await delivered("1", van=(6.2503, LON))
    await delivered("2", van=(6.2503, LON), address="Cra. 43 A No 1 - 50")
    assert not await learn_addresses(pool)
    assert [(one["quality"], one["seen"]) for one in await known(call)] == [(None, 0)]
    await delivered("3", van=(6.2503, LON))
    await learn_addresses(pool)
    (one,) = await known(call)
    assert (one["address"], one["person"]) == ("carrera 43a 1 50", "tel 001112233")
    assert (one["quality"], one["seen"], one["lat"]) == ("learned", 3, pytest.approx(6.2503, abs=3e-6))

    await delivered("4", door=(6.2501, LON))
    await delivered("5", door=(6.2501, LON))
    await delivered("6", door=(6.4, LON))  # said at the depot, in the evening
    await learn_addresses(pool)
    (one,) = await known(call)
    assert (one["quality"], one["seen"], one["lat"]) == ("learned", 2, 6.2501)
    order = {"name": "Ana", "phone": "300 111 2233", "address": "KR 43A 1-50", "earliest": DAY}
    placed = await call("PUT", "/v1/orders/ped-9", order)
    assert (placed["state"], placed["quality"], placed["place"]["lat"]) == ("ready", "learned", 6.2501)


async def test_where_vans_park_is_learned_and_told_with_the_next_stop(call, client, account, depot, delivered, pool):
    await call("POST", "/v1/drivers", {"external_id": "ana", "name": "Ana"})
    planned = (
        "SELECT plan.version, stop_shapes FROM route_version AS plan"
        " JOIN route ON route.id = route_id AND route.external_id = $1"
    )
    for name in ("1", "2", "3"):
        await delivered(name, van=(LAT + 0.0009, LON), phone=f"+57300111220{name}")
        assert await pool.fetchval(f"SELECT stop_shapes FROM ({planned}) AS them", name) == {}
    await learn_addresses(pool)
    for name, more in (("4", {}), ("5", {"kind": "pickup"})):
        await delivered(name, van=(LAT + 0.002, LON), **more)
        stop_id, *spot = await pool.fetchrow(
            "SELECT stop.id, park_lat, park_lon FROM stop JOIN route ON route.id = route_id AND route.external_id = $1",
            name,
        )
        assert spot == [pytest.approx(LAT + 0.0009, abs=2e-5), LON]
        ((version, shapes),) = await pool.fetch(planned, name)
        assert (version, list(shapes)) == (1, [str(stop_id)])  # 100 m away: its fence reaches there
    await learn_addresses(pool)
    await delivered("4")
    assert len(await pool.fetch(planned, "4")) == 1  # what was put again as it was stays as it was
    await delivered("6", address="Calle 9 # 9-9")
    assert (
        await pool.fetchval("SELECT park_lat FROM stop JOIN route ON route.id = route_id WHERE route.external_id = '6'")
        is None
    )


async def test_addresses_have_an_end(account, pool):
    for stop_id, days in ((1, 70), (2, 10)):
        await pool.execute(
            "INSERT INTO address_seen VALUES ($1, 'calle 1', '', 'van', $2, 6, -75, $3)",
            *(account.id, stop_id, datetime.now(UTC) - timedelta(days=days)),
        )
        await pool.execute(
            "INSERT INTO geocode_answer VALUES ($1, 'photon', $2, NULL, NULL, NULL, $3)",
            *(account.id, str(stop_id), datetime.now(UTC) - timedelta(days=days)),
        )
    config = RetentionConfig(people_retention_days=60, retention_most_days=30)
    for job in address_retention_jobs(retention_guard(config, proof_retention_days=100)):
        await job.do(pool)
    assert await pool.fetch("SELECT stop_id FROM address_seen") == [(2,)]
    assert await pool.fetch("SELECT address FROM geocode_answer") == [("2",)]
