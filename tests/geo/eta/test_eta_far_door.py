"""A door far from the path: the way there and back is driven, and the ETA knows how much of it is left."""

import numpy as np
import pytest

from geo.eta.estimate import estimate
from geo.fold.fold import advance, fresh
from geo.numbers import TYPICAL_MPS
from geo.plan.plans import Claim, Timeline
from tests.geo.city import START_MS, pings_at, plan_along, walk

STREET = [(0.0, 0.0), (5000.0, 0.0)]
STOPS = [(1000.0, 0.0), (2000.0, 3000.0), (4000.0, 0.0)]
PLAN = plan_along(STREET, STOPS, service_s=60)
TO_TURN = [(0, 0, 0), (125, 1000, 0), (185, 1000, 0), (298, 1900, 0)]
UP = [(310, 2000, 0), (685, 2000, 3000)]
THERE = [(745, 2000, 3000)]
DOWN = [(1120, 2000, 0)]


def eta_at(second, points, plan=PLAN, claims=()):
    times, x_m, y_m = walk(*points)
    some = times <= second
    timeline = Timeline(driver_id=1, plans=(plan,), claims=claims)
    pings = pings_at(times[some], x_m[some], y_m[some])
    tracks, _ = advance(fresh(np.array([1])), pings, [timeline], np.ones(1, bool))
    eta = estimate(tracks, [timeline])
    now_ms = int(tracks["recorded_ms"][0])
    found = {}
    for i, stop_id in enumerate(eta.stop_id.tolist()):
        found[stop_id] = [
            float(eta.remaining_m[i]),
            *((int(column[i]) - now_ms) / 1000 for column in (eta.expected_ms, eta.low_ms, eta.high_ms)),
        ]  # fmt: skip
    return found


WHOLE = [*TO_TURN, *UP, *THERE, *DOWN, (1370, 4000, 0)]


@pytest.mark.parametrize("second", [250, 298, 400, 500, 600])
def test_the_way_up_is_left_until_it_is_driven(second):
    eta = eta_at(second, WHOLE)
    left_m, expected_s, low_s, high_s = eta[101]
    to_farm = (685 - second) * 8
    assert left_m == pytest.approx(to_farm, abs=100)
    assert low_s <= 685 - second <= high_s
    assert expected_s == pytest.approx(to_farm / TYPICAL_MPS, rel=0.15, abs=30)
    assert eta[102][0] == pytest.approx(to_farm + 3000 + 2000, abs=120)


@pytest.mark.parametrize("second", [735, 800, 900, 1000])
def test_the_way_back_is_left_until_it_is_driven(second):
    eta = eta_at(second, WHOLE)
    assert list(eta) == [102]
    back_m = min(3000, (1120 - second) * 8)
    assert eta[102][0] == pytest.approx(back_m + 2000, abs=120)
    assert eta[102][2] <= 1370 - second <= eta[102][3]


def test_a_farm_that_is_called_off_is_not_driven_to():
    claim = Claim(at_ms=START_MS + 200_000, id="1", kind="failed", route_id=5, stop_id=101)
    eta = eta_at(250, WHOLE, claims=(claim,))
    assert eta[102][0] == pytest.approx(2480, abs=60)
    assert eta[102][1] == pytest.approx(2480 / TYPICAL_MPS, rel=0.2)


def test_planned_times_know_the_way_and_it_is_not_counted_twice():
    planned = START_MS + np.array([125, 685, 1370]) * 1000
    plan = plan_along(STREET, STOPS, service_s=60, planned_ms=planned)
    for second in (250, 298, 500):
        assert eta_at(second, WHOLE, plan)[101][1] == pytest.approx(685 - second, abs=45)


def test_a_door_in_a_yard_is_walked_to():
    plan = plan_along(STREET, [(1000.0, 0.0), (2000.0, 140.0), (4000.0, 0.0)])
    assert not plan.door_m.any()
    assert eta_at(250, WHOLE, plan)[102][0] == pytest.approx(2480, abs=60)
