"""How long a view lasts: the same until then, whatever the route."""

import random
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from api.recipient.lasting import lasts_until
from api.recipient.view import view_of
from sql.delivery.tracking import TrackedRoute
from tests.api.recipient.test_tracking_view import NOW, a_route, a_stop


def some_route(chance: random.Random) -> TrackedRoute:
    """Any state of a tour, its times within hours of NOW."""

    def near(hours: float) -> timedelta:
        return timedelta(seconds=chance.uniform(-3600 * hours, 3600 * hours))

    stops = []
    for number in range(1, 6):
        status = chance.choice(["pending", "pending", "pending", "arrived", "completed", "failed", "removed"])
        arrived = NOW + near(2) if status in ("arrived", "completed") or chance.random() < 0.1 else None
        stops.append(
            a_stop(
                number,
                status=status,
                kind=chance.choice(["delivery", "delivery", "pickup", "break"]),
                arrived_at=arrived,
                departed_at=arrived + near(1) if arrived and chance.random() < 0.3 else None,
                outcome_at=NOW + near(30) if status in ("completed", "failed") else None,
                link_revoked=chance.random() < 0.1,
            )
        )
    route = a_route(
        stops,
        status=chance.choice(["planned", "started", "started", "started", "finished", "cancelled"]),
        end_at=NOW + near(14),
        finished_at=chance.choice([None, NOW + near(14)]),
        updated_at=NOW + near(1),
        break_since=chance.choice([None] * 7 + [NOW - timedelta(minutes=ago) for ago in (60, 119, 300)]),
        settings=chance.choice([{}, {"visibility": {"max_stops_before": 2, "max_minutes": chance.randint(1, 90)}}]),
    )
    assert route.van is not None
    assert route.eta is not None
    seen = chance.choice([near(0.02), near(0.2), near(1)])
    expected = [NOW + near(2) for _ in route.eta.stop_ids]
    van = replace(route.van, recorded_at=NOW + seen, on_route=chance.random() < 0.9)
    eta = replace(
        route.eta,
        as_of=NOW + seen - timedelta(seconds=chance.choice([0, 0, 30, 400])),
        expected=expected,
        low=[time - timedelta(seconds=chance.uniform(0, 900)) for time in expected],
        high=[time + timedelta(seconds=chance.uniform(0, 900)) for time in expected],
    )
    return replace(route, van=chance.choice([van, van, van, None]), eta=chance.choice([eta, eta, eta, None]))


@given(seed=st.integers(0, 2**32), later=st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=5))
@settings(max_examples=500, deadline=None)
def test_nothing_else_is_shown_before_the_moment_until_which_it_lasts(seed: int, later: list[float]) -> None:
    route = some_route(random.Random(seed))
    for stop in route.stops:
        now = NOW
        for _ in range(6):  # from moment to moment
            said, until = view_of(route, stop, now), lasts_until(route, stop, now)
            assert until > now
            last = until - timedelta(microseconds=1)
            for then in [last, *(now + (last - now) * share for share in later)]:
                assert view_of(route, stop, then) == said
            now = until


def test_it_lasts_until_the_van_comes_near() -> None:
    route = a_route(settings={"visibility": {"max_stops_before": 3, "max_minutes": 15}})
    far = route.stops[1]  # expected in 20 minutes; the ETA itself has been heard of a minute ago
    quiet = replace(route, van=replace(route.van, recorded_at=NOW), eta=replace(route.eta, as_of=NOW))
    assert lasts_until(quiet, far, NOW) == NOW + timedelta(minutes=1)  # then silence begins to count
    on_air = replace(quiet, van=replace(route.van, recorded_at=NOW + timedelta(minutes=9)))
    near_at = NOW + timedelta(minutes=5)
    now = NOW + timedelta(minutes=4, seconds=59.5)
    assert lasts_until(on_air, far, now) == near_at  # as well the next second of a phone whose clock is fast


def test_a_link_that_is_over_stays_so() -> None:
    route = a_route([a_stop(1, status="completed", outcome_at=NOW - timedelta(hours=25))])
    assert lasts_until(route, route.stops[0], NOW) >= NOW + timedelta(days=1)
