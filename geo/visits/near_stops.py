"""At which stop each van is by the fence, the place along the path and its speed; and which stop it has left."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from geo.numbers import SLOW_MPS
from geo.pings import Bools, Floats, Ints, Rows
from geo.plan.numbers import BIN_M, NEXT_DOOR_M, STOP_SLACK_M
from geo.plan.plans import Plan, outside, windows
from geo.trust.fixes import Here
from geo.visits.numbers import (
    AGAIN_TIMES,
    ALONG_PART,
    BASE_MS,
    FAR_M,
    LEFT_M,
    LEFT_MS,
    LEFT_OUTS,
    NEARER_M,
    NO_FIX_MS,
    OUT_OF_TURN_M,
    OUT_OF_TURN_STOPS,
    OUTLINE_M,
    SERVED_M,
)
from geo.visits.tour import AWAITED, HERE, VISITS, ahead_row, served


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Look:
    """One fix each of n drivers, as stops look at it.

    Attributes:
        here: the fixes.
        along_m: (n,) place along the path; NaN off it.
        vague_m: (n,) how far off each may be.
        margin_m: (n,) outside a fence by at most this it counts as inside.
        slow: (n,) which vans stand.
        idle_ms, under_way_ms: (n,) since the fix before: how much longer it was than driving takes, and that.
    """

    here: Here
    along_m: Floats
    vague_m: Floats
    margin_m: Floats
    slow: Bools
    idle_ms: Ints
    under_way_ms: Ints

    def outside_m(self, van: int, row: int) -> float:
        """Measure how far one van is outside the fence of a stop; negative inside."""
        return _outside_m(self.here, van, row)


def stop_of(memory: Rows, visits: NDArray[np.uint8], look: Look) -> tuple[Ints, Bools]:
    """Find the stop that each van may have come to, other than the one it is at.

    Args:
        memory: (n,) of dtype `geo.visits.standing.STANDING`; what the driver said they left is forgotten there once a
            fix is outside.
        visits: (n, MAX_STOPS) of each stop so far.

    Returns:
        (n,) its place in the tour, -1 for none; (n,) who is there on a way of their own: off the path, or on another
        pass of it.
    """
    found = _nearest(memory, visits, look)
    _stay_at_door(memory, look, found)
    own_way = _find_by_fence(memory, visits, look, found)
    _heed_driver(memory, look, found)
    return found, own_way


def long_enough(
    memory: Rows, visits: NDArray[np.uint8], look: Look, row: Ints, stood_ms: Ints, least_ms: Ints
) -> Bools:
    """Tell who stood so long at a stop that it was no light and no queue.

    That takes least_ms where it is its turn, and a multiple of it where it is not: a detour leads along later parts of
    a path, and has lights. Of the stops left out before it one is free, for it may not have been seen; those without
    planned service are driven past. Of a van that was at no stop yet nobody knows whose turn it is.

    Args:
        row: (n,) the stop's place in the tour; -1 for none.
        stood_ms, least_ms: (n,) for how long they stood, and how long is enough.
    """
    enough = row >= 0
    vans = np.flatnonzero(enough)
    if not len(vans):
        return enough
    again = ~unseen(visits[vans, row[vans]])
    columns = (vans, row[vans], memory["last"][vans], again, stood_ms[vans], least_ms[vans])
    for van, at, last, seen, for_ms, needs_ms in zip(*(column.tolist() for column in columns), strict=True):
        times = AGAIN_TIMES if seen else 1
        if not seen and 0 < last < at - 1 and for_ms < OUT_OF_TURN_STOPS * needs_ms:
            stops, plan = slice(last, at), look.here.plans[van]
            left_out = plan.owed[stops] & (plan.stops[stops, 4] > 0) & ~served(visits[van, stops])
            times = min(max(int(np.count_nonzero(left_out)), 1), OUT_OF_TURN_STOPS)
        enough[van] = for_ms >= times * needs_ms
    return enough


def unseen(visits: NDArray[np.uint8]) -> Bools:
    """Tell which stops were not visited, or are to be visited again."""
    unseen: Bools = ((visits & VISITS) == 0) | ((visits & AWAITED) != 0)
    return unseen


def _nearest(memory: Rows, visits: NDArray[np.uint8], look: Look) -> Ints:
    """Find the stop each van is inside and nearer to than to the one it is at: its place in the tour; -1 for none."""
    plans, along_m = look.here.plans, look.along_m
    n = len(plans)
    found = np.full(n, -1)
    on = np.flatnonzero(~np.isnan(along_m))
    bins = (np.maximum(along_m[on], 0) / BIN_M).astype(np.int64).tolist()
    tours = [plans[van] for van in on.tolist()]
    first = np.array([plan.next_from[bin_] for plan, bin_ in zip(tours, bins, strict=True)], np.int64)
    past = np.array([plan.near_until[bin_] for plan, bin_ in zip(tours, bins, strict=True)], np.int64)
    near = np.flatnonzero(past > first)
    if not len(near):
        return found
    vans, first, past = on[near], first[near], past[near]
    pieces, starts = windows([plans[van].stops for van in vans.tolist()], first.tolist(), past.tolist())
    count = np.diff(starts)
    which = np.repeat(np.arange(len(vans)), count)
    van = vans[which]
    row = np.arange(len(pieces)) - starts[:-1][which] + first[which]

    out_m = out_m_of(look.here, pieces, van, row)
    apart_m = np.abs(pieces[:, 3] - along_m[van])
    away_m = np.maximum(out_m + pieces[:, 2], 0.0) + ALONG_PART * apart_m
    counted = visits[van, row]
    here = (counted & HERE) != 0
    here_m = np.minimum.reduceat(np.where(here, away_m, np.inf), starts[:-1])
    inside = (out_m <= look.margin_m[van]) & (apart_m <= STOP_SLACK_M) & ~here & (away_m + NEARER_M <= here_m[which])
    passed_over = np.clip(row - memory["last"].astype(np.int64)[van], 0, OUT_OF_TURN_STOPS)
    # a drifting phone does not go back to the stop next door
    inside &= unseen(counted) | (memory["open"] == 0)[van]
    cost = np.where(inside, away_m + OUT_OF_TURN_M * passed_over + np.where(served(counted), SERVED_M, 0.0), np.inf)
    cheapest = np.minimum.reduceat(cost, starts[:-1])
    best = np.flatnonzero(cost == cheapest[which])
    best = best[np.searchsorted(which[best], np.arange(len(vans)))]
    found[vans] = np.where(np.isfinite(cheapest), row[best], -1)
    return found


def _stay_at_door(memory: Rows, look: Look, found: Ints) -> None:
    """Do not look next door while the van stands at the door of the stop where it is; writes `found`.

    A place along the path may be wrong, most of all while a van stands, and then another stop seems nearer.
    """
    for van in np.flatnonzero((found >= 0) & (memory["open"] > 0)).tolist():
        stops, x_m, y_m = look.here.plans[van].stops, float(look.here.x_m[van]), float(look.here.y_m[van])
        (at_x_m, at_y_m), (next_x_m, next_y_m) = stops[[memory["open"][van] - 1, found[van]], :2].tolist()
        at_m = sqrt((at_x_m - x_m) * (at_x_m - x_m) + (at_y_m - y_m) * (at_y_m - y_m))
        next_m = sqrt((next_x_m - x_m) * (next_x_m - x_m) + (next_y_m - y_m) * (next_y_m - y_m))
        if at_m + NEARER_M < next_m:
            found[van] = -1


def _find_by_fence(memory: Rows, visits: NDArray[np.uint8], look: Look, found: Ints) -> Bools:
    """Find the stop inside whose fence a van stands that is at none, wherever along its path; writes `found`.

    It is the nearest that was not visited; of those at that place the one whose turn it is. The path leads to a later
    stop yet: who is on it waits there at a light, or in a queue.

    Returns:
        (n,) which vans were found so.
    """
    own_way: Bools = look.slow & (found < 0) & (memory["open"] == 0)
    vans = np.flatnonzero(own_way)
    if not len(vans):
        return own_way
    tours = [look.here.plans[van].stops for van in vans.tolist()]
    pieces, starts = windows(tours, [0] * len(vans), [len(tour) for tour in tours])
    van = np.repeat(vans, np.diff(starts))
    row = np.arange(len(pieces)) - np.repeat(starts[:-1], np.diff(starts))
    out_m = out_m_of(look.here, pieces, van, row)
    inside = np.flatnonzero(out_m <= look.margin_m[van])
    inside = inside[unseen(visits[van[inside], row[inside]])]
    nearest_last = inside[np.argsort(-(out_m + pieces[:, 2])[inside], kind="stable")]
    found[van[nearest_last]] = row[nearest_last]
    for each in np.unique(van[inside]).tolist():
        rows = row[inside[van[inside] == each]]
        plan, last = look.here.plans[each], int(memory["last"][each])
        found[each] = _in_turn(plan, visits[each], last, int(found[each]), rows)
        if not np.isnan(look.along_m[each]) and found[each] > ahead_row(plan, visits[each], last, float("nan")):
            found[each] = -1
    own_way &= found >= 0
    return own_way


def _in_turn(plan: Plan, visits: NDArray[np.uint8], last: int, nearest: int, rows: Ints) -> int:
    """Say which of the stops at one place it is whose turn it is; -1: of none.

    The next of the tour; else what was left out; else what comes first. A place that was visited before is not that of
    a later stop before anything was done elsewhere: the van went round the block.

    Args:
        last: 1 + place in the tour of the last stop visited; 0: none.
        nearest: the stop where the van stands.
        rows: those not visited, inside whose fences it is.
    """
    xy_m = plan.stops[:, :2]
    here = np.hypot(*(xy_m - xy_m[nearest]).T) <= NEXT_DOOR_M
    done = served(visits[: len(xy_m)])
    seen = np.flatnonzero(here & done)
    elsewhere = np.flatnonzero(done & ~here)
    rows = rows[here[rows]]
    if len(seen):
        moved_on = len(elsewhere) > 0 and elsewhere[-1] > seen[-1]
        rows = rows[(rows < seen[-1]) | moved_on]
    if not len(rows):
        return -1
    following = ahead_row(plan, visits, last, float("nan"))
    late = np.where(rows == following, 0, np.where(rows < last, 1, 2))
    return int(rows[np.lexsort((rows, late))[0]])


def out_m_of(here: Here, stops: Floats, van: Ints, row: Ints) -> Floats:
    """Measure how far vans are outside the fences of stops, negative inside.

    Args:
        stops: (k, 5) rows of `Plan.stops`; van, row: (k,) whose, and its place in that tour.
    """
    out_m: Floats = np.sqrt((here.x_m[van] - stops[:, 0]) ** 2 + (here.y_m[van] - stops[:, 1]) ** 2) - stops[:, 2]
    near = np.flatnonzero(out_m < OUTLINE_M)
    for i, whose, at in zip(near.tolist(), van[near].tolist(), row[near].tolist(), strict=True):
        if at in here.plans[whose].polygons:
            out_m[i] = _outside_m(here, whose, at)
    return out_m


def _outside_m(here: Here, van: int, row: int) -> float:
    return outside(here.plans[van], row, float(here.x_m[van]), float(here.y_m[van]))


def _heed_driver(memory: Rows, look: Look, found: Ints) -> None:
    """Do not look elsewhere inside the fence of the stop where the driver says they are, nor open again the one they
    say they left before a fix was outside its fence; writes `left` and `found`."""
    for van in np.flatnonzero(memory["by_driver"] | (memory["left"] != 0)).tolist():
        mine = memory[van]
        if mine["by_driver"] and look.outside_m(van, int(mine["open"]) - 1) <= look.margin_m[van]:
            found[van] = -1
        left = int(mine["left"]) - 1
        if left >= 0:
            if look.outside_m(van, left) > look.margin_m[van]:
                mine["left"] = mine["left_count"] = 0
            elif found[van] < left + mine["left_count"] and found[van] in look.here.plans[van].together[left]:
                found[van] = -1


def away(memory: Rows, look: Look) -> Bools:
    """Tell which vans have left the stop they were at; writes inside_ms and outs."""
    left_it = np.zeros(len(memory), np.bool_)
    at = np.flatnonzero(memory["open"])
    if not len(at):
        return left_it
    row = memory["open"][at].astype(np.int64) - 1
    tours = [look.here.plans[van].stops for van in at.tolist()]
    out_m = out_m_of(look.here, windows(tours, row.tolist(), (row + 1).tolist())[0], at, row)
    inside = out_m <= look.margin_m[at]
    left = out_m > look.vague_m[at] + LEFT_M
    ms, under_way_ms, inside_ms = look.here.ms[at], look.under_way_ms[at], memory["inside_ms"][at]
    # who was not seen for long left no sooner than it must have
    unseen = (look.idle_ms[at] >= NO_FIX_MS) & (ms - inside_ms <= look.idle_ms[at] + under_way_ms + BASE_MS)
    memory["inside_ms"][at] = np.where(inside, ms, np.where(unseen, ms - under_way_ms, inside_ms))
    memory["outs"][at] = np.where(left, np.minimum(memory["outs"][at].astype(np.int64) + 1, 255), 0)
    moving = ~look.slow[at]
    gone = (memory["outs"][at] >= LEFT_OUTS) & (moving | (look.here.ms[at] - memory["inside_ms"][at] >= LEFT_MS))
    drives = look.here.speed_mps[at] >= SLOW_MPS
    left_it[at] = (gone | (drives & (out_m > look.vague_m[at] + FAR_M))) & (memory["inside_ms"][at] != 0)
    return left_it
