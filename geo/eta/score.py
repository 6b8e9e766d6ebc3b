"""How well arrivals were told: figures by lead, the same for the live fleet, a replay and a scorer."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from geo.eta.numbers import LEVEL
from geo.pings import Floats, Ints

BUCKETS_MIN = (0, 15, 30, 60, 120)
"""Where buckets of leads begin, minutes; the last one has no end."""


def bucket_of(lead_s: ArrayLike) -> Ints:
    """Tell in which bucket leads are; what should have come already is in the first."""
    found: Ints = np.searchsorted(np.array(BUCKETS_MIN[1:]) * 60.0, np.asarray(lead_s, np.float64), "right")
    return found


def bucket_name(bucket: int) -> str:
    """Write a bucket: `0-15`, …, `120+`; minutes."""
    first = BUCKETS_MIN[bucket]
    return f"{first}-{BUCKETS_MIN[bucket + 1]}" if bucket + 1 < len(BUCKETS_MIN) else f"{first}+"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How well some arrivals were told; seconds.

    Attributes:
        bias_s: mean error, positive when vans came sooner than told.
        coverage: part of the arrivals within the window; NaN, as the next two, without windows.
        score_s: mean interval score: the width, and 2 / (1 - LEVEL) times what an arrival misses the window by.
    """

    n: int
    mae_s: float
    median_s: float
    p90_s: float
    bias_s: float
    coverage: float
    width_s: float
    score_s: float


def figures(
    expected_ms: ArrayLike, came_ms: ArrayLike, low_ms: ArrayLike | None = None, high_ms: ArrayLike | None = None
) -> Figures:
    """Compare what was told with what came true.

    Args:
        expected_ms, came_ms, low_ms, high_ms: (n,) epoch milliseconds, n at least 1; windows or none.

    Source of the score: Gneiting and Raftery, Strictly Proper Scoring Rules, Prediction, and Estimation, 2007.
    """
    came = _seconds(came_ms)
    error = _seconds(expected_ms) - came
    far = np.abs(error)
    coverage = width = score = float("nan")
    if low_ms is not None and high_ms is not None:
        low, high = _seconds(low_ms), _seconds(high_ms)
        missed = np.maximum(low - came, 0) + np.maximum(came - high, 0)
        coverage, width = float((missed == 0).mean()), float((high - low).mean())
        score = width + 2 / (1 - LEVEL) * float(missed.mean())
    return Figures(
        n=len(error),
        mae_s=float(far.mean()),
        median_s=float(np.median(far)),
        p90_s=float(np.percentile(far, 90)),
        bias_s=float(error.mean()),
        coverage=coverage,
        width_s=width,
        score_s=score,
    )


def _seconds(ms: ArrayLike) -> Floats:
    return np.asarray(ms, np.float64) / 1000
