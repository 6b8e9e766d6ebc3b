"""What `PUT /v1/routes/{route}` takes: paths of every kind, defaults, and every mistake named by its field."""

import copy
import gzip
import json

import msgspec
import pytest

from api.http.config import ApiConfig

SQUARE = [[-75.5683, 6.2478], [-75.5673, 6.2478], [-75.5673, 6.2483], [-75.5683, 6.2483], [-75.5683, 6.2478]]


@pytest.fixture
def api_config():
    return ApiConfig(max_stops=20, max_path_vertices=200, max_body_bytes=900_000)


async def put(client, account, body, **headers):
    return await client.put("/v1/routes/tour-1", json=body, headers={**account.headers, **headers})


# Paths --------------------------------------------------------------------------------------------------------------


async def test_without_a_path_straight_lines_lead_through_depot_and_stops(client, account, put_route):
    made = await put_route(client, account.key, path=None)
    assert made["path_source"] == "straight"
    shown = await (await client.get("/v1/routes/tour-1", headers=account.headers)).json()
    places = [[shown["depot"]["lon"], shown["depot"]["lat"]], *([stop["lon"], stop["lat"]] for stop in shown["stops"])]
    assert shown["path"]["coordinates"] == places
    assert made["stops"][-1]["along_m"] == pytest.approx(made["length_m"])
    back = await put_route(client, account.key, path=None, return_to_depot=True)
    assert back["length_m"] > made["length_m"] + 500


async def test_one_place_is_a_tour_too(client, account, put_route, tour):
    made = await put_route(client, account.key, path=None, depot=None, stops=tour["stops"][:1])
    assert (made["length_m"], made["stops"][0]["along_m"]) == (0, 0)


def encoded(coordinates, precision):
    """Write a path as routing engines do; geo/shape/lines.py reads it and is held against known examples."""
    text, before = "", (0, 0)
    for lon, lat in coordinates:
        at = (round(lat * 10**precision), round(lon * 10**precision))
        for value in (at[0] - before[0], at[1] - before[1]):
            left = ~(value << 1) if value < 0 else value << 1
            while left >= 32:
                text += chr((32 | left & 31) + 63)
                left >>= 5
            text += chr(left + 63)
        before = at
    return text


@pytest.mark.parametrize("precision", [5, 6])
async def test_an_encoded_polyline_is_a_path(client, account, put_route, tour, precision):
    plain = await put_route(client, account.key)
    path = {"polyline": encoded(tour["path"]["coordinates"], precision), "precision": precision}
    made = await put_route(client, account.key, path=path)
    assert made == plain


async def test_a_stop_far_from_the_path_is_kept_with_a_warning(client, account, put_route, tour):
    tour["stops"][2]["lat"] += 0.02
    made = await put_route(client, account.key)
    (warning,) = made["warnings"]
    assert warning["at"] == "/stops/2"
    assert "2.0 km" in warning["why"]


async def test_heights_and_members_of_other_tools_in_a_path_are_passed_over(client, account, put_route, tour):
    plain = await put_route(client, account.key)
    coordinates = [[*vertex, 1_500.0] for vertex in tour["path"]["coordinates"]]
    high = await put_route(client, account.key, path={**tour["path"], "coordinates": coordinates, "bbox": [0, 0, 1, 1]})
    assert high == plain


# Defaults -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "end_at"),
    [
        ({}, "2026-03-02T16:22:00Z"),  # the last planned arrival, its two minutes of service and two hours
        ({"planned_arrival": None, "window": {"start": "2026-03-02T15:00:00Z", "end": "2026-03-02T16:00:00Z"}},
         "2026-03-02T18:02:00Z"),
        ({"planned_arrival": None}, "2026-03-02T16:02:00Z"),
    ],
)  # fmt: skip
async def test_a_route_ends_two_hours_after_its_last_planned_stop(client, account, put_route, tour, change, end_at):
    tour["stops"][-1].update(change)
    await put_route(client, account.key, end_at=None)
    shown = await (await client.get("/v1/routes/tour-1", headers=account.headers)).json()
    assert shown["end_at"] == end_at


