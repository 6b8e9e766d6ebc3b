"""On foot or driving: when the service at a stop really began and ended, seen from the whole trace.

It looks `SIGHT_S` ahead and behind and no further: it tells history, not the present, and says the same of a fix
whatever part of a longer trace it is asked with.
"""

from itertools import pairwise

import numpy as np

from geo.numbers import SLOW_MPS
from geo.pings import Bools, Floats
from geo.shape.numbers import FIRST_MPS, GAP_S, STRETCH_S

# Logistic regression on couriers' traces whose drivers labelled them: E. Eftelioglu et al., "Deep Classification of
# Frequently-Changing Activities from GPS Trajectories", IWCTS 2022; the data of the project of that name, CC BY 4.0.
# Ten-fold over its traces: accuracy 0.930; the rule "under 1.5 m/s over five fixes" has 0.908.
_WEIGHTS = np.array([0.91, -0.72, -1.08, -0.36, -0.65, -0.59, 0.86, 1.77])


def on_foot(seconds: Floats, places_m: Floats) -> Bools:
    """Tell at which of one phone's fixes its bearer is on foot, or sits in a parked van.

    Args:
        seconds: (n,) when, ascending.
        places_m: (n, 2) on a plane or (n, 3) in space, metres.

    Returns:
        (n,) bool.
    """
    gaps = np.flatnonzero(np.diff(seconds) > GAP_S) + 1
    borders = [0, *gaps.tolist(), len(seconds)]
    foot = np.zeros(len(seconds), np.bool_)
    for begin, end in pairwise(borders):
        if begin < end:
            trace = slice(begin, end)
            foot[trace] = features(seconds[trace], places_m[trace]) @ _WEIGHTS > 0
    return foot


def features(seconds: Floats, places_m: Floats) -> Floats:
    """Describe the motion around each fix of one trace, of at least one.

    Returns:
        (n, 8) columns: 1; logarithms of the speed of the fastest 5 s and 15 s around it and of the 40 s before and
        after it; whether it belongs to a slow stretch, as three numbers that are 0 where it does not: the logarithm of
        its seconds and of its metres, and how deep inside it the fix is, 0 to 1; -1 in the last for one that is fast.
    """

    def speed_mps(begin_s: float, end_s: float) -> Floats:
        """Speed from one time to another, each relative to the fixes and within the trace."""
        a, b = (np.clip(seconds + shift, seconds[0], seconds[-1]) for shift in (begin_s, end_s))
        moved = [np.interp(b, seconds, axis) - np.interp(a, seconds, axis) for axis in places_m.T]
        return np.asarray(np.linalg.norm(moved, axis=0) / np.maximum(b - a, 4.0))

    fast5 = np.maximum(speed_mps(-5, 0), speed_mps(0, 5))
    fast10 = np.max([speed_mps(begin, begin + 10) for begin in (-10, -5, 0)], axis=0)
    fast15 = np.max([speed_mps(begin, begin + 15) for begin in (-15, -10, -5, 0)], axis=0)
    slow = fast10 < SLOW_MPS
    border = np.flatnonzero(np.diff(slow)) + 1
    stretch = np.searchsorted(border, np.arange(len(slow)), "right")
    first = np.concatenate(([0], border))[stretch]
    first = np.maximum(first, np.searchsorted(seconds, seconds - STRETCH_S, "left"))
    last = (np.append(border, len(slow)) - 1)[stretch]
    last = np.minimum(last, np.searchsorted(seconds, seconds + STRETCH_S, "right") - 1)
    along_m = np.concatenate(([0.0], np.cumsum(np.linalg.norm(np.diff(places_m, axis=0), axis=1))))
    before_s, after_s = seconds - seconds[first], seconds[last] - seconds
    logs = [np.log(speed + FIRST_MPS) for speed in (fast5, fast15, speed_mps(-40, 0), speed_mps(0, 40))]
    return np.column_stack(
        (
            np.ones(len(slow)),
            *logs,
            np.where(slow, np.log(np.maximum(before_s + after_s, 5.0)), 0.0),
            np.where(slow, np.log(along_m[last] - along_m[first] + 3.0), 0.0),
            np.where(slow, 1.0, -1.0) * np.minimum(np.minimum(before_s, after_s), 30.0) / 30.0,
        )
    )
