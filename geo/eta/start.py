"""When a tour that has not begun will begin: a random variable of its own, learned from how late others did.

How late tours of an account begin is taken to be logistic: as good as normal in the middle, with longer tails. A tour
that should have begun a while ago and has not will begin later than one thought, and that much later on: what is told
is the median of what is left of the distribution.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from geo.eta.numbers import LEAST_START_S, START_NOISE_S
from geo.eta.places import Parts
from geo.eta.rows import CHAINS, Row, RowKey, decayed
from geo.numbers import START_M
from geo.pings import UNKNOWN_MS, Bools, Floats, Ints, Rows
from geo.plan.numbers import DEPOT_M

_SCALE = math.sqrt(3) / math.pi
"""Of a logistic distribution, by its standard deviation."""

_ODDS = 0.84 / 0.16
"""Of coming within one standard deviation above the mean, were it normal."""


def noise_s(rows: Mapping[RowKey, Row], keys: Sequence[Parts], at_ms: float) -> float:
    """Tell how far off starts are from what is expected, a standard deviation in seconds: START_NOISE_S where nothing
    is known, and never below LEAST_START_S.

    Args:
        keys: level by level, those of a start (`geo.eta.places`).
        at_ms: for when.
    """
    square_min = (START_NOISE_S / 60) ** 2
    for level, parts in zip(CHAINS["start"][1], keys, strict=True):
        for key, _ in parts:
            row = rows.get(key)
            if row:
                n = decayed(1.0, at_ms - row.as_of_ms, level.half_life_ms)
                square_min = (row.m2 * n + level.k * square_min) / (row.n * n + level.k)
    return max(60 * math.sqrt(square_min), LEAST_START_S)


def waits_for_start(tracks: Rows, start_ms: Ints) -> Bools:
    """Tell who waits for the start: a van that has left neither the depot nor, before the plan's start, its street.

    Args:
        tracks: (n,) of dtype `geo.fold.fold.TRACK`.
        start_ms: (n,) when the plan of each begins.
    """
    along_m = np.nan_to_num(tracks["along_m"])
    early = tracks["recorded_ms"] < start_ms
    waits: Bools = (tracks["pace"]["begun_ms"] == UNKNOWN_MS) & (early & (along_m < START_M) | (along_m < DEPOT_M))
    return waits


def left_s(late_s: Floats, sd_s: Floats, now_s: Floats) -> tuple[Floats, Floats]:
    """Tell how long it is until vans begin that have not begun by now.

    Args:
        late_s, sd_s: (n,) how long after the plan's start they are expected to begin, and how far off that is.
        now_s: (n,) now, in seconds after the plan's start.

    Returns:
        (n,) seconds, the median, above 0; and how far off that is.
    """
    scale_s = _SCALE * sd_s
    later = (late_s - now_s) / scale_s  # the logarithm of the odds of beginning later than now
    low_s, half_s, high_s = (
        scale_s * np.logaddexp(math.log(1 + odds), math.log(odds) + later) for odds in (1 / _ODDS, 1.0, _ODDS)
    )
    return half_s, 0.5 * (high_s - low_s)
