"""The client of an OSRM server, against a real server that answers as OSRM documents it."""

import asyncio
from itertools import pairwise
from urllib.parse import unquote

import numpy as np
import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from work.roads.engine import EngineRoads
from work.roads.osrm_http import OsrmServer
from work.roads.protocol import NoWay, RoadsAway, Trace

PLACES = np.array([(-51.2277, -30.0346), (-51.2000, -30.0300), (-51.1800, -30.0500)])
LINE = "xhdhx@lruu`ByTi@{e@uAqcAoDFwEr@ch@"  # the polyline6 of a few vertices in Porto Alegre
START = (-51.227959, -30.034589)


def drive(legs):
    """A route as OSRM gives it, with what nobody asked for too."""
    return {
        "geometry": LINE,
        "legs": [{"steps": [], "distance": 100.5, "duration": 12.25, "summary": "", "weight": 9}] * legs,
        "distance": 100.5 * legs,
        "duration": 12.25 * legs,
        "weight_name": "routability",
        "weight": 9,
    }


def waypoints(count, **far):
    return [
        {"hint": "", "location": list(START), "name": "Rua", "distance": far.get(f"at_{row}", 4.2)}
        for row in range(count)
    ]


class Server:
    """An OSRM server that keeps what it was asked and says what it is told to."""

    def __init__(self):
        self.asked = []
        self.say = None

    async def handle(self, request):
        places = [tuple(map(float, place.split(","))) for place in unquote(request.match_info["places"]).split(";")]
        self.asked.append((request.match_info["service"], places, dict(request.query)))
        if self.say is not None:
            return await self.say(request, places) if callable(self.say) else self.say
        if request.match_info["service"] == "route":
            return web.json_response(
                {"code": "Ok", "routes": [drive(len(places) - 1)], "waypoints": waypoints(len(places))}
            )
        tracepoints = [None, *waypoints(len(places) - 1)]
        return web.json_response({"code": "Ok", "matchings": [drive(1), drive(2)], "tracepoints": tracepoints})


@pytest.fixture
def server():
    return Server()


@pytest.fixture
async def roads_within(server):
    """`roads_within(seconds)`: roads of the server, at a path of its own, as behind a proxy."""
    app = web.Application()
    app.router.add_get("/osrm/{service}/v1/driving/{places}", server.handle)
    async with TestServer(app) as running, ClientSession() as session:
        yield lambda timeout_s: EngineRoads(OsrmServer(session, str(running.make_url("/osrm/")), timeout_s=timeout_s))


@pytest.fixture
def roads(roads_within):
    """Roads of the server, which takes its time on a busy machine."""
    return roads_within(30)


async def test_a_route_is_asked_for_in_full_and_read(server, roads):
    path = await roads.route(PLACES)
    ((service, places, query),) = server.asked
    assert service == "route"
    assert places == [tuple(place) for place in PLACES.tolist()]
    assert query == {"overview": "full", "geometries": "polyline6", "generate_hints": "false"}
    assert path.source == "road"
    assert (path.lon[0], path.lat[0]) == pytest.approx(START)
    assert path.leg_lengths_m.tolist() == [100.5, 100.5]
    assert path.leg_durations_s.tolist() == [12.25, 12.25]


async def test_a_long_tour_is_asked_for_in_pieces_that_meet(server, roads):
    lon = np.linspace(-51.22, -51.18, 250)
    path = await roads.route(np.column_stack((lon, np.full(250, -30.03))))
    asked = [places for _, places, _ in server.asked]
    assert [len(places) for places in asked] == [100, 100, 52]
    assert [before[-1] == after[0] for before, after in pairwise(asked)] == [True, True]
    assert len(path.leg_lengths_m) == 249


async def test_a_match_says_when_and_how_exact(server, roads):
    matched = await roads.match(
        Trace(
            lon=PLACES[:, 0],
            lat=PLACES[:, 1],
            time_s=np.array([1_772_452_800.4, 1_772_452_860, 1_772_452_920]),
            accuracy_m=np.array([3.0, np.nan, 400.0]),
        )
    )
    ((service, _, query),) = server.asked
    assert service == "match"
    assert query["timestamps"] == "1772452800;1772452860;1772452920"
    assert query["radiuses"] == "5;10;50"
    assert len(matched.lines) == 2


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("NoRoute", "Impossible route between points"),
        ("NoSegment", "Could not find a matching segment for coordinate 1"),
        ("TooBig", "Too many trace coordinates"),
        ("InvalidQuery", ""),
    ],
)
async def test_a_refusal_is_no_way(server, roads, code, message):
    server.say = web.json_response({"code": code, "message": message}, status=400)
    with pytest.raises(NoWay, match=message or code):
        await roads.route(PLACES)


