"""The street that all tours of these tests are on: it runs east, and places on it are metres from where it begins."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from geo.shape import lines
from sql.delivery import stops
from sql.delivery.routes import RoutePlan
from sql.delivery.stops import NewStop, StopPlan
from sql.pool import Db

LON, LAT = -56.16, -34.9
_LON_PER_M = 1 / (111_320 * math.cos(math.radians(LAT)))

_STOP = StopPlan(
    external_id="", kind="delivery", name="", address=None, lat=LAT, lon=LON, along_m=0.0, radius_m=50.0, geofence=None,
    phone=None, email=None, locale=None, window_start=None, window_end=None, service_s=60.0, planned_arrival=None,
    instructions=None, cash_amount=None, cash_currency=None, proof=[], parcels=[],
)  # fmt: skip


def lon_at(east_m: Any) -> Any:
    """Give the longitude of a place on the street, or of many, degrees."""
    return LON + east_m * _LON_PER_M


def tour_plan(
    driver_id: int | None, east_m: Sequence[float], *, start: datetime, hours: float = 8, home: bool = False
) -> RoutePlan:
    """Plan a tour with a stop after each of these metres, five minutes apart; `home`: the last is the depot."""
    length_m = max(east_m) + (0 if home else 300)
    lon, lat = np.array([LON, lon_at(length_m)]), np.array([LAT, LAT])
    return RoutePlan(
        driver_id=driver_id, date=start.date(), timezone="UTC", start_at=start, end_at=start + timedelta(hours=hours),
        depot_name=None, depot_lat=None, depot_lon=None, return_to_depot=home, path_source="given", length_m=length_m,
        path_lon=lon.tolist(), path_lat=lat.tolist(), path_along_m=lines.along_m(lon, lat).tolist(),
        stops=[
            replace(
                _STOP, external_id=f"{metres:g}", name=f"{metres:g}", lon=lon_at(metres), along_m=float(metres),
                planned_arrival=start + timedelta(minutes=5 * (i + 1)),
            )
            for i, metres in enumerate(east_m)
        ],
    )  # fmt: skip


async def put_stops(db: Db, account_id: int, route_id: int, plan: RoutePlan) -> list[int]:
    """Write the stops of a tour, as the API does; return their ids."""
    known = {stop.plan.external_id: stop.id for stop in await stops.stops_of_route(db, route_id)}
    fresh = iter(await stops.new_stop_ids(db, len(plan.stops)))
    stop_ids = [known.get(stop.external_id) or next(fresh) for stop in plan.stops]
    new = [
        NewStop(id=stop_id, plan=stop, link_hash=hashlib.sha256(b"%d" % stop_id).digest())
        for stop_id, stop in zip(stop_ids, plan.stops, strict=True)
    ]
    await stops.put_stops(db, account_id=account_id, route_id=route_id, stops=new)
    return stop_ids
