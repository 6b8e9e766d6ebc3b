"""A street driven along twice: standing at a door tells which of the two passes a van is on."""

import numpy as np
import pytest

from geo.plan.facts import FactType
from geo.plan.numbers import MAX_STOPS
from geo.snap import snap
from geo.snap.doors import Doors, pull
from geo.snap.likelihood import Fix
from geo.snap.numbers import HYPOTHESES
from geo.step.doors import doors_of
from geo.trust.fixes import Here
from geo.visits import standing
from geo.visits.tour import HERE
from tests.geo.city import START_MS, fold, of_type, pings_at, plan_along, walk

TWICE = [(0, 0), (3000, 0), (3000, 600), (0, 600), (0, 1), (3000, 1)]
"""Out along a street, round the block, and along it again, from 7,199 m on."""

DOOR, AGAIN_M = (1000, 15), 8199.0
"""A stop of the second time."""

FIRST = (2000, 15, 2000.0)
"""A stop of the first time, x and y and along, metres."""

HELD_M = 4000.0
"""A place on another pass of the same street, metres along the path."""


def told(stands_s, every_s, stops=(FIRST, (*DOOR, AGAIN_M)), creeps_m=0.0):
    times, x_m, y_m = walk(
        (0, 0, 0), (100, 1000, 0), (100 + stands_s, 1000 + creeps_m, 0), (160 + stands_s, 1600 + creeps_m, 0),
        every_s=every_s,
    )  # fmt: skip
    stops = [*stops, (2900, 0, 10_099.0)]
    plan = plan_along(TWICE, [stop[:2] for stop in stops], stop_along_m=[stop[2] for stop in stops], radius_m=60)
    track, facts = fold(pings_at(times, x_m, y_m), plan)
    return track["along_m"] - x_m[-1], of_type(facts.happened, FactType.STOP_ARRIVED)["stop_id"].tolist()


@pytest.mark.parametrize("every_s", [1, 2, 5, 15])
def test_who_stands_long_at_a_door_of_the_second_time_is_there(every_s):
    ahead_m, arrived = told(120, every_s)
    assert ahead_m == pytest.approx(7199, abs=40)
    assert arrived == [101]


@pytest.mark.parametrize("every_s", [1, 5, 15])
def test_a_light_at_that_door_says_nothing(every_s):
    ahead_m, arrived = told(25, every_s)
    assert ahead_m == pytest.approx(0, abs=40)
    assert arrived == []


@pytest.mark.parametrize("every_s", [1, 15])
def test_nor_does_a_queue_that_creeps_past_it(every_s):
    ahead_m, arrived = told(100, every_s, creeps_m=120.0)
    assert ahead_m == pytest.approx(0, abs=40)
    assert arrived == []


def test_a_stop_of_the_pass_where_the_van_is_held_to_be_comes_first():
    ahead_m, arrived = told(300, 5, stops=[(*DOOR, 1000.0), FIRST])
    assert ahead_m == pytest.approx(0, abs=40)
    assert arrived == [100]


def test_nothing_is_said_where_the_plan_may_have_that_stop_on_either_pass():
    ahead_m, _ = told(300, 5, stops=[(*DOOR, AGAIN_M)])
    assert ahead_m == pytest.approx(0, abs=40)


def test_since_when_a_van_stands_does_not_hang_on_how_often_it_sends():
    for every_s in (1, 5, 15):
        memory = standing.fresh(1)
        for second in range(0, 91, every_s):
            x_m = np.array([min(second, 30) * 10.0])
            here = Here(
                plans=[plan_along(TWICE)], ms=np.array([START_MS + 1000 * second]), x_m=x_m,
                y_m=np.zeros(1), accuracy_m=np.array([5.0]), heading_deg=np.array([np.nan]),
                speed_mps=np.array([10.0 if second < 30 else 0.0]),
            )  # fmt: skip
            memory = standing.stand(memory, here).memory
        assert memory["stands"]["ms"][0] == START_MS + 30_000


