"""A van off its path: it has come as far as the path beside it, and no farther than it may have."""

import numpy as np
import pytest

from geo.eta.estimate import estimate
from geo.fold.fold import advance, fresh
from geo.plan.plans import Timeline
from tests.geo.city import pings_at, plan_along, walk

STREET = [(0.0, 0.0), (8000.0, 0.0)]
STOPS = [(1000.0, 0.0), (4000.0, 0.0), (7000.0, 0.0)]
BESIDE_M = 400.0
AROUND = [(0, 0, 0), (150, 1200, 0), (200, 1200, BESIDE_M), (600, 4400, BESIDE_M)]
"""Eight metres a second; from 200 s on along a street beside the path."""


def left_m(second, points, plan):
    """Fold a walk until a second, and tell whether the van is on its path, and the metres to the last stop."""
    times, x_m, y_m = walk(*points)
    some = times <= second
    timelines = [Timeline(driver_id=1, plans=(plan,))]
    tracks, _ = advance(fresh(np.array([1])), pings_at(times[some], x_m[some], y_m[some]), timelines)
    return bool(tracks["on_route"][0]), float(estimate(tracks, timelines).remaining_m[-1])


@pytest.mark.parametrize("second", [350, 450, 590])
def test_a_road_beside_the_path_is_a_way_too(second):
    on_route, found_m = left_m(second, AROUND, plan_along(STREET, STOPS, service_s=0))
    assert not on_route
    assert found_m == pytest.approx(7000 - (1200 + 8 * (second - 200)) + BESIDE_M, abs=20)


def test_a_stop_that_waits_for_its_service_is_not_passed():
    """Beside the street's 4,320th metre: back at the stop of the 4,000th it is 512 m."""
    _, found_m = left_m(590, AROUND, plan_along(STREET, STOPS, service_s=60))
    assert found_m == pytest.approx(7000 - 4000 + float(np.hypot(320, BESIDE_M)), abs=20)


def test_a_van_that_goes_away_has_come_no_farther():
    away = [(0, 0, 0), (150, 1200, 0), (400, 1200, 2000)]
    on_route, found_m = left_m(400, away, plan_along(STREET, STOPS, service_s=0))
    assert not on_route
    assert found_m == pytest.approx(7000 - 1200, abs=60)


def test_a_later_pass_of_the_path_is_not_taken_for_this_one():
    """The path comes back 700 m beside itself; a van halfway between has not driven the eight kilometres between."""
    there_and_back = [(0.0, 0.0), (8000.0, 0.0), (8000.0, 700.0), (0.0, 700.0)]
    plan = plan_along(there_and_back, [(1000.0, 0.0), (1000.0, 700.0)], service_s=0)
    up = [(0, 0, 0), (150, 1200, 0), (200, 1200, 400), (230, 1200, 400)]
    on_route, found_m = left_m(230, up, plan)
    assert not on_route
    assert found_m >= plan.stops[-1, 3] - 1200 - 800


def first_seen_beside(plan, begun_s, at_m=3000.0):
    """Ask about a van that drives beside the path from its first fix on, so long after the tour should have begun."""
    times, x_m, y_m = walk((0, at_m, BESIDE_M), (60, at_m + 480, BESIDE_M))
    timelines = [Timeline(driver_id=1, plans=(plan,))]
    tracks, _ = advance(fresh(np.array([1])), pings_at(times + begun_s, x_m, y_m), timelines)
    assert not tracks["on_route"][0]
    assert np.isnan(tracks["along_m"][0])
    return estimate(tracks, timelines)


def test_a_van_that_was_never_seen_on_its_path_is_as_far_as_the_path_beside_it():
    eta = first_seen_beside(plan_along(STREET, STOPS, service_s=0), 600)
    assert not eta.waits.any()
    assert eta.remaining_m[-1] == pytest.approx(7000 - 3480 + BESIDE_M, abs=20)


def test_before_the_start_it_waits_wherever_it_is():
    eta = first_seen_beside(plan_along(STREET, STOPS, service_s=0), -600)
    assert eta.waits.all()
    assert eta.remaining_m[-1] == pytest.approx(7000, abs=1)


def test_near_the_start_it_waits_until_it_leaves():
    plan = plan_along([(0.0, 0.0), (0.0, -3000.0)], [(0.0, -1000.0), (0.0, -2000.0)], service_s=0)
    eta = first_seen_beside(plan, 600, at_m=-150.0)
    assert eta.waits.all()


def test_far_beside_stops_that_wait_for_their_service_a_van_has_not_begun():
    eta = first_seen_beside(plan_along(STREET, STOPS, service_s=60), 600)
    assert eta.waits.all()
    assert eta.remaining_m[0] == pytest.approx(1000, abs=1)
