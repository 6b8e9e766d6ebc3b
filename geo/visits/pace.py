"""What the fold remembers of a tour for its pace: since when and where the van drives, and how long it was at stops.

How much faster or slower than expected that is depends on what is expected, which the fold does not know;
`geo.eta.estimate` compares.
"""

import numpy as np

from geo.numbers import START_M
from geo.pings import UNKNOWN_MS, Floats, Ints, Rows
from geo.plan.plans import Plan
from geo.visits.stops import Visit

PACE = np.dtype(
    [
        ("begun_ms", "<i8"),  # when the pace began to count: first seen beyond START_M, or left a stop; UNKNOWN_MS
        ("begun_m", "<f8"),  # where along the path
        ("served_ms", "<i8"),  # spent since at stops that have planned service, closed visits only
        ("came_ms", "<i8"),  # when the open visit began; 0: none is
    ]
)


def fresh(n: int) -> Rows:
    """Make the memory of drivers who begin a plan."""
    memory = np.zeros(n, PACE)
    memory["begun_ms"] = UNKNOWN_MS
    return memory


def begin(memory: Rows, ms: Ints, along_m: Floats) -> Rows:
    """Look at one fix each of n drivers.

    Args:
        memory: (n,) of dtype `PACE`. Not changed.
        ms, along_m: (n,) when, and the place along the path; NaN off it.
    """
    memory = memory.copy()
    begins = (memory["begun_ms"] == UNKNOWN_MS) & (along_m >= START_M)
    memory["begun_ms"][begins], memory["begun_m"][begins] = ms[begins], along_m[begins]
    return memory


def visited(mine: Rows, plan: Plan, visit: Visit) -> None:
    """Count an arrival or departure of one driver; writes into `mine` (a record of dtype `PACE`).

    Stops that share a visit count once; those without planned service are driven past.
    """
    _, _, _, along_m, service_s = plan.stops[visit.row]
    if service_s <= 0:
        return
    if visit.arrived:
        mine["came_ms"] = visit.occurred_ms
    elif mine["came_ms"]:
        if mine["begun_ms"] == UNKNOWN_MS:
            mine["begun_ms"], mine["begun_m"] = visit.occurred_ms, along_m
        else:
            mine["served_ms"] += max(visit.occurred_ms - max(int(mine["came_ms"]), int(mine["begun_ms"])), 0)
        mine["came_ms"] = 0
