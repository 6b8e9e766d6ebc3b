"""What drivers do again and again, learned from the orders in which they drove: zones, directions, where a tour begins.

Every past tour votes on every pair of today's visits: it was at the one, or near it, long before the other. A vote
counts more the more of today's visits that tour had. Votes become a soft cost of one visit being before another, and
`geo.tours.sequence` weighs it against the driving. The method reads: nothing is fitted but three plain numbers.

Source: the Amazon Last Mile Routing Research Challenge, whose best entries learned the order of zones and optimised
inside of them (Cook, Held, Helsgaun, 2022).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geo.pings import Floats, Ints
from geo.tours.numbers import MOST_TOURS, NEAR_M, SAME, SOON, STRICT, UNHEARD
from geo.tours.sequence import in_order


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Past:
    """A tour as it was driven.

    Attributes:
        places: (m, 2) metres on one plane for all tours, in the order driven.
        names: (m) who was visited; the same name on two tours is the same customer.
    """

    places: Floats
    names: tuple[str, ...]


def votes(past: Sequence[Past], places: Floats, names: Sequence[str]) -> Floats:
    """Ask past tours which of today's visits come first.

    Args:
        places: (n, 2) metres of today's visits, same plane as the past.
        names: (n) who they are.

    Returns:
        (n, n) in [-1, 1]: 1 where all say that the row's visit comes long before the column's, 0 where nobody knows.
        Its transpose is its negative.
    """
    count = len(names)
    row_of = {name: row for row, name in enumerate(names)}
    for_it, heard = np.zeros((count, count)), np.zeros((count, count))
    for tour in past[-MOST_TOURS:]:
        apart_m2 = ((places[:, None] - tour.places[None]) ** 2).sum(axis=2)
        near = np.exp(-apart_m2 / (2 * NEAR_M**2))
        for column, name in enumerate(tour.names):
            if name in row_of:
                near[row_of[name], column] += SAME
        known = near.sum(axis=1)
        covered = float((known > 0.5).mean()) if count else 0.0
        if not covered:
            continue
        near /= np.maximum(known, 1.0)[:, None]  # a tour has one vote for each visit
        size = len(tour.names)
        step = np.arange(size)
        order = np.tanh((step[None] - step[:, None]) / (SOON * size))
        for_it += covered * (near @ order @ near.T)
        heard += covered * (near @ (1 - np.eye(size)) @ near.T)
    said: Floats = for_it / (heard + UNHEARD)
    return said


def like_drivers(drive_m: Floats, past_votes: Floats, best: Ints, *, strict: float = STRICT, seed: int = 1) -> Ints:
    """Order visits as the drivers would, as far as that costs little.

    Args:
        drive_m: (n + 2, n + 2) metres; row n is where the tour begins, n + 1 where it ends, zeros where that is open.
        past_votes: (n, n) of `votes`.
        best: (n,) the shortest order.

    Returns:
        (n,) an order.
    """
    count = len(best)
    if count < 2:
        return best
    usual_m = float(drive_m[best[:-1], best[1:]].sum()) / (count - 1)
    against = np.maximum(-past_votes, 0.0) * (strict * usual_m * 2 / count)
    np.fill_diagonal(against, 0.0)
    rng = np.random.default_rng(seed)
    found = [in_order(drive_m, against, first, rng=rng, tries=3) for first in (best, best[::-1])]
    return min(found, key=lambda one: one[1])[0]
