"""Devices, positions, geofences and the server, read with pytraccar."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytraccar import TraccarAuthenticationException

from api.traccar import vans, words
from geo.times import ms_of
from sql.inbox.heartbeats import keep_heartbeat
from sql.pool import Pool
from tests.api.tour_rows import Tour
from tests.api.traccar.conftest import OF_PYTRACCAR, Traccar

pytestmark = OF_PYTRACCAR

NEVER_SEEN = {
    "name": "Eva",
    "uniqueId": "driver of tour-eva",
    "status": "unknown",
    "disabled": False,
    "lastUpdate": None,
    "positionId": 0,
    "groupId": 0,
    "calendarId": 0,
    "phone": None,
    "model": None,
    "contact": None,
    "category": None,
    "expirationTime": None,
    "attributes": {},
}


@pytest.fixture
async def tours(pool: Pool, account: Any) -> list[Tour]:
    """Ana drives at 10 m/s, Beto was last heard an hour ago, Dario is silent on his route, Eva was never seen."""
    now = datetime.now(UTC)
    made = [
        await Tour.put(pool, account.id, start_at=now, external_id=f"tour-{name}", driver=name.title())
        for name in ("ana", "beto", "dario", "eva")
    ]
    ana, beto, dario, _ = made
    await ana.see_van(100, at=now - timedelta(seconds=7), speed_mps=10.0, heading_deg=271.5, accuracy_m=4.0)
    await beto.see_van(200, at=now - timedelta(hours=1), speed_mps=None, heading_deg=None, battery=None)
    await dario.see_van(400, at=now - timedelta(minutes=20), speed_mps=0.2)
    await pool.execute(
        "INSERT INTO track (lane, driver_id, account_id, silent) VALUES ($1, $2, $3, true)",
        *(dario.lane, dario.driver_id, account.id),
    )
    return made


async def test_drivers_are_devices(traccar: Traccar, account: Any, tours: list[Tour]) -> None:
    async with traccar(account.viewer_key) as api:
        devices = {device["id"]: device for device in await api.get_devices()}
        positions = {position["deviceId"]: position for position in await api.get_positions()}
    ana, beto, dario, eva = (devices[tour.driver_id] for tour in tours)
    assert [one["status"] for one in (ana, beto, dario, eva)] == ["online", "unknown", "offline", "unknown"]
    assert eva == {"id": tours[3].driver_id, **NEVER_SEEN}
    assert ana["lastUpdate"].endswith("+00:00")
    assert {tour.driver_id for tour in tours[:3]} == positions.keys()
    for number, position in positions.items():
        assert devices[number]["positionId"] == position["id"] < 2**53


async def test_positions_are_in_traccar_s_units(traccar: Traccar, account: Any, tours: list[Tour]) -> None:
    async with traccar(account.viewer_key) as api:
        ana, beto, dario = sorted(await api.get_positions(), key=lambda one: one["deviceId"])
    assert ana["speed"] == 19.438  # knots
    assert (ana["course"], ana["accuracy"], ana["altitude"]) == (271.5, 4.0, 0.0)
    assert (ana["latitude"], ana["longitude"]) == pytest.approx((6.2452, -75.5686), abs=0.0005)
    assert ana["geofenceIds"] == []
    assert ana["attributes"] == {"batteryLevel": 80, "motion": True}
    assert (ana["valid"], ana["outdated"], ana["protocol"], ana["address"]) == (True, False, "reparto", None)
    assert ana["fixTime"] == ana["deviceTime"]
    assert datetime.fromisoformat(ana["fixTime"]).utcoffset() == timedelta(0)
    assert (beto["speed"], beto["course"], beto["accuracy"], beto["attributes"]) == (0, 0, 0, {})
    assert (dario["speed"], dario["attributes"]["motion"]) == (0.389, False)


async def test_a_phone_that_is_heard_without_a_place_is_online_and_its_position_outdated(
    traccar: Traccar, account: Any, tours: list[Tour], pool: Pool
) -> None:
    beto = tours[1]
    await keep_heartbeat(pool, beto.driver_id, received_ms=ms_of(datetime.now(UTC)), battery=0.554)
    async with traccar(account.viewer_key) as api:
        (device,) = (one for one in await api.get_devices() if one["id"] == beto.driver_id)
        (position,) = (one for one in await api.get_positions() if one["deviceId"] == beto.driver_id)
    assert (device["status"], position["outdated"], position["attributes"]) == ("online", True, {"batteryLevel": 55})


async def test_an_alarm_is_shown_while_it_is_in_force(
    traccar: Traccar, account: Any, tours: list[Tour], pool: Pool
) -> None:
    ana = tours[0]
    await pool.execute(
        "INSERT INTO event (account_id, fact_id, revision, state, type, occurred_at, known_at, lane, driver_id, late,"
        " data) VALUES ($1, gen_random_uuid(), 1, 'asserted', 'driver.sos', now(), now(), $2, $3, false, $4)",
        *(account.id, ana.lane, ana.driver_id, {"alarm": "sos"}),
    )
    async with traccar(account.viewer_key) as api:
        alarms = {one["deviceId"]: one["attributes"].get("alarm") for one in await api.get_positions()}
    assert alarms == {ana.driver_id: "sos", tours[1].driver_id: None, tours[2].driver_id: None}


async def test_a_position_names_the_geofences_that_the_driver_is_in(
    client: Any, traccar: Traccar, account: Any, tours: list[Tour], pool: Pool
) -> None:
    ana, beto, *_ = tours
    body = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [0, 0]}, "properties": {"radius_m": 9}}
    for name in ("one", "two", "ended"):
        await client.put(f"/v1/geofences/{name}", json=body, headers=account.headers)
    now = datetime.now(UTC)
    for tour, fence, left_at in ((ana, 2, None), (ana, 1, None), (ana, 3, None), (beto, 1, now)):
        await pool.execute(
            "INSERT INTO visit (lane, visit_id, driver_id, account_id, geofence_id, arrived_at, departed_at, source)"
            " VALUES ($1, gen_random_uuid(), $2, $3, $4, $5, $6, 'auto')",
            *(tour.lane, tour.driver_id, account.id, fence, now, left_at),
        )
    await client.delete("/v1/geofences/ended", headers=account.headers)
    async with traccar(account.viewer_key) as api:
        inside = {one["deviceId"]: one["geofenceIds"] for one in await api.get_positions()}
        fences = [one["id"] for one in await api.get_geofences()]
    assert (inside[ana.driver_id], inside[beto.driver_id], fences) == ([1, 2], [], [1, 2])


async def test_devices_and_positions_are_asked_for_by_their_numbers(
    client: Any, account: Any, tours: list[Tour]
) -> None:
    ana, beto, *_ = (tour.driver_id for tour in tours)

    async def asked(path: str, field: str) -> Any:
        async with client.get(f"/api/{path}", headers=account.headers) as response:
            assert response.status == 200, await response.text()
            return [one[field] for one in await response.json()]

    assert await asked(f"devices?id={ana}&id={beto}", "id") == [ana, beto]
    assert await asked("devices?uniqueId=driver%20of%20tour-beto", "id") == [beto]
    assert await asked("devices?uniqueId=nobody", "id") == []
    assert await asked(f"positions?deviceId={beto}", "deviceId") == [beto]
    ids = await asked("positions", "id")
    assert await asked(f"positions?id={ids[1]}", "deviceId") == [beto]
    assert await asked("positions?id=1", "id") == []


async def test_a_track_is_of_one_driver_and_leaves_out_what_does_not_count(
    client: Any, account: Any, other_account: Any, tours: list[Tour]
) -> None:
    ana, now = tours[0], datetime.now(UTC).replace(microsecond=0)
    await ana.keep_pings([now - timedelta(seconds=90 - n) for n in range(6)], speed_mps=10.0)
    period = {"from": (now - timedelta(hours=1)).isoformat(), "to": now.isoformat()}

    async def track(key: Any, driver_id: Any, **more: str) -> Any:
        query = {"deviceId": str(driver_id), **period, **more}
        async with client.get("/api/positions", params=query, headers=key.headers) as response:
            return response.status, await response.json(content_type=None)

    status, found = await track(account, ana.driver_id)
    assert status == 200
    assert [one["fixTime"] for one in found] == sorted(one["fixTime"] for one in found)
    assert len({one["id"] for one in found}) == len(found) == 6
    assert {(one["deviceId"], one["speed"]) for one in found} == {(ana.driver_id, 19.438)}
    assert (await track(other_account, ana.driver_id))[0] == 404
    assert (await track(account, "x"))[0] == 422
    long_ago = (now - timedelta(days=40)).isoformat()
    assert (await track(account, ana.driver_id, **{"from": long_ago}))[0] == 422
    async with client.get("/api/positions", params=period, headers=account.headers) as response:
        assert (response.status, (await response.json())["errors"][0]["at"]) == (422, "deviceId")
    async with client.get(f"/api/positions?from={long_ago[:10]}T00:00:00Z", headers=account.headers) as response:
        assert response.status == 422


async def test_a_track_that_is_too_long_says_until_when_to_ask(client: Any, account: Any, tours: list[Tour]) -> None:
    ana, now = tours[0], datetime.now(UTC).replace(microsecond=0)
    times = [now - timedelta(seconds=90 - n) for n in range(25)]
    await ana.keep_pings(times)
    query = {"deviceId": str(ana.driver_id), "from": (now - timedelta(hours=1)).isoformat(), "to": now.isoformat()}
    async with client.get("/api/positions", params=query, headers=account.headers) as response:
        assert response.status == 422
        assert words.time_text(times[20]) in (await response.json())["errors"][0]["why"]
    query["to"] = times[20].isoformat()
    async with client.get("/api/positions", params=query, headers=account.headers) as response:
        assert len(await response.json()) == 20


async def test_another_account_s_fleet_is_not_there(traccar: Traccar, other_account: Any, tours: list[Tour]) -> None:
    async with traccar(other_account.viewer_key) as api:
        assert await api.get_devices() == await api.get_positions() == await api.get_geofences() == []


async def test_a_deleted_driver_is_no_device(client: Any, traccar: Traccar, account: Any, tours: list[Tour]) -> None:
    ana = tours[0].driver_id
    async with traccar(account.viewer_key) as api:
        assert ana in {one["id"] for one in await api.get_devices()}
        async with client.delete(f"/v1/drivers/dr_{ana}", headers=account.headers) as response:
            assert response.status == 204
        assert ana not in {one["id"] for one in await api.get_devices()}
        assert ana not in {one["deviceId"] for one in await api.get_positions()}


async def test_a_driver_is_called_anew_at_once(client: Any, traccar: Traccar, account: Any, tours: list[Tour]) -> None:
    async with traccar(account.viewer_key) as api:
        await api.get_devices()
        body = {"name": "Ana María", "phone": "+573001112233"}
        async with client.patch(f"/v1/drivers/dr_{tours[0].driver_id}", json=body, headers=account.headers) as response:
            assert response.status == 200
        (device,) = (one for one in await api.get_devices() if one["id"] == tours[0].driver_id)
    assert (device["name"], device["phone"]) == ("Ana María", "+573001112233")


SQUARE = [[-75.57, 6.24], [-75.56, 6.24], [-75.56, 6.25], [-75.57, 6.24]]
HOLE = [[-75.566, 6.243], [-75.564, 6.243], [-75.564, 6.244], [-75.566, 6.243]]
SQUARE_TEXT = "(6.24 -75.57, 6.24 -75.56, 6.25 -75.56, 6.24 -75.57)"
HOLE_TEXT = "(6.243 -75.566, 6.243 -75.564, 6.244 -75.564, 6.243 -75.566)"
LINE = [[-75.57, 0.5], [-75.0, 0.00001]]


@pytest.mark.parametrize(
    ("kind", "coordinates", "properties", "area", "attributes"),
    [
        ("Point", [-75.5678, 6.248], {"radius_m": 150}, "CIRCLE (6.248 -75.5678, 150)", {}),
        ("LineString", LINE, {"buffer_m": 30}, "LINESTRING (0.5 -75.57, 0.00001 -75)", {"polylineDistance": 30}),
        ("Polygon", [SQUARE, HOLE], {}, f"POLYGON ({SQUARE_TEXT}, {HOLE_TEXT})", {}),
        ("MultiPolygon", [[HOLE]], {}, f"MULTIPOLYGON (({HOLE_TEXT}))", {}),
    ],
)
async def test_geofences_are_written_as_traccar_does(
    client: Any, account: Any, kind: str, coordinates: Any, properties: Any, area: str, attributes: Any
) -> None:
    geometry = {"type": kind, "coordinates": coordinates}
    feature = {"type": "Feature", "geometry": geometry, "properties": properties}
    for name, more in (("fence", {}), ("other", {"name": "Centro"})):
        body = feature | {"properties": properties | more}
        async with client.put(f"/v1/geofences/{name}", json=body, headers=account.headers) as response:
            assert response.status == 201, await response.text()
    async with client.get("/api/geofences", headers=account.headers) as response:
        fence, other = await response.json()
    assert (fence["name"], fence["area"], fence["attributes"]) == ("fence", area, attributes)
    assert (other["name"], other["area"]) == ("Centro", area)
    assert 0 < fence["id"] < other["id"]


async def test_the_server_is_shown_to_anybody_but_not_with_a_wrong_key(
    client: Any, traccar: Traccar, account: Any
) -> None:
    async with client.get("/api/server") as response:
        assert response.status == 200
    async with traccar(account.viewer_key) as api:
        server = await api.get_server()
    assert (server["readonly"], server["registration"], server["attributes"]) == (True, False, {})
    async with traccar("rpk_wrong") as api:
        with pytest.raises(TraccarAuthenticationException):
            await api.get_server()


@pytest.mark.parametrize(("method", "path"), [("POST", "devices"), ("DELETE", "positions"), ("POST", "geofences")])
async def test_nothing_can_be_written(client: Any, account: Any, method: str, path: str) -> None:
    async with client.request(method, f"/api/{path}", json={}, headers=account.headers) as response:
        assert response.status == 405


@pytest.mark.parametrize(
    "path", ["devices?id=x", "positions?id=-1", "positions?deviceId=1.5", "devices?id=" + "9" * 19]
)
async def test_what_is_no_number_is_refused(client: Any, account: Any, path: str) -> None:
    async with client.get(f"/api/{path}", headers=account.headers) as response:
        assert response.status == 422


async def test_a_fleet_is_encoded_once_for_all_who_ask(
    client: Any, account: Any, tours: list[Tour], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    monkeypatch.setattr(vans, "device_of", lambda *args: made.append(args[0].id) or words.device_of(*args))
    for path in ("devices", "positions", "devices"):
        async with client.get(f"/api/{path}", headers=account.headers) as response:
            assert response.status == 200
    assert sorted(made) == sorted(tour.driver_id for tour in tours)
    await tours[0].see_van(150, at=datetime.now(UTC))
    async with client.get("/api/positions", headers=account.headers) as response:
        assert response.status == 200
    assert made[len(tours) :] == [tours[0].driver_id]
