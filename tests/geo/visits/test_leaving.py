"""When a van has left the stop where it was."""

import numpy as np
import pytest

from geo.plan.facts import FactType
from tests.geo.city import START_MS, fold, of_type, pings_at, plan_along

PLAN = plan_along([(0, 0), (3500, 0)], [(1000, 20)])
STOOD = np.arange(120, 301, 15)


def visits(far_m, drive_s=(330, 345), **columns):
    """Stand at the door for three minutes, with one fix so far away, and drive off; gives when visits begin and end."""
    seconds = np.concatenate(([0, 30, 60, 90], STOOD, drive_s))
    x_m = np.interp(seconds, [0, 120, 300, 400], [0, 1000, 1000, 1800])
    y_m = np.where(seconds == 210, far_m, 0)
    happened = fold(pings_at(seconds, x_m, y_m, **columns), PLAN)[1].happened
    return [
        [(int(one["occurred_ms"]) - START_MS) // 1000 for one in of_type(happened, kind)]
        for kind in (FactType.STOP_ARRIVED, FactType.STOP_DEPARTED)
    ]


@pytest.mark.parametrize("far_m", [0, 260])
def test_one_wrong_fix_of_a_phone_that_tells_no_speed_does_not_end_a_visit(far_m):
    assert visits(far_m) == [[120], [300]]


@pytest.mark.parametrize(("drives_mps", "left"), [(8.0, [300]), (0.2, []), (np.nan, [])])
def test_one_far_fix_is_enough_where_the_phone_says_that_it_drives(drives_mps, left):
    told = np.append(np.full(4 + len(STOOD), 0.2), drives_mps)
    assert visits(0, drive_s=(330,), speed_mps=told) == [[120], left]
