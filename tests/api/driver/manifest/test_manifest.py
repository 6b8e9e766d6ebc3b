"""What a driver's phone is told to do."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgpack
import pytest

from api.driver.manifest import endpoints as manifest
from api.driver.manifest import held
from api.driver.manifest.held import HeldManifests
from api.driver.manifest.version import bring_up_to_date
from api.http.app_keys import POOL
from api.http.ids import DRIVER, number_of
from api.routes import eta
from api.stream.hub import HUB
from geo.shape.lines import decode_polyline
from tests.api.conftest import STREETS
from tests.api.driver.manifest.manifests import ManifestPhone, around_now


@pytest.fixture
def app_parts(app_parts: list[Any]) -> list[Any]:
    return [*app_parts, manifest.operations.add_to, eta.operations.add_to]


@pytest.fixture
def make_phone(client, account, make_driver, make_device):
    async def make(external_id: str = "ana", key: str = account.key) -> ManifestPhone:
        driver = await make_driver(client, key, external_id)
        device = await make_device(client, key, driver["id"])
        return ManifestPhone(client=client, token=device["token"], driver_id=number_of(DRIVER, driver["id"]) or 0)

    return make


async def test_a_driver_gets_all_they_need(client, account, make_phone, put_route):
    ana = await make_phone()
    put = await put_route(client, account.key, driver="ana", **around_now())
    told = await ana.read()
    assert told["full"]
    [route] = told["routes"]
    assert (route["id"], route["external_id"], route["current"]) == (put["id"], "tour-1", True)
    assert (route["timezone"], route["status"]) == ("America/Bogota", "planned")
    assert route["depot"] == {"name": "Bodega Centro", "lat": 6.2442, "lon": -75.5690}
    lon, lat = decode_polyline(route["path"]["polyline"], route["path"]["precision"])
    assert list(zip(lon.tolist(), lat.tolist(), strict=True)) == [pytest.approx(vertex) for vertex in STREETS]
    first, second, *_ = route["stops"]
    assert first == {
        "id": put["stops"][0]["id"],
        "route_id": put["id"],
        "external_id": "ped-1",
        "kind": "delivery",
        "order": 1000,
        "status": "pending",
        "why": None,
        "name": "Ana Restrepo",
        "address": "Cra. 46 # 52-10, apto 301",
        "lat": 6.24805,
        "lon": -75.56785,
        "along_m": pytest.approx(put["stops"][0]["along_m"], abs=0.1),
        "park_at": None,
        "phone": "+573001112233",
        "email": None,
        "window": {"start": "2026-03-02T13:00:00Z", "end": "2026-03-02T15:00:00Z"},
        "planned_arrival": "2026-03-02T13:20:00Z",
        "service_s": 120.0,
        "instructions": None,
        "parcels": [{"barcode": "MDE0001", "description": "Caja pequeña", "quantity": 1}],
        "cash_on_delivery": None,
        "proof": ["photo"],
        "recipient": None,
        "arrived_at": None,
        "departed_at": None,
    }
    assert second["cash_on_delivery"] == {"amount": 85000, "currency": "COP"}
    assert [stop["external_id"] for stop in route["stops"]] == ["ped-1", "ped-2", "rec-3", "ped-4"]
    assert [stop["order"] for stop in route["stops"]] == [1000, 2000, 3000, 4000]


async def test_without_a_route_there_is_nothing_to_do(make_phone):
    ana = await make_phone()
    told = await ana.read()
    assert told == {"version": 0, "full": True, "routes": []}
    again = await ana.read("?since=0")
    assert (again["full"], again["version"], again["added"]) == (False, 0, [])


async def test_what_is_shown_now_goes_by_the_databases_clock(client, account, make_phone, put_route, monkeypatch):
    """A process whose own clock is a week off shows what all others show."""
    ana = await make_phone()
    await put_route(client, account.key, driver="ana", **around_now())
    clock = client.app[POOL].clock
    monkeypatch.setattr(clock, "now", lambda: datetime.now(UTC) + timedelta(days=7))
    assert (await ana.read())["routes"] == []


async def test_the_next_route_follows_the_current_one(client, account, make_phone, put_route):
    ana = await make_phone()
    await put_route(client, account.key, "today", driver="ana", **around_now(-1))
    await put_route(client, account.key, "tomorrow", driver="ana", **around_now(20))
    await put_route(client, account.key, "later", driver="ana", **around_now(44))
    told = await ana.read("?path=none")
    assert [(route["external_id"], route["current"]) for route in told["routes"]] == [
        ("today", True),
        ("tomorrow", False),
    ]
    assert all("path" not in route for route in told["routes"])


async def test_a_version_that_the_phone_has_is_not_sent_again(client, account, make_phone, put_route):
    ana = await make_phone()
    await put_route(client, account.key, driver="ana", **around_now())
    first = await ana.get()
    version = (await first.json())["version"]
    assert first.headers["ETag"] == f'W/"{version}"'
    assert first.headers["Cache-Control"] == "private, no-cache"
    for known in (first.headers["ETag"], f'"other", "{version}"'):
        same = await ana.get(**{"If-None-Match": known})
        assert (same.status, await same.read()) == (304, b"")
        assert same.headers["ETag"] == first.headers["ETag"]
    # a process that has never seen this driver's manifest says the same
    client.app[HUB].part(HeldManifests).forget(ana.driver_id)
    assert (await ana.get(**{"If-None-Match": first.headers["ETag"]})).status == 304
    await put_route(client, account.key, driver="ana", **around_now(-2))
    other = await ana.get(**{"If-None-Match": first.headers["ETag"]})
    assert other.status == 200
    assert (await other.json())["version"] > version


async def test_what_changed_is_read_once_for_its_version_and_its_answer(
    client, account, make_phone, put_route, monkeypatch
):
    reads = 0

    async def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal reads
        reads += 1
        return await bring_up_to_date(*args, **kwargs)

    monkeypatch.setattr(held, "bring_up_to_date", counted)
    ana = await make_phone()
    await put_route(client, account.key, driver="ana", **around_now())
    first = await ana.read()
    assert reads == 1
    assert await ana.read("?path=none") != first  # another shape is read for itself
    assert (await ana.read(), reads) == (first, 2)
    await put_route(client, account.key, driver="ana", **around_now(-2))
    assert (await ana.read(f"?since={first['version']}"))["version"] > first["version"]
    assert reads == 3


async def test_messagepack_has_the_same_shape(client, account, make_phone, put_route):
    ana = await make_phone()
    await put_route(client, account.key, driver="ana", **around_now())
    packed = await ana.get(Accept="application/msgpack")
    assert packed.content_type == "application/msgpack"
    told = msgpack.unpackb(await packed.read())
    assert told == await ana.read()
    since = await ana.get(f"/v1/driver/manifest?since={told['version']}", Accept="application/msgpack")
    assert msgpack.unpackb(await since.read()) == await ana.read(f"?since={told['version']}")


async def test_contact_is_shown_by_the_accounts_rule(client, account, make_phone, put_route):
    ana = await make_phone()
    await put_route(client, account.key, "today", driver="ana", **around_now(-1))
    await put_route(client, account.key, "tomorrow", driver="ana", **around_now(20))

    async def shown() -> list[bool]:
        return [route["stops"][0]["phone"] is not None for route in (await ana.read())["routes"]]

    assert await shown() == [True, False]  # on_route, unless set
    for rule, today, tomorrow in [("always", True, True), ("never", False, False), ("on_route", True, False)]:
        await client.patch("/v1/account", json={"driver_contact": rule}, headers=account.headers)
        assert await shown() == [today, tomorrow], rule


async def test_another_rule_makes_another_version(client, account, make_phone, put_route):
    ana = await make_phone()
    await put_route(client, account.key, driver="ana", **around_now())
    await ana.poll()
    await client.patch("/v1/account", json={"driver_contact": "never"}, headers=account.headers)
    told = await ana.poll()
    assert [stop["external_id"] for stop in told["changed"]] == ["ped-1"]  # the only one with a phone
    await client.patch("/v1/account", json={"brand": "Otra"}, headers=account.headers)
    assert (await ana.poll())["version"] == told["version"]


async def test_an_unknown_rule_is_named(client, account, refused):
    response = await client.patch("/v1/account", json={"driver_contact": "sometimes"}, headers=account.headers)
    await refused(response, 422, "/driver_contact")


async def test_a_driver_sees_their_own_routes_only(client, account, other_account, make_phone, put_route):
    ana, luz = await make_phone("ana"), await make_phone("luz")
    rival = await make_phone("ana", other_account.key)
    await put_route(client, account.key, driver="ana", **around_now())
    assert len((await ana.read())["routes"]) == 1
    assert (await luz.read())["routes"] == []
    assert (await rival.read())["routes"] == []


async def test_a_revoked_token_opens_nothing(client, account, make_driver, make_device, bearer, refused):
    driver = await make_driver(client, account.key)
    device = await make_device(client, account.key, driver["id"])
    await client.delete(f"/v1/devices/{device['id']}", headers=account.headers)
    for path in ("manifest", "eta", "reasons"):
        for secret in (device["token"], device["ingest_token"], account.key, "rpd_nobody"):
            await refused(await client.get(f"/v1/driver/{path}", headers=bearer(secret)), 401)


async def test_a_bad_parameter_is_named(make_phone, refused):
    ana = await make_phone()
    for query, at in [("since=now", "since"), ("since=1.5", "since"), ("since=%D9%A3", "since"), ("path=gpx", "path")]:
        await refused(await ana.get(f"/v1/driver/manifest?{query}"), 422, at)


async def test_a_large_manifest_comes_packed_where_the_phone_can_unpack_it(client, account, make_phone, put_route):
    ana = await make_phone()
    await put_route(client, account.key, driver="ana", **around_now())
    packed = await ana.get(**{"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    plain = await ana.get(**{"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert await packed.json() == await plain.json()


async def test_eta_of_the_route_the_driver_is_on(client, account, make_phone, put_route, pool):
    ana = await make_phone()
    nothing = await (await ana.get("/v1/driver/eta")).json()
    assert nothing == {"route_id": None, "computed_at": None, "as_of": None, "stale": True, "stops": [], "behind": []}
    await put_route(client, account.key, "tomorrow", driver="ana", **around_now(20))
    assert (await (await ana.get("/v1/driver/eta")).json())["route_id"] is None
    put = await put_route(client, account.key, "today", driver="ana", **around_now())
    route_id = int(put["id"].removeprefix("rt_"))
    version = (await ana.read())["version"]
    await pool.execute(
        """INSERT INTO route_eta (route_id, version, as_of, computed_at, stop_ids, expected, low, high, remaining_m)
           SELECT $1, 1, now(), now(), $2, ARRAY[at, at], ARRAY[at, at], ARRAY[at, at], '{10, 20}'
             FROM (SELECT now() + interval '1 hour' AS at) AS soon""",
        route_id,
        [int(stop["id"].removeprefix("st_")) for stop in put["stops"][:2]],
    )
    told = await (await ana.get("/v1/driver/eta")).json()
    assert told["route_id"] == put["id"]
    assert [stop["stop_external_id"] for stop in told["stops"]] == ["ped-1", "ped-2"]
    of_route = await (await client.get("/v1/routes/today/eta", headers=account.headers)).json()
    assert told == {"route_id": put["id"], **of_route}
    assert (await ana.read())["version"] == version  # ETAs do not count


async def test_reasons_are_those_of_the_account(client, account, make_phone):
    ana = await make_phone()
    usual = await (await ana.get("/v1/driver/reasons")).json()
    assert {"code": "nobody_home", "text": "No había nadie"} in usual["reasons"]
    mine = [{"code": "perro", "text": "Perro bravo"}]
    await client.patch("/v1/account", json={"failure_reasons": mine}, headers=account.headers)
    assert (await (await ana.get("/v1/driver/reasons")).json()) == {"reasons": mine}
