"""Rows that leave as files: of some tours, or a page at a time. No connection is held between two pieces."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import asyncpg

from geo.plan.numbers import EARLY_MS, LATE_MS
from sql.pool import Db, Pool
from sql.queries import load
from sql.reports.asked import ToursAsked

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TourSpan:
    """Where a tour's pings are to be looked for; see `sql.pings.trace.RouteSpan`."""

    id: int
    since: datetime
    until: datetime
    driver_ids: Sequence[int]


async def tour_ids(db: Db | Pool, asked: ToursAsked) -> list[int]:
    """Find tours in the order in which they start."""
    return [row["id"] for row in await db.fetch(_SQL["tour_ids"], *asked.values())]


async def routes_of(db: Db | Pool, route_ids: Sequence[int], *, with_paths: bool) -> list[asyncpg.Record]:
    """Read routes; `path`: lon and lat of its vertices, None where it is not asked for."""
    rows: list[asyncpg.Record] = await db.fetch(_SQL["routes"], list(route_ids), with_paths)
    return rows


async def stops_of(db: Db | Pool, route_ids: Sequence[int]) -> list[asyncpg.Record]:
    """Read the stops of routes, each in the order of its tour."""
    rows: list[asyncpg.Record] = await db.fetch(_SQL["stops"], list(route_ids))
    return rows


async def visits_of(db: Db | Pool, route_ids: Sequence[int]) -> list[asyncpg.Record]:
    """Read the visits of the stops of routes."""
    rows: list[asyncpg.Record] = await db.fetch(_SQL["visits"], list(route_ids))
    return rows


async def proofs_of(db: Db | Pool, route_ids: Sequence[int]) -> list[asyncpg.Record]:
    """Read what is known of the proofs of routes."""
    rows: list[asyncpg.Record] = await db.fetch(_SQL["proofs"], list(route_ids))
    return rows


async def messages_of(db: Db | Pool, route_ids: Sequence[int]) -> list[asyncpg.Record]:
    """Read the messages about stops of routes."""
    rows: list[asyncpg.Record] = await db.fetch(_SQL["messages"], list(route_ids))
    return rows


async def spans_of(db: Db | Pool, route_ids: Sequence[int]) -> list[TourSpan]:
    """Find where the pings of routes are to be looked for."""
    rows = await db.fetch(_SQL["spans"], list(route_ids), EARLY_MS / 1000, LATE_MS / 1000)
    return [TourSpan(**row) for row in rows]


async def page_of_orders(
    db: Db | Pool, account_id: int, first: date, last: date, *, after: tuple[date, int], limit: int
) -> list[asyncpg.Record]:
    """Read a page of orders that may be brought from the first to the last of some days.

    Args:
        after: last day and id of the last one that was read.
    """
    rows: list[asyncpg.Record] = await db.fetch(_SQL["orders"], account_id, first, last, *after, limit)
    return rows


async def first_known(db: Db | Pool, account_id: int, since: datetime, head: int) -> int:
    """Find an entry of a feed before which nothing became known at or after a time, but what was numbered late."""
    low, high = 0, head + 1
    while low < high:
        middle = (low + high) // 2
        known_at = await db.fetchval(_SQL["known_at"], account_id, middle)
        if known_at is not None and known_at < since:
            low = middle + 1
        else:
            high = middle
    return low
