"""Plans: every version of a route that was ever in force, as the tracker folds pings against them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from geo.plan.numbers import LATE_MS
from geo.shape.parking_spot import reach_to_spot
from sql.delivery.routes import RoutePlan
from sql.delivery.stops import StopPlan
from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """One version of a route.

    Attributes:
        effective_at: from when it is in force; `geo.times.SINCE_EVER` for a first version.
        driver_id: None where nobody drives it: unassigned, cancelled or deleted.
        path_lon, path_lat: degrees, one entry a vertex.
        path_along_m: geodesic metres along the vertices, from 0.
        stop_ids: in the order of the tour; the other `stop_` lists have the same length and order.
        stop_planned_at: None where the planner gave no arrival.
        stop_shapes: stop id as text to the GeoJSON geometry that replaces that stop's circle.
        stop_window_start, stop_window_end: promised; None where nothing was. Empty, as stop_kind and stop_parcels, in a
            version made before they were kept.
        stop_drive_s: of driving to each stop from the one before or the path's start; empty where no roads say so.
        wait_for_window: a van that is early waits until the window begins.
        times_learned: planned arrivals hold what ETAs learned of drives and services.
    """

    route_id: int
    external_id: str
    account_id: int
    timezone: str
    version: int
    effective_at: datetime
    driver_id: int | None
    start_at: datetime
    end_at: datetime
    return_to_depot: bool
    path_lon: list[float]
    path_lat: list[float]
    path_along_m: list[float]
    stop_ids: list[int]
    stop_lon: list[float]
    stop_lat: list[float]
    stop_along_m: list[float]
    stop_radius_m: list[float]
    stop_service_s: list[float]
    stop_planned_at: list[datetime | None]
    stop_shapes: dict[str, dict[str, Any]]
    stop_window_start: list[datetime | None]
    stop_window_end: list[datetime | None]
    stop_kind: list[str]
    stop_parcels: list[int]
    stop_drive_s: list[float]
    wait_for_window: bool
    times_learned: bool


async def plans_of_drivers(
    db: Db | Pool, driver_ids: Sequence[int], since_ms: Sequence[int]
) -> dict[int, list[tuple[int, int]]]:
    """Name every version (route_id, version) of the routes that drivers ever had.

    Args:
        since_ms: for each driver, leave out routes that nobody could drive any more by then.
    """
    found: dict[int, list[tuple[int, int]]] = {driver_id: [] for driver_id in driver_ids}
    for row in await db.fetch(_SQL["plans_of_drivers"], driver_ids, since_ms, LATE_MS):
        found[row["driver_id"]].append((row["route_id"], row["version"]))
    return found


async def read_plans(db: Db | Pool, plans: Sequence[tuple[int, int]]) -> list[PlanRow]:
    """Read versions (route_id, version) of routes; by route, then version."""
    rows = await db.fetch(_SQL["read_plans"], [route_id for route_id, _ in plans], [version for _, version in plans])
    # -infinity comes without a zone
    return [PlanRow(**{**row, "effective_at": row["effective_at"].replace(tzinfo=UTC)}) for row in rows]


async def next_plan_time(db: Db, route_id: int, driver_id: int | None) -> datetime:
    """Tell from when a next version of a route is in force. The caller holds the lanes of its drivers.

    Args:
        driver_id: whom it gives the route to; None: nobody.

    Returns:
        `geo.times.SINCE_EVER` where that driver is the first.
    """
    at: datetime = await db.fetchval(_SQL["next_plan_time"], route_id, driver_id)
    return at.replace(tzinfo=UTC)


async def add_version(
    db: Db, *, route_id: int, version: int, effective_at: datetime, plan: RoutePlan, stop_ids: Sequence[int]
) -> None:
    """Put a version of a route in force; `stop_ids` are the ids of the plan's stops."""
    await db.execute(
        _SQL["add_version"],
        route_id,
        version,
        effective_at,
        plan.driver_id,
        plan.start_at,
        plan.end_at,
        plan.return_to_depot,
        plan.path_lon,
        plan.path_lat,
        plan.path_along_m,
        stop_ids,
        [stop.lon for stop in plan.stops],
        [stop.lat for stop in plan.stops],
        [stop.along_m for stop in plan.stops],
        [stop.radius_m for stop in plan.stops],
        [stop.service_s for stop in plan.stops],
        [stop.planned_arrival for stop in plan.stops],
        {str(stop_id): shape for stop_id, stop in zip(stop_ids, plan.stops, strict=True) if (shape := _shape_of(stop))},
        [stop.window_start for stop in plan.stops],
        [stop.window_end for stop in plan.stops],
        [stop.kind for stop in plan.stops],
        [sum(parcel.quantity for parcel in stop.parcels) for stop in plan.stops],
        plan.stop_drive_s,
        plan.wait_for_window,
        plan.times_learned,
    )


def _shape_of(stop: StopPlan) -> dict[str, Any] | None:
    """Give what replaces the circle of a stop: what its planner drew, else what reaches to where vans park for it."""
    if stop.geofence or stop.park_lat is None or stop.park_lon is None:
        return stop.geofence
    return reach_to_spot(stop.lon, stop.lat, stop.radius_m, stop.park_lon, stop.park_lat)


async def copy_version(db: Db, *, route_id: int, version: int, effective_at: datetime, driver_id: int | None) -> None:
    """Put the plan of the version before in force for another driver, or for nobody."""
    await db.execute(_SQL["copy_version"], route_id, version, effective_at, driver_id)


async def read_path(db: Db | Pool, *, route_id: int, version: int) -> list[tuple[float, float]]:
    """Read the path of a version that is known to exist, as (lon, lat) in degrees."""
    row = await db.fetchrow(_SQL["read_path"], route_id, version)
    assert row is not None
    return list(zip(row["path_lon"], row["path_lat"], strict=True))