async def test_a_route_without_planned_times_ends_after_twelve_hours(client, account, put_route, tour):
    for stop in tour["stops"]:
        stop.update(planned_arrival=None, window=None)
    await put_route(client, account.key, end_at=None)
    shown = await (await client.get("/v1/routes/tour-1", headers=account.headers)).json()
    assert shown["end_at"] == "2026-03-03T01:00:00Z"


async def test_who_names_a_kind_that_is_not_there_reads_which_there_are(client, account, put_route, tour, refused):
    tour["stops"][0]["kind"] = "entrega"
    response = await client.put("/v1/routes/tour-1", json=tour, headers=account.headers)
    (error,) = (await refused(response, 422, "/stops/0/kind"))["errors"]
    assert error["why"] == "must be one of delivery, pickup, return, break"


# The same in other shapes -------------------------------------------------------------------------------------------


async def test_messagepack_and_gzip_say_the_same(client, account, put_route, tour):
    made = await put_route(client, account.key)
    for body, headers in (
        (msgspec.msgpack.encode(tour), {"Content-Type": "application/msgpack"}),
        (gzip.compress(json.dumps(tour).encode()), {"Content-Type": "application/json", "Content-Encoding": "gzip"}),
    ):
        response = await client.put("/v1/routes/tour-1", data=body, headers={**account.headers, **headers})
        assert response.status == 200
        assert await response.json() == made
    packed = await client.get("/v1/routes/tour-1", headers={**account.headers, "Accept": "application/msgpack"})
    plain = await client.get("/v1/routes/tour-1", headers=account.headers)
    assert packed.content_type == "application/msgpack"
    assert msgspec.msgpack.decode(await packed.read()) == await plain.json()


async def test_what_is_no_body_is_refused(client, account, refused):
    for body, content_type, status in (
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'"\\ud800"', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"\xc1", "application/msgpack", 400),
        (b"\x81\xc4\x01a\x01", "application/msgpack", 422),
        (b"\x93\xc7\x01\x05\x00\xa1a\xa1a", "application/msgpack", 422),
        (b"a=1", "application/x-www-form-urlencoded", 415),
        (b" " * 1_000_000, "application/json", 413),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "application/json", 422),
        (b"7", "application/json", 422),
    ):
        headers = {**account.headers, "Content-Type": content_type}
        await refused(await client.put("/v1/routes/tour-1", data=body, headers=headers), status)


async def test_a_gzip_bomb_is_not_unpacked(client, account, refused):
    headers = {**account.headers, "Content-Type": "application/json", "Content-Encoding": "gzip"}
    bomb = gzip.compress(b" " * 50_000_000)
    await refused(await client.put("/v1/routes/tour-1", data=bomb, headers=headers), 413)
    await refused(await client.put("/v1/routes/tour-1", data=b"no gzip", headers=headers), 400)


# Mistakes -----------------------------------------------------------------------------------------------------------

