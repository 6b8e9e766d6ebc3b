"""A stretch of a path, for drawing: cut out at both ends and with no more vertices than the eye needs."""

import numpy as np
import shapely
from numpy.typing import ArrayLike

from geo.pings import Floats
from geo.shape import plane
from geo.shape.numbers import DRAWN_WITHIN_M


def stretch(lon: ArrayLike, lat: ArrayLike, along_m: ArrayLike, from_m: float, to_m: float) -> Floats:
    """Cut a path from one place along it to another and straighten what is nearly straight.

    Args:
        lon, lat: (v,) vertices, degrees.
        along_m: (v,) metres along the path, never decreasing.
        from_m, to_m: where to begin and end, metres; beyond the path's ends they are pulled to them.

    Returns:
        (n, 2) lon and lat, degrees; no rows when `to_m` is not ahead of `from_m`.
    """
    lon, lat, along_m = (np.asarray(column, np.float64) for column in (lon, lat, along_m))
    if len(along_m) < 2 or to_m <= from_m:
        return np.empty((0, 2))
    between = (along_m > from_m) & (along_m < to_m)
    at_m = np.concatenate(([from_m], along_m[between], [to_m]))
    x_m, y_m = plane.project(lon, lat, lon[0], lat[0])
    drawn = shapely.linestrings(np.interp(at_m, along_m, x_m), np.interp(at_m, along_m, y_m))
    x_m, y_m = shapely.get_coordinates(shapely.simplify(drawn, DRAWN_WITHIN_M)).T
    return np.column_stack(plane.unproject(x_m, y_m, lon[0], lat[0]))
