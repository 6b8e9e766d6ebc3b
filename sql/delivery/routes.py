"""Routes: one driver's tour of a day, as it is planned and as it goes."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from geo.plan.numbers import LATE_MS
from sql import locks
from sql.delivery.stops import StopPlan, stops_of_route
from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)

TO_DRIVE = frozenset({"planned", "started"})
"""States of a route whose day is not over: somebody is to drive it, or does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePlan:
    """A whole route as it is planned: two of them are equal when nothing has to be written.

    Attributes:
        driver_id: None: nobody drives it yet.
        depot_name, depot_lat, depot_lon: None where there is no depot.
        path_source: `given`, `road`, or `straight` lines through depot and stops.
        path_lon, path_lat, path_along_m: degrees and metres from the start, one entry a vertex.
        stop_drive_s: seconds of driving to each stop from the one before or the path's start; empty where unknown.
        wait_for_window: a van that is early waits until the window begins.
        times_learned: planned arrivals hold what ETAs learned of drives and services.
    """

    driver_id: int | None
    date: date
    timezone: str
    start_at: datetime
    end_at: datetime
    depot_name: str | None
    depot_lat: float | None
    depot_lon: float | None
    return_to_depot: bool
    path_source: str
    length_m: float
    path_lon: Sequence[float]
    path_lat: Sequence[float]
    path_along_m: Sequence[float]
    stops: Sequence[StopPlan]
    stop_drive_s: Sequence[float] = field(default_factory=list)
    wait_for_window: bool = False
    times_learned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteHead:
    """What a write of a route needs to know first; `lane` is its driver's, None where it has none."""

    id: int
    external_id: str
    version: int
    status: str
    start_at: datetime
    driver_id: int | None
    lane: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRow:
    """A route as its account sees it.

    Attributes:
        along_m, next_stop_id: where its driver is on it; None while they are not on it.
        stops, done, left_open: stops of the tour, how many of them need no more coming to, and how many were open
            when it was over.
    """

    id: int
    external_id: str
    version: int
    status: str
    driver_id: int | None
    driver_external_id: str | None
    driver_name: str | None
    date: date
    timezone: str
    start_at: datetime
    end_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    depot_name: str | None
    depot_lat: float | None
    depot_lon: float | None
    return_to_depot: bool
    path_source: str
    length_m: float
    along_m: float | None
    next_stop_id: int | None
    stops: int
    done: int
    left_open: int


async def lock_route(db: Db, *, account_id: int, external_id: str) -> None:
    """Be the only one who writes a route, there or not, until the transaction ends. Comes before any lane.

    Raises:
        asyncpg.LockNotAvailableError: somebody else wrote it for longer than the connection's lock_timeout.
    """
    name = hashlib.sha256(f"{account_id}/{external_id}".encode()).digest()
    await db.execute(_SQL["lock_route"], locks.ROUTE_CLASS, int.from_bytes(name[:4], signed=True))


async def lanes_of_route(db: Db, route_id: int) -> list[int]:
    """List the lanes of every driver who ever had a route."""
    return [row["lane"] for row in await db.fetch(_SQL["lanes_of_route"], route_id)]


async def find_route(
    db: Db | Pool, *, account_id: int, route_id: int | None, external_id: str | None
) -> RouteHead | None:
    """Find a route by either id; None when the account has none such."""
    row = await db.fetchrow(_SQL["find_route"], account_id, route_id, external_id)
    return None if row is None else RouteHead(**row)


async def routes_to_drive(db: Db, driver_id: int) -> list[RouteHead]:
    """List what a driver still has to drive. The caller holds the driver's lane."""
    return [RouteHead(**row) for row in await db.fetch(_SQL["routes_to_drive"], driver_id)]


async def read_plan(db: Db, route_id: int) -> RoutePlan:
    """Read the plan in force of a route that is known to exist."""
    row = await db.fetchrow(_SQL["plan_of_route"], route_id)
    assert row is not None
    stops = [stop.plan for stop in await stops_of_route(db, route_id) if not stop.removed]
    return RoutePlan(**row, stops=stops)


async def create_route(db: Db, *, account_id: int, external_id: str, plan: RoutePlan) -> int:
    """Make the first version of a route; return its id."""
    route_id: int = await db.fetchval(_SQL["create_route"], account_id, external_id, *_columns(plan))
    return route_id


async def replace_route(db: Db, *, route_id: int, version: int, plan: RoutePlan, has_new_stops: bool) -> None:
    """Make the next version of a route."""
    await db.execute(_SQL["replace_route"], route_id, version, *_columns(plan), has_new_stops)


def _columns(plan: RoutePlan) -> tuple[object, ...]:
    return (
        plan.driver_id,
        plan.date,
        plan.timezone,
        plan.start_at,
        plan.end_at,
        plan.depot_name,
        plan.depot_lat,
        plan.depot_lon,
        plan.return_to_depot,
        plan.path_source,
        plan.length_m,
        LATE_MS,
    )


async def move_to_driver(db: Db, *, route_id: int, version: int, driver_id: int | None) -> None:
    """Give a route to another driver, or to nobody."""
    await db.execute(_SQL["move_to_driver"], route_id, version, driver_id)


async def end_route(db: Db, route_id: int) -> None:
    """Delete a route that never started, cancel one that did."""
    await db.execute(_SQL["end_route"], route_id)


async def list_routes(
    db: Db | Pool,
    *,
    account_id: int,
    on: date | None,
    driver_id: int | None,
    status: str | None,
    before: tuple[datetime, int] | None,
    limit: int,
) -> list[RouteRow]:
    """Read a page of an account's routes, the latest start first; None asks for any.

    Args:
        before: start and id of the last route of the page before.
    """
    start_at, route_id = before or (None, None)
    page = await db.fetch(_SQL["page_of_routes"], account_id, on, driver_id, status, start_at, route_id, limit)
    return await _shown(db, [row["id"] for row in page])


async def show_route(db: Db | Pool, route_id: int) -> RouteRow:
    """Read a route that is known to exist."""
    (row,) = await _shown(db, [route_id])
    return row


async def _shown(db: Db | Pool, route_ids: list[int]) -> list[RouteRow]:
    return [RouteRow(**row) for row in await db.fetch(_SQL["shown_routes"], route_ids)]
