"""Endpoints of others, as real servers on this machine, and a feed that grows."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web

from api.webhooks import endpoints
from sql.feed.events import number_events
from sql.pool import Pool
from sql.webhooks.webhooks import behind
from tests.api.conftest import send_out
from tests.providers.watched import LOCAL
from work.outgoing.guard import Guard
from work.outgoing.sealed import Sealer
from work.webhooks.send import WebhookSender
from work.webhooks.written import WrittenEvents


@pytest.fixture
def app_parts(app_parts, sealer):
    return [*app_parts, send_out(sealer), endpoints.operations.add_to]


@dataclass(slots=True)
class Receiver:
    """An endpoint; `behave` gives the status of the n-th request (from 0), `hangs`, or an address to send it to."""

    behave: Callable[[int], int | str] = lambda n: 200
    headers: dict[str, str] = field(default_factory=dict)
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    came: list[datetime] = field(default_factory=list)
    url: str = ""
    answer: str = "ok"

    async def take(self, request: web.Request) -> web.StreamResponse:
        n = len(self.taken)
        self.taken.append((dict(request.headers), await request.read()))
        self.came.append(datetime.now(UTC))
        how = self.behave(n)
        if how == "hangs":
            await asyncio.Event().wait()
        if isinstance(how, str):
            raise web.HTTPTemporaryRedirect(how)
        return web.Response(status=how, text=self.answer, headers=self.headers)


@asynccontextmanager
async def receiver(**more: Any) -> AsyncIterator[Receiver]:
    """Run an endpoint."""
    made = Receiver(**more)
    app = web.Application()
    app.router.add_post("/{tail:.*}", made.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield made
    finally:
        await runner.cleanup()


@pytest.fixture
async def shop() -> AsyncIterator[Receiver]:
    async with receiver() as made:
        yield made


@dataclass(slots=True)
class Company:
    """A company with webhooks."""

    client: Any
    account: Any
    pool: Pool
    sealer: Sealer

    async def ask(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        response = await self.client.request(method, path, json=body, headers=self.account.headers)
        assert response.status == status, await response.text()
        return await response.json() if status != 204 else None

    async def make(self, receiver: Receiver, **more: Any) -> Any:
        return await self.ask("POST", "/v1/webhooks", {"url": receiver.url} | more, status=201)

    async def happens(self, count: int = 1, *, type: str = "stop.completed", **data: Any) -> None:  # noqa: A002
        """Let the feed grow."""
        await self.pool.executemany(
            "INSERT INTO event (account_id, fact_id, revision, state, type, occurred_at, known_at, lane, driver_id,"
            " route_id, stop_id, late, data) VALUES ($1, $2, 1, 'asserted', $3, now(), now(), 1, 7, 8, 9, false, $4)",
            [(self.account.id, uuid4(), type, {"n": n, **data}) for n in range(count)],
        )
        async with self.pool.acquire() as db:
            while await number_events(db):
                pass

    def sender(self, after: timedelta = timedelta(0), guard: Guard = LOCAL) -> WebhookSender:
        return WebhookSender(
            sealer=self.sealer,
            guard=guard,
            events=WrittenEvents("https://reparto.example/v1/events"),
            clock=lambda: self.pool.clock.now() + after,
        )

    async def go(self, *, after: timedelta = timedelta(0), guard: Guard = LOCAL) -> None:
        """Tell all that is due, the clock moved on by `after`."""
        sender = self.sender(after, guard)
        stop = asyncio.Event()
        running = asyncio.create_task(sender.run(self.pool, stop))
        quiet = 0
        while quiet < 2:  # twice: one may be taken between two questions
            known = [row["id"] for row in await self.pool.fetch("SELECT id FROM webhook WHERE enabled")]
            due = await behind(self.pool, known, self.pool.clock.now() + after)
            quiet = 0 if due or any(one.is_busy for one in sender.outlets) else quiet + 1
            assert not running.done(), running.exception()
            await asyncio.sleep(0.02)
        stop.set()
        await running

    async def deliveries(self, webhook: Any, query: str = "") -> list[dict[str, Any]]:
        """What the API lists, the oldest first."""
        shown = await self.ask("GET", f"/v1/webhooks/{webhook['id']}/deliveries{query}")
        return list(reversed(shown["deliveries"]))


@pytest.fixture
def company(client, account, pool, sealer) -> Company:
    return Company(client=client, account=account, pool=pool, sealer=sealer)