async def test_a_place_far_from_every_road_is_named(server, roads):
    server.say = web.json_response({"code": "Ok", "routes": [drive(2)], "waypoints": waypoints(3, at_2=5_300.0)})
    with pytest.raises(NoWay, match=r"5\.3 km away") as said:
        await roads.route(PLACES)
    assert said.value.place == 2


@pytest.mark.parametrize("status", [404, 429, 500, 502, 503])
async def test_a_server_in_trouble_may_answer_another_time(server, roads, status):
    server.say = web.Response(status=status, text="<html>nginx</html>")
    with pytest.raises(RoadsAway, match=f"answered {status}"):
        await roads.route(PLACES)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>welcome</html>",
        b"[]",
        b'{"code": 5}',
        b"\xff\xfe",
        b'{"code": "Ok"}',
        b'{"code": "Ok", "routes": [{"geometry": "x", "legs": []}]}',
        b'{"code": "Ok", "routes": [{"geometry": "", "legs": []}]}',
        b'{"code": "Ok", "routes": [{"legs": []}]}',
    ],
)
async def test_what_makes_no_sense_is_no_answer(server, roads, body):
    server.say = web.Response(body=body, content_type="application/json")
    with pytest.raises(RoadsAway):
        await roads.route(PLACES)


async def test_a_server_that_does_not_answer_is_not_waited_for(server, roads_within):
    gone = asyncio.Event()

    async def hang(request, places):
        await gone.wait()
        return web.Response()

    server.say = hang
    with pytest.raises(RoadsAway, match="did not answer in time"):
        await roads_within(0.2).route(PLACES)
    gone.set()


async def test_a_server_that_hangs_up_or_is_not_there_is_away(server, roads):
    async def hang_up(request, places):
        request.transport.close()
        return web.Response()

    server.say = hang_up
    with pytest.raises(RoadsAway, match="cannot be reached"):
        await roads.route(PLACES)
    async with ClientSession() as session:
        with pytest.raises(RoadsAway, match="cannot be reached"):
            await EngineRoads(OsrmServer(session, "http://127.0.0.1:1")).route(PLACES)


async def test_pieces_of_a_trace_that_fit_no_road_leave_a_gap(server, roads):
    lon = np.linspace(-51.22, -51.18, 150)
    trace = Trace(lon=lon, lat=np.full(150, -30.03), time_s=np.arange(150.0), accuracy_m=np.full(150, 5.0))

    async def first_piece_only(request, places):
        if len(places) == 100:
            return web.json_response({"code": "Ok", "matchings": [drive(1)], "tracepoints": []})
        return web.json_response({"code": "NoMatch", "message": "Could not match the trace."}, status=400)

    async def no_piece(request, places):
        return web.json_response({"code": "NoMatch", "message": "Could not match the trace."}, status=400)

    server.say = first_piece_only
    assert len((await roads.match(trace)).lines) == 1
    server.say = no_piece
    with pytest.raises(NoWay, match="Could not match"):
        await roads.match(trace)


async def test_a_table_is_asked_for_in_blocks_and_has_gaps_where_no_way_is(server, roads):
    count = 60  # more than half of what a server takes at once
    places = np.column_stack((-51.2 + 0.001 * np.arange(count), np.full(count, -30.0)))

    async def say(request, asked):
        rows, columns = (list(map(int, request.query[name].split(";"))) for name in ("sources", "destinations"))
        assert request.query["annotations"] == "duration,distance"
        lon = [place[0] for place in asked]
        far = [[round((lon[b] - lon[a]) * 1000) for b in columns] for a in rows]
        body = {"distances": far, "durations": [[None if one == 7 else abs(one) for one in row] for row in far]}
        return web.json_response({"code": "Ok", **body})

    server.say = say
    metres, seconds = await roads.table(places)
    assert metres[3, 58] == 55 == -metres[58, 3]
    assert np.isnan(seconds[3, 10])
    assert seconds[10, 3] == 7 or np.isnan(seconds[10, 3])
    assert len(server.asked) == 4
    assert max(len(places) for _, places, _ in server.asked) <= 100


@pytest.mark.parametrize("body", [{"code": "TooBig"}, {"code": "Ok", "distances": [[1.0]], "durations": []}])
async def test_without_a_table_drives_are_straight(server, roads, body):
    server.say = web.json_response(body)
    assert await roads.table(PLACES) is None
