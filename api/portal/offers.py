"""What a stop is offered: slots with a place left, in whose zone it lies."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import shapely

from geo.pings import UNKNOWN_MS
from geo.shape.fence_shape import prepare_fence
from geo.shape.plane import project
from sql.pool import Db, Pool
from sql.portal.slots import FreeSlot, slots_for_stop
from sql.portal.stops import PortalStop


async def free_slots(db: Db | Pool, stop: PortalStop, now: datetime) -> list[FreeSlot]:
    """Give the slots that a recipient may choose now. Off its tour, it is not offered that tour's hours."""
    found = await slots_for_stop(db, stop, now)
    if stop.removed:
        found = [one for one in found if one.start_at >= stop.end_at or one.end_at <= stop.start_at]
    return [one for one in found if one.feature is None or _lies_in(one.feature, stop.lon, stop.lat)]


def _lies_in(feature: Mapping[str, Any], lon: float, lat: float) -> bool:
    fence = prepare_fence(
        geofence_id=1, version=1, effective_ms=UNKNOWN_MS, ended_ms=UNKNOWN_MS, feature=feature, dwell_s=None
    )
    x_m, y_m = (float(part) for part in project(lon, lat, fence.lon0, fence.lat0))
    if fence.shape is None:
        return math.hypot(x_m, y_m) <= fence.radius_m
    return bool(shapely.covers(fence.shape, shapely.Point(x_m, y_m)))