def pulled(stands_s, every_s, *, before_m=HELD_M, left_m=HELD_M, is_open=True, may_enter=True):
    """Where along its path a van is held to be that stood so long at a door at 1,000 m, held to be at HELD_M."""
    memory = snap.fresh(1)
    memory["off_weight"], memory["left_m"], memory["before_m"] = 0.0, left_m, before_m
    memory["on"]["weight"][0, 0], memory["on"]["along_m"][0, 0] = 1.0, HELD_M
    one, yes = np.ones(1), np.ones(1, np.bool_)
    fix = Fix(
        seconds=every_s * one, full=one, x_m=0 * one, y_m=0 * one, error_m=7 * one, sigma_m=20 * one, vague_mps=one,
        crept_m=one, east=0 * one, north=one, turn=0 * one,
    )  # fmt: skip
    for second in range(every_s, stands_s + 1, every_s):
        doors = Doors(
            van=np.zeros(1, np.int64), along_m=1000 * one, x_m=0 * one, y_m=0 * one, door_x_m=0 * one,
            door_y_m=0 * one, low_m=700 * one, high_m=1700 * one, inside=yes, is_open=yes & is_open,
            may_enter=yes & may_enter, stood_s=second * one,
        )  # fmt: skip
        pull(memory, doors, fix, np.zeros((1, HYPOTHESES)))
    return memory["on"][0]


@pytest.mark.parametrize("every_s", [1, 5, 15])
def test_after_a_detour_along_another_pass_half_a_minute_at_the_next_open_door_is_enough(every_s):
    assert pulled(30, every_s, before_m=800.0)["along_m"][0] == 1000
    assert pulled(15, every_s, before_m=800.0)["along_m"][0] == HELD_M
    assert pulled(30, every_s, before_m=800.0, is_open=False)["along_m"][0] == HELD_M


@pytest.mark.parametrize("every_s", [1, 5, 15])
def test_who_comes_back_for_a_stop_left_out_is_there_sooner_than_at_one_served(every_s):
    behind = {"left_m": 1400.0, "before_m": 1400.0}
    assert pulled(60, every_s, **behind)["along_m"][0] == 1000
    assert pulled(60, every_s, **behind, is_open=False)["along_m"][0] == HELD_M


def test_a_door_where_nobody_may_enter_says_only_that_others_are_wrong():
    memory = pulled(60, 5, before_m=800.0, may_enter=False)
    assert memory["along_m"].tolist() == [HELD_M] + [0.0] * (HYPOTHESES - 1)


def weighed(near, seconds, *, at_m=(0.0, 0.0), doors_m=((0.0, 0.0), (40.0, 0.0))):
    """Weights of passes at 1,000 and HELD_M, alike at first, of which each has a door, and the van stands at at_m."""
    memory = snap.fresh(1)
    memory["off_weight"] = 0.0
    memory["on"]["weight"][0, :2], memory["on"]["along_m"][0, :2] = 0.5, (1000.0, HELD_M)
    one, two, yes = np.ones(1), np.ones(2), np.ones(2, np.bool_)
    fix = Fix(
        seconds=5 * one, full=0.5 * one, x_m=at_m[0] * one, y_m=at_m[1] * one, error_m=7 * one, sigma_m=20 * one,
        vague_mps=one, crept_m=one, east=0 * one, north=one, turn=0 * one,
    )  # fmt: skip
    along_m, (door_x_m, door_y_m) = np.array([1000.0, HELD_M]), np.array(doors_m).T
    doors = Doors(
        van=np.zeros(2, np.int64), along_m=along_m, x_m=0 * two, y_m=0 * two, door_x_m=door_x_m, door_y_m=door_y_m,
        low_m=along_m - 100, high_m=along_m + 100, inside=np.array(near), is_open=yes, may_enter=np.array(near),
        stood_s=seconds * two,
    )  # fmt: skip
    pull(memory, doors, fix, np.zeros((1, HYPOTHESES)))
    on = memory["on"][0]
    return {round(float(each["along_m"])): float(each["weight"]) for each in on if each["weight"] > 0}


