"""What looks like a planner's mistake is named by its field: with a warning, or as the reason why there is no path."""

from datetime import datetime, timedelta

import pytest

EXCHANGED = (-74.1, 4.3)


def stops(count, **odd):
    """A row of stops, and some of them elsewhere."""
    at = {int(name[1:]): place for name, place in odd.items()}
    return [
        {"external_id": f"s{n}", "kind": "delivery", "name": f"s{n}"}
        | dict(zip(("lat", "lon"), at.get(n, (4.3 + n * 1e-3, -74.1)), strict=True))
        for n in range(count)
    ]


@pytest.fixture
def put(client, account, tour):
    async def put(path=None, depot=None, **changes):
        body = {**tour, "path": path, "depot": depot, **changes}
        response = await client.put("/v1/routes/tour-9", json=body, headers=account.headers)
        return response.status, await response.json()

    return put


@pytest.mark.parametrize(
    ("place", "words"),
    [((0.0, 0.0), "0/0"), (EXCHANGED, "exchanged"), ((12.4, -74.1), "894 km")],
    ids=["0/0", "exchanged", "another country"],
)
async def test_the_stop_that_makes_a_path_impossible_is_named(put, place, words):
    status, problem = await put(stops=stops(20, s17=place))
    assert (status, [error["at"] for error in problem["errors"]]) == (422, ["/stops/17"])
    assert words in problem["errors"][0]["why"]


async def test_a_depot_on_another_continent_is_named(put):
    status, problem = await put(stops=stops(5), depot={"name": "Bodega", "lat": 40.4, "lon": -3.7})
    assert (status, [error["at"] for error in problem["errors"]]) == (422, ["/depot"])


async def test_a_stop_in_another_town_is_kept_with_a_warning(put):
    status, made = await put(stops=stops(20, s17=(4.3, -73.0)))
    assert status == 201
    assert [warning["at"] for warning in made["warnings"]] == ["/stops/17"]


async def test_times_that_run_back_over_midnight_are_worth_a_warning(put, tour):
    start = datetime.fromisoformat(tour["start_at"])
    planned = [start + timedelta(minutes=15 * (n + 1)) for n in range(5)]
    planned[3:] = [at - timedelta(days=1) for at in planned[3:]]
    body = [stop | {"planned_arrival": at.isoformat()} for stop, at in zip(stops(5), planned, strict=True)]
    status, made = await put(stops=body)
    assert status == 201
    assert [warning["at"] for warning in made["warnings"]] == [
        "/stops/3/planned_arrival",
        "/stops/4/planned_arrival",
    ]
    assert "23 h 45 min before that of /stops/2; is it meant for the next day?" in made["warnings"][0]["why"]


async def test_times_in_order_or_missing_are_not(put, tour):
    start = datetime.fromisoformat(tour["start_at"])
    body = stops(4)
    body[0]["planned_arrival"] = start.isoformat()
    body[1]["planned_arrival"] = body[3]["planned_arrival"] = (start + timedelta(minutes=9)).isoformat()
    assert (await put(stops=body))[1]["warnings"] == []
