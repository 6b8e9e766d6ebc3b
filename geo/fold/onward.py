"""Whether a driver who has nothing ahead on a tour has gone on to the next one: by the time, or by the place."""

import numpy as np

from geo.pings import Bools, Floats, Ints
from geo.plan.numbers import DEPOT_M
from geo.plan.plans import Plan, X, Y
from geo.shape import plane


def seen_on(
    after: Plan, before: Plan, left: Ints, ms: int, place: tuple[float, float], *, slow: bool, said: bool
) -> bool:
    """Tell whether something speaks for the next tour.

    Its start has come, unless the driver said that they drive the one before; or the van stands in the fence of one of
    its stops, or at a depot that is not that of the tour before. Who stands at an open stop of that one is still on it.

    Args:
        left: places of the stops that are open on the tour before.
        ms: when.
        place: lon, lat of the fix, degrees.
        slow: the van stands.
        said: the driver said that they drive the tour before.
    """
    if ms >= after.start_ms and not said:
        return True
    if not slow:
        return False
    return not _inside(before, left, place).any() and bool(
        _inside(after, np.flatnonzero(after.owed), place).any() or _at_another_depot(after, before, place)
    )


def _inside(plan: Plan, rows: Ints, place: tuple[float, float]) -> Bools:
    """Tell of some stops in which circles a place is."""
    inside: Bools = _apart_m(plan, plan.stops[rows, :2], place) <= plan.stops[rows, 2]
    return inside


def _at_another_depot(after: Plan, before: Plan, place: tuple[float, float]) -> bool:
    """Tell whether a place is where the next tour begins, and not where the one before began or ended."""
    ends = before.segments[[0, -1], X : Y + 1].copy()
    ends[1] += before.segments[-1, 2:4]
    begin = after.segments[:1, X : Y + 1]
    return bool(_apart_m(after, begin, place)[0] <= DEPOT_M and (_apart_m(before, ends, place) > DEPOT_M).all())


def _apart_m(plan: Plan, xy_m: Floats, place: tuple[float, float]) -> Floats:
    x_m, y_m = plane.project(place[0], place[1], plan.lon0, plan.lat0)
    apart: Floats = np.sqrt((xy_m[:, 0] - x_m) ** 2 + (xy_m[:, 1] - y_m) ** 2)
    return apart
