"""Columns of stops, van by van: orders that begin anew with each van."""

import numpy as np

from geo.pings import Floats, Ints


def in_order(which: Ints, seconds: Floats) -> Ints:
    """Make seconds of each van's stops never decrease, in whole milliseconds."""
    return never_less(which, np.rint(seconds * 1000).astype(np.int64))


def never_less(which: Ints, ms: Ints) -> Ints:
    """Make milliseconds of each van's stops never decrease; mostly they do not, and that is seen sooner than done."""
    if not ((ms[1:] < ms[:-1]) & (which[1:] == which[:-1])).any():
        return ms
    tall = np.int64(1) << 42  # 139 years in milliseconds: every van on a floor of its own
    floor = which * tall
    ordered: Ints = np.maximum.accumulate(ms + floor) - floor
    return ordered
