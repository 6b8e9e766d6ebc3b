"""How far vans have come on their way: the metres of the path, and those to doors far from it and back.

A door beside the path is served on foot, and its service says how long that takes. A farm three kilometres up a track
is driven to: it lies that much farther, and so does every stop after it, twice.

A van off its path drives on all the same: around a closed street, or along a road that the path only hints at. It has
come as far as the path beside it, less the way back there.
"""

from collections.abc import Sequence

import numpy as np

from geo.eta.numbers import BESIDE_TIMES, NEAR_TURN_M
from geo.pings import Bools, Floats, Ints, Rows
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


def ways_of(plans: Sequence[Plan], tracks: Rows, rows: Sequence[int], far_doors: Sequence[bool]) -> list[float]:
    """Tell how far along its way each van is.

    On the path that is its place, off it the place beside it. Off it near where a far door is turned off to, the
    distances to that door and from the last one say how far up the track the van is. Who was never seen on it, though
    the tour should have begun, left it where it begins.

    Args:
        tracks: (m,) of dtype `geo.fold.fold.TRACK`, each on its plan.
        rows: (m) the next stop of each.
        far_doors: (m) whether some door of each plan is far from its path.
    """
    found: list[float] = np.nan_to_num(tracks["along_m"]).tolist()
    for van in np.flatnonzero(far_doors).tolist():
        found[van] = way_to(plans[van], found[van], rows[van])
    off = np.flatnonzero(~tracks["on_route"] & (~np.isnan(tracks["along_m"]) | unseen(plans, tracks))).tolist()
    if off:
        lon0, lat0 = np.array([(plans[van].lon0, plans[van].lat0) for van in off]).T
        mine = tracks[off]
        x_m, y_m = plane.project(mine["lon_e6"] * 1e-6, mine["lat_e6"] * 1e-6, lon0, lat0)
        for van, *at_m in zip(off, x_m.tolist(), y_m.tolist(), strict=True):
            found[van] = _off_path_m(plans[van], tracks[van], rows[van], *at_m)
    return found


def unseen(plans: Sequence[Plan], tracks: Rows) -> Bools:
    """Tell which vans were never seen on their paths, though their tours should have begun, (m,)."""
    should = tracks["recorded_ms"] >= np.array([plan.start_ms for plan in plans], np.int64)
    found: Bools = should & np.isnan(tracks["along_m"])
    return found


def _off_path_m(plan: Plan, track: np.void, row: int, x_m: float, y_m: float) -> float:
    """Tell how far along its way a van off its path is, at a place on the plan's plane."""
    along_m = float(np.nan_to_num(track["along_m"]))
    far = np.flatnonzero((plan.door_m > 0) & (np.abs(plan.stops[:, 3] - along_m) <= NEAR_TURN_M))
    if not len(far):
        return way_to(plan, _beside_m(plan, track, row, x_m, y_m), row)
    way_m = way_to(plan, along_m, row)
    if row in far:
        left_m = float(np.hypot(plan.stops[row, 0] - x_m, plan.stops[row, 1] - y_m))
        way_m = max(way_m, float(ways_to(plan)[row]) - left_m)
    was_at = _was_at(plan, far[far < row], track, x_m, y_m)
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


def _beside_m(plan: Plan, track: np.void, row: int, x_m: float, y_m: float) -> float:
    """Tell how far along its path a van off it has come: to the nearest place ahead of where it left, less the way
    there; never past a stop that waits for its service."""
    left_at_m = float(np.nan_to_num(track["along_m"]))
    from_x, from_y = place_at(plan, left_at_m)
    until_m = left_at_m + BESIDE_TIMES * float(np.hypot(from_x - x_m, from_y - y_m))
    waiting = np.flatnonzero((plan.stops[row:, 4] > 0) & ~served(track["visits"][row : len(plan.stops)]))
    if len(waiting):
        until_m = min(until_m, float(plan.stops[row + waiting[0], 3]))
    if until_m <= left_at_m:
        return left_at_m
    begin, end = plan.segments[:, 5].searchsorted((left_at_m, until_m), "right").tolist()
    x, y, dx, dy, inverse, at_m, length_m = plan.segments[max(begin - 1, 0) : end].T
    length_m = np.maximum(length_m, 1e-9)
    lowest, highest = (np.clip((bound_m - at_m) / length_m, 0.0, 1.0) for bound_m in (left_at_m, until_m))
    share = np.clip(((x_m - x) * dx + (y_m - y) * dy) * inverse, lowest, highest)
    away_m = np.hypot(x + share * dx - x_m, y + share * dy - y_m)
    nearest = int(np.argmin(away_m))
    return max(left_at_m, float(at_m[nearest] + share[nearest] * length_m[nearest] - away_m[nearest]))
