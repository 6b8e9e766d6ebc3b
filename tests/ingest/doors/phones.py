"""A phone, what it sends, and what its server waits for."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from reparto.process.serve import bind, serving
from sql.pool import Pool

Client = TestClient[web.Request, web.Application]
Doors = Callable[..., Any]


class OurServer(TestServer):
    """An application served as our processes serve theirs."""

    __test__ = False

    async def start_server(self, *_: Any, **__: Any) -> None:
        if self.runner is not None:
            return
        self._served = AsyncExitStack()
        listener = self._served.enter_context(bind("127.0.0.1:0", "REPARTO_LISTEN"))
        self._root = URL(await self._served.enter_async_context(serving(self.app, listener)))
        self.host, self.port, self.scheme = "127.0.0.1", self._root.port, "http"
        self.runner = web.AppRunner(self.app)  # says that it is started

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            await self._served.aclose()


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """A device and its secrets."""

    id: int
    account_id: int
    driver_id: int
    lane: int
    token: str
    ingest_token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def ping(seconds_ago: float = 60, **changes: Any) -> dict[str, Any]:
    """A good ping in Mexico City; `changes` replace fields, None leaves one out."""
    time = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    fields = {"time": time.isoformat(timespec="milliseconds"), "lat": 19.432608, "lon": -99.133209, **changes}
    return {name: value for name, value in fields.items() if value is not None}


@asynccontextmanager
async def locked_inbox(pool: Pool) -> AsyncIterator[None]:
    """Keep everyone from writing into the inbox during the block."""
    async with pool.acquire() as db, db.transaction():
        await db.execute("LOCK TABLE inbox IN SHARE MODE")
        yield


async def until_writers_wait(pool: Pool, writers: int = 1) -> list[int]:
    """Wait until so many commits hang on that lock; give their backends."""
    async with asyncio.timeout(60):
        while True:
            rows = await pool.fetch(
                "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%INSERT INTO inbox%'"
                " AND datname = current_database()"
            )
            if len(rows) >= writers:
                return [row["pid"] for row in rows]
            await asyncio.sleep(0.01)
