"""What a driver says of stops counts more than what the fixes say: the rules, for one van on its plan.

Whether a claim is heard at all, and what it does to the choice of the route, is `geo.fold.drive`'s.
"""

import numpy as np
from numpy.typing import NDArray

from geo.pings import Rows
from geo.plan.plans import Claim, Plan
from geo.visits import stops
from geo.visits.stops import Visit
from geo.visits.tour import AWAITED, DONE, HERE, VISITS, rows_here

SERVED = ("completed", "partially_completed", "failed", "skipped")
"""There is nothing more to do at the stop."""

ENDS = ("route_ended",)
"""The tour is over, whatever is open of it."""

KINDS = ("route_started", *ENDS, "arrived", "departed", *SERVED, "reopened")
"""The events of a driver that history rests on."""

STARTS = ("route_started", "arrived")
"""Those that put the driver on their route."""

TAKE_UP = (*STARTS, "reopened")
"""Those that go on with a tour that was over."""


def apply(claim: Claim, plan: Plan, standing: Rows, visits: NDArray[np.uint8], row: int) -> list[Visit]:
    """Let a claim about a stop change what is known of a tour.

    Args:
        standing: (1,) of dtype `geo.visits.standing.STANDING`; changed in place, as is the next.
        visits: of each stop of the plan.
        row: the stop's place in the tour.

    Returns:
        What happened, in the driver's words; one that is about a visit told before says it anew.
    """
    if claim.kind == "arrived":
        return _arrive(claim.at_ms, standing, visits, row)
    if claim.kind == "departed":
        return _depart(claim.at_ms, plan, standing, visits, row)
    if claim.kind in SERVED:
        visits[row] = done(int(visits[row]))
    elif claim.kind == "reopened" and visits[row]:
        visits[row] = (int(visits[row]) & ~DONE) | AWAITED
    return []


def done(visits: int) -> int:
    """Count a stop of which somebody said what became of it."""
    return (visits | DONE) & ~AWAITED


def _arrive(at_ms: int, standing: Rows, visits: NDArray[np.uint8], row: int) -> list[Visit]:
    mine = standing[0]
    if visits[row] & HERE:
        if mine["said"] == row + 1:
            return []
        mine["said"] = row + 1
        mine["arrived_ms"] = at_ms if len(rows_here(visits)) == 1 else max(at_ms, int(mine["arrived_ms"]))
        return [Visit(0, True, row, int(visits[row]) & VISITS, at_ms)]
    # a van that was seen outside left when it was last seen inside; else it was there until now
    happened = stops.close(standing, 0, visits, int(mine["inside_ms"]) if mine["outs"] else at_ms)
    happened += stops.begin(standing, 0, visits, row, at_ms)
    mine["by_driver"], mine["said"] = True, row + 1
    mine["left"] = mine["left_count"] = 0
    return happened


def _depart(at_ms: int, plan: Plan, standing: Rows, visits: NDArray[np.uint8], row: int) -> list[Visit]:
    mine = standing[0]
    if visits[row] & HERE:
        gone = stops.close(standing, 0, visits, at_ms, upto=row)  # others in the building are still to be seen
        mine["left"], mine["left_count"] = mine["closed"], mine["closed_count"]
        mine["candidate"] = mine["candidate_ms"] = 0
        return gone
    first, past = int(mine["closed"]) - 1, int(mine["closed"]) - 1 + int(mine["closed_count"])
    closed = [each for each in plan.together[first] if first <= each < past] if first >= 0 else []
    if row in closed:  # each end is corrected once
        still = [each for each in closed if each != row] if row in (closed[0], closed[-1]) else []
        mine["closed"], mine["closed_count"] = (still[0] + 1, still[-1] - still[0] + 1) if still else (0, 0)
        left_ms = min(at_ms, int(mine["arrived_ms"])) if mine["open"] else at_ms  # nobody is at two stops
        return [Visit(0, False, row, int(visits[row]) & VISITS, max(left_ms, int(mine["closed_ms"])))]
    return []
