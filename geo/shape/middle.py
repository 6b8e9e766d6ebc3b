"""Where the same thing was seen many times: the middle, which a minority of wrong ones cannot move."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from geo.shape.plane import project, unproject


@dataclass(frozen=True, slots=True, kw_only=True)
class Middle:
    """The median place; `spread_m`: half of the others are no farther from it, metres."""

    lon: float
    lat: float
    spread_m: float


def middle(lon: ArrayLike, lat: ArrayLike) -> Middle:
    """Give the middle of places that are near each other.

    Args:
        lon, lat: (n,) degrees, finite, n > 0.

    Method: the median of each coordinate on a plane at the first place.
    """
    lons, lats = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    x_m, y_m = project(lons, lats, lons[0], lats[0])
    at_x, at_y = float(np.median(x_m)), float(np.median(y_m))
    found_lon, found_lat = unproject(at_x, at_y, lons[0], lats[0])
    spread_m = float(np.median(np.hypot(np.asarray(x_m) - at_x, np.asarray(y_m) - at_y)))
    return Middle(lon=float(found_lon), lat=float(found_lat), spread_m=spread_m)
