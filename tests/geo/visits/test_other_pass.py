"""A van that stands at a door on another pass of its path than the one where the plan has the stop."""

import pytest

from geo.plan.facts import FactType
from tests.geo.city import fold, of_type, pings_at, plan_along, walk

OUT_AND_BACK = [(0, 0), (3000, 0), (3000, 20), (0, 20)]
BEFORE, DOOR, AFTER = (600, 25), (1500, 30), (2400, 25)


def arrivals(stood_s, stops, along_m):
    """Drive out, stand at x = 1500 for so long, and drive on to the end of the street; gives the stops."""
    plan = plan_along(OUT_AND_BACK, stops, stop_along_m=along_m)
    gone = 400 + stood_s
    drive = walk((0, 0, 0), (60, 600, 0), (120, 600, 0), (250, 1500, 0), (250 + stood_s, 1500, 0), (gone, 3000, 0))
    return of_type(fold(pings_at(*drive), plan)[1].happened, FactType.STOP_ARRIVED)["stop_id"].tolist()


@pytest.mark.parametrize(("stood_s", "seen"), [(15, [100]), (35, [100, 101])])
def test_the_next_stop_is_served_where_its_door_is(stood_s, seen):
    assert arrivals(stood_s, [BEFORE, DOOR, AFTER], [600, 4520, 5000]) == seen


def test_who_waits_at_the_door_of_a_later_stop_is_not_there_for_it():
    assert arrivals(120, [BEFORE, AFTER, DOOR], [600, 2400, 4520]) == [100]
