"""The fence of a stop whose vans stand elsewhere: round the door, round where they park, and what lies between."""

from typing import Any

import shapely

from geo.shape import plane
from geo.shape.numbers import SPOT_M


def reach_to_spot(lon: float, lat: float, radius_m: float, spot_lon: float, spot_lat: float) -> dict[str, Any] | None:
    """Make the fence of a stop so large that it holds where vans park for it.

    Args:
        lon, lat: of the door, degrees.
        radius_m: of the circle around it.
        spot_lon, spot_lat: where vans park.

    Returns:
        A GeoJSON Polygon: the hull of that circle and of SPOT_M around the spot. None: the circle holds both.
    """
    x_m, y_m = (float(metres) for metres in plane.project(spot_lon, spot_lat, lon, lat))
    if (x_m * x_m + y_m * y_m) ** 0.5 + SPOT_M <= radius_m:
        return None
    door, spot = shapely.Point(0, 0).buffer(radius_m, quad_segs=6), shapely.Point(x_m, y_m).buffer(SPOT_M, quad_segs=6)
    hull_x, hull_y = door.union(spot).convex_hull.exterior.coords.xy
    hull_lon, hull_lat = plane.unproject(hull_x, hull_y, lon, lat)
    ring = [[round(float(at), 6) for at in position] for position in zip(hull_lon, hull_lat, strict=True)]
    return {"type": "Polygon", "coordinates": [ring]}
