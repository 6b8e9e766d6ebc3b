"""What is not seen is not taken to be the last thing that was: an hour without a fix, a speed that was told once."""

import numpy as np
import pytest

from geo.pings import Pings
from geo.plan.facts import FactType
from tests.geo.city import START_MS, fold, of_type, pings_at, plan_along, walk

ARRIVED, DEPARTED = FactType.STOP_ARRIVED, FactType.STOP_DEPARTED
PLAN = plan_along([(0, 0), (3500, 0)], [(1000, 0), (2000, 30), (3000, 0)], radius_m=50)
DOWN = walk((0, 0, 0), (125, 1000, 0), (185, 1000, 0), (310, 1985, 0))


def visits(pings, plan=PLAN):
    """(arrived, departed) of each stop, seconds."""
    happened = fold(pings, plan)[1].happened
    found = {}
    for arrived in of_type(happened, ARRIVED):
        left = of_type(happened, DEPARTED)
        left = left[(left["stop_id"] == arrived["stop_id"]) & (left["ordinal"] == arrived["ordinal"])]
        times = (int(arrived["occurred_ms"]) - START_MS) / 1000, (int(left["occurred_ms"][0]) - START_MS) / 1000
        found.setdefault(int(arrived["stop_id"]), []).append(times)
    return found


def down_and_up(mps, gap_s, *, up_x=2140, last_x=1985):
    down = pings_at(*walk((0, 0, 0), (125, 1000, 0), (185, 1000, 0), (310, last_x, 0)), speed_mps=8.0)
    down.rows["speed_mps"][25:37] = 0.0
    down.rows["speed_mps"][-1] = mps
    after = 310 + gap_s
    up = pings_at(*walk((after, up_x, 20), (after + (3400 - up_x) / 8, 3400, 0)), speed_mps=8.0)
    return Pings.concat([down, up])


@pytest.mark.parametrize("mps", [np.nan, 0.0, 2.0, 3.0, 8.0, 14.0])
@pytest.mark.parametrize("gap_s", [300, 1200, 3600, 7200])
def test_a_time_in_a_garage_is_a_visit_whatever_the_last_speed_was(mps, gap_s):
    found = visits(down_and_up(mps, gap_s))
    (arrived, departed), *more = found[101]
    assert not more
    assert arrived == pytest.approx(310, abs=5)
    assert departed == pytest.approx(310 + gap_s - 24, abs=10)


@pytest.mark.parametrize("mps", [3.0, 8.0])
def test_a_light_or_a_queue_is_none(mps):
    assert 101 not in visits(down_and_up(mps, 100))


def test_a_far_way_driven_slowly_is_none():
    """The phone was silent for eight minutes and two kilometres: a slow road."""
    plan = plan_along([(0, 0), (6500, 0)], [(1000, 0), (2000, 30), (6000, 0)], radius_m=50)
    assert 101 not in visits(down_and_up(8.0, 480, up_x=3900), plan)


def test_who_comes_up_inside_the_fence_was_there():
    found = visits(down_and_up(8.0, 1200, last_x=1900, up_x=1990))
    assert found[101] == [(pytest.approx(324, abs=10), pytest.approx(1510, abs=15))]


def test_who_stood_at_the_stop_before_was_not_at_the_next_one():
    plan = plan_along([(0, 0), (3500, 0)], [(1850, 0), (2000, 30), (3000, 0)], radius_m=50)
    down = pings_at(*walk((0, 0, 0), (231, 1850, 0), (260, 1850, 0)), speed_mps=8.0)
    down.rows["speed_mps"][46:] = 0.0
    up = pings_at(*walk((1460, 2000, 0), (1630, 3360, 0)), speed_mps=8.0)
    found = visits(Pings.concat([down, up]), plan)
    assert 101 not in found
    assert found[100] == [(pytest.approx(231, abs=6), pytest.approx(1437, abs=10))]


def test_a_visit_that_is_open_lasts_as_long_as_the_silence():
    down = pings_at(*walk((0, 0, 0), (125, 1000, 0), (185, 1000, 0), (310, 1985, 0), (350, 1985, 0)))
    up = pings_at(*walk((1550, 2140, 20), (1700, 3340, 0)))
    assert visits(Pings.concat([down, up]))[101] == [(pytest.approx(310, abs=5), pytest.approx(1526, abs=10))]


def test_a_garage_off_the_path_is_a_visit_and_says_nothing_of_the_stops_before():
    plan = plan_along(
        [(0, 0), (3500, 0)], [(1000, 0), (2000, 400), (3000, 0)], radius_m=50, stop_along_m=[1000, 2000, 3000]
    )
    down = pings_at(*walk((0, 0, 0), (20, 0, 0), (70, 0, 400), (320, 2000, 400), (330, 2000, 400)))
    up = pings_at(*walk((1530, 2140, 400), (1580, 2140, 800)))
    track, facts = fold(Pings.concat([down, up]), plan)
    assert of_type(facts.happened, ARRIVED)["stop_id"].tolist() == [101]
    assert track["next_stop_id"] == 100
