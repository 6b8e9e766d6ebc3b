"""Whether a place lies in a zone."""

import math
from collections.abc import Mapping
from typing import Any

import shapely

from geo.pings import UNKNOWN_MS
from geo.shape.fence_shape import prepare_fence
from geo.shape.plane import project


def lies_in(feature: Mapping[str, Any], lon: float, lat: float) -> bool:
    fence = prepare_fence(
        geofence_id=1, version=1, effective_ms=UNKNOWN_MS, ended_ms=UNKNOWN_MS, feature=feature, dwell_s=None
    )
    x_m, y_m = (float(part) for part in project(lon, lat, fence.lon0, fence.lat0))
    if fence.shape is None:
        return math.hypot(x_m, y_m) <= fence.radius_m
    return bool(shapely.covers(fence.shape, shapely.Point(x_m, y_m)))