STOP = ("stops", 1)
MISTAKES = [
    # of the route
    (("date",), "tomorrow", "/date"),
    (("date",), "0001-01-01", "/date"),
    (("timezone",), "America", "/timezone"),
    (("timezone",), "../etc/passwd", "/timezone"),
    (("timezone",), "Bogotá", "/timezone"),
    (("start_at",), "2026-03-02T08:00:00", "/start_at"),
    (("start_at",), "0001-01-01T00:00:00+14:00", "/start_at"),
    (("start_at",), "9999-12-31T23:59:59-14:00", "/start_at"),
    (("start_at",), 1_772_456_400, "/start_at"),
    (("end_at",), "2026-03-02T08:00:00-05:00", "/end_at"),
    (("end_at",), "9999-12-31T23:59:59Z", "/end_at"),
    (("driver",), "nobody", "/driver"),
    (("driver",), "dr_77", "/driver"),
    (("driver",), "", "/driver"),
    (("driver",), 7, "/driver"),
    (("depot", "lat"), 91, "/depot/lat"),
    (("depot", "lat"), 85, "/depot"),
    (("depot", "name"), "", "/depot/name"),
    (("depot",), [1, 2], "/depot"),
    (("return_to_depot",), "yes", "/return_to_depot"),
    (("stops",), [], "/stops"),
    (("stops",), None, "/stops"),
    (("color",), "red", "/color"),
    # of the path
    (("path",), {}, "/path/type"),
    (("path",), {"type": "Point", "coordinates": [1, 2]}, "/path/type"),
    (("path",), {"type": "LineString", "coordinates": []}, "/path"),
    (("path",), {"type": "LineString", "coordinates": [[-75.5, 6.2]]}, "/path"),
    (("path",), {"type": "LineString", "coordinates": [[-75.5, 6.2], [-75.5, 6.2]]}, "/path"),
    (("path",), {"type": "LineString", "coordinates": [[-75.5, 6.2], [-75.5]]}, "/path"),
    (("path",), {"type": "LineString", "coordinates": [[-75.5, 6.2], [-181, 6.2]]}, "/path"),
    (("path",), {"type": "LineString", "coordinates": [[-75.5, 6.2], [1e300, 6.2]]}, "/path"),
    (("path",), {"type": "LineString", "coordinates": [[-75.5, 6.2], "x"]}, "/path/coordinates/1"),
    (("path",), {"type": "LineString", "coordinates": [[-75.5, 6.2], [-70, 6.2]] * 90}, "/path"),
    (("path",), {"type": "LineString", "coordinates": [[-75.5, 6.2], [-75, 6.2]] * 100}, "/path"),
    (("path",), {"type": "LineString", "coordinates": [[-75.5, 6.2], [-75.6, 6.2]] * 101}, "/path"),
    (("path",), {"polyline": "~"}, "/path"),
    (("path",), {"polyline": "ñ" * 10}, "/path"),
    (("path",), {"polyline": "_p~iF~ps|U", "precision": 0}, "/path"),
    (("path",), {"polyline": 7}, "/path/polyline"),
    (("path",), "_p~iF~ps|U", "/path"),
    # of a stop
    ((*STOP, "external_id"), "ped-1", "/stops/1/external_id"),
    ((*STOP, "external_id"), "st_7", "/stops/1/external_id"),
    ((*STOP, "external_id"), "", "/stops/1/external_id"),
    ((*STOP, "kind"), "depot", "/stops/1/kind"),
    ((*STOP, "name"), "", "/stops/1/name"),
    ((*STOP, "name"), "a\0b", "/stops/1/name"),
    ((*STOP, "lat"), 91, "/stops/1/lat"),
    ((*STOP, "lat"), "6.2", "/stops/1/lat"),
    ((*STOP, "lat"), -75.5, "/stops/1"),  # latitude for longitude: on another map
    ((*STOP, "lon"), 180.5, "/stops/1/lon"),
    ((*STOP, "lon"), 10**400, "/stops/1/lon"),
    ((*STOP, "email"), "ana", "/stops/1/email"),
    ((*STOP, "locale"), "Español", "/stops/1/locale"),
    ((*STOP, "window"), {"start": "2026-03-02T10:00:00Z"}, "/stops/1/window/end"),
    ((*STOP, "window"), {"start": "2026-03-02T10:00:00Z", "end": "2026-03-02T09:00:00Z"}, "/stops/1/window/end"),
    ((*STOP, "window"), {"start": "1026-03-02T10:00:00Z", "end": "2026-03-02T09:00:00Z"}, "/stops/1/window/start"),
    ((*STOP, "planned_arrival"), "3026-03-02T10:00:00Z", "/stops/1/planned_arrival"),
    ((*STOP, "service_s"), -1, "/stops/1/service_s"),
    ((*STOP, "service_s"), 1e9, "/stops/1/service_s"),
    ((*STOP, "radius_m"), 9, "/stops/1/radius_m"),
    ((*STOP, "instructions"), "x" * 2_001, "/stops/1/instructions"),
    ((*STOP, "parcels"), [{"quantity": 0}], "/stops/1/parcels/0/quantity"),
    ((*STOP, "parcels"), [{"quantity": 10**12}], "/stops/1/parcels/0/quantity"),
    ((*STOP, "parcels"), [{"weight": 1}], "/stops/1/parcels/0/weight"),
    ((*STOP, "cash_on_delivery"), {"amount": 5}, "/stops/1/cash_on_delivery/currency"),
    ((*STOP, "cash_on_delivery"), {"amount": -5, "currency": "COP"}, "/stops/1/cash_on_delivery/amount"),
    ((*STOP, "cash_on_delivery"), {"amount": 5, "currency": "pesos"}, "/stops/1/cash_on_delivery/currency"),
    ((*STOP, "proof"), ["selfie"], "/stops/1/proof/0"),
    ((*STOP, "proof"), ["photo", "photo"], "/stops/1/proof"),
    ((*STOP, "geofence"), {}, "/stops/1/geofence"),
    ((*STOP, "geofence"), {"type": "Point", "coordinates": [-75.56, 6.24]}, "/stops/1/geofence"),
    ((*STOP, "geofence"), {"type": "Feature", "geometry": 7}, "/stops/1/geofence"),
    ((*STOP, "geofence"), {"type": "Polygon", "coordinates": 7}, "/stops/1/geofence"),
    ((*STOP, "geofence"), {"type": "Polygon", "coordinates": [SQUARE[:3]]}, "/stops/1/geofence"),
    ((*STOP, "geofence"), {"type": "Polygon", "coordinates": [[[lat, lon] for lon, lat in SQUARE]]},
     "/stops/1/geofence"),
    ((*STOP, "adress"), "Cl. 52", "/stops/1/adress"),
    (STOP, 7, "/stops/1"),
]  # fmt: skip


