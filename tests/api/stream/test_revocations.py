"""Revocations as a process with doors hears them: at once, and again after the connection was lost."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from api.http.known.devices import DeviceCache
from api.stream.revocations import Revocations
from sql.account.devices import tell_revoked
from sql.config import DatabaseConfig
from sql.pool import Pool
from tests.api.stream.streams import SOON_S


class Cache(DeviceCache):
    """Notes what it is told."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self.told: asyncio.Queue[int] = asyncio.Queue()
        self.since: asyncio.Queue[float] = asyncio.Queue()

    def forget(self, device_id: int) -> None:
        self.told.put_nowait(device_id)

    def heard(self, since_s: float, until_s: float) -> None:
        assert since_s <= until_s
        self.since.put_nowait(since_s)


@pytest.fixture
async def cache(database: DatabaseConfig, pool: Pool) -> AsyncIterator[Cache]:
    made = Cache(pool)
    async with Revocations(database, made) as revocations, asyncio.timeout(SOON_S):
        await revocations.proved()
        yield made


async def test_a_revoked_device_is_heard_of_and_nothing_else_is_read(cache: Cache, pool: Pool) -> None:
    assert await cache.told.get() == 0
    await pool.execute("SELECT pg_notify('reparto_devices', 'all of them')")
    await tell_revoked(pool, 17)
    assert await cache.told.get() == 17


async def test_who_lost_the_connection_vouches_for_nothing_that_was_told_before(cache: Cache, pool: Pool) -> None:
    before_s = await cache.since.get()
    await pool.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND query LIKE '%Does the database answer%' AND datname = current_database()"
    )
    while await cache.since.get() == before_s:
        pass
    await tell_revoked(pool, 17)
    while await cache.told.get() != 17:
        pass