def test_of_two_doors_a_van_stands_at_the_nearer_one():
    beside = weighed([True, True], 30, at_m=(15.0, 0.0), doors_m=((0.0, 0.0), (30.0, 0.0)))
    assert beside[1000] == pytest.approx(0.5, abs=1e-6)
    assert weighed([True, False], 30)[1000] > 0.6
    assert weighed([True, True], 30, at_m=(40.0, 0.0))[1000] < 0.4


def test_a_fix_at_the_door_is_of_a_driver_who_walked_there():
    walked = weighed([True, False], 5, at_m=(0.0, 40.0), doors_m=((0.0, 40.0), (0.0, 300.0)))
    assert walked[1000] > 0.7
    assert weighed([True, False], 5, at_m=(0.0, -40.0), doors_m=((0.0, 40.0), (0.0, 300.0)))[1000] < 0.55


def at_neighbour(mps):
    """At whose doors a van stands that is at the first of two stops and whose phone told a speed since."""
    plan = plan_along(TWICE, [(1000, 15), (1030, 15)], stop_along_m=[1000.0, AGAIN_M], radius_m=60)
    memory, visits = standing.fresh(1), np.zeros((1, MAX_STOPS), np.uint8)
    memory["open"], memory["last"], memory["arrived_ms"], visits[0, 0] = 1, 1, START_MS, HERE | 1
    memory["inside_ms"] = START_MS
    for second, told_mps in ((30, mps), (60, 0.0), (90, 0.0)):
        here = Here(
            plans=[plan], ms=np.array([START_MS + 1000 * second]), x_m=plan.stops[1:2, 0], y_m=plan.stops[1:2, 1],
            accuracy_m=np.array([5.0]), speed_mps=np.array([told_mps]), heading_deg=np.array([np.nan]),
        )  # fmt: skip
        stand = standing.stand(memory, here)
        memory = stand.memory
    doors = doors_of(stand, visits, here)
    return doors.along_m.tolist(), doors.stood_s.tolist()


def test_who_drove_since_the_visit_began_may_stand_at_another_door():
    assert at_neighbour(8.0) == ([1000.0, AGAIN_M], [30.0, 30.0])
    assert at_neighbour(0.5) == ([1000.0], [90.0])
    assert at_neighbour(np.nan)[0] == [1000.0]


@pytest.mark.parametrize(("last", "may_enter"), [(1, True), (0, False)])
def test_who_is_at_a_stop_stands_at_its_door_only(last, may_enter):
    plan = plan_along(TWICE, [DOOR, DOOR], stop_along_m=[1000.0, AGAIN_M], radius_m=60)
    memory, visits = standing.fresh(1), np.zeros((1, MAX_STOPS), np.uint8)
    memory["open"], memory["last"], memory["arrived_ms"], visits[0, 0] = 1, last, START_MS, HERE | 1
    here = Here(
        plans=[plan], ms=np.array([START_MS + 60_000]), x_m=plan.stops[:1, 0], y_m=plan.stops[:1, 1],
        accuracy_m=np.array([5.0]), speed_mps=np.zeros(1), heading_deg=np.array([np.nan]),
    )  # fmt: skip
    doors = doors_of(standing.stand(memory, here), visits, here)
    assert [doors.along_m, doors.low_m, doors.high_m, doors.stood_s] == [[1000.0], [880.0], [1120.0], [60.0]]
    assert doors.may_enter.tolist() == [may_enter]


@pytest.mark.parametrize("every_s", [1, 5, 15])
def test_fixes_that_walk_round_the_end_of_a_pass_do_not_take_the_van_along(every_s):
    """At a stop near the end of a street that is driven both ways, the phone drifts by 30 m, and across."""
    plan = plan_along([(0, 0), (2000, 0), (2000, 15), (0, 15)], [(1900, 0), (1000, 15)], radius_m=60)
    times, x_m, y_m = walk(
        (0, 0, 0), (190, 1900, 0), (250, 1900, 0), (310, 1930, 0), (370, 1960, 15), (430, 1900, 15), (900, 1900, 8),
        every_s=every_s,
    )  # fmt: skip
    track, _ = fold(pings_at(times, x_m, y_m, accuracy_m=15.0), plan)
    assert track["along_m"] == pytest.approx(1900, abs=20)
