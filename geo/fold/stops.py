"""Arrivals and departures at stops, from the fence, the place along the path and slowness together.

A van inside a stop's fence that drives on is no arrival; nor is one that passes the stop on another pass of the path.
Of a van off its path the fence and its standing must be enough. An arrival becomes known when the van has stood for
DWELL_MS, and is dated back to the first fix of that standing.
What the driver says of a visit counts more (`geo.fold.claims`); here it is only looked after.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.fold.numbers import (
    ALONG_PART,
    BASE_MS,
    DWELL_MS,
    FAR_M,
    IDLE_MS,
    LEFT_M,
    LEFT_MS,
    LEFT_OUTS,
    MARGIN,
    MARGIN_VAGUEST_M,
    NEARER_M,
    NEVER_IDLE_MS,
    OFF_PATH_MS,
    OUT_OF_TURN_M,
    OUT_OF_TURN_STOPS,
    OUTLINE_M,
    PIN_M,
    SERVED_M,
)
from geo.fold.tour import AWAITED, VISITS, served
from geo.numbers import BELIEVED_MPS, SLOW_MPS, TYPICAL_MPS, UNSAID_AT_STOP_M, VAGUEST_M
from geo.pings import UNKNOWN_MS, Bools, Floats, Ints, Rows
from geo.plan.numbers import BIN_M, STOP_SLACK_M
from geo.plan.plans import Plan, outside, windows

STANDING = np.dtype(
    [
        ("open", "<i2"),  # 1 + place in the tour of the stop the van is at; 0: none
        ("open_count", "<i2"),  # how many stops of that place share the visit
        ("arrived_ms", "<i8"),
        ("inside_ms", "<i8"),  # last fix inside the fence; 0: none yet, the driver said that they had arrived
        ("outs", "u1"),  # fixes outside in a row
        ("last", "<i2"),  # 1 + place in the tour of the last stop visited; 0: none
        ("candidate", "<i2"),  # 1 + place in the tour of the stop where the van may be standing; 0: none
        ("candidate_ms", "<i8"),
        ("once_ms", "<i8"),  # its last fix there
        ("idle_ms", "<i8"),  # how much less it was under way than the clock says, from the fix before it came
        ("along_m", "<f8"),  # of the last fix; NaN off the path
        ("base", [("ms", "<i8"), ("x_m", "<f8"), ("y_m", "<f8")], (2,)),  # two earlier fixes: older, newer
        ("by_driver", "?"),  # the visit began because the driver said so
        ("said", "<i2"),  # 1 + place of the stop in it whose arrival the driver told last; 0: none
        ("left", "<i2"),  # 1 + place of the first stop that the driver said they left; 0: none, or a fix was outside
        ("left_count", "<i2"),
        (
            "closed",
            "<i2",
        ),  # 1 + place of the first stop of the visit that ended last; 0: none, or its end was corrected
        ("closed_count", "<i2"),
        ("closed_ms", "<i8"),  # when
    ]
)
"""What remains of a driver on a plan, beside the count of visits."""


def fresh(n: int) -> Rows:
    """Make the memory of drivers who begin a plan."""
    memory = np.zeros(n, STANDING)
    memory["base"]["ms"] = UNKNOWN_MS
    memory["along_m"] = np.nan
    return memory


@dataclass(frozen=True, slots=True)
class Visit:
    """One arrival or departure.

    Attributes:
        van: row in the call.
        arrived: True for an arrival, False for a departure.
        row: the stop's place in the tour.
        ordinal: the number of this visit of this stop.
        occurred_ms: when.
    """

    van: int
    arrived: bool
    row: int
    ordinal: int
    occurred_ms: int


def step(
    memory: Rows, visits: NDArray[np.uint8], plans: Sequence[Plan],
    ms: Ints, x_m: Floats, y_m: Floats, along_m: Floats, accuracy_m: Floats, speed_mps: Floats,
) -> tuple[Rows, list[Visit], Bools]:  # fmt: skip
    """Look at one fix each of n drivers.

    Args:
        memory: (n,) of dtype `STANDING`. Not changed.
        visits: (n, MAX_STOPS) of each stop so far, as `geo.fold.tour` reads them. Arrivals are counted here, in place.
        plans: (n) which plan.
        ms: (n,) when, never before the fix before.
        x_m, y_m: (n,) where, metres on the plan's plane.
        along_m: (n,) place along the path; NaN off it.
        accuracy_m, speed_mps: (n,) NaN where the phone did not say.

    Returns:
        The new memory; what happened, van by van; and (n,) which vans stand.
    """
    memory = memory.copy()
    lately_ms = _idle_ms(memory, ms, x_m, y_m, along_m)
    slow = _speed(memory, ms, x_m, y_m, speed_mps) < SLOW_MPS
    vague_m = np.clip(np.where(np.isnan(accuracy_m), UNSAID_AT_STOP_M, accuracy_m), 0.0, VAGUEST_M)
    margin_m = MARGIN * np.minimum(vague_m, MARGIN_VAGUEST_M)
    happened: list[Visit] = []

    away = _away(memory, plans, ms, x_m, y_m, margin_m, vague_m, slow)
    found = _nearest(memory, visits, plans, x_m, y_m, along_m, margin_m)
    own_way = _find_off_path(memory, visits, plans, x_m, y_m, along_m, margin_m, slow, found)
    _heed_driver(memory, plans, x_m, y_m, margin_m, found)
    before = memory["candidate"].astype(np.int64) - 1
    same = (found >= 0) & (found == before)
    idle_ms = np.where(before >= 0, memory["idle_ms"], 0) + lately_ms
    stood = slow | (idle_ms >= IDLE_MS)
    since_ms = np.where(same & stood, memory["candidate_ms"], np.where(found >= 0, ms, 0))
    arriving = same & slow & (ms - since_ms >= np.where(own_way, OFF_PATH_MS, DWELL_MS))
    # inside for a fix or two, and gone: it stood there if the clock says so, and the phone does not say it drove
    never = _unseen(visits[np.arange(len(memory)), np.maximum(before, 0)])
    passed = (before >= 0) & ~same & never & (memory["open"] == 0) & (idle_ms >= IDLE_MS)
    were_ms = memory["candidate_ms"].tolist(), memory["once_ms"].tolist()
    memory["candidate"], memory["candidate_ms"] = found + 1, since_ms
    memory["once_ms"] = np.where(found >= 0, ms, 0)
    # one that stood there is idle until it is seen to drive; one that drives, not before it is seen to stand
    begins_ms = np.where((speed_mps > SLOW_MPS) | own_way, NEVER_IDLE_MS, lately_ms)
    idle_ms = np.where(same & (memory["idle_ms"] >= 0), idle_ms, begins_ms)
    memory["idle_ms"] = np.where(found < 0, 0, idle_ms)

    for van in np.flatnonzero(away | arriving | passed).tolist():
        mine, plan = memory[van], plans[van]
        if mine["open"]:
            left_ms = int(mine["inside_ms"] if away[van] else since_ms[van])
            happened += close(memory, van, visits[van], left_ms)
        if passed[van]:
            first_ms, last_ms = were_ms[0][van], were_ms[1][van]
            happened += _open(memory, van, visits[van], plan, int(before[van]), first_ms, last_ms)
            if arriving[van]:
                happened += close(memory, van, visits[van], last_ms)
        if arriving[van]:
            last = int(mine["last"])
            happened += _open(memory, van, visits[van], plan, int(found[van]), int(since_ms[van]), int(ms[van]))
            if own_way[van]:  # says nothing about the stops before it
                mine["last"] = last
    return memory, happened, slow


def close(memory: Rows, van: int, visits: NDArray[np.uint8], left_ms: int) -> list[Visit]:
    """End the open visit of one van, if there is one, never before it began; writes into `memory`."""
    mine = memory[van]
    first, count = int(mine["open"]) - 1, int(mine["open_count"])
    if first < 0:
        return []
    left_ms = max(left_ms, int(mine["arrived_ms"]))
    mine["open"] = mine["open_count"] = mine["arrived_ms"] = mine["inside_ms"] = mine["outs"] = 0
    mine["by_driver"], mine["said"] = False, 0
    mine["closed"], mine["closed_count"], mine["closed_ms"] = first + 1, count, left_ms
    return [Visit(van, False, row, int(visits[row]) & VISITS, left_ms) for row in range(first, first + count)]


def begin(memory: Rows, van: int, visits: NDArray[np.uint8], row: int, count: int, since_ms: int) -> list[Visit]:
    """Open a visit of one van at stops that share it; writes into `memory` and `visits`."""
    mine = memory[van]
    mine["open"], mine["open_count"], mine["last"] = row + 1, count, row + count
    mine["arrived_ms"], mine["inside_ms"], mine["outs"] = since_ms, 0, 0
    mine["candidate"] = mine["candidate_ms"] = 0
    for each in range(row, row + count):
        visits[each] = (int(visits[each]) & ~(AWAITED | VISITS)) | min((int(visits[each]) & VISITS) + 1, VISITS)
    return [Visit(van, True, each, int(visits[each]) & VISITS, since_ms) for each in range(row, row + count)]


def pin(memory: Rows, slow: Bools, ms: Ints, along_m: Floats, was_ms: Ints, was_along_m: Floats) -> tuple[Ints, Floats]:
    """Say where vans that stand at a stop are. Fixes walk about while vans stand: it is the mean of their places.

    Args:
        memory, slow: (n,) as `step` gives them back.
        ms, along_m: (n,) as it was given them.
        was_ms, was_along_m: (n,) of the fix before, and what was told of it; NaN where nothing was.

    Returns:
        Who stands, and where along the path.
    """
    at_stop = slow & (memory["open"] > 0) & (memory["outs"] == 0)
    van = np.flatnonzero(at_stop & (np.abs(along_m - was_along_m) <= PIN_M))
    stood_ms = np.maximum(ms[van] - memory["arrived_ms"][van], 1)
    share = np.minimum((ms[van] - was_ms[van]) / stood_ms, 1.0)
    return van, was_along_m[van] + share * (along_m[van] - was_along_m[van])


def _open(
    memory: Rows, van: int, visits: NDArray[np.uint8], plan: Plan, row: int, since_ms: int, ms: int
) -> list[Visit]:
    count = 1
    while count < plan.together[row] and not served(visits[row + count]):
        count += 1
    begun = begin(memory, van, visits, row, count, since_ms)
    memory["inside_ms"][van] = ms
    return begun


def _find_off_path(
    memory: Rows, visits: NDArray[np.uint8], plans: Sequence[Plan],
    x_m: Floats, y_m: Floats, along_m: Floats, margin_m: Floats, slow: Bools, found: Ints,
) -> Bools:  # fmt: skip
    """Find the nearest unvisited stop inside whose fence a van off its path stands, if it is at none; writes `found`.

    Returns:
        (n,) which vans were found so.
    """
    own_way: Bools = slow & np.isnan(along_m) & (memory["open"] == 0)
    vans = np.flatnonzero(own_way)
    if not len(vans):
        return own_way
    tours = [plans[van].stops for van in vans.tolist()]
    pieces, starts = windows(tours, [0] * len(vans), [len(tour) for tour in tours])
    van = np.repeat(vans, np.diff(starts))
    row = np.arange(len(pieces)) - np.repeat(starts[:-1], np.diff(starts))
    out_m = _out_m(plans, pieces, van, row, x_m, y_m)
    inside = np.flatnonzero(out_m <= margin_m[van])
    inside = inside[_unseen(visits[van[inside], row[inside]])]
    nearest_last = inside[np.argsort(-(out_m + pieces[:, 2])[inside], kind="stable")]
    found[van[nearest_last]] = row[nearest_last]
    own_way &= found >= 0
    return own_way


def _out_m(plans: Sequence[Plan], stops: Floats, van: Ints, row: Ints, x_m: Floats, y_m: Floats) -> Floats:
    """Measure how far vans are outside the fences of stops, negative inside.

    Args:
        stops: (k, 5) rows of `Plan.stops`; van, row: (k,) whose, and its place in that tour.
    """
    out_m: Floats = np.sqrt((x_m[van] - stops[:, 0]) ** 2 + (y_m[van] - stops[:, 1]) ** 2) - stops[:, 2]
    for i in np.flatnonzero(out_m < OUTLINE_M).tolist():
        if plans[van[i]].polygons and int(row[i]) in plans[van[i]].polygons:
            out_m[i] = outside(plans[van[i]], int(row[i]), float(x_m[van[i]]), float(y_m[van[i]]))
    return out_m


def _unseen(visits: NDArray[np.uint8]) -> Bools:
    """Tell which stops were not visited, or are to be visited again."""
    unseen: Bools = ((visits & VISITS) == 0) | ((visits & AWAITED) != 0)
    return unseen


def _heed_driver(memory: Rows, plans: Sequence[Plan], x_m: Floats, y_m: Floats, margin_m: Floats, found: Ints) -> None:
    """Do not look elsewhere inside the fence of the stop where the driver says they are, nor open again the one they
    say they left before a fix was outside its fence; writes `left` and `found`."""
    for van in np.flatnonzero(memory["by_driver"] | (memory["left"] != 0)).tolist():
        mine, at = memory[van], (float(x_m[van]), float(y_m[van]))
        if mine["by_driver"] and outside(plans[van], int(mine["open"]) - 1, *at) <= margin_m[van]:
            found[van] = -1
        left = int(mine["left"]) - 1
        if left >= 0:
            if outside(plans[van], left, *at) > margin_m[van]:
                mine["left"] = mine["left_count"] = 0
            elif left <= found[van] < left + mine["left_count"]:
                found[van] = -1


def _idle_ms(memory: Rows, ms: Ints, x_m: Floats, y_m: Floats, along_m: Floats) -> Ints:
    """Tell how much longer vans took since the fix before than driving takes; 0 where fixes are too dense to say."""
    last = memory["base"][:, 1]
    known = (last["ms"] != UNKNOWN_MS) & (ms - np.where(last["ms"] == UNKNOWN_MS, ms, last["ms"]) >= BASE_MS)
    straight_m = np.sqrt((x_m - last["x_m"]) ** 2 + (y_m - last["y_m"]) ** 2)
    moved_m = np.fmax(straight_m, np.abs(along_m - memory["along_m"]))
    memory["along_m"] = along_m
    under_way_ms = np.rint(moved_m * (1000 / TYPICAL_MPS))
    return np.where(known, np.maximum(ms - np.where(known, last["ms"], ms) - under_way_ms, 0), 0).astype(np.int64)


def _speed(memory: Rows, ms: Ints, x_m: Floats, y_m: Floats, speed_mps: Floats) -> Floats:
    """Speed over ground, the phone's where it tells; writes the bases. Infinite while nothing is known."""
    base = memory["base"]
    step_on = (base["ms"][:, 1] == UNKNOWN_MS) | (ms - base["ms"][:, 1] >= BASE_MS)
    for name, column in (("ms", ms), ("x_m", x_m), ("y_m", y_m)):
        base[name][:, 0] = np.where(step_on, base[name][:, 1], base[name][:, 0])
        base[name][:, 1] = np.where(step_on, column, base[name][:, 1])
    older = base[:, 0]
    known = (older["ms"] != UNKNOWN_MS) & (ms > older["ms"])
    seconds = np.where(known, ms - np.where(known, older["ms"], ms), 1) / 1000
    moved_m = np.sqrt((x_m - older["x_m"]) ** 2 + (y_m - older["y_m"]) ** 2)
    told = speed_mps <= BELIEVED_MPS
    return np.where(told, speed_mps, np.where(known, moved_m / seconds, np.inf))


