"""How sure it is that a van was at a stop, and how little of a stop is enough to be seen."""

import numpy as np
import pytest

from geo.fold.fold import advance, fresh
from geo.pings import Pings
from geo.plan.facts import FactType
from geo.plan.plans import Claim, Timeline
from tests.geo.city import START_MS, fold, of_type, pings_at, plan_along, walk

PLAN = plan_along([(0, 0), (3500, 0)], [(1000, 20), (1200, 20), (3000, 0)])
DOWN = walk((0, 0, 0), (125, 1000, 0), (210, 1000, 0))


def arrivals(pings):
    """(stop, seconds, certainty)."""
    return [
        (int(one["stop_id"]), (int(one["occurred_ms"]) - START_MS) / 1000, float(one["certainty"]))
        for one in of_type(fold(pings, PLAN)[1].happened, FactType.STOP_ARRIVED)
    ]


def test_who_stood_is_surer_than_who_was_seen_once_next_door():
    once = pings_at([240, 300, 330, 360], [1200, 1320, 1560, 1800], 0)
    (stood, _, sure), (seen, at_s, less_sure) = arrivals(Pings.concat([pings_at(*DOWN), once]))
    assert (stood, seen, at_s) == (100, 101, 240)
    assert 0.8 <= less_sure < sure < 1


def test_who_drives_on_past_the_next_door_was_not_there():
    passing = pings_at([240, 258, 288, 318], [1200, 1344, 1584, 1824], 0)
    assert [stop for stop, *_ in arrivals(Pings.concat([pings_at(*DOWN), passing]))] == [100]


@pytest.mark.parametrize(("then_x_m", "seen"), [((1115, 1360), [100, 101]), ((1000, 1240), [100])])
def test_who_goes_on_from_the_stop_next_door_was_there_inside_the_fence_of_the_one_before(then_x_m, seen):
    """One fix at the second door, and the next one on the way; or back at the first, for the phone had drifted."""
    plan = plan_along([(0, 0), (3500, 0)], [(1000, 20), (1045, 20), (3000, 0)])
    seconds = [0, 30, 60, 90, 120, 150, 180, 210, 240, 270, 300]
    pings = pings_at(seconds, [0, 240, 480, 720, 1000, 1000, 1000, 1050, *then_x_m, then_x_m[1] + 240], 0)
    happened = of_type(fold(pings, plan)[1].happened, FactType.STOP_ARRIVED)
    assert happened["stop_id"].tolist() == seen
    assert happened["occurred_ms"][-1] == START_MS + (210_000 if len(seen) == 2 else 120_000)


@pytest.mark.parametrize(
    ("seconds", "x_m", "seen"),
    [((120, 135, 150, 165), (930, 985, 1055, 1180), True), ((105, 135, 165, 195), (840, 985, 1115, 1360), False)],
)
def test_the_denser_the_fixes_the_less_idleness_is_a_stop(seconds, x_m, seen):
    """Eleven seconds lost within half a minute are a stop, eighteen within a minute a slow road."""
    found = arrivals(pings_at([0, 30, 60, *seconds, 210, 240], [0, 240, 480, *x_m, 1480, 1720], 0))
    assert ([stop for stop, *_ in found] == [100]) is seen


def test_a_word_is_certain_and_a_departure_says_nothing_of_it():
    said = Claim(at_ms=START_MS + 140_000, id="a", kind="arrived", route_id=5, stop_id=100)
    timeline = Timeline(driver_id=1, plans=(PLAN,), claims=(said,))
    after = pings_at(*walk((215, 1040, 0), (300, 1720, 0)))
    _, facts = advance(fresh(np.array([1])), Pings.concat([pings_at(*DOWN), after]), [timeline])
    assert of_type(facts.happened, FactType.STOP_ARRIVED)["certainty"][-1] == 1
    assert not of_type(facts.happened, FactType.STOP_DEPARTED)["certainty"].any()
