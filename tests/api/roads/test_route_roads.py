"""A route without a path is put on roads; it is imported all the same where there is no way to."""

import numpy as np
import pytest

from api.http.config import ApiConfig
from geo.shape.lines import along_m
from work.roads.choose import STRAIGHT, open_roads
from work.roads.protocol import NoWay, RoadPath, RoadsAway


class Grid:
    """Roads that run east and north only; `refusal` is raised instead. Counts how often it is asked."""

    def __init__(self):
        self.asked = 0
        self.refusal = None
        self.vertices = 2
        self.mps = None

    async def route(self, places):
        self.asked += 1
        if self.refusal is not None:
            raise self.refusal
        corners = [(places[row + 1][0], places[row][1]) for row in range(len(places) - 1)]
        turns = [place for pair in zip(places.tolist(), corners, strict=False) for place in pair] + [
            places[-1].tolist()
        ]
        lon, lat = np.array(turns).T
        legs_m = np.diff(along_m(lon, lat)[::2])
        return RoadPath(
            source="road",
            lon=lon,
            lat=lat,
            leg_lengths_m=legs_m,
            leg_durations_s=None if self.mps is None else legs_m / self.mps,
        )


@pytest.fixture
def roads():
    return Grid()


async def test_the_path_follows_the_roads_and_the_answer_says_so(client, account, put_route, roads):
    made = await put_route(client, account.key, path=None)
    assert (made["path_source"], made["warnings"], made["version"]) == ("road", [], 1)
    shown = await (await client.get("/v1/routes/tour-1", headers=account.headers)).json()
    assert shown["path_source"] == "road"
    assert len(shown["path"]["coordinates"]) == 9  # depot and four stops, a corner between each two
    along = [stop["along_m"] for stop in made["stops"]]
    assert along == sorted(along)
    assert along[-1] == pytest.approx(made["length_m"])


@pytest.mark.parametrize("has_depot", [True, False])
async def test_the_plan_knows_how_long_the_roads_take(client, account, put_route, roads, tour, pool, has_depot):
    roads.mps = 8.0
    made = await put_route(client, account.key, path=None, depot=tour["depot"] if has_depot else None)
    drives_s = await pool.fetchval("SELECT stop_drive_s FROM route_version")
    along = [stop["along_m"] for stop in made["stops"]]
    assert drives_s == pytest.approx(np.diff([0.0, *along]) / 8.0, abs=0.5)
    assert (drives_s[0] == 0) is not has_depot
    roads.refusal = RoadsAway("gone")  # what is known stays, as the path does
    tour["stops"][0]["instructions"] = "segundo piso"
    again = await put_route(
        client, account.key, path=None, depot=tour["depot"] if has_depot else None, stops=tour["stops"]
    )
    assert again["version"] == 2
    assert await pool.fetchval("SELECT stop_drive_s FROM route_version WHERE version = 2") == drives_s


async def test_a_path_that_is_given_asks_no_roads(client, account, put_route, roads):
    assert (await put_route(client, account.key))["path_source"] == "given"
    assert roads.asked == 0


async def test_the_same_places_keep_their_path_whatever_the_roads_say_by_then(
    client, account, put_route, roads, make_driver
):
    made = await put_route(client, account.key, path=None)
    roads.refusal = RoadsAway("gone")
    assert await put_route(client, account.key, path=None) == made
    await make_driver(client, account.key, "ana")
    again = await put_route(client, account.key, path=None, driver="ana")
    assert (again["version"], again["path_source"], again["length_m"]) == (2, "road", made["length_m"])
    assert roads.asked == 1


async def test_other_places_get_another_path(client, account, put_route, roads, tour):
    made = await put_route(client, account.key, path=None)
    fewer = await put_route(client, account.key, path=None, stops=tour["stops"][:-1])
    assert (fewer["version"], fewer["path_source"]) == (2, "road")
    assert fewer["length_m"] < made["length_m"]
    back = await put_route(client, account.key, path=None, stops=tour["stops"][:-1], return_to_depot=True)
    assert back["length_m"] > fewer["length_m"]
    assert roads.asked == 3