def changed(tour, where, value):
    body = copy.deepcopy(tour)
    inner = body
    for step in where[:-1]:
        inner = inner[step]
    inner[where[-1]] = value
    return body


async def test_each_mistake_is_named_by_its_field(client, account, refused, tour, pool):
    for where, value, at in MISTAKES:
        await refused(await put(client, account, changed(tour, where, value)), 422, at)
    for name in ("date", "timezone", "start_at", "stops"):
        body = {key: value for key, value in tour.items() if key != name}
        await refused(await put(client, account, body), 422, f"/{name}")
    assert await pool.fetchval("SELECT count(*) FROM route") == 0


async def test_numbers_that_json_cannot_say_are_refused_in_messagepack(client, account, refused, tour):
    headers = {**account.headers, "Content-Type": "application/msgpack"}
    for where, value, at in (
        ((*STOP, "lat"), float("nan"), "/stops/1/lat"),
        ((*STOP, "service_s"), float("inf"), "/stops/1/service_s"),
        (("path", "coordinates", 1, 0), float("nan"), "/path/coordinates/1/0"),
        ((*STOP, "name"), b"bytes", "/stops/1/name"),
        ((*STOP, "name"), msgspec.msgpack.Ext(7, b"x"), "/stops/1/name"),
    ):
        body = msgspec.msgpack.encode(changed(tour, where, value))
        await refused(await client.put("/v1/routes/tour-1", data=body, headers=headers), 422, at)


async def test_mistakes_of_many_stops_are_named_at_once(client, account, refused, tour):
    for stop in tour["stops"]:
        stop["lat"], stop["kind"] = "north", "gift"
    response = await put(client, account, {**tour, "timezone": 7})
    at = [f"/stops/{index}/{field}" for index in range(4) for field in ("lat", "kind")]
    await refused(response, 422, "/timezone", *at)


async def test_mistakes_that_take_a_second_look_are_named_at_once(client, account, refused, tour):
    for stop in tour["stops"]:
        stop["external_id"], stop["proof"] = "same", ["pin", "pin"]
    response = await put(client, account, {**tour, "timezone": "x", "driver": "nobody", "end_at": tour["start_at"]})
    at = [f"/stops/{index}/{field}" for index in range(4) for field in ("external_id", "proof")]
    await refused(response, 422, "/timezone", "/driver", "/end_at", *at)


async def test_a_return_needs_a_depot(client, account, refused, tour):
    await refused(await put(client, account, {**tour, "depot": None, "return_to_depot": True}), 422, "/return_to_depot")


async def test_a_route_has_so_many_stops_and_no_more(client, account, refused, tour):
    stops = [{**tour["stops"][0], "external_id": f"ped-{number}"} for number in range(21)]
    assert (await put(client, account, {**tour, "stops": stops[:20]})).status == 201
    await refused(await put(client, account, {**tour, "stops": stops}), 422, "/stops")
