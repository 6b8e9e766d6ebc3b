"""Messages and their price, ratings, cash."""

import asyncpg

from sql.pool import Db, Pool
from sql.queries import load
from sql.reports.asked import ToursAsked

_SQL = load(__name__)


async def read_messages(db: Db | Pool, asked: ToursAsked) -> list[asyncpg.Record]:
    """Count messages: all first, then by day, channel, kind, and by how an address begins."""
    rows: list[asyncpg.Record] = await db.fetch(_SQL["messages"], *asked.values())
    return rows


async def read_ratings(db: Db | Pool, asked: ToursAsked) -> list[asyncpg.Record]:
    """Count ratings: all first, where there is any stop; then by day, driver and reason."""
    rows: list[asyncpg.Record] = await db.fetch(_SQL["ratings"], *asked.values())
    return rows


async def read_cash(db: Db | Pool, asked: ToursAsked) -> list[asyncpg.Record]:
    """Count cash, each currency by itself: all first, then by day and driver."""
    rows: list[asyncpg.Record] = await db.fetch(_SQL["cash"], *asked.values())
    return rows
