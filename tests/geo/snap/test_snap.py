import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.plan.facts import FactType
from geo.snap import snap
from geo.snap.likelihood import exp
from geo.trust.fixes import Here
from tests.geo.city import START_MS, fold, of_type, pings_at, plan_along, snap_one, walk

OFF = FactType.ROUTE_OFF, FactType.ROUTE_BACK
DEAD_END = [(0.0, 0.0), (1000.0, 0.0), (1000.0, 400.0), (1000.0, 0.0), (2500.0, 0.0)]
"""Along a street, 400 m up a dead end and back out of it, on along the street."""


def snapped(path, times, x_m, y_m, **phone):
    return fold(pings_at(times, x_m, y_m, **phone), plan_along(path))


@pytest.mark.parametrize("every_s", [1, 5, 15])
def test_standing_in_a_dead_end_is_not_being_on_the_way_back(every_s):
    """Both passes are under the van, and its phone wanders for ten minutes."""
    times, x_m, y_m = walk((0, 0, 0), (100, 1000, 0), (120, 1000, 200), (720, 1000, 200), every_s=every_s)
    random = np.random.default_rng(1)
    wander = np.cumsum(random.normal(0, 1, (2, len(times))), axis=1) * np.sqrt(every_s / 5)
    wander -= wander[:, :1]
    x_m, y_m = x_m + np.clip(wander[0], -15, 15), y_m + np.clip(wander[1], -15, 15)
    track, _ = snapped(DEAD_END, times, x_m, y_m)
    assert track["along_m"] == pytest.approx(1200, abs=40)


@pytest.mark.parametrize("every_s", [1, 5, 15, 30])
def test_the_way_back_out_of_a_dead_end_is_known_by_the_way_the_van_moves(every_s):
    times, x_m, y_m = walk(
        (0, 0, 0), (100, 1000, 0), (140, 1000, 400), (200, 1000, 400), (230, 1000, 100), every_s=every_s
    )
    track, _ = snapped(DEAD_END, times, x_m, y_m)
    assert track["along_m"] == pytest.approx(1700 - (230 - times[-1]) * 10, abs=60)
    assert track["on_route_p"] > 0.9


def test_a_fast_road_with_few_fixes_and_no_speeds():
    times, x_m, y_m = walk((0, 0, 0), (600, 20_000, 0), every_s=15)
    _, facts = snapped([(0, 0), (20_000, 0)], times, x_m, y_m)
    assert not len(of_type(facts.happened, *OFF))
    assert facts.judged["along_m"][3:-8] == pytest.approx(x_m[3:-8], abs=30)


def test_one_wrong_fix_moves_nothing():
    times, x_m, y_m = walk((0, 0, 0), (100, 1000, 0))
    wrong = y_m.copy()
    wrong[12] = 180
    track, facts = snapped([(0, 0), (3000, 0)], times, x_m, wrong)
    assert facts.judged["on_route"].all()
    assert np.abs(facts.judged["along_m"] - x_m).max() < 120
    assert track["along_m"] == pytest.approx(1000, abs=10)


@pytest.mark.parametrize("join_m", [2000.0, 400.0])
def test_a_van_comes_back_to_the_path_far_ahead_and_behind(join_m):
    times, x_m, y_m = walk(
        (0, 0, 0), (100, 1000, 0), (140, 1000, 400), (240, join_m, 400), (280, join_m, 0), (340, join_m + 600, 0)
    )
    track, facts = snapped([(0, 0), (6000, 0)], times, x_m, y_m)
    turns = of_type(facts.happened, *OFF)
    assert turns["type"].tolist() == list(OFF)
    assert turns["ordinal"][0] == turns["ordinal"][1] == turns["occurred_ms"][0]
    assert track["along_m"] == pytest.approx(join_m + 600, abs=30)


def test_a_van_that_was_taken_for_one_far_ahead_is_found_far_behind():
    """It goes along the path for a minute where it is due hours later, and then back to where it left."""
    times, x_m, y_m = walk(
        (0, 0, 0), (100, 1000, 0), (130, 1000, 500), (530, 12_000, 500), (550, 12_000, 0), (610, 12_600, 0),
        (630, 12_600, 500), (1030, 1500, 500), (1050, 1500, 0), (1150, 2500, 0),
    )  # fmt: skip
    track, facts = snapped([(0, 0), (20_000, 0)], times, x_m, y_m)
    assert facts.judged["along_m"][times == 610] == pytest.approx(12_600, abs=30)
    assert track["on_route"]
    assert track["along_m"] == pytest.approx(2500, abs=30)


def test_a_driver_walking_to_a_door_leaves_no_route():
    times, x_m, y_m = walk((0, 0, 0), (100, 1000, 0), (140, 1000, 45), (300, 1000, 45), (340, 1000, 0))
    _, facts = snapped([(0, 0), (3000, 0)], times, x_m, y_m)
    assert facts.judged["on_route"].all()


@given(st.integers(0, 10_000), st.sampled_from([1_000, 5_000, 30_000]))
@settings(max_examples=25)
def test_weights_are_probabilities_wherever_a_phone_wanders(seed, every_ms):
    random = np.random.default_rng(seed)
    plan = plan_along(random.uniform(0, 900, (12, 2)).tolist())
    memory = snap.fresh(1)
    x_m, y_m = np.cumsum(random.normal(0, 60, (2, 40)), axis=1)
    for k in range(40):
        accuracy = random.choice([3.0, 30.0, np.nan])
        speed, heading = (np.array([random.choice([np.nan, high * random.random()])]) for high in (20.0, 360.0))
        here = Here(
            plans=[plan], ms=np.array([START_MS + k * every_ms]), x_m=x_m[k : k + 1], y_m=y_m[k : k + 1],
            accuracy_m=np.array([accuracy]), speed_mps=speed, heading_deg=heading,
        )  # fmt: skip
        memory, told = snap_one(memory, here)
        weights = memory["on"]["weight"][0]
        assert weights.sum() + memory["off_weight"][0] == pytest.approx(1, abs=1e-3)
        assert (np.diff(weights) <= 0).all()
        assert 0 <= told.on_route_p[0] <= 1
        if told.on_route[0]:
            assert 0 <= told.along_m[0] <= plan.length_m
            assert told.along_sd_m[0] > 0


