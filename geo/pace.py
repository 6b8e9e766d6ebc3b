"""What the fold remembers of a tour for its pace: since when and where the van drives, and how long it was at stops.

How much faster or slower than expected that is depends on what is expected, which the fold does not know; `geo.eta`
compares.
"""

from collections.abc import Sequence

import numpy as np

from geo.pings import UNKNOWN_MS, Floats, Ints, Rows
from geo.plans import Plan
from geo.stops import Visit

START_M = 1_000.0
"""A van that halts nearer to the start of its path may be waiting for its tour to begin."""

PACE = np.dtype(
    [
        ("begun_ms", "<i8"),  # when the pace began to count: first seen beyond START_M, or left a stop; UNKNOWN_MS
        ("begun_m", "<f8"),  # where along the path
        ("served_ms", "<i8"),  # spent since at stops that have planned service, closed visits only
    ]
)


def fresh(n: int) -> Rows:
    """Make the memory of drivers who begin a plan."""
    memory = np.zeros(n, PACE)
    memory["begun_ms"] = UNKNOWN_MS
    return memory


def step(
    memory: Rows, plans: Sequence[Plan], ms: Ints, along_m: Floats, arrived_ms: Ints, happened: Sequence[Visit]
) -> Rows:
    """Look at one fix each of n drivers.

    Args:
        memory: (n,) of dtype `PACE`. Not changed.
        plans: (n) which plan.
        ms: (n,) when.
        along_m: (n,) place along the path; NaN off it.
        arrived_ms: (n,) when each came to the stop it was at before this fix.
        happened: arrivals and departures at this fix (`geo.stops.step`).
    """
    memory = memory.copy()
    came_ms = arrived_ms.copy()
    gone: set[tuple[int, int]] = set()
    for visit in happened:
        if visit.arrived:
            came_ms[visit.van] = visit.occurred_ms
            continue
        mine, stop = memory[visit.van], plans[visit.van].stops[visit.row]
        if stop[4] <= 0 or (visit.van, visit.occurred_ms) in gone:
            continue  # driven past; or of stops that share a visit another one
        gone.add((visit.van, visit.occurred_ms))
        if mine["begun_ms"] == UNKNOWN_MS:
            mine["begun_ms"], mine["begun_m"] = visit.occurred_ms, stop[3]
        else:
            mine["served_ms"] += max(visit.occurred_ms - max(int(came_ms[visit.van]), int(mine["begun_ms"])), 0)
    begins = (memory["begun_ms"] == UNKNOWN_MS) & (along_m >= START_M)
    memory["begun_ms"][begins], memory["begun_m"][begins] = ms[begins], along_m[begins]
    return memory
