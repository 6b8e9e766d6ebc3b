from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.recipient import stream as tracking
from api.routes import eta
from api.routes.staleness import ExpectedArrival, Sight, aged
from sql.eta.eta import EtaStop, RouteEta
from sql.pool import Pool
from tests.api.tour_rows import Tour

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


@pytest.fixture
def app_parts(app_parts: list[Any]) -> list[Any]:
    return [*app_parts, eta.operations.add_to, tracking.operations.add_to]


@pytest.fixture
async def tour(pool: Pool, account: Any) -> Tour:
    return await Tour.put(pool, account.id, start_at=datetime.now(UTC) - minutes(60))


async def test_the_stops_ahead_with_their_windows(client: Any, account: Any, tour: Tour) -> None:
    as_of = datetime.now(UTC) - timedelta(seconds=5)
    await tour.expect({1: as_of + minutes(20), 2: as_of + minutes(30)}, as_of=as_of)
    answer = await (await client.get("/v1/routes/tour-1/eta", headers=account.headers)).json()
    assert not answer["stale"]
    assert datetime.fromisoformat(answer["as_of"]) == as_of
    first, second = answer["stops"]
    assert first["stop_external_id"] == "stop-1"
    assert (first["stops_before"], second["stops_before"]) == (0, 1)
    assert datetime.fromisoformat(first["expected"]) == as_of + minutes(20)
    assert datetime.fromisoformat(first["high"]) == as_of + minutes(24)
    assert first["remaining_m"] == pytest.approx(tour.stop_along_m[1], abs=0.1)


async def test_an_open_stop_that_the_van_has_passed_is_named_without_a_time(
    client: Any, account: Any, tour: Tour
) -> None:
    """People go back there, before the others or after them: no minute of it would mean anything."""
    now = datetime.now(UTC)
    await tour.expect({place: now + minutes(10 * place) for place in (1, 2, 3)}, as_of=now)
    await tour.change_route(status="started")

    async def told() -> tuple[Any, Any]:
        answer = await (await client.get("/v1/routes/tour-1/eta", headers=account.headers)).json()
        page = await (await client.get(f"/v1/track/{tour.tokens[0]}")).json()
        return [stop["stop_external_id"] for stop in answer["behind"]], (page["eta"], page["eta_why"])

    assert await told() == (["stop-0"], (None, "behind"))
    await tour.change_stop(0, status="completed")
    assert await told() == ([], (None, None))


async def test_a_stop_that_is_done_since_is_left_out(client: Any, account: Any, tour: Tour) -> None:
    now = datetime.now(UTC)
    await tour.expect({place: now + minutes(10 * place) for place in (0, 1, 2)}, as_of=now)
    await tour.change_stop(0, status="completed")
    await tour.visit(1, now, now)
    answer = await (await client.get("/v1/routes/tour-1/eta", headers=account.headers)).json()
    assert [(stop["stop_external_id"], stop["stops_before"]) for stop in answer["stops"]] == [("stop-2", 0)]


async def test_pings_that_moved_nothing_keep_it_fresh_and_shorten_the_way(
    client: Any, account: Any, tour: Tour
) -> None:
    written, seen = datetime.now(UTC) - minutes(20), datetime.now(UTC) - timedelta(seconds=5)
    await tour.expect({1: seen + minutes(20)}, as_of=written)
    await tour.see_van(30.0, at=seen)
    answer = await (await client.get("/v1/routes/tour-1/eta", headers=account.headers)).json()
    assert not answer["stale"]
    assert datetime.fromisoformat(answer["as_of"]) == seen
    assert datetime.fromisoformat(answer["stops"][0]["high"]) == seen + minutes(24)
    assert answer["stops"][0]["remaining_m"] == pytest.approx(tour.stop_along_m[1] - 30, abs=0.1)


async def test_off_the_route_it_is_stale_however_young_and_the_recipient_reads_the_same(
    client: Any, account: Any, tour: Tour
) -> None:
    seen = datetime.now(UTC) - timedelta(seconds=5)
    await tour.expect({0: seen + minutes(20)}, as_of=seen)
    for on_route in (True, False):
        await tour.see_van(30.0, at=seen, on_route=on_route)
        route = await (await client.get("/v1/routes/tour-1/eta", headers=account.headers)).json()
        recipient = (await (await client.get(f"/v1/track/{tour.tokens[0]}")).json())["eta"]
        assert route["stale"] is recipient["stale"] is not on_route
        for name in ("expected", "low", "high"):
            said = datetime.fromisoformat(route["stops"][0][name]).replace(microsecond=0)
            assert said == datetime.fromisoformat(recipient[name])


