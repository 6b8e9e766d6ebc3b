"""Tracks as people read them: the pings of a route or a driver with how each was judged."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from geo.plan.numbers import EARLY_MS, LATE_MS
from geo.times import SINCE_EVER
from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)

_MOST_BESIDE = 1_000
"""Pings read on either side of a page: more than any phone records in the time that is looked at."""


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
class LastPing:
    """The last ping of a page, in the order in which history folds them."""

    recorded_at: datetime
    lat_e6: int
    lon_e6: int
    device_id: int


NOWHERE = LastPing(recorded_at=SINCE_EVER, lat_e6=0, lon_e6=0, device_id=0)
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
    after: LastPing = NOWHERE,
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


async def beside_page(
    db: Db | Pool, firsts: Sequence[asyncpg.Record], lasts: Sequence[asyncpg.Record], *, within_s: float, gap_s: float
) -> list[asyncpg.Record]:
    """Read the believed pings around a page.

    Args:
        firsts, lasts: for each phone its first and its last ping of the page, as `read_track` gives them.
        within_s: how far before the first and after the last.
        gap_s: how much further away the next one beyond may be, to be read too.

    Returns:
        Records of device_id, recorded_at, lat_e6 and lon_e6, in no order.
    """
    found: list[asyncpg.Record] = await db.fetch(
        _SQL["beside_page"],
        [ping["device_id"] for ping in firsts],
        *([ping[name] for ping in pings] for pings in (firsts, lasts) for name in ("recorded_at", "lat_e6", "lon_e6")),
        within_s,
        gap_s,
        _MOST_BESIDE,
    )
    return found
