"""Tracks as people read them: the pings of a route or a driver with how each was judged."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from geo.plans import EARLY_MS, LATE_MS
from sql.pool import Db, Pool
from sql.queries import load
from sql.times import SINCE_EVER

_SQL = load("track_read")


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteSpan:
    """Where a route's pings are to be looked for.

    Attributes:
        since, until: no ping recorded before `since`, or after `until`, is on the route.
        driver_ids: everybody who ever drove it.
    """

    id: int
    external_id: str
    since: datetime
    until: datetime
    driver_ids: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The last ping of a page, in the order in which history folds them."""

    recorded_at: datetime
    lat_e6: int
    lon_e6: int
    device_id: int


NOWHERE = Place(recorded_at=SINCE_EVER, lat_e6=0, lon_e6=0, device_id=0)
"""Before the first page."""


async def track_of_route(
    db: Db | Pool, account_id: int, *, route_id: int | None = None, external_id: str | None = None
) -> RouteSpan | None:
    """Find a route by its id or its external id; None when the account has none."""
    row = await db.fetchrow(_SQL["track_of_route"], account_id, route_id, external_id, EARLY_MS / 1000, LATE_MS / 1000)
    return None if row is None else RouteSpan(**row)


async def read_track(
    db: Db | Pool,
    driver_ids: Sequence[int],
    *,
    since: datetime,
    until: datetime,
    route_id: int | None = None,
    after: Place = NOWHERE,
    limit: int,
) -> list[asyncpg.Record]:
    """Read pings in time order, at most `limit`.

    Args:
        driver_ids: whose.
        since, until: recorded at or after `since`, before `until`.
        route_id: only those on this route; None for all.
        after: the last ping already shown.

    Returns:
        Records, not objects, because there are many; their names are those of the table.
    """
    phones = await db.fetch(_SQL["devices_of_drivers"], list(driver_ids))
    pings: list[asyncpg.Record] = await db.fetch(
        _SQL["read_track"],
        [phone["lane"] for phone in phones],
        [phone["id"] for phone in phones],
        since,
        until,
        route_id,
        after.recorded_at,
        after.lat_e6,
        after.lon_e6,
        after.device_id,
        limit,
    )
    return pings