def _away(
    memory: Rows, plans: Sequence[Plan], ms: Ints, x_m: Floats, y_m: Floats,
    margin_m: Floats, vague_m: Floats, slow: Bools,
) -> Bools:  # fmt: skip
    """Tell which vans have left the stop they were at; writes inside_ms and outs."""
    away = np.zeros(len(memory), np.bool_)
    at = np.flatnonzero(memory["open"])
    if not len(at):
        return away
    rows = memory["open"][at].tolist()
    stops = np.array([plans[van].stops[row - 1, :3] for van, row in zip(at.tolist(), rows, strict=True)])
    out_m = np.sqrt((x_m[at] - stops[:, 0]) ** 2 + (y_m[at] - stops[:, 1]) ** 2) - stops[:, 2]
    for i, (van, row) in enumerate(zip(at.tolist(), rows, strict=True)):
        if plans[van].polygons and row - 1 in plans[van].polygons:
            out_m[i] = outside(plans[van], row - 1, float(x_m[van]), float(y_m[van]))
    inside = out_m <= margin_m[at]
    left = out_m > vague_m[at] + LEFT_M
    memory["inside_ms"][at] = np.where(inside, ms[at], memory["inside_ms"][at])
    memory["outs"][at] = np.where(left, np.minimum(memory["outs"][at].astype(np.int64) + 1, 255), 0)
    moving = ~slow[at]
    gone = (memory["outs"][at] >= LEFT_OUTS) & (moving | (ms[at] - memory["inside_ms"][at] >= LEFT_MS))
    away[at] = (gone | (moving & (out_m > vague_m[at] + FAR_M))) & (memory["inside_ms"][at] != 0)
    return away


