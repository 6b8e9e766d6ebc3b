"""How long a van must stand at a stop whose turn it is not: lights are everywhere."""

import numpy as np
import pytest

from geo.plan.facts import FactType
from tests.geo.city import fold, of_type, pings_at, plan_along, walk

STREET = [(0, 0), (6000, 0)]
DOORS = [(600, 20), (1200, 20), (1800, 20), (2400, 20), (3000, 20), (3600, 20), (4200, 20)]


def arrivals(stands, **plan):
    """Drive down the street at 10 m/s, standing at some doors: (place in the tour, seconds); gives where it was."""
    points, at_s, at_m = [(0.0, 0.0, 0.0)], 0.0, 0.0
    for stop, stood_s in stands:
        to_m = DOORS[stop][0]
        at_s += abs(to_m - at_m) / 10
        points += [(at_s, to_m, 0.0), (at_s + stood_s, to_m, 0.0)]
        at_s, at_m = at_s + stood_s, to_m
    points.append((at_s + (6000 - at_m) / 10, 6000.0, 0.0))
    happened = fold(pings_at(*walk(*points)), plan_along(STREET, DOORS, **plan))[1].happened
    return (of_type(happened, FactType.STOP_ARRIVED)["stop_id"] - 100).tolist()


BEYOND = [(1, 25, True), (2, 25, True), (3, 25, False), (3, 45, True), (4, 40, False), (4, 60, True), (6, 55, False)]


@pytest.mark.parametrize(("stop", "stood_s", "seen"), [*BEYOND, (6, 75, True)])
def test_the_more_stops_are_left_out_the_longer_it_stands(stop, stood_s, seen):
    assert arrivals([(0, 60), (stop, stood_s)]) == ([0, stop] if seen else [0])


def test_a_tour_may_be_seen_from_its_middle_on():
    assert arrivals([(5, 25)]) == [5]


def test_stops_without_planned_service_are_driven_past():
    assert arrivals([(0, 60), (6, 25)], service_s=0) == [0, 6]


def test_stops_where_nobody_waits_are_driven_past():
    kinds = ["delivery", *["break"] * 5, "delivery"]
    assert arrivals([(0, 60), (6, 25)], kinds=kinds) == [0, 6]


@pytest.mark.parametrize(("stood_s", "seen"), [(35, 1), (60, 2)])
def test_a_second_visit_takes_longer(stood_s, seen):
    """200 m on, and back to the first door."""
    gone_s = 160 + stood_s
    drive = walk(
        (0, 0, 0), (60, 600, 0), (120, 600, 0), (140, 800, 0), (160, 600, 0), (gone_s, 600, 0), (gone_s + 520, 5800, 0)
    )  # fmt: skip
    happened = fold(pings_at(*drive), plan_along(STREET, DOORS))[1].happened
    assert np.count_nonzero(of_type(happened, FactType.STOP_ARRIVED)["stop_id"] == 100) == seen
