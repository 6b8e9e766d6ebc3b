"""On foot or driving: when the service at a stop really began and ended, seen from the whole trace.

It looks 40 s ahead and behind, so that it tells history, not the present.
"""

import numpy as np

from geo.pings import Bools, Floats

SLOW_MPS = 2.5
"""Slower over 10 s, whichever of those around the moment, than anybody drives between two stops."""

FIRST_MPS = 0.3
"""Added to speeds before their logarithm is taken: what standing still looks like."""

# Logistic regression on couriers' traces whose drivers labelled them: E. Eftelioglu et al., "Deep Classification of
# Frequently-Changing Activities from GPS Trajectories", IWCTS 2022; the data of the project of that name, CC BY 4.0.
# Ten-fold over its traces: accuracy 0.930; the rule "under 1.5 m/s over five fixes" has 0.908.
_WEIGHTS = np.array([1.02, -0.74, -1.12, -0.37, -0.64, -0.67, 0.91, 1.83])


def on_foot(seconds: Floats, x_m: Floats, y_m: Floats) -> Bools:
    """Tell at which of one phone's fixes its bearer is on foot, or sits in a parked van.

    Args:
        seconds: (n,) when, ascending.
        x_m, y_m: (n,) where, metres on a plane.

    Returns:
        (n,) bool.
    """
    if not len(seconds):
        return np.zeros(0, np.bool_)
    return np.asarray(features(seconds, x_m, y_m) @ _WEIGHTS > 0)


def features(seconds: Floats, x_m: Floats, y_m: Floats) -> Floats:
    """Describe the motion around each fix.

    Returns:
        (n, 8) columns: 1; logarithms of the speed of the fastest 5 s and 15 s around it and of the 40 s before and
        after it; whether it belongs to a slow stretch, as three numbers that are 0 where it does not: the logarithm of
        its seconds and of its metres, and how deep inside it the fix is, 0 to 1; -1 in the last for one that is fast.
    """

    def speed_mps(begin_s: float, end_s: float) -> Floats:
        """Speed from one time to another, each relative to the fixes and within the trace."""
        a, b = (np.clip(seconds + shift, seconds[0], seconds[-1]) for shift in (begin_s, end_s))
        east, north = (np.interp(b, seconds, at) - np.interp(a, seconds, at) for at in (x_m, y_m))
        return np.asarray(np.sqrt(east * east + north * north) / np.maximum(b - a, 4.0))

    fast5 = np.maximum(speed_mps(-5, 0), speed_mps(0, 5))
    fast10 = np.max([speed_mps(begin, begin + 10) for begin in (-10, -5, 0)], axis=0)
    fast15 = np.max([speed_mps(begin, begin + 15) for begin in (-15, -10, -5, 0)], axis=0)
    slow = fast10 < SLOW_MPS
    border = np.flatnonzero(np.diff(slow)) + 1
    first = np.concatenate(([0], border))
    last = np.append(border, len(slow)) - 1
    stretch = np.searchsorted(border, np.arange(len(slow)), "right")
    along_m = np.concatenate(([0.0], np.cumsum(np.sqrt(np.diff(x_m) ** 2 + np.diff(y_m) ** 2))))
    lasts_s = np.maximum(seconds[last] - seconds[first], 5.0)[stretch]
    goes_m = (along_m[last] - along_m[first])[stretch]
    deep_s = np.minimum(seconds - seconds[first][stretch], seconds[last][stretch] - seconds)
    logs = [np.log(speed + FIRST_MPS) for speed in (fast5, fast15, speed_mps(-40, 0), speed_mps(0, 40))]
    return np.column_stack(
        (
            np.ones(len(slow)),
            *logs,
            np.where(slow, np.log(lasts_s), 0.0),
            np.where(slow, np.log(goes_m + 3.0), 0.0),
            np.where(slow, 1.0, -1.0) * np.minimum(deep_s, 30.0) / 30.0,
        )
    )
