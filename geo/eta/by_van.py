"""Columns of stops, van by van: sums and orders that begin anew with each van."""

import numpy as np

from geo.pings import Floats, Ints


def before(begin: Ints, which: Ints, values: Floats) -> Floats:
    """Sum what each van has at the stops before each."""
    sums: Floats = np.cumsum(values) - values
    return sums - sums[begin][which]


def in_order(which: Ints, seconds: Floats) -> Ints:
    """Make seconds of each van's stops never decrease, in whole milliseconds."""
    return never_less(which, np.rint(seconds * 1000).astype(np.int64))


def never_less(which: Ints, ms: Ints) -> Ints:
    """Make milliseconds of each van's stops never decrease."""
    tall = np.int64(1) << 42  # 139 years in milliseconds: every van on a floor of its own
    floor = which * tall
    ordered: Ints = np.maximum.accumulate(ms + floor) - floor
    return ordered