def _nearest(
    memory: Rows, visits: NDArray[np.uint8], plans: Sequence[Plan],
    x_m: Floats, y_m: Floats, along_m: Floats, margin_m: Floats,
) -> Ints:  # fmt: skip
    """Find the stop each van is inside and nearer to than to the one it is at: its place in the tour; -1 for none."""
    n = len(plans)
    found = np.full(n, -1)
    on = np.flatnonzero(~np.isnan(along_m))
    bins = (np.maximum(along_m[on], 0) / BIN_M).astype(np.int64).tolist()
    spans = [plans[van].stops_near[bin_] for van, bin_ in zip(on.tolist(), bins, strict=True)]
    near = [i for i, (first, past) in enumerate(spans) if past > first]
    if not near:
        return found
    vans = on[near]
    first = [spans[i][0] for i in near]
    pieces, starts = windows([plans[van].stops for van in vans.tolist()], first, [spans[i][1] for i in near])
    count = np.diff(starts)
    which = np.repeat(np.arange(len(vans)), count)
    van = vans[which]
    row = np.arange(len(pieces)) - starts[:-1][which] + np.array(first)[which]

    out_m = _out_m(plans, pieces, van, row, x_m, y_m)
    apart_m = np.abs(pieces[:, 3] - along_m[van])
    away_m = np.maximum(out_m + pieces[:, 2], 0.0) + ALONG_PART * apart_m
    first_open, open_count = memory["open"].astype(np.int64) - 1, memory["open_count"]
    here = (row >= first_open[van]) & (row < (first_open + open_count)[van])
    here_m = np.minimum.reduceat(np.where(here, away_m, np.inf), starts[:-1])
    inside = (out_m <= margin_m[van]) & (apart_m <= STOP_SLACK_M) & ~here & (away_m + NEARER_M <= here_m[which])
    passed_over = np.clip(row - memory["last"].astype(np.int64)[van], 0, OUT_OF_TURN_STOPS)
    counted = visits[van, row]
    # a drifting phone does not go back to the stop next door
    inside &= _unseen(counted) | (first_open < 0)[van]
    cost = np.where(inside, away_m + OUT_OF_TURN_M * passed_over + np.where(served(counted), SERVED_M, 0.0), np.inf)
    cheapest = np.minimum.reduceat(cost, starts[:-1])
    best = np.flatnonzero(cost == cheapest[which])
    best = best[np.searchsorted(which[best], np.arange(len(vans)))]
    found[vans] = np.where(np.isfinite(cheapest), row[best], -1)
    return found
