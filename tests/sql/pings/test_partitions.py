"""Partitions of `ping`: made ahead, dropped whole."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest

from sql.pings.partitions import drop_partitions_before, ensure_partitions, partition_days, tighten_key
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


_PHONES, _FIXES = 400, 30

_MIXED = """
INSERT INTO packed_ping (device_id, recorded_at, lat_e6, lon_e6, received_after_ms)
SELECT device, $1::timestamptz + fix * interval '1 second', 0, 0, 0
  FROM generate_series(1, $3) AS fix, generate_series(1, $2) AS device
 ORDER BY md5(device || ' ' || fix)
"""


async def test_the_key_of_a_day_that_is_over_is_written_anew_while_a_writer_goes_on(pool: Pool, database):
    """Phones that send in turn leave much of their pages empty."""
    day = datetime(2026, 3, 2, 12, tzinfo=UTC)
    async with pool.acquire() as db:
        await ensure_partitions(db, FIRST, LAST)
        await db.execute(_MIXED, day, _PHONES, _FIXES)
        await db.execute("ANALYZE packed_ping")
        before = await db.fetchval("SELECT pg_indexes_size('ping_20260302')")
        writer = await asyncpg.connect(database.database_url)
        writing = asyncio.create_task(_write_on(writer, day))
        try:
            name = await tighten_key(db, row_bytes=36, least_bytes=0)
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            await writer.close()
        assert name is not None
        assert name.startswith("ping_20260302")
        assert await db.fetchval("SELECT pg_indexes_size('ping_20260302')") < 0.75 * before
        assert await tighten_key(db, row_bytes=36, least_bytes=0) is None
        plan = await db.fetchval(
            "EXPLAIN (FORMAT JSON) SELECT FROM packed_ping WHERE device_id = 7 AND recorded_at = $1", day
        )
        assert name in str(plan)


async def _write_on(writer: asyncpg.Connection, day: datetime) -> None:
    while True:
        await writer.execute(_MIXED, day, 1, 1)
        await asyncio.sleep(0.01)


async def test_a_small_key_and_one_of_today_are_left_alone(pool: Pool):
    today = datetime.now(UTC)
    async with pool.acquire() as db:
        await ensure_partitions(db, FIRST, LAST)
        await ensure_partitions(db, today.date(), today.date() + timedelta(days=1))
        for day in (datetime(2026, 3, 2, tzinfo=UTC), today + timedelta(hours=1)):
            await db.execute(_MIXED, day, _PHONES, _FIXES)
        await db.execute("ANALYZE packed_ping")
        assert await tighten_key(db, row_bytes=36, least_bytes=10**9) is None
        assert await tighten_key(db, row_bytes=36, least_bytes=0) is not None  # the older one
        assert await tighten_key(db, row_bytes=36, least_bytes=0) is None


async def test_a_rewrite_that_was_stopped_in_the_middle_leaves_nothing_behind(pool: Pool, database):
    async with pool.acquire() as db:
        await ensure_partitions(db, FIRST, LAST)
        await db.execute(_MIXED, datetime(2026, 3, 2, tzinfo=UTC), _PHONES, _FIXES)
        await db.execute("ANALYZE packed_ping")
        key = await db.fetchval(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'ping_20260302'::regclass"
        )
        reader = await asyncpg.connect(database.database_url)
        async with reader.transaction(isolation="repeatable_read"):
            await reader.fetchval("SELECT count(*) FROM ping_20260302")
            await reader.execute("LOCK TABLE ping_20260302 IN ROW EXCLUSIVE MODE")
            await db.execute("SET statement_timeout = 500")
            with pytest.raises(asyncpg.QueryCanceledError):
                await db.execute(f"REINDEX INDEX CONCURRENTLY {key}")
        await reader.close()
        await db.execute("SET statement_timeout = 0")
        invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
        assert await db.fetchval(invalid) == 1
        assert await tighten_key(db, row_bytes=36, least_bytes=0) == key
        assert await db.fetchval(invalid) == 0
