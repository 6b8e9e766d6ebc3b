"""Tours that go on under another version of their route, or after the driver was on another one: what was, stays.

Stops are found again by their ids. A tour that was done is driven on when its route gets stops that it had not.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from geo.fold.numbers import MAX_FINISHED
from geo.fold.state import PARKED
from geo.pings import UNKNOWN_MS, Ints, Rows
from geo.plan.numbers import MAX_STOPS
from geo.plan.plans import Plan, Timeline
from geo.snap import snap
from geo.visits import pace
from geo.visits.tour import AWAITED, VISITS


class Over(IntEnum):
    """Why a tour is not driven any more."""

    DONE = 0  # nothing of it was open
    LEFT = 1  # the driver has moved on to the next one; what is open of it stays open
    ENDED = 2  # somebody said so


_FINISHED = ("finished", "finished_version", "finished_how")


def finished_of(track: np.void, *, but_left: bool = False) -> dict[int, int]:
    """Give the routes that a track holds for over, and the version that was.

    Args:
        but_left: without those that were left for another one.
    """
    if not track["finished"][0]:
        return {}
    rows = zip(*(track[name].tolist() for name in _FINISHED), strict=True)
    return {route_id: version for route_id, version, how in rows if route_id and not (but_left and how == Over.LEFT)}


def finished_of_each(tracks: Rows, vans: Ints) -> dict[int, dict[int, int]]:
    """Give `finished_of` of those of some drivers whose tracks hold any route for over, by place in `vans`."""
    some = np.flatnonzero(tracks["finished"][vans, 0])
    rows = zip(some.tolist(), *(tracks[name][vans[some]].tolist() for name in _FINISHED[:2]), strict=True)
    return {
        i: {route_id: version for route_id, version in zip(route_ids, versions, strict=True) if route_id}
        for i, route_ids, versions in rows
    }


def how_over(track: np.void, route_id: int) -> Over | None:
    """Tell why a route is not driven any more; None: it is."""
    mine = np.flatnonzero(track["finished"] == route_id)
    return Over(int(track["finished_how"][mine[0]])) if len(mine) else None


def finish(track: np.void, route_id: int, version: int, how: Over) -> None:
    """Remember that a tour is over, and why."""
    unfinish(track, route_id)
    for name, value in zip(_FINISHED, (route_id, version, how), strict=True):
        track[name][1:] = track[name][:-1].copy()
        track[name][0] = value


def unfinish(track: np.void, route_id: int) -> None:
    """Forget that a tour is over."""
    keep = np.flatnonzero(track["finished"] != route_id)
    for name in _FINISHED:
        kept = track[name][keep]
        track[name][:] = 0
        track[name][: len(kept)] = kept[:MAX_FINISHED]


def drive_on(track: np.void, timeline: Timeline, plan: Plan, version: int) -> None:
    """Take up a tour of which another version was done; it is not done again before its new stops are visited."""
    unfinish(track, plan.route_id)
    awaited = np.isin(plan.stop_ids, list(timeline.new_stops(plan, version)))
    visits = track["visits"][: len(plan.stop_ids)]
    visits[awaited & (visits == 0)] = AWAITED


def moved(before: Plan, plan: Plan, visits: NDArray[np.uint8], last: int) -> tuple[NDArray[np.uint8], int]:
    """Give the visits of each stop, and 1 + the place of the last one visited, as another version counts them."""
    row_of = {stop_id: row for row, stop_id in enumerate(plan.stop_ids.tolist())}
    rows = [row_of.get(stop_id, -1) for stop_id in before.stop_ids.tolist()]
    now = np.zeros(MAX_STOPS, np.uint8)
    for old, new in enumerate(rows):
        if new >= 0:
            now[new] = visits[old]
    still = [rows[row] + 1 for row in range(last - 1, -1, -1) if visits[row] & VISITS and rows[row] >= 0]
    return now, still[0] if still else 0


def park(track: np.void) -> None:
    """Put the tour that a driver leaves with the others that they left."""
    if not track["route_id"] or not (track["started"] or track["visits"].any()):
        return
    left = np.zeros(1, PARKED)
    for name in ("route_id", "route_version", "started", "completed", "worded", "visits"):
        left[name] = track[name]
    left["last"] = track["standing"]["last"]
    others = track["parked"]
    track["parked"] = np.concatenate((left, others[others["route_id"] != track["route_id"]]))[: len(others)]


def remembered(track: np.void, route_id: int) -> np.void | None:
    """Give what is remembered of a tour: the track while its driver is on it, else the tour parked there, if it is."""
    if track["route_id"] == route_id:
        return track
    mine = np.flatnonzero(track["parked"]["route_id"] == route_id)
    found: np.void | None = track["parked"][mine[0]] if len(mine) else None
    return found


def take_up(tracks: Rows, timeline: Timeline, plan: Plan) -> None:
    """Go on with a tour that was left, if it is remembered; writes into `tracks` (1,), which is on no tour."""
    track = tracks[0]
    mine = np.flatnonzero(track["parked"]["route_id"] == plan.route_id)
    if not len(mine):
        return
    parked = track["parked"][mine[0]].copy()
    others = np.delete(track["parked"], mine)
    track["parked"] = np.concatenate((others, np.zeros(len(mine), PARKED)))
    before = timeline.plan(plan.route_id, int(parked["route_version"]))
    if before is None:
        return
    for name in ("started", "completed", "worded"):
        track[name] = parked[name]
    track["visits"], last = moved(before, plan, parked["visits"], int(parked["last"]))
    tracks["standing"]["last"] = last
    tracks["snap"] = snap.fresh(1, float(plan.stops[last - 1, 3]) if last else 0.0)


def carry_over(tracks: Rows, before: Plan, plan: Plan) -> None:
    """Move a tour under way to another version of its route; writes into `tracks` (1,).

    A visit that is open must be at a stop of both versions.
    """
    track, standing = tracks[0], tracks["standing"]
    old_visits, old_last = track["visits"].copy(), int(standing["last"][0])
    visits, last = moved(before, plan, old_visits, old_last)
    row_of = {stop_id: row for row, stop_id in enumerate(plan.stop_ids.tolist())}
    track["visits"] = visits
    standing["last"], standing["candidate"], standing["candidate_ms"], standing["idle_ms"] = last, 0, 0, 0
    for name, count in (("open", None), ("left", "left_count"), ("closed", "closed_count"), ("said", None)):
        old = int(standing[name][0]) - 1
        if old >= 0:
            row = row_of.get(int(before.stop_ids[old]), -1)
            standing[name] = row + 1
            if count is not None:
                standing[count] = row >= 0
    same_path = np.array_equal(before.path_lon, plan.path_lon) and np.array_equal(before.path_lat, plan.path_lat)
    if not same_path:
        tracks["snap"] = snap.fresh(1, float(plan.stops[last - 1, 3]) if last else 0.0)
        standing["base"]["ms"], standing["along_m"] = UNKNOWN_MS, np.nan  # metres of another plane and path
        tracks["on_route"] = False
        for name in ("along_m", "along_sd_m", "on_route_p", "offset_m"):
            tracks[name] = np.nan
        tracks["snapped_lat_e6"] = tracks["snapped_lon_e6"] = 0
        tracks["pace"] = pace.fresh(1)