@pytest.mark.parametrize("every_s", [1, 15])
def test_a_van_that_served_a_stop_off_its_path_comes_back_to_it_near_there(every_s):
    """The street is driven along twice, and the stop that was served beside it is one of the second time."""
    times, x_m, y_m = walk(
        (0, 0, 0), (100, 1000, 0), (140, 1000, 400), (340, 3000, 200), (400, 3000, 200), (420, 3000, 0), (520, 4000, 0),
        every_s=every_s,
    )  # fmt: skip
    again = [(5000, 0), (5000, 1000), (0, 1000), (0, -1000), (2000, -1000), (2000, 0), (6000, 0)]
    stops = [(4500, 0), (3000, 200), (5900, 0)]
    plan = plan_along([(0, 0), *again], stops, stop_along_m=[4500, 17_000, 19_900], radius_m=30)
    track, facts = fold(pings_at(times, x_m, y_m), plan)
    assert of_type(facts.happened, FactType.STOP_ARRIVED)["stop_id"].tolist() == [101]
    assert track["along_m"] == pytest.approx(14_000 + x_m[-1], abs=60)


def test_exp_is_right():
    x = np.concatenate((np.linspace(-130, 40, 999), [0.0, -1e-9, -500.0, np.inf * -1]))
    assert exp(x) == pytest.approx([math.exp(value) for value in x], rel=1e-7, abs=1e-60)


@pytest.mark.parametrize("every_s", [1, 2, 5, 15])
def test_a_detour_along_the_street_of_a_later_pass_ends_where_the_path_was_left(every_s):
    """The later pass goes on along the earlier one, so that only where the path was left tells them apart."""
    out, back = [(0, 0), (3000, 0), (3000, 8000), (1500, 8000)], [(1500, 300), (2800, 300), (2800, 900), (2000, 900)]
    times, x_m, y_m = walk(
        (0, 0, 0), (220, 2200, 0), (250, 2200, 300), (290, 2600, 300), (320, 2600, 0), (360, 2990, 0), every_s=every_s
    )
    track, facts = snapped([*out, *back, (2000, 0), (6000, 0)], times, x_m, y_m)
    late = np.asarray(times) >= 340
    assert facts.judged["along_m"][late] == pytest.approx(np.asarray(x_m)[late], abs=60)
    assert track["along_m"] == pytest.approx(x_m[-1], abs=40)


@pytest.mark.parametrize("every_s", [1, 5, 15])
@pytest.mark.parametrize("served", [False, True])
def test_a_detour_along_a_later_pass_may_end_in_a_street_of_both(every_s, served):
    """No fix tells the passes apart any more; a stop that was served on the later one does."""
    path = [(0, 0), (6000, 0), (6000, 4000), (1500, 4000), (1500, 0), (5500, 0)]
    stood_s = 60 if served else 0
    times, x_m, y_m = walk(
        (0, 0, 0), (100, 1000, 0), (160, 1000, 600), (210, 1500, 600), (240, 1500, 300), (240 + stood_s, 1500, 300),
        (270 + stood_s, 1500, 0), (570 + stood_s, 4500, 0),
        every_s=every_s,
    )  # fmt: skip
    plan = plan_along(path, [(1500, 300), (5400, 0)], stop_along_m=[18_200, 22_400], radius_m=40)
    track, facts = fold(pings_at(times, x_m, y_m), plan)
    assert of_type(facts.happened, FactType.STOP_ARRIVED)["stop_id"].tolist() == [100] * served
    assert track["along_m"] == pytest.approx(x_m[-1] + 17_000 * served, abs=60)


@pytest.mark.parametrize("every_s", [1, 15])
def test_a_pass_on_which_a_stop_was_served_is_meant(every_s):
    """A short cut leads to a later street, and 1,500 m on the van stands for two minutes, where a stop is or none."""
    path = [(0, 0), (3000, 0), (3000, 3000), (-4000, 3000)]
    times, x_m, y_m = walk(
        (0, 0, 0), (100, 1000, 0), (400, 1000, 3000), (550, -500, 3000), (670, -500, 3000), (700, -800, 3000),
        every_s=every_s,
    )  # fmt: skip
    speed_mps = np.hypot(np.gradient(x_m, times), np.gradient(y_m, times))
    before_m = {}
    for stop_x_m in (-500, -3000):
        plan = plan_along(path, [(stop_x_m, 3000), (-3900, 3000)], stop_along_m=[9000.0 - stop_x_m, 12_900.0])
        track, _ = fold(pings_at(times, x_m, y_m, speed_mps=speed_mps), plan)
        assert track["along_m"] == pytest.approx(9000 - x_m[-1], abs=40)
        before_m[stop_x_m] = float(track["snap"]["before_m"])
    assert before_m[-500] > 9300
    assert before_m[-3000] < 1300


def test_but_not_where_it_has_hardly_been_driven_on():
    memory = snap.fresh(2)
    memory["before_m"], memory["joined_m"], memory["left_m"] = 1000.0, 8000.0, (8400.0, 8600.0)
    for row in range(2):
        snap.served_on_path(memory, row)
    assert memory["before_m"].tolist() == [1000.0, 8600.0]
