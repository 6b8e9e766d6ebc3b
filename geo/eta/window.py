"""How wide an ETA's window is: four of five arrivals of late would have fallen into it.

A table of `Band`s, one for each lead, says how far windows reach before and after what was expected; vans that have not
begun their tour have a table of their own, for they are off by other things. It follows the errors of ETAs that have
come true: where more than a tenth of the arrivals came later than the window's end, that end moves out, else it moves
in, and so does the beginning. That is split conformal prediction kept up to date step by step (quantile tracking,
Angelopoulos, Candès and Tibshirani, "Conformal PID control for time series prediction", 2023): it needs no model of the
errors and follows them when they change.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geo.eta.numbers import (
    HALF_VOTE,
    LEAST_REACH_S,
    LEAST_SPREADS,
    LEVEL,
    OFF_ROUTE_TIMES,
    VOTE_STEP,
    VOTES_KEPT,
    WAITS_PART,
)
from geo.pings import Bools, Floats, Ints


@dataclass(frozen=True, slots=True)
class Band:
    """Windows of ETAs with a certain lead; between two bands they are interpolated.

    Attributes:
        lead_s: seconds from the ping to the expected arrival.
        waits: of vans that wait for their start, or of those under way.
        early, late: how far the window reaches before and after the expected arrival, in spreads: how far off the
            arrival is expected to be (`geo.eta.estimate`), which grows with what is left to drive and to do.
        n: votes of tours that it rests on, at most VOTES_KEPT.
        alpha: part of their arrivals that was outside: 1 - LEVEL when all is well.
    """

    lead_s: float
    early: float
    late: float
    n: float
    alpha: float
    waits: bool = False


BUILT_IN: tuple[Band, ...] = tuple(
    Band(60.0 * lead_min, part * early, part * late, 0.0, 1 - LEVEL, waits)
    for waits, part in ((False, 1.0), (True, WAITS_PART))
    for lead_min, early, late in (
        (0, 0.9, 2.0), (5, 1.0, 1.7), (10, 1.1, 1.5), (20, 1.1, 1.4), (40, 1.1, 1.4), (80, 1.2, 1.7), (160, 1.6, 2.2)
    )
)  # fmt: skip
"""Before anything was learned: between what city buses and delivery tours needed in the public recordings, and wide at
long leads, where a plan that nobody has checked yet may be off as a whole. Lateness knows fewer bounds than earliness.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """ETAs that have come true or not, given on the route.

    Attributes:
        lead_s: (k,) from the ping to what was expected.
        spread_s: (k,) how far off it was expected to be.
        error_s: (k,) arrival minus what was expected.
        waits: (k,) whether the van waited for its start.
        tour: (k,) whose; any number that is the same for the same tour.
    """

    lead_s: Floats
    spread_s: Floats
    error_s: Floats
    waits: Bools
    tour: Ints


def widen(
    bands: Sequence[Band], lead_s: Floats, spread_s: Floats, on_route: Bools, waits: Bools
) -> tuple[Floats, Floats]:
    """Give how far windows reach before and after the expected arrivals, seconds, at least LEAST_REACH_S.

    Args:
        lead_s: (k,) from the ping to the expected arrival.
        spread_s: (k,) how far off it is expected to be.
        on_route: (k,) whether the van is on its path.
        waits: (k,) whether it waits for its start.
    """
    early, late = np.empty((2, len(lead_s)))
    kinds = [kind for kind in (False, True) if (waits == kind).any()]
    for kind in kinds:
        mine = waits == kind if len(kinds) > 1 else slice(None)  # nearly always all are under way
        at_s, *ends = np.array([(band.lead_s, band.early, band.late) for band in bands if band.waits is kind]).T
        early[mine], late[mine] = (np.interp(lead_s[mine], at_s, end) for end in ends)
    spread_s = np.where(on_route, 1.0, OFF_ROUTE_TIMES) * spread_s
    return np.maximum(early * spread_s, LEAST_REACH_S), np.maximum(late * spread_s, LEAST_REACH_S)


def adapt(bands: Sequence[Band], given: Given) -> tuple[Band, ...]:
    """Learn from ETAs that have come true or not; in a batch their order does not matter."""
    if not len(given.lead_s):
        return tuple(bands)
    early_s, late_s = widen(bands, given.lead_s, given.spread_s, np.ones(len(given.lead_s), np.bool_), given.waits)
    before, after = given.error_s < -early_s, given.error_s > late_s
    # every ETA concerns the bands on both sides of it, the nearer one more
    place = np.empty(len(given.lead_s))
    for kind in np.unique(given.waits).tolist():
        at = [i for i, band in enumerate(bands) if band.waits is kind]
        mine = given.waits == kind
        place[mine] = np.interp(given.lead_s[mine], [bands[i].lead_s for i in at], at)
    _, tour = np.unique(given.tour, return_inverse=True)
    out = 0.5 * (1 - LEVEL)
    adapted = []
    for i, band in enumerate(bands):
        weight = np.where(given.waits == band.waits, np.maximum(1.0 - np.abs(place - i), 0.0), 0.0)
        arrivals = np.bincount(tour, weight)
        vote = arrivals / (arrivals + HALF_VOTE)
        votes = math.fsum(vote)
        if not votes:
            adapted.append(band)
            continue
        each = np.maximum(arrivals, 1e-9)
        before_part, after_part = (np.bincount(tour, weight * miss) / each for miss in (before, after))
        share = min(1.0, votes / (min(band.n, VOTES_KEPT) + votes))
        missed = math.fsum(vote * (before_part + after_part)) / votes
        adapted.append(
            Band(
                lead_s=band.lead_s,
                early=max(band.early * math.exp(VOTE_STEP * math.fsum(vote * (before_part - out))), LEAST_SPREADS),
                late=max(band.late * math.exp(VOTE_STEP * math.fsum(vote * (after_part - out))), LEAST_SPREADS),
                n=min(band.n + votes, VOTES_KEPT),
                alpha=(1 - share) * band.alpha + share * missed,
                waits=band.waits,
            )
        )
    return tuple(adapted)
