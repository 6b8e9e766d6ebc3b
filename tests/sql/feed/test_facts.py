"""Facts that are moved while they are numbered: neither waits for the other."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from sql.account.accounts import ensure_account
from sql.feed.events import number_events
from sql.feed.facts import Revision, move_facts
from sql.pool import Db, Pool

BACKWARDS = [UUID(int=3), UUID(int=2), UUID(int=1)]
"""Facts of the entries 1, 2 and 3."""


async def _move(db: Db) -> None:
    await move_facts(
        db,
        [
            Revision(
                fact_id=fact_id, revision=1, state="asserted", type="stop.arrived", occurred_ms=0, folded_ms=9, lane=0,
                account_id=1, driver_id=1, route_id=None, route_version=None, stop_id=None, geofence_id=None,
                visit_id=None, data={},
            )
            for fact_id in sorted(BACKWARDS)
        ],
    )  # fmt: skip


@pytest.mark.parametrize("work", [_move, number_events])
async def test_entries_are_held_in_the_order_of_their_ids(pool: Pool, work: Callable[[Db], Awaitable[object]]):
    """While somebody holds the first, nobody who wants all of them holds another."""
    account_id = await ensure_account(pool, "default")
    for fact_id in BACKWARDS:
        await pool.execute(
            "INSERT INTO event (account_id, fact_id, revision, state, type, occurred_at, known_at, folded_at, lane,"
            " driver_id, late) VALUES ($1, $2, 1, 'asserted', 'stop.arrived', now(), now(), now(), 0, 1, false)",
            account_id, fact_id,
        )  # fmt: skip
    first, *others = [row["id"] for row in await pool.fetch("SELECT id FROM event ORDER BY id")]
    async with pool.acquire() as holder, pool.acquire() as db:
        async with holder.transaction():
            await holder.execute("SELECT FROM event WHERE id = $1 FOR UPDATE", first)
            working = asyncio.ensure_future(work(db))
            async with asyncio.timeout(60):
                while not await pool.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
                    await asyncio.sleep(0.01)
            async with holder.transaction():
                await holder.execute("SELECT FROM event WHERE id = ANY ($1) FOR UPDATE NOWAIT", others)
        await working


async def test_a_fact_moves(pool: Pool):
    account_id = await ensure_account(pool, "default")
    await pool.execute(
        "INSERT INTO event (account_id, fact_id, revision, state, type, occurred_at, known_at, folded_at, lane,"
        " driver_id, late) VALUES ($1, $2, 1, 'asserted', 'stop.arrived', now(), now(), now(), 0, 1, false)",
        account_id, BACKWARDS[0],
    )  # fmt: skip
    async with pool.acquire() as db:
        await _move(db)
    moved = await pool.fetchval("SELECT to_ms(folded_at) FROM event")
    assert moved == 9
