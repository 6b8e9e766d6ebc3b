"""Of two neighbours a van is at the one it stands nearer to, also where its place along the path is wrong."""

import numpy as np
import pytest

from geo.trust.fixes import Here
from geo.visits.near_stops import Look, stop_of
from geo.visits.standing import fresh
from geo.visits.stops import begin
from tests.geo.city import START_MS, plan_along

ROUND_THE_YARD = plan_along(
    [(0, 0), (1000, 0), (1000, 35), (1040, 35), (1040, 0), (3000, 0)],
    [(1000, 20), (1040, 20)],
    stop_along_m=[1000, 1110],
)


def found(x_m, along_m, *, at_first):
    """Stand there; gives the place in the tour of the stop the van may have come to, -1 for none."""
    memory, visits = fresh(1), np.zeros((1, 512), np.uint8)
    if at_first:
        begin(memory, 0, visits[0], 0, START_MS)
    door_x_m, door_y_m = ROUND_THE_YARD.stops[0, :2]
    unsaid, none = np.full(1, np.nan), np.zeros(1, np.int64)
    here = Here(
        plans=[ROUND_THE_YARD], ms=np.array([START_MS + 60_000]),
        x_m=np.array([door_x_m + x_m - 1000.0]), y_m=np.array([door_y_m]),
        accuracy_m=unsaid, speed_mps=unsaid, heading_deg=unsaid,
    )  # fmt: skip
    look = Look(
        here=here, along_m=np.array([float(along_m)]), vague_m=np.zeros(1), margin_m=np.zeros(1),
        slow=np.ones(1, np.bool_), idle_ms=none, under_way_ms=none,
    )  # fmt: skip
    return int(stop_of(memory, visits, look)[0][0])


@pytest.mark.parametrize(("x_m", "next_door"), [(1005, -1), (1012, -1), (1016, 1), (1035, 1)])
def test_who_stands_at_the_door_is_there_wherever_along_the_path(x_m, next_door):
    assert found(x_m, 1110, at_first=True) == next_door
    assert found(x_m, 1110, at_first=False) == 1
