"""Arrivals and departures at stops: visits of those who stand there long enough begin, and those of who has left end.

What the driver says of a visit counts more (`geo.fold.claims`); here it is only looked after.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geo.pings import Bools, Floats, Ints, Rows
from geo.plan.numbers import MAX_STOPS
from geo.plan.plans import Plan
from geo.trust.fixes import Here
from geo.visits.numbers import BY_FENCE, BY_STANDING, PIN_M
from geo.visits.standing import Stood
from geo.visits.tour import AWAITED, HERE, VISITS, rows_here, served


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
