"""The inbox: acknowledged means committed, whatever happens to the database, the phone or the process."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from geo.pings import Pings
from ingest.config import InboxConfig
from ingest.inbox import Full, Inbox
from sql.config import DatabaseConfig
from sql.inbox.quarantine import Quarantined, list_quarantined
from sql.pool import Pool
from tests.ingest.doors.phones import Client, Doors, Phone, locked_inbox, ping, until_writers_wait

Kept = Callable[[], Awaitable[Pings]]
CONFIG = InboxConfig()
QUICK: dict[str, Any] = {"gather_s": 0.001, "commits": 1}


def pings(n: int = 1, driver_id: int = 1) -> Pings:
    made = Pings.empty(n)
    made.rows["driver_id"] = driver_id
    made.rows["recorded_ms"] = range(n)
    made.rows["received_ms"] = 1_772_000_000_000
    return made


def unusable(account_id: int) -> Quarantined:
    return Quarantined(
        account_id=account_id, driver_id=None, device_id=None, received_at=datetime.now(UTC),
        source="osmand", reason="body-unreadable", detail=None, body=b"?",
    )  # fmt: skip


async def test_nothing_is_acknowledged_before_its_commit(database: DatabaseConfig, pool: Pool, kept: Kept) -> None:
    async with Inbox(database, CONFIG, **QUICK) as inbox:
        async with locked_inbox(pool):
            keeping = asyncio.create_task(inbox.keep(pings(3), 1))
            await until_writers_wait(pool)
            assert not keeping.done()
        await keeping
        assert len(await kept()) == 3


async def test_a_commit_that_dies_fails_those_who_wait_for_it_and_nobody_else(
    database: DatabaseConfig, pool: Pool, kept: Kept
) -> None:
    async with Inbox(database, CONFIG, **QUICK) as inbox:
        await inbox.keep(pings(1, driver_id=1), 1)
        async with locked_inbox(pool):
            doomed = [asyncio.create_task(inbox.keep(pings(1, driver_id=2), lane)) for lane in (1, 2)]
            (backend,) = await until_writers_wait(pool)
            later = asyncio.create_task(inbox.keep(pings(1, driver_id=3), 1))
            await asyncio.sleep(0)
            await pool.execute("SELECT pg_terminate_backend($1)", backend)
            for one in doomed:
                with pytest.raises(Full) as told:
                    await one
                assert told.value.retry_after_s > 0
        await later
        assert (await kept()).rows["driver_id"].tolist() == [1, 3]


async def test_a_phone_that_hangs_up_takes_nobodys_pings_along(
    database: DatabaseConfig, pool: Pool, kept: Kept
) -> None:
    async with Inbox(database, CONFIG, gather_s=0.05, commits=1) as inbox:
        async with locked_inbox(pool):
            waiting = [asyncio.create_task(inbox.keep(pings(2, driver_id=n), 1)) for n in range(4)]
            await until_writers_wait(pool)
            waiting[1].cancel()
            gathered_next = [asyncio.create_task(inbox.keep(pings(2, driver_id=n), 1)) for n in range(4, 8)]
            await asyncio.sleep(0)
            gathered_next[0].cancel()
        results = await asyncio.gather(*waiting, *gathered_next, return_exceptions=True)
    assert [type(result).__name__ for result in results] == [
        "NoneType", "CancelledError", "NoneType", "NoneType", "CancelledError", "NoneType", "NoneType", "NoneType",
    ]  # fmt: skip
    assert sorted(set((await kept()).rows["driver_id"].tolist())) == list(range(8))


async def test_unusable_messages_are_kept_in_the_commit_of_their_pings(
    database: DatabaseConfig, pool: Pool, kept: Kept, phone: Phone
) -> None:
    async with Inbox(database, CONFIG, **QUICK) as inbox:
        await inbox.keep(pings(2), 1, [unusable(phone.account_id)])
        await inbox.keep(pings(0), 1, [unusable(phone.account_id)])
    assert len(await kept()) == 2
    assert len(await list_quarantined(pool, account_id=phone.account_id, after_id=None, limit=10)) == 2
    assert await pool.fetchval("SELECT count(*) FROM inbox JOIN quarantine ON quarantine.xmin = inbox.xmin") == 1


async def test_an_unusable_message_that_cannot_be_kept_is_not_acknowledged(
    database: DatabaseConfig, kept: Kept
) -> None:
    async with Inbox(database, CONFIG, **QUICK) as inbox:
        with pytest.raises(Full):
            await inbox.keep(pings(2), 1, [unusable(account_id=404)])
    assert len(await kept()) == 0


async def test_memory_for_waiting_pings_is_bounded(database: DatabaseConfig, pool: Pool, kept: Kept) -> None:
    async with Inbox(database, replace(CONFIG, inbox_waiting_bytes=200 * 100), **QUICK) as inbox:
        async with locked_inbox(pool):
            first = asyncio.create_task(inbox.keep(pings(60), 1))
            await until_writers_wait(pool)
            second = asyncio.create_task(inbox.keep(pings(40), 1))
            await asyncio.sleep(0)
            with pytest.raises(Full):
                await inbox.keep(pings(1), 1)
        await asyncio.gather(first, second)
        await inbox.keep(pings(1), 1)
        await inbox.keep(pings(500), 1)  # alone, it is let in whatever its size
        assert len(await kept()) == 601


async def test_commits_under_way_are_bounded(database: DatabaseConfig, pool: Pool, kept: Kept) -> None:
    async with Inbox(database, CONFIG, gather_s=0.001, commits=2) as inbox:
        async with locked_inbox(pool):
            keeping = []
            for writers in (1, 2):
                keeping.append(asyncio.create_task(inbox.keep(pings(), 1)))
                await until_writers_wait(pool, writers)
            keeping += [asyncio.create_task(inbox.keep(pings(), 1)) for _ in range(20)]
            await asyncio.sleep(0.1)
            assert len(await until_writers_wait(pool, 2)) == 2
        await asyncio.gather(*keeping)
    assert await pool.fetchval("SELECT count(*) FROM inbox") < 22  # those who came later shared blocks
    assert len(await kept()) == 22


async def test_stopping_commits_what_was_taken_and_takes_nothing_more(
    database: DatabaseConfig, pool: Pool, kept: Kept
) -> None:
    inbox = Inbox(database, CONFIG, gather_s=60, commits=1)
    async with inbox:
        keeping = [asyncio.create_task(inbox.keep(pings(), lane)) for lane in range(5)]
        await asyncio.sleep(0)
    await asyncio.gather(*keeping)
    assert len(await kept()) == 5
    with pytest.raises(Full):
        await inbox.keep(pings(), 1)


async def test_a_large_backlog_is_committed_without_waiting_for_others(database: DatabaseConfig, kept: Kept) -> None:
    async with Inbox(database, CONFIG, gather_s=60, gather_pings=100) as inbox, asyncio.timeout(30):
        await inbox.keep(pings(100), 1)
        assert len(await kept()) == 100


async def test_the_inbox_works_again_when_the_database_is_back(
    database: DatabaseConfig, pool: Pool, kept: Kept
) -> None:
    name = await pool.fetchval("SELECT current_database()")
    admin = await asyncpg.connect(database.database_url, database="postgres")
    async with Inbox(database, CONFIG, **QUICK) as inbox:
        await inbox.keep(pings(), 1)
        await admin.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        for _ in range(3):
            with pytest.raises(Full):
                await inbox.keep(pings(), 1)
        await admin.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")
        await inbox.keep(pings(), 1)
    await admin.close()
    await pool.expire_connections()
    assert len(await kept()) == 2


async def test_a_phone_is_told_503_when_the_commit_of_its_pings_dies(
    open_doors: Doors, phone: Phone, pool: Pool, kept: Kept
) -> None:
    async with open_doors() as client:
        async with locked_inbox(pool):
            posting = asyncio.create_task(client.post("/v1/pings", json=[ping()], headers=phone.headers))
            (backend,) = await until_writers_wait(pool)
            await pool.execute("SELECT pg_terminate_backend($1)", backend)
            response = await posting
        assert (response.status, (await response.json())["type"]) == (503, "unavailable")
        assert int(response.headers["Retry-After"]) > 0
        response = await client.post("/v1/pings", json=[ping()], headers=phone.headers)
        assert response.status == 200
    assert len(await kept()) == 1


async def test_a_connection_cut_in_the_middle_of_a_commit_hurts_no_other(
    client: Client, phone: Phone, make_phone: Callable[..., Awaitable[Phone]], pool: Pool, kept: Kept
) -> None:
    other = await make_phone("luis")
    async with locked_inbox(pool):
        posting = asyncio.create_task(client.post("/v1/pings", json=[ping()], headers=other.headers))
        await until_writers_wait(pool, 1)
        hasty = asyncio.create_task(client.post("/v1/pings", json=[ping()], headers=phone.headers))
        await until_writers_wait(pool, 2)
        hasty.cancel()
        await asyncio.gather(hasty, return_exceptions=True)
    assert (await posting).status == 200
    async with asyncio.timeout(60):
        while len(await kept()) < 2:
            await asyncio.sleep(0.02)
