"""Arrivals and departures at stops, from the fence, the place along the path and slowness together.

A van inside a stop's fence that drives on is no arrival; nor is one that passes the stop on another pass of the path.
Of a van off its path the fence and its standing must be enough, and of one at the next stop's door on another pass. An
arrival becomes known when the van has stood for DWELL_MS, and is dated back to the first fix of that standing.
What the driver says of a visit counts more (`geo.fold.claims`); here it is only looked after.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geo.numbers import BELIEVED_MPS, SLOW_MPS, TYPICAL_MPS, UNSAID_AT_STOP_M, VAGUEST_M
from geo.pings import UNKNOWN_MS, Bools, Floats, Ints, Rows, copied
from geo.plan.numbers import MAX_STOPS
from geo.plan.plans import Plan
from geo.trust.fixes import Here
from geo.visits.near_stops import Look, away, long_enough, stop_of, unseen
from geo.visits.numbers import (
    BASE_MS,
    BY_CLOCK,
    BY_FENCE,
    BY_STANDING,
    DROVE_MS,
    DROVE_PART,
    DWELL_MS,
    IDLE_LEAST_MS,
    IDLE_MS,
    IDLE_PART,
    MARGIN,
    MARGIN_VAGUEST_M,
    NO_FIX_MS,
    OFF_PATH_MS,
    PIN_M,
    UNSEEN_MS,
)
from geo.visits.tour import AWAITED, HERE, VISITS, ahead_row, rows_here, served

STANDING = np.dtype(
    [
        ("open", "<i2"),  # 1 + place in the tour of the first stop the van is at; 0: none. All: geo.visits.tour.HERE
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
        ("stands", [("ms", "<i8"), ("x_m", "<f8"), ("y_m", "<f8")]),  # since when and where, at no stop; UNKNOWN_MS
        ("drove", "?"),  # since the visit began the phone told a speed: the van may stand at another stop by now
        ("by_driver", "?"),  # the visit began because the driver said so
        ("said", "<i2"),  # 1 + place of the stop in it whose arrival the driver told last; 0: none
        ("left", "<i2"),  # 1 + place of the first stop that the driver said they left; 0: none, or a fix was outside
        ("left_count", "<i2"),  # from that to the last of them in the tour
        ("closed", "<i2"),  # the same of the visit that ended last; 0: none, or its end was corrected
        ("closed_count", "<i2"),
        ("closed_ms", "<i8"),  # when
    ]
)
"""What remains of a driver on a plan, beside the count of visits."""


def fresh(n: int) -> Rows:
    """Make the memory of drivers who begin a plan."""
    memory = np.zeros(n, STANDING)
    memory["base"]["ms"] = memory["stands"]["ms"] = UNKNOWN_MS
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
        certainty: 0 to 1, how likely an arrival is one; 1 where the driver says so.
    """

    van: int
    arrived: bool
    row: int
    ordinal: int
    occurred_ms: int
    certainty: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stand:
    """What one fix each of n drivers says before it is known where on their paths they are.

    Attributes:
        memory: (n,) of dtype `STANDING`, the new one.
        slow: (n,) which vans stand, or are driven no faster than a driver walks.
        gap_ms: (n,) since a fix some seconds ago; 0 where fixes are too dense to say.
        straight_m: (n,) how far they are from it.
        vague_m: (n,) how far off each fix may be.
        margin_m: (n,) outside a fence by at most this it counts as inside.
    """

    memory: Rows
    slow: Bools
    gap_ms: Ints
    straight_m: Floats
    vague_m: Floats
    margin_m: Floats


