"""Partitions of `ping`: made ahead, dropped whole."""

from datetime import UTC, date, datetime

import asyncpg
import pytest

from sql.pings.partitions import drop_partitions_before, ensure_partitions, partition_days
from sql.pool import Pool

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 3)


async def _store(pool: Pool, day: date) -> None:
    await pool.execute(
        "INSERT INTO packed_ping (device_id, recorded_at, lat_e6, lon_e6, received_after_ms) VALUES (1, $1, 0, 0, 0)",
        datetime(day.year, day.month, day.day, 23, 59, 59, 999_000, tzinfo=UTC),
    )


async def test_a_day_has_room_for_its_pings_once_it_has_a_partition(pool: Pool):
    with pytest.raises(asyncpg.CheckViolationError):
        await _store(pool, FIRST)
    async with pool.acquire() as db:
        await ensure_partitions(db, FIRST, LAST)
        await ensure_partitions(db, FIRST, LAST)
        assert await partition_days(db) == [FIRST, date(2026, 3, 2), LAST]
    await _store(pool, FIRST)
    await _store(pool, LAST)


async def test_old_days_are_dropped_whole(pool: Pool):
    async with pool.acquire() as db:
        await ensure_partitions(db, FIRST, LAST)
        await _store(pool, FIRST)
        await _store(pool, LAST)
        assert await drop_partitions_before(db, LAST) == [FIRST, date(2026, 3, 2)]
        assert await partition_days(db) == [LAST]
    assert await pool.fetchval("SELECT count(*) FROM ping") == 1


async def test_a_drop_that_was_stopped_in_the_middle_is_finished(pool: Pool, database):
    async with pool.acquire() as db:
        await ensure_partitions(db, FIRST, LAST)
        reader = await asyncpg.connect(database.database_url)
        async with reader.transaction(isolation="repeatable_read"):
            await reader.fetchval("SELECT count(*) FROM ping")
            await db.execute("SET statement_timeout = 300")
            with pytest.raises(asyncpg.QueryCanceledError):
                await drop_partitions_before(db, LAST)
        await reader.close()
        await db.execute("SET statement_timeout = 0")
        assert FIRST in await drop_partitions_before(db, LAST)
        assert await partition_days(db) == [LAST]
