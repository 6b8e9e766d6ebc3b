"""Promises kept, plans against what was driven, time at stops, what became of them."""

from datetime import timedelta

import asyncpg

from sql.pool import Db, Pool
from sql.queries import load
from sql.reports.asked import ToursAsked

_SQL = load(__name__)

MOST_PLACES = 200
"""Of which a report of service times tells: those with most stops."""

AGAIN_WITHIN = timedelta(days=30)
"""A stop that failed longer before was another delivery: planners use names again."""

NEARBY_DEG = 0.005
"""500 m in latitude: a second attempt is made at the same door, or where a pin was moved to."""


async def read_punctuality(db: Db | Pool, asked: ToursAsked) -> list[asyncpg.Record]:
    """Count how promises were kept: of all first, then by day, driver and depot."""
    rows: list[asyncpg.Record] = await db.fetch(_SQL["punctuality"], *asked.values())
    return rows


async def read_plan_vs_actual(db: Db | Pool, asked: ToursAsked) -> list[asyncpg.Record]:
    """Hold tours against their plans: all first, then by day, driver and depot."""
    rows: list[asyncpg.Record] = await db.fetch(_SQL["plan_vs_actual"], *asked.values())
    return rows


async def read_service_times(db: Db | Pool, asked: ToursAsked) -> list[asyncpg.Record]:
    """Measure how long stops took: all first, then by day, driver, kind and place."""
    rows: list[asyncpg.Record] = await db.fetch(_SQL["service_times"], *asked.values(), MOST_PLACES)
    return rows


async def read_reasons(db: Db | Pool, asked: ToursAsked) -> list[asyncpg.Record]:
    """Count what became of stops: of all first, then by day, driver and reason."""
    rows: list[asyncpg.Record] = await db.fetch(_SQL["reasons"], *asked.values(), AGAIN_WITHIN, NEARBY_DEG)
    return rows
