"""How far vans have come on their way: the metres of the path, and those to doors far from it and back.

A door beside the path is served on foot, and its service says how long that takes. A farm three kilometres up a track
is driven to: it lies that much farther, and so does every stop after it, twice.
"""

import numpy as np

from geo.eta.numbers import NEAR_TURN_M
from geo.pings import Floats, Ints
from geo.plan.plans import Plan, place_at
from geo.shape import plane
from geo.visits.tour import served


def ways_to(plan: Plan) -> Floats:
    """Tell how long the way from the start of the path to the door of each stop is, metres."""
    door_m = plan.door_m
    ways: Floats = plan.stops[:, 3] + 2 * np.cumsum(door_m) - door_m
    return ways


def way_to(plan: Plan, along_m: float, row: int) -> float:
    """Tell how far along the way a place on the path is.

    Args:
        row: the next stop: the doors of those before it were driven to, or are not any more.
    """
    return along_m + 2 * float(plan.door_m[:row].sum())


def way_from(plan: Plan, along_m: float, row: int) -> float:
    """Tell how far along the way a van was that began to count at a place on the path: at the door if that is a stop's.

    Args:
        row: the next stop now.
    """
    if not plan.door_m.any():
        return along_m
    left = int(plan.stops[:, 3].searchsorted(along_m))
    at_door = left < min(row, len(plan.stops)) and plan.stops[left, 3] == along_m
    return way_to(plan, along_m, min(left, row)) + (float(plan.door_m[left]) if at_door else 0.0)


def way_of(plan: Plan, track: np.void, row: int) -> float:
    """Tell how far along its way a van is.

    On the path that is its place. Off it, near where a far door is turned off to, the distances to that door and from
    the last one say how far up the track the van is.

    Args:
        track: of dtype `geo.fold.fold.TRACK`, on the plan.
        row: the next stop.
    """
    along_m = float(np.nan_to_num(track["along_m"]))
    if not plan.door_m.any():
        return along_m  # nearly always: no door is far
    way_m = way_to(plan, along_m, row)
    far = np.flatnonzero((plan.door_m > 0) & (np.abs(plan.stops[:, 3] - along_m) <= NEAR_TURN_M))
    if track["on_route"] or not len(far):
        return way_m
    x_m, y_m = plane.project(track["lon_e6"] * 1e-6, track["lat_e6"] * 1e-6, plan.lon0, plan.lat0)
    if row in far:
        left_m = float(np.hypot(plan.stops[row, 0] - x_m, plan.stops[row, 1] - y_m))
        way_m = max(way_m, float(ways_to(plan)[row]) - left_m)
    was_at = _was_at(plan, far[far < row], track, float(x_m), float(y_m))
    if was_at >= 0:
        at_x, at_y = place_at(plan, float(plan.stops[was_at, 3]))
        way_m -= min(float(np.hypot(at_x - x_m, at_y - y_m)), float(plan.door_m[was_at]))
    return way_m


def _was_at(plan: Plan, far: Ints, track: np.void, x_m: float, y_m: float) -> int:
    """Find the far door that a van comes back from: served, and nearer to it than the path is; -1: none."""
    if not len(far):
        return -1
    away_m = np.hypot(plan.stops[far, 0] - x_m, plan.stops[far, 1] - y_m)
    comes = served(track["visits"][far]) & (away_m < plan.door_m[far])
    return int(far[np.argmin(np.where(comes, away_m, np.inf))]) if comes.any() else -1
