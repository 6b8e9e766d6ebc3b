"""How far a driver is through a tour: what is served, what comes next, how late, done.

What a track counts of each stop is one byte: the visits, two bits of what was said of it, and whether the van is there.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.pings import Ints, Rows
from geo.plan.numbers import BIN_M, DEPOT_M
from geo.plan.plans import Plan
from geo.visits.numbers import HOME_M, SERVED_PART

DONE = 0x80
"""The driver said that there is nothing more to do at the stop, visited or not."""

AWAITED = 0x40
"""What there was of the stop does not count any more: the tour is not done before it is visited (again)."""

HERE = 0x20
"""The visit of the stop is open: the van is there."""

VISITS = 0x1F
"""The bits that count visits."""


def served(visits: Any) -> Any:
    """Tell which stops need no (further) visit; of bytes as a track counts them, or of one."""
    return ((visits & (DONE | VISITS)) != 0) & ((visits & AWAITED) == 0)


def ahead_row(plan: Plan, visits: NDArray[np.uint8], last: int, along_m: float) -> int:
    """Find the first stop not yet served at or after where the van is.

    Stops passed over while a later one was visited do not count, nor do those the van has driven past by more than
    `STOP_SLACK_M` and a bin.

    Args:
        visits: of each stop.
        last: 1 + place in the tour of the last stop visited; 0 for none.
        along_m: place along the path; NaN: not yet on it.

    Returns:
        Its place in the tour; the number of stops when none is left.
    """
    row = last
    if along_m == along_m:
        row = max(row, plan.next_from[min(int(along_m / BIN_M), len(plan.next_from) - 1)])
    count = len(plan.stop_ids)
    while row < count and visits[row] and served(visits[row]):
        row += 1
    return row


def open_rows(plan: Plan, visits: NDArray[np.uint8], *, worded: bool) -> Ints:
    """Find the stops of which nobody knows yet what became of them, in the order of the tour.

    Args:
        visits: of each stop.
        worded: the driver says what becomes of stops: then having been there is no outcome. A driver who never does
            has visits only, and they are enough.
    """
    visits = visits[: len(plan.stop_ids)]
    awaited = (visits & AWAITED) != 0
    done = (visits & DONE) != 0 if worded else served(visits)
    return np.flatnonzero(awaited | (plan.owed & ~done))


def next_row(plan: Plan, visits: NDArray[np.uint8], last: int, along_m: float, *, worded: bool) -> int:
    """Find the stop that the van comes to next: the first ahead of it, when there is none the first that is open.

    Args:
        visits, worded: as in `open_rows`.
        last, along_m: as in `ahead_row`.

    Returns:
        Its place in the tour; the number of stops when none is left.
    """
    row = ahead_row(plan, visits, last, along_m)
    if row == len(plan.stop_ids):
        left = open_rows(plan, visits, worded=worded)
        return int(left[0]) if len(left) else row
    return row


def rows_here(visits: NDArray[np.uint8]) -> list[int]:
    """Give the places in the tour of the stops where the van is; none while it is at none."""
    rows: list[int] = np.flatnonzero(visits & HERE).tolist()
    return rows


def rows_here_of(visits: NDArray[np.uint8]) -> list[list[int]]:
    """Give `rows_here` of each of n vans at once, (n, MAX_STOPS)."""
    found: list[list[int]] = [[] for _ in visits]
    for van, row in np.argwhere((visits & HERE) != 0).tolist():
        found[van].append(row)
    return found


def delay_s(plan: Plan, row: int, along_m: float, ms: int, *, at: Sequence[int] = (), arrived_ms: int = 0) -> float:
    """Tell how far behind its plan a van is.

    At a stop: how late it came, or how much longer than planned it has been there if that is more. Under way: against
    the time at which the plan has it there, in proportion of the way between the stop before and the next.

    Args:
        row: `next_row`.
        along_m: place along the path; NaN counts as its start.
        ms: now, by the last believed ping.
        at, arrived_ms: the stops the van is at, which share the visit, and since when.

    Returns:
        Seconds, negative ahead of the plan; NaN when the plan has no times or no stop is left.
    """
    table = plan.timetable
    if not table:
        return float("nan")
    if at:
        done_ms = table[at[0]][0]
        for due_ms, served_ms, _ in (table[each] for each in at):
            done_ms += served_ms - due_ms
        return max(arrived_ms - table[at[0]][0], ms - done_ms) / 1000
    if row == len(table):
        return float("nan")
    due_ms, _, to_m = table[row]
    _, from_ms, from_m = table[row - 1] if row else (0.0, float(plan.start_ms), 0.0)
    from_ms = min(from_ms, due_ms)
    part = min(max(((along_m if along_m == along_m else 0.0) - from_m) / max(to_m - from_m, 1.0), 0.0), 1.0)
    return (ms - (from_ms + part * (due_ms - from_ms))) / 1000


def is_done(plan: Plan, visits: NDArray[np.uint8], standing: Rows, along_m: float, *, slow: bool, worded: bool) -> bool:
    """Tell whether a tour is completed: no stop is open, the van is at none, and it is home where it is to return.

    A stop left out behind the van keeps the tour open, and so does one where it was without a word, if there are words.
    A tour with open stops ends by its hours, or when somebody says so. A depot ahead of the van is still to be come to.

    Args:
        visits, worded: as in `open_rows`.
        along_m: place along the path; NaN off it.
        slow: the van stands.
    """
    if not len(plan.stop_ids) or not _may_end(plan, visits, standing, along_m, slow=slow):
        return False
    if len(open_rows(plan, visits, worded=worded)):
        return False
    row = ahead_row(plan, visits, int(standing["last"]), along_m)
    return "depot" not in plan.stop_kinds[row:] if plan.owed.any() else row == len(plan.stop_ids)


def is_passed(plan: Plan, visits: NDArray[np.uint8], standing: Rows, along_m: float, *, slow: bool) -> bool:
    """Tell whether a tour may be left for the next one: half of it is served, nothing lies ahead, nothing is awaited.

    That says nothing of its open stops: they stay open.

    Args:
        visits, along_m, slow: as in `is_done`.
    """
    if not lies_behind(plan, visits, int(standing["last"]), along_m):
        return False
    return not (visits[: len(plan.stop_ids)] & AWAITED).any() and _may_end(plan, visits, standing, along_m, slow=slow)


def lies_behind(plan: Plan, visits: NDArray[np.uint8], last: int, along_m: float) -> bool:
    """Tell whether half of a tour is served and no stop lies ahead of the van.

    Args:
        visits, last, along_m: as in `ahead_row`.
    """
    count = len(plan.stop_ids)
    if not count or np.count_nonzero(served(visits[:count])) < SERVED_PART * count:
        return False
    return ahead_row(plan, visits, last, along_m) == count


def _may_end(plan: Plan, visits: NDArray[np.uint8], standing: Rows, along_m: float, *, slow: bool) -> bool:
    """Tell whether a van is where its tour may end.

    On a tour that returns to the depot it stands within DEPOT_M of the end of its path or has come within HOME_M of it.
    Being at the last stop does not keep it open if that is the depot, or if the van has come home in its fence.
    """
    if standing["open"]:
        if not visits[len(plan.stop_ids) - 1] & HERE:
            return False
        return ends_at_depot(plan) or bool(plan.return_to_depot and along_m >= plan.length_m - HOME_M)
    return not plan.return_to_depot or bool(along_m >= plan.length_m - (DEPOT_M if slow else HOME_M))


def ends_at_depot(plan: Plan) -> bool:
    """Tell whether the last stop of a tour is the depot."""
    return plan.stop_kinds[-1] == "depot" or (
        plan.return_to_depot and bool(plan.stops[-1, 3] >= plan.length_m - HOME_M)
    )
