"""Closing tours: when they were over though stops of them were open, and which stops those are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from geo.plan.numbers import LATE_MS
from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteToLookAt:
    """A route that may have to be closed."""

    id: int
    account_id: int
    external_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftStop:
    """A stop, and whether it was left open when its tour was over.

    Attributes:
        closed_ms: when that was; None: the tour is not over.
        closed_by: `hours` (its own were over), `shift` (its driver's was), `word` (somebody said so); None: it is not.
        driver_id, lane: of who has the route; None: nobody.
    """

    stop_id: int
    account_id: int
    route_id: int
    route_version: int
    is_open: bool
    closed_ms: int | None
    closed_by: str | None
    driver_id: int | None
    lane: int | None


async def look_at_routes(db: Db, route_ids: Sequence[int], *, ended: Sequence[int]) -> None:
    """Have the job of closing look at routes of which something was said.

    Args:
        ended: those of which somebody said that they are over; of the others only the closed ones are looked at.
    """
    await db.execute(_SQL["look_at_routes"], route_ids, ended)


async def look_at_routes_of_driver(db: Db, *, driver_id: int, from_ms: int) -> None:
    """Have the job of closing look at the routes that a driver had begun when their shift changed."""
    await db.execute(_SQL["look_at_routes_of_driver"], driver_id, from_ms, LATE_MS)


async def routes_to_look_at(db: Db | Pool, *, now: datetime, at_most: int) -> list[RouteToLookAt]:
    """Find routes that are due to be looked at, those waiting longest first."""
    return [RouteToLookAt(**row) for row in await db.fetch(_SQL["routes_to_look_at"], now, at_most)]


async def close_route(db: Db, route_id: int, *, now: datetime) -> None:
    """Say when a route was over, or that it is not. The caller holds the lanes of all drivers who ever had it."""
    await db.execute(_SQL["close_route"], route_id, now, LATE_MS)


async def left_stops(db: Db, stop_ids: Sequence[int], *, of_closed: bool) -> list[LeftStop]:
    """Tell which of some stops are left open. The caller holds the stops.

    Args:
        of_closed: only those of routes that are closed.
    """
    return [LeftStop(**row) for row in await db.fetch(_SQL["left_stops"], stop_ids, of_closed)]
