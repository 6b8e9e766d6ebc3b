"""Who stands, at which stop and since when, from the fence, the place along the path and slowness together.

A van inside a stop's fence that drives on is no arrival; nor is one that passes the stop on another pass of the path.
Of a van off its path the fence and its standing must be enough, and of one at the next stop's door on another pass. An
arrival becomes known when the van has stood for DWELL_MS, and is dated back to the first fix of that standing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.numbers import BELIEVED_MPS, SLOW_MPS, TYPICAL_MPS, UNSAID_AT_STOP_M, VAGUEST_M
from geo.pings import UNKNOWN_MS, Bools, Floats, Ints, Rows, copied
from geo.trust.fixes import Here
from geo.visits.near_stops import Look, away, long_enough, stop_of, unseen
from geo.visits.numbers import (
    BASE_MS,
    BY_CLOCK,
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
from geo.visits.tour import ahead_row

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