@pytest.mark.parametrize("status", ["finished", "cancelled"])
async def test_a_route_that_has_ended_expects_nobody(client: Any, account: Any, tour: Tour, status: str) -> None:
    await tour.expect({1: datetime.now(UTC) + minutes(20)}, as_of=datetime.now(UTC))
    await tour.change_route(status=status)
    assert (await (await client.get("/v1/routes/tour-1/eta", headers=account.headers)).json())["stops"] == []


async def test_until_a_ping_is_on_the_route_nothing_is_known(client: Any, account: Any, tour: Tour) -> None:
    answer = await (await client.get(f"/v1/routes/rt_{tour.route_id}/eta", headers=account.headers)).json()
    assert answer == {"computed_at": None, "as_of": None, "stale": True, "stops": [], "behind": []}


async def test_another_account_s_route_is_not_there(client: Any, other_account: Any, tour: Tour) -> None:
    assert (await client.get("/v1/routes/tour-1/eta", headers=other_account.headers)).status == 404


ARRIVAL = ExpectedArrival(expected=NOW + minutes(10), low=NOW + minutes(8), high=NOW + minutes(14))


@pytest.mark.parametrize(
    ("silence", "low", "expected", "high", "stale"),
    [
        (minutes(0), 8, 10, 14, False),
        (minutes(1), 8, 10, 14, False),
        (minutes(3), 8, 10, 16, False),
        (minutes(5), 8, 10, 18, False),
        (minutes(7), 8, 10, 20, True),
        (minutes(9), 9, 10, 22, True),  # the beginning of the window has passed
        (minutes(12), 12, 12, 25, True),  # and now the time itself
    ],
)
def test_what_silence_does(silence: timedelta, low: int, expected: int, high: int, stale: bool) -> None:
    now = NOW + silence
    sight = Sight(as_of=NOW, on_route=True)
    shown = aged(ARRIVAL, sight, now)
    assert (shown.low, shown.expected, shown.high) == (NOW + minutes(low), NOW + minutes(expected), NOW + minutes(high))
    assert sight.is_stale(now) is stale
    assert Sight(as_of=now, on_route=False).is_stale(now)


def test_breaks_are_not_counted_as_stops_before() -> None:
    stops = {
        number: EtaStop(
            id=number,
            external_id=f"s{number}",
            kind=kind,
            status="pending",
            along_m=0.0,
            arrived_at=None,
            departed_at=None,
        )
        for number, kind in ((1, "delivery"), (2, "break"), (3, "delivery"))
    }
    times = [NOW + minutes(10 * number) for number in stops]
    shown = eta.view_of(
        RouteEta(
            status="started",
            route_version=1,
            version=1,
            as_of=NOW,
            computed_at=NOW,
            stop_ids=list(stops),
            expected=times,
            low=times,
            high=times,
            remaining_m=[1.0, 2.0, 3.0],
            from_m=None,
            seen_at=None,
            on_route=None,
            along_m=None,
            seen_version=None,
            behind_ids=[],
        ),
        stops,
        NOW,
    )
    assert [stop.stops_before for stop in shown.stops] == [0, 1, 1]


async def test_the_way_to_a_door_far_from_the_path_is_left_while_the_van_comes_nearer(
    client: Any, account: Any, tour: Tour
) -> None:
    written, seen = datetime.now(UTC) - minutes(20), datetime.now(UTC) - timedelta(seconds=5)
    await tour.expect({1: seen + minutes(20)}, as_of=written)
    await tour.pool.execute("UPDATE route_eta SET along_m = 10, remaining_m = ARRAY[3500]")
    await tour.see_van(30.0, at=seen)
    answer = await (await client.get("/v1/routes/tour-1/eta", headers=account.headers)).json()
    assert answer["stops"][0]["remaining_m"] == pytest.approx(3480, abs=0.1)