def stand(memory: Rows, here: Here) -> Stand:
    """Look at one fix each of n drivers, wherever their paths lead.

    Args:
        memory: (n,) of dtype `STANDING`. Not changed.
    """
    memory = copied(memory)
    gap_ms, straight_m = _gap(memory, here)
    slow = _speed(memory, here) < SLOW_MPS
    _note_stand(memory, here, slow)
    accuracy_m = np.where(np.isnan(here.accuracy_m), UNSAID_AT_STOP_M, here.accuracy_m)
    vague_m = np.clip(accuracy_m, 0.0, VAGUEST_M)
    margin_m = MARGIN * np.minimum(vague_m, MARGIN_VAGUEST_M)
    return Stand(
        memory=memory, slow=slow, gap_ms=gap_ms, straight_m=straight_m, vague_m=vague_m, margin_m=margin_m
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stood:
    """Who of n vans stood at a stop, long enough or not, and who has left one.

    Attributes:
        slow: (n,) which vans stand, or are driven no faster than a driver walks.
        gone: (n,) who has left the stop where they were.
        row: (n,) where, its place in the tour; -1: at none.
        since_ms: (n,) since when.
        own_way: (n,) off the path, or on another pass of it than the stop's.
        arriving: (n,) long enough: an arrival.
        passed: (n,) who stood at the one before for a fix or two, as the clock says, and is gone.
        before, first_ms, last_ms: (n,) that stop, and when it came and left.
        was_off: (n,) the fix before was off the path.
        certainty: (n,) how sure it is that who was at the one before stood there.
    """

    slow: Bools
    gone: Bools
    row: Ints
    since_ms: Ints
    own_way: Bools
    arriving: Bools
    passed: Bools
    before: Ints
    first_ms: Ints
    last_ms: Ints
    was_off: Bools
    certainty: Floats


def look(stand: Stand, visits: NDArray[np.uint8], here: Here, along_m: Floats) -> Stood:
    """Find out who stands at a stop, and who has left one.

    Args:
        stand: what `stand` gives; its memory is written into.
        visits: (n, MAX_STOPS) of each stop so far, as `geo.visits.tour` reads them. Not changed.
        along_m: (n,) place along the path; NaN off it.
    """
    memory = stand.memory
    was_off = np.isnan(memory["along_m"])
    idle_ms, under_way_ms = _idle_ms(stand, along_m)
    seen = Look(
        here=here, along_m=along_m, vague_m=stand.vague_m, margin_m=stand.margin_m, slow=stand.slow,
        idle_ms=idle_ms, under_way_ms=under_way_ms,
    )  # fmt: skip
    return _stood(memory, visits, seen, was_off, away(memory, seen))


def has_stayed(memory: Rows) -> Bools:
    """Tell which vans stand where their visit began: (n,), as far as their phones say."""
    stayed: Bools = (memory["open"] > 0) & (memory["outs"] == 0) & ~memory["drove"]
    return stayed


def come_and_go(memory: Rows, visits: NDArray[np.uint8], here: Here, stood: Stood) -> list[Visit]:
    """Close the visits of vans that have left, and open those of vans that have come.

    Args:
        memory: (n,) as `look` left it; written into.
        visits: (n, MAX_STOPS) of each stop so far. Arrivals are counted in place.

    Returns:
        What happened, van by van.
    """
    happened: list[Visit] = []
    for van in np.flatnonzero(stood.gone | stood.arriving | stood.passed).tolist():
        happened += _come_and_go(memory, van, visits[van], here, stood)
    return happened


def _stood(memory: Rows, visits: NDArray[np.uint8], look: Look, was_off: Bools, gone: Bools) -> Stood:
    """Find out where vans stand and since when; writes it into the memory, for the next fix.

    Args:
        was_off: (n,) the fix before was off the path.
        gone: (n,) who has left the stop where they were.
    """
    ms, lately_ms = look.here.ms, look.idle_ms
    found, own_way = stop_of(memory, visits, look)
    before = memory["candidate"].astype(np.int64) - 1
    same = (found >= 0) & (found == before)
    drove = memory["idle_ms"] < 0
    idle_ms = np.where(before >= 0, memory["idle_ms"], 0) + lately_ms
    idle_ms -= np.where(drove, DROVE_PART * look.under_way_ms, 0).astype(np.int64)
    silent = lately_ms >= NO_FIX_MS
    hidden_ms = np.where(silent & (memory["open"] == 0) & (look.under_way_ms <= UNSEEN_MS), lately_ms, 0)
    stays = look.slow | (idle_ms >= IDLE_MS)
    since_ms = np.where(same & stays, memory["candidate_ms"], np.where(found >= 0, ms - hidden_ms, 0))
    dwell_ms = np.where(own_way, OFF_PATH_MS, DWELL_MS)
    arriving = same & look.slow & (ms - since_ms >= dwell_ms)
    arriving &= own_way | long_enough(
        memory, visits, look, np.where(arriving & ~own_way, found, -1), ms - since_ms, dwell_ms
    )
    # inside for a fix or two, and gone: it stood there if the clock says so, and the phone does not say it drove
    never = unseen(visits[np.arange(len(memory)), np.maximum(before, 0)])
    enough_ms = np.clip(IDLE_PART * (ms - memory["candidate_ms"]), IDLE_LEAST_MS, IDLE_MS)
    passed = (before >= 0) & ~same & never & (idle_ms >= enough_ms)
    passed = long_enough(memory, visits, look, np.where(passed, before, -1), idle_ms, enough_ms)
    moved_on = gone | (found >= 0) | (memory["outs"] > 0)
    passed &= _free(memory, visits, look, np.where(passed & moved_on, before, -1), gone)
    stood = Stood(
        slow=look.slow, gone=gone, row=found, since_ms=since_ms, own_way=own_way, arriving=arriving, passed=passed,
        before=before, first_ms=memory["candidate_ms"].copy(), was_off=was_off,
        last_ms=memory["once_ms"] + np.where(silent, lately_ms, 0),
        certainty=np.interp(idle_ms, *BY_CLOCK),
    )  # fmt: skip
    memory["candidate"], memory["candidate_ms"] = found + 1, since_ms
    memory["once_ms"] = np.where(found >= 0, ms, 0)
    # one that stood there is idle until it is seen to drive; one that drives, not before the clock has made up for it
    drives = (look.here.speed_mps > SLOW_MPS) | own_way
    begins_ms = np.where(drives, hidden_ms - DROVE_MS, lately_ms)
    idle_ms = np.where(same & (~drove | (idle_ms >= IDLE_MS)), idle_ms, begins_ms)
    memory["idle_ms"] = np.where(found < 0, 0, idle_ms)
    return stood


def _free(memory: Rows, visits: NDArray[np.uint8], look: Look, before: Ints, gone: Bools) -> Bools:
    """Tell whose stop did not hold them while they stood at another: they were at none, or had left it.

    Where fences overlap, nobody is seen to leave. Then who went on to the next of the tour, and on from there, has.

    Args:
        before: (n,) the other, of who has gone on from there; -1: who has not.
        gone: (n,) who has left the stop where they were.
    """
    free: Bools = (memory["open"] == 0) | gone & (memory["inside_ms"] < memory["candidate_ms"])
    for van in np.flatnonzero(~free & (before >= 0) & (memory["inside_ms"] != 0)).tolist():
        last = int(memory["last"][van])
        free[van] = ahead_row(look.here.plans[van], visits[van], last, float("nan")) == before[van]
    return free


def _come_and_go(memory: Rows, van: int, visits: NDArray[np.uint8], here: Here, stood: Stood) -> list[Visit]:
    """Close the visit of one van that has left, and open that of one that has come; writes into memory and visits."""
    mine, plan = memory[van], here.plans[van]
    happened: list[Visit] = []
    if mine["open"]:
        left_ms = int(mine["inside_ms"] if stood.gone[van] else stood.since_ms[van])
        if stood.passed[van]:
            left_ms = min(int(mine["inside_ms"]), int(stood.first_ms[van]))
        happened += close(memory, van, visits, left_ms)
    if stood.passed[van]:
        last, last_ms = int(mine["last"]), int(stood.last_ms[van])
        begun = _open(memory, van, visits, plan, int(stood.before[van]), int(stood.first_ms[van]), last_ms)
        happened += _sure(begun, float(stood.certainty[van]))
        if stood.was_off[van]:
            mine["last"] = last
        if stood.row[van] >= 0 and not visits[stood.row[van]] & HERE:  # it may be standing at the one after
            mine["candidate"], mine["candidate_ms"] = stood.row[van] + 1, stood.since_ms[van]
        if stood.arriving[van]:
            happened += close(memory, van, visits, last_ms)
    if stood.arriving[van]:
        last = int(mine["last"])
        since_ms, ms = int(stood.since_ms[van]), int(here.ms[van])
        begun = _open(memory, van, visits, plan, int(stood.row[van]), since_ms, ms)
        happened += _sure(begun, BY_FENCE if stood.own_way[van] else BY_STANDING)
        if stood.own_way[van]:  # says nothing about the stops before it
            mine["last"] = last
    return happened


def close(memory: Rows, van: int, visits: NDArray[np.uint8], left_ms: int, *, upto: int = MAX_STOPS) -> list[Visit]:
    """End the open visit of one van, if there is one, never before it began; writes into `memory` and `visits`.

    Args:
        upto: only of stops up to this place in the tour: at the others, if there are any, the van still is.
    """
    mine = memory[van]
    if not mine["open"]:
        return []
    rows = rows_here(visits)
    left, stay = [row for row in rows if row <= upto], [row for row in rows if row > upto]
    left_ms = max(left_ms, int(mine["arrived_ms"]))
    if stay:
        mine["open"] = stay[0] + 1
    else:
        mine["open"] = mine["arrived_ms"] = mine["inside_ms"] = mine["outs"] = 0
        mine["drove"], mine["by_driver"], mine["said"] = False, False, 0
    mine["closed"], mine["closed_count"], mine["closed_ms"] = left[0] + 1, left[-1] - left[0] + 1, left_ms
    visits[left] &= ~np.uint8(HERE)
    return [Visit(van, False, row, int(visits[row]) & VISITS, left_ms) for row in left]


def begin(
    memory: Rows, van: int, visits: NDArray[np.uint8], row: int, since_ms: int, shared: Sequence[int] = ()
) -> list[Visit]:
    """Open a visit of one van; writes into `memory` and `visits`.

    Args:
        row: the stop's place in the tour.
        shared: those of all stops that share the visit, ascending, with `row`; none: only that one.
    """
    mine, rows = memory[van], shared or (row,)
    last = row + 1
    while last in rows:
        last += 1
    mine["open"], mine["last"] = rows[0] + 1, last
    mine["arrived_ms"], mine["inside_ms"], mine["outs"] = since_ms, 0, 0
    mine["candidate"] = mine["candidate_ms"] = 0
    mine["drove"] = False
    for each in rows:
        count = min((int(visits[each]) & VISITS) + 1, VISITS)
        visits[each] = (int(visits[each]) & ~(AWAITED | VISITS)) | HERE | count
    return [Visit(van, True, each, int(visits[each]) & VISITS, since_ms) for each in rows]


def pin(memory: Rows, slow: Bools, ms: Ints, along_m: Floats, was: Rows) -> tuple[Ints, Floats]:
    """Say where vans that stand at a stop are. Fixes walk about while vans stand: it is the mean of their places.

    Args:
        memory, slow: (n,) as `step` gives them back.
        ms, along_m: (n,) as it was given them.
        was: (n,) of dtype `geo.snap.snap.SNAP`, of the fix before.

    Returns:
        Who stands, and where along the path.
    """
    was_ms, was_along_m = was["ms"], was["along_m"]
    at_stop = slow & (memory["open"] > 0) & (memory["outs"] == 0)
    van = np.flatnonzero(at_stop & (np.abs(along_m - was_along_m) <= PIN_M))
    stood_ms = np.maximum(ms[van] - memory["arrived_ms"][van], 1)
    share = np.minimum((ms[van] - was_ms[van]) / stood_ms, 1.0)
    return van, was_along_m[van] + share * (along_m[van] - was_along_m[van])


def _open(
    memory: Rows, van: int, visits: NDArray[np.uint8], plan: Plan, row: int, since_ms: int, ms: int
) -> list[Visit]:
    shared = [each for each in plan.together[row] if each == row or not served(visits[each])]
    begun = begin(memory, van, visits, row, since_ms, shared)
    memory["inside_ms"][van] = ms
    return begun


def _sure(begun: list[Visit], certainty: float) -> list[Visit]:
    """Say how sure arrivals are."""
    return [replace(visit, certainty=certainty) for visit in begun]


def _gap(memory: Rows, here: Here) -> tuple[Ints, Floats]:
    """Tell how long ago and how far away the newer base is; no time where fixes are too dense to say."""
    last = memory["base"][:, 1]
    known = last["ms"] != UNKNOWN_MS
    gap_ms = np.where(known, here.ms - np.where(known, last["ms"], here.ms), 0)
    straight_m = np.sqrt((here.x_m - last["x_m"]) ** 2 + (here.y_m - last["y_m"]) ** 2)
    return np.where(gap_ms >= BASE_MS, gap_ms, 0), straight_m


def _idle_ms(stand: Stand, along_m: Floats) -> tuple[Ints, Ints]:
    """Tell how much longer vans took since the fix before than driving takes, and what it takes; 0 where fixes are too
    dense to say."""
    moved_m = np.fmax(stand.straight_m, np.abs(along_m - stand.memory["along_m"]))
    stand.memory["along_m"] = along_m
    under_way_ms = np.where(stand.gap_ms > 0, np.rint(moved_m * (1000 / TYPICAL_MPS)), 0).astype(np.int64)
    return np.maximum(stand.gap_ms - under_way_ms, 0), under_way_ms


def _note_stand(memory: Rows, here: Here, slow: Bools) -> None:
    """Note since when and where vans stand; who is at a stop stands there since now, who creeps does not stand."""
    stands = memory["stands"]
    moved_m = np.sqrt((here.x_m - stands["x_m"]) ** 2 + (here.y_m - stands["y_m"]) ** 2)
    drives = (here.speed_mps >= SLOW_MPS) & (here.speed_mps <= BELIEVED_MPS)
    memory["drove"] |= drives & (memory["open"] > 0) & (memory["inside_ms"] != 0)
    anew = ~slow | has_stayed(memory) | (stands["ms"] == UNKNOWN_MS) | (moved_m > PIN_M)
    for name, column in (("ms", np.where(slow, here.ms, UNKNOWN_MS)), ("x_m", here.x_m), ("y_m", here.y_m)):
        stands[name] = np.where(anew, column, stands[name])


def _speed(memory: Rows, here: Here) -> Floats:
    """Speed over ground, the phone's where it tells; writes the bases. Infinite while nothing is known."""
    ms, x_m, y_m = here.ms, here.x_m, here.y_m
    base = memory["base"]
    step_on = (base["ms"][:, 1] == UNKNOWN_MS) | (ms - base["ms"][:, 1] >= BASE_MS)
    for name, column in (("ms", ms), ("x_m", x_m), ("y_m", y_m)):
        base[name][:, 0] = np.where(step_on, base[name][:, 1], base[name][:, 0])
        base[name][:, 1] = np.where(step_on, column, base[name][:, 1])
    older = base[:, 0]
    known = (older["ms"] != UNKNOWN_MS) & (ms > older["ms"])
    seconds = np.where(known, ms - np.where(known, older["ms"], ms), 1) / 1000
    moved_m = np.sqrt((x_m - older["x_m"]) ** 2 + (y_m - older["y_m"]) ** 2)
    told = here.speed_mps <= BELIEVED_MPS
    return np.where(told, here.speed_mps, np.where(known, moved_m / seconds, np.inf))
