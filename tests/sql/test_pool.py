"""Connections are shared out, and nobody waits for ever."""

import asyncio
import os
import signal
import time
from pathlib import Path

import asyncpg
import pytest

from reparto.postgres import EmbeddedPostgres
from sql.config import DatabaseConfig
from sql.pool import ASKS, create_pool, is_away
from sql.turns import WAITING_EACH_SEAT, ConnectionTurns, NoTurnError


async def asking(turns: ConnectionTurns, who: str, n: int) -> "list[asyncio.Task[None]]":
    tasks = [asyncio.create_task(turns.enter(who)) for _ in range(n)]
    await asyncio.sleep(0)
    return tasks


async def test_one_party_leaves_seats_to_others() -> None:
    turns = ConnectionTurns(8)
    loop = await asking(turns, "loop", 50)
    assert (turns.taken, turns.waiting) == (6, 44)
    await asyncio.wait_for(turns.enter("other"), 1)
    for task in loop:
        task.cancel()


async def test_who_has_fewest_is_next_and_then_who_waits_longest() -> None:
    turns = ConnectionTurns(2)
    came: list[str] = []

    async def enter(who: str) -> None:
        await turns.enter(who)
        came.append(who)

    await enter("a")
    await enter("b")
    waiting = [asyncio.create_task(enter(who)) for who in ("b", "a", "c", "d")]
    await asyncio.sleep(0)
    for who in ("b", "a", "c", "b"):
        turns.leave(who)
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    assert came == ["a", "b", "b", "a", "c", "d"] or came[2:] == ["c", "d", "b", "a"]


async def test_so_many_wait_and_no_more_and_of_one_party_half() -> None:
    turns = ConnectionTurns(2)
    tasks = await asking(turns, "loop", 1 + WAITING_EACH_SEAT)
    with pytest.raises(NoTurnError):
        await turns.enter("loop")
    tasks += await asking(turns, "other", 1 + WAITING_EACH_SEAT)
    with pytest.raises(NoTurnError):
        await turns.enter("third")
    for task in tasks:
        task.cancel()


async def test_who_gives_up_waiting_leaves_nothing_behind() -> None:
    turns = ConnectionTurns(1)
    await turns.enter("a")
    (waits,) = await asking(turns, "b", 1)
    waits.cancel()
    await asyncio.wait([waits])
    assert turns.waiting == 0
    (late,) = await asking(turns, "b", 1)
    turns.leave("a")
    late.cancel()  # its turn came, and it never knew
    await asyncio.wait([late])
    assert (turns.taken, turns.waiting) == (0, 0)


async def test_what_a_party_asks_at_once_has_some_of_the_connections(database: DatabaseConfig) -> None:
    async with await create_pool(database, connections=4) as pool:

        async def slow(who: str) -> None:
            ASKS.set(who)
            await pool.execute("SELECT pg_sleep(0.5)")

        loop = [asyncio.create_task(slow("loop")) for _ in range(12)]
        await asyncio.sleep(0.1)
        began_s = time.monotonic()
        ASKS.set("other")
        assert await pool.fetchval("SELECT 1") == 1
        assert time.monotonic() - began_s < 0.4
        assert not any(task.done() for task in loop)
        await asyncio.gather(*loop)


async def test_nobody_waits_longer_for_a_connection_than_was_said(database: DatabaseConfig) -> None:
    async with await create_pool(database, connections=1, wait_s=0.2) as pool, pool.acquire():
        with pytest.raises(TimeoutError) as waited:
            await pool.fetchval("SELECT 1")
        assert is_away(waited.value)
    async with await create_pool(database, connections=1, wait_s=5) as pool:
        assert await pool.fetchval("SELECT 1") == 1


async def test_a_connection_that_breaks_is_given_back(database: DatabaseConfig) -> None:
    async with await create_pool(database, connections=1, wait_s=5) as pool:
        for _ in range(3):
            with pytest.raises(asyncpg.PostgresError) as killed:
                await pool.execute("SELECT pg_terminate_backend(pg_backend_pid())")
            assert is_away(killed.value)
        assert await pool.fetchval("SELECT 1") == 1


def _stat(pid: str) -> list[str]:
    return Path("/proc", pid, "stat").read_text().rsplit(")", 1)[1].split()


def _stop(postmaster: int) -> list[int]:
    """Stop a whole server. Its first process before its others, which it makes one for each connection."""
    os.kill(postmaster, signal.SIGSTOP)
    while _stat(str(postmaster))[0] != "T":
        time.sleep(0.01)
    found = [postmaster]
    for one in Path("/proc").iterdir():
        if one.name.isdecimal():
            try:
                found += [int(one.name)] if int(_stat(one.name)[1]) == postmaster else []
            except OSError:
                continue
    for pid in found[1:]:
        os.kill(pid, signal.SIGSTOP)
    return found


def test_a_server_that_hangs_lets_everybody_go_within_five_seconds_and_is_used_again(tmp_path: Path) -> None:
    async def hang(server: EmbeddedPostgres) -> None:
        async with await create_pool(DatabaseConfig(database_url=server.dsn), connections=4) as pool:

            async def ask() -> tuple[bool, float]:
                began_s = time.monotonic()
                try:
                    await pool.fetchval("SELECT 1")
                except Exception as error:
                    return is_away(error), time.monotonic() - began_s
                return False, 0.0

            await ask()
            stopped = _stop(server.pid)
            try:
                asked = [*await asyncio.gather(*(ask() for _ in range(30))), await ask()]
            finally:
                for pid in stopped:
                    os.kill(pid, signal.SIGCONT)
            assert all(away for away, _ in asked)
            assert max(took_s for _, took_s in asked) < 6  # 5, and what a busy machine adds
            assert asked[-1][1] < 1  # by then it is known
            async with asyncio.timeout(60):
                while (await ask())[0]:
                    await asyncio.sleep(0.1)

    with EmbeddedPostgres.start(tmp_path, durable=False) as server:
        asyncio.run(hang(server))
