"""The inbox and the quarantine as tables."""

from datetime import UTC, datetime, timedelta

from sql.account.accounts import ensure_account
from sql.inbox.inbox import depth, put_blocks
from sql.inbox.quarantine import Quarantined, list_quarantined, put_quarantined
from sql.pool import Pool

AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


async def put(pool: Pool, *pings: int, body: bytes = b"x") -> None:
    async with pool.acquire() as db:
        await put_blocks(
            db, received_at=AT, lanes=[n % 64 for n in range(len(pings))], pings=pings, bodies=[body] * len(pings)
        )


async def depth_of(pool: Pool) -> int:
    async with pool.acquire() as db:
        return await depth(db)


async def test_blocks_are_rows_in_the_order_they_were_given(pool: Pool) -> None:
    await put(pool, 3, 1, 2)
    rows = await pool.fetch("SELECT lane, received_at, pings, body FROM inbox ORDER BY id")
    assert [tuple(row) for row in rows] == [(0, AT, 3, b"x"), (1, AT, 1, b"x"), (2, AT, 2, b"x")]


async def test_the_longest_body_stays_in_its_row(pool: Pool) -> None:
    await put(pool, 121, body=b"x" * 8_000)
    toast = await pool.fetchval("SELECT reltoastrelid::regclass::text FROM pg_class WHERE relname = 'inbox'")
    assert await pool.fetchval(f"SELECT count(*) FROM {toast}") == 0


async def test_the_depth_is_exact_while_it_is_small(pool: Pool) -> None:
    assert await depth_of(pool) == 0
    await put(pool, *range(1, 101))
    assert await depth_of(pool) == 5_050
    await pool.execute("DELETE FROM inbox WHERE lane < 32")
    assert await depth_of(pool) == await pool.fetchval("SELECT sum(pings) FROM inbox")


async def test_the_depth_is_an_estimate_when_it_is_large(pool: Pool) -> None:
    await put(pool, *[100] * 8_000, body=b"x" * 4_000)
    assert 0.7 < await depth_of(pool) / 800_000 < 1.3  # about five standard deviations of 500 pages


async def test_the_quarantine_is_read_newest_first_and_by_its_account_only(pool: Pool) -> None:
    ours, theirs = await ensure_account(pool, "mensajeria"), await ensure_account(pool, "competencia")
    messages = [
        Quarantined(
            account_id=account_id, driver_id=None, device_id=n, received_at=AT + timedelta(seconds=n),
            source="osmand", reason="body-unreadable", detail=None, body=bytes([n]),
        )
        for n, account_id in enumerate([ours, theirs, ours, ours])
    ]  # fmt: skip
    async with pool.acquire() as db:
        await put_quarantined(db, messages)
    first = await list_quarantined(pool, account_id=ours, after_id=None, limit=2)
    assert [(entry.device_id, entry.body) for entry in first] == [(3, b"\3"), (2, b"\2")]
    rest = await list_quarantined(pool, account_id=ours, after_id=first[-1].id, limit=2)
    assert [entry.device_id for entry in rest] == [0]