@pytest.mark.parametrize(
    ("refusal", "at"),
    [
        (RoadsAway("the OSRM server did not answer in time"), "/path"),
        (NoWay("No path could be found for input"), "/path"),
        (NoWay("the nearest road that is known is 5.3 km away", place=0), "/depot"),
        (NoWay("the nearest road that is known is 5.3 km away", place=3), "/stops/2"),
        (NoWay("the nearest road that is known is 5.3 km away", place=5), "/depot"),
    ],
)
async def test_without_a_way_lines_are_straight_and_the_answer_says_why(client, account, put_route, roads, refusal, at):
    roads.refusal = refusal
    made = await put_route(client, account.key, path=None, return_to_depot=True)
    assert made["path_source"] == "straight"
    assert made["warnings"] == [{"at": at, "why": f"straight lines were drawn: {refusal}"}]


async def test_a_route_gets_its_roads_when_it_is_put_again(client, account, put_route, roads):
    roads.refusal = RoadsAway("gone")
    assert (await put_route(client, account.key, path=None))["path_source"] == "straight"
    assert (await put_route(client, account.key, path=None))["version"] == 1
    roads.refusal = None
    better = await put_route(client, account.key, path=None)
    assert (better["version"], better["path_source"], better["warnings"]) == (2, "road", [])


async def test_mistakes_are_named_before_any_road_is_asked(client, account, tour, roads, refused):
    tour["stops"][1]["lat"] = 95
    body = {**tour, "path": None, "timezone": "America/Macondo"}
    response = await client.put("/v1/routes/tour-1", json=body, headers=account.headers)
    await refused(response, 422, "/stops/1/lat")
    body["stops"][1]["lat"] = 85
    await refused(
        await client.put("/v1/routes/tour-1", json=body, headers=account.headers), 422, "/stops/1", "/timezone"
    )
    assert roads.asked == 0


class TestWithALimit:
    @pytest.fixture
    def api_config(self):
        return ApiConfig(max_path_vertices=8)

    async def test_a_way_with_too_many_vertices_is_not_taken(self, client, account, put_route):
        made = await put_route(client, account.key, path=None)
        assert made["path_source"] == "straight"
        assert "at most 8 vertices" in made["warnings"][0]["why"]


async def test_one_place_asks_no_roads(client, account, put_route, tour, roads):
    made = await put_route(client, account.key, path=None, depot=None, stops=tour["stops"][:1])
    assert (made["length_m"], made["path_source"], roads.asked) == (0, "straight", 0)


class TestWithoutRoads:
    @pytest.fixture
    def roads(self):
        return STRAIGHT

    async def test_straight_lines_are_no_reason_to_warn(self, client, account, put_route):
        made = await put_route(client, account.key, path=None)
        assert (made["path_source"], made["warnings"]) == ("straight", [])


class TestWithAnEngine:
    @pytest.fixture
    def api_config(self):
        return ApiConfig()

    @pytest.fixture
    async def roads(self, engine, porto_alegre):
        async with open_roads(engine, folder=porto_alegre, osrm_url="") as opened:
            yield opened

    async def test_a_tour_through_porto_alegre_is_put_on_its_streets(self, client, account, put_route, tour):
        tour["depot"] |= {"lon": -51.2277, "lat": -30.0346}
        for stop, (lon, lat) in zip(
            tour["stops"], [(-51.216, -30.039), (-51.2, -30.03), (-51.18, -30.05), (-51.21, -30.045)], strict=True
        ):
            stop |= {"lon": lon, "lat": lat}
        made = await put_route(client, account.key, path=None, depot=tour["depot"], stops=tour["stops"])
        assert (made["path_source"], made["warnings"]) == ("road", [])
        along = [stop["along_m"] for stop in made["stops"]]
        assert 1_000 < along[0] < along[1] < along[2] < along[3]
        assert along[3] == pytest.approx(made["length_m"], abs=30)
        assert made["length_m"] > 10_000

    async def test_a_tour_off_the_map_is_imported_all_the_same(self, client, account, put_route):
        made = await put_route(client, account.key, path=None)  # Medellín
        assert made["path_source"] == "straight"
        assert "straight lines were drawn" in made["warnings"][0]["why"]
