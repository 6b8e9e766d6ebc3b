"""Places of a tour that lie so far from the others that somebody mistook them: a geocoder, or whoever typed them.

Method: the distance to the median place, which a minority of wrong ones cannot move, held against the median of those
distances (a median absolute deviation, as in Hampel's identifier).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from geo.shape import plane
from geo.shape.numbers import STRAY_FEWEST, STRAY_M, STRAY_TIMES, ZERO_DEG

_Likely = Literal["zero", "exchanged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray:
    """A place far from the others.

    Attributes:
        index: its place among those that were given.
        away_m: metres to the middle of the others, straight.
        likely: `zero`: it is at 0/0, where geocoders put what they do not find; `exchanged`: with latitude and
            longitude exchanged it would be among the others; None: nothing is known of how it came there.
    """

    index: int
    away_m: float
    likely: _Likely | None


def strays(lon: ArrayLike, lat: ArrayLike) -> list[Stray]:
    """Find the places that are far from most of the others, in their order.

    Args:
        lon, lat: (n,) degrees, finite; fewer than `STRAY_FEWEST` have no stray.
    """
    east, north = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    if len(east) < STRAY_FEWEST:
        return []
    there = plane.in_space(east, north)
    middle = np.median(there, axis=0)
    away_m = np.linalg.norm(there - middle, axis=1)
    limit_m = max(STRAY_M, STRAY_TIMES * float(np.median(away_m)))
    exchanged_m = np.linalg.norm(plane.in_space(north, east) - middle, axis=1)
    found = []
    for index in np.flatnonzero(away_m > limit_m).tolist():
        likely: _Likely | None = None
        if abs(east[index]) < ZERO_DEG and abs(north[index]) < ZERO_DEG:
            likely = "zero"
        elif exchanged_m[index] <= limit_m:
            likely = "exchanged"
        found.append(Stray(index=index, away_m=float(away_m[index]), likely=likely))
    return found
