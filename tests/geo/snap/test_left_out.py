"""Two passes of one street: the one behind which stops are open is the less likely."""

import numpy as np
import pytest

from geo.plan.numbers import MAX_STOPS
from geo.snap.left_out import weigh
from geo.step.doors import StopsLeft
from geo.visits.tour import AWAITED, DONE
from tests.geo.city import plan_along

STOPS_M = [500.0, 900.0, 2000.0]
PLAN = plan_along([(0, 0), (3000, 0)], [(x_m, 0) for x_m in STOPS_M], stop_along_m=STOPS_M)
NOBODY_YET = np.zeros((1, MAX_STOPS), np.uint8)
ONE = StopsLeft(1).of(np.zeros(1, np.int64), [PLAN], NOBODY_YET)


def weighed(moves, off=(), stops=ONE):
    """Weigh moves (from, to), each of weight 0.5, of one van."""
    start_m, to_m = np.array(moves, np.float64).T
    away = np.isin(np.arange(len(moves)), off)
    van = np.zeros(len(moves), np.int64)
    return weigh(np.full(len(moves), 0.5), van, away, start_m, to_m, stops)


def test_of_two_passes_the_one_with_an_open_stop_behind_is_less_likely():
    first, later = weighed([(300, 450), (950, 1010)])
    assert first / later == pytest.approx(1.5**1.5)
    assert first + later == pytest.approx(1)


def test_a_van_with_one_place_is_on_its_path_as_likely_as_before():
    assert weighed([(300, 2500)]) == pytest.approx(0.5)


def test_coming_back_past_open_stops_is_less_likely_than_staying_off():
    assert weighed([(300, 450), (300, 1500)], off=(0, 1)) == pytest.approx([0.5, 0.5 / 3**1.5])
    assert weighed([(np.nan, 1500)], off=(0,)) == pytest.approx(0.5), "nobody knows where it left"


def test_a_stop_counts_when_the_van_is_past_it():
    assert weighed([(300, 590), (300, 450)]) == pytest.approx(0.5)


def test_the_more_a_driver_left_out_the_less_one_more_says():
    (first, later), (again, last) = weighed([(300, 400), (300, 700)]), weighed([(1000, 1100), (1000, 2200)])
    assert first / later > again / last > 1


def test_a_drive_in_two_fixes_weighs_as_much_as_in_one():
    once, twice = weighed([(300, 400), (300, 1500)]), [weighed(two) for two in ([(300, 350), (300, 700)],
                                                                              [(350, 400), (700, 1500)])]  # fmt: skip
    assert once[0] / once[1] == pytest.approx(np.prod([first / later for first, later in twice]))


def test_vans_are_weighed_each_alone():
    stops = StopsLeft(2).of(np.arange(2), [PLAN, PLAN], np.repeat(NOBODY_YET, 2, axis=0))
    van, moves_m = np.array([0, 0, 1, 1]), np.array([(300, 450), (300, 1500), (950, 1010), (1000, 2500)], np.float64)
    both = weigh(np.full(4, 0.5), van, np.zeros(4, np.bool_), *moves_m.T, stops)
    alone = [weighed(moves_m[van == each].tolist()) for each in (0, 1)]
    assert both.tobytes() == np.concatenate(alone).tobytes()


def test_stops_are_open_where_nobody_was_and_nobody_said_a_word():
    visits = np.zeros((2, MAX_STOPS), np.uint8)
    visits[1, :3] = 1, DONE, 1 | AWAITED
    stops = StopsLeft(2).of(np.arange(2), [PLAN, PLAN], visits)
    assert stops.behind(np.array([0, 1]), np.full(2, 2900.0)).tolist() == [3, 1]


def test_what_is_open_is_known_again_after_a_visit_and_with_another_plan():
    """Of three drivers two are asked for, then one of them."""
    short = plan_along([(0, 0), (3000, 0)], [(500, 0)], stop_along_m=[500.0])
    left, visits = StopsLeft(3), np.zeros((2, MAX_STOPS), np.uint8)

    def behind(vans, plans):
        stops = left.of(np.array(vans), plans, visits[: len(vans)])
        return [stops.behind(np.full(1, van), np.full(1, 1500.0)).tolist()[0] for van in range(len(vans))]

    assert behind([0, 2], [PLAN, PLAN]) == [2, 2]
    visits[0, 1] = visits[1, 0] = 1
    assert behind([0, 2], [PLAN, PLAN]) == [1, 1]
    visits[0] = visits[1]
    assert behind([2], [short]) == [0]
    assert behind([2], [PLAN]) == [1]
