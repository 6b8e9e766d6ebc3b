"""The sender of webhooks: reads the feed on for each endpoint as far as it takes it, and no endpoint waits for another.

An endpoint has so many requests under way at most, and no more rows are made for it than it has room for: what one that
hangs has not been told stays in the feed.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import aiohttp
from prometheus_client import Counter, Histogram

from sql.feed.events import FeedEntry, read_events
from sql.pool import Pool, is_away
from sql.webhooks.webhooks import (
    Delivery,
    Tried,
    WebhookRow,
    behind,
    disable_webhook,
    endpoints,
    events_of,
    hold_endpoint,
    lease_due,
    note_health,
    put_deliveries,
    set_told,
    settle_deliveries,
)
from work.outgoing.breaker import Breaker
from work.outgoing.guard import Guard
from work.outgoing.http import Answer, NoAnswer, NotReached, ask, open_session
from work.outgoing.sealed import CannotOpen, Sealer
from work.webhooks.body import body_of, message_id
from work.webhooks.schedule import verdict
from work.webhooks.sign import headers_of, secrets_in

log = logging.getLogger(__name__)

AT_ONCE = 32
"""Requests under way to one endpoint in one process: its share."""

SESSION_AT_ONCE = 1_000
LOOK_EVERY_S = 0.1
AGAIN_S = 0.02
"""Between two looks while there is more to tell: so that what has room is taken in more than ones."""

ENDPOINTS_EVERY_S = 1.0
LEASE = timedelta(seconds=60)
"""Longer than a request may take."""

STRETCH = 10_000
"""Entries looked at in one step for a webhook of some types only."""

KEPT_TRIES = 20
ANSWER_BYTES = 1_000
GIVES_UP_AFTER = timedelta(days=3)
"""An endpoint that took nothing for so long, when a delivery comes to the end of its schedule, is switched off."""

_DRAIN_S = 20.0

TRIES = Counter("reparto_webhook_tries", "Tries to deliver an event to a webhook, by outcome", ["outcome"])
WAITED = Histogram(
    "reparto_webhook_wait_seconds",
    "From knowing an event until its first try at a webhook",
    buckets=(0.25, 0.5, 1, 2, 5, 15, 60, 300, 3600),
)


@dataclass(slots=True)
class Endpoint:
    """A webhook while this process tells it."""

    row: WebhookRow
    opened: dict[str, Any]
    breaker: Breaker = field(default_factory=Breaker)
    under_way: int = 0

    def room(self, now_s: float) -> int:
        """Say how many more may be sent now."""
        return max(0, min(AT_ONCE - self.under_way, self.breaker.may_send(now_s)))


@dataclass(frozen=True, slots=True)
class _Came:
    endpoint: Endpoint
    delivery: Delivery
    answer: Answer | None
    why: str
    took_ms: int
    at: datetime


@dataclass(slots=True)
class WebhookSender:
    """Tells webhooks until stopped; `source` is the feed's address."""

    sealer: Sealer
    guard: Guard
    source: str
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    name: str = "tell webhooks"
    _endpoints: dict[int, Endpoint] = field(default_factory=dict)
    _came: asyncio.Queue[_Came] = field(default_factory=asyncio.Queue)
    _moved: asyncio.Event = field(default_factory=asyncio.Event)
    _looked_s: float = float("-inf")

    async def run(self, pool: Pool, stop: asyncio.Event) -> None:
        """Tell until `stop` is set; then wait for what is under way and write it down."""
        failures = 0
        session = open_session(self.guard, at_once=SESSION_AT_ONCE, keep=True)
        async with session, asyncio.TaskGroup() as tasks:
            drained = asyncio.Event()
            tasks.create_task(self._settle(pool, drained), name="settle webhooks")
            try:
                while not stop.is_set():
                    try:
                        self._moved.clear()
                        more = await self._turn(pool, session, tasks)
                        failures, pause_s = 0, AGAIN_S if more else LOOK_EVERY_S
                    except Exception as error:
                        failures += 1
                        pause_s = min(0.5 * 2**failures, 30.0)
                        if is_away(error):
                            log.warning("webhooks wait %.0f s for the database: %s", pause_s, type(error).__name__)
                        else:
                            log.exception("telling webhooks failed and goes on in %.0f s", pause_s)
                    await self._pause(stop, pause_s)
                await self._drain()
            finally:
                drained.set()

    async def _pause(self, stop: asyncio.Event, pause_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await stop.wait()

    async def _drain(self) -> None:
        until_s = time.monotonic() + _DRAIN_S
        while any(one.under_way for one in self._endpoints.values()) and time.monotonic() < until_s:
            self._moved.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await self._moved.wait()

    async def _turn(self, pool: Pool, session: aiohttp.ClientSession, tasks: asyncio.TaskGroup) -> bool:
        """Send what may be sent now; tell whether there is more to do at once."""
        if time.monotonic() - self._looked_s >= ENDPOINTS_EVERY_S:
            await self._read_endpoints(pool)
            self._looked_s = time.monotonic()
        now_s = time.monotonic()
        free = [one for one in self._endpoints.values() if one.room(now_s) > 0]
        more = False
        for webhook_id in await behind(pool, [one.row.id for one in free], self.clock()) if free else ():
            endpoint = self._endpoints[webhook_id]
            room = endpoint.room(time.monotonic())
            if room <= 0:
                continue
            leased, entries, has_more = await self._lease(pool, endpoint, room)
            for delivery in leased:
                entry = entries.get(delivery.seq or 0)
                if entry is None:
                    continue
                endpoint.under_way += 1
                endpoint.breaker.began()
                tasks.create_task(self._send(session, endpoint, delivery, entry))
            more = more or (has_more and endpoint.room(time.monotonic()) > 0)
        return more

    async def _lease(
        self, pool: Pool, endpoint: Endpoint, room: int
    ) -> tuple[Sequence[Delivery], dict[int, FeedEntry], bool]:
        """Take what an endpoint is told next: new events first, then what is tried again."""
        now = self.clock()
        async with pool.acquire() as db, db.transaction():
            place = await hold_endpoint(db, endpoint.row.id)
            if place is None:
                return [], {}, False
            upto = min(place.head, place.told_seq + STRETCH)
            fresh: list[FeedEntry] = []
            if upto > place.told_seq:
                fresh = await read_events(
                    db, place.account_id, after=place.told_seq, until=upto, types=place.types, limit=room
                )
                told = fresh[-1].seq if len(fresh) == room else upto
                await set_told(db, endpoint.row.id, told)
                upto = told
            until = now + LEASE
            leased = (
                await put_deliveries(db, endpoint.row.id, place.account_id, fresh, until=until, now=now)
                if fresh
                else []
            )
            left = room - len(leased)
            due = await lease_due(db, endpoint.row.id, now=now, until=until, at_most=left) if left > 0 else []
            entries = {one.seq: one for one in fresh}
            if seqs := [one.seq for one in due if one.seq is not None]:
                entries |= await events_of(db, place.account_id, seqs)
        return [*leased, *due], entries, upto < place.head or len(due) == left > 0

    async def _send(
        self, session: aiohttp.ClientSession, endpoint: Endpoint, delivery: Delivery, entry: FeedEntry
    ) -> None:
        now = self.clock()
        if delivery.attempts == 1 and not delivery.replay:
            WAITED.observe(max(0.0, (now - entry.known_at).total_seconds()))
        began_s = time.monotonic()
        got: Answer | None = None
        why = ""
        try:
            got = await tell(session, endpoint.row, endpoint.opened, delivery, entry, source=self.source, now=now)
        except (NotReached, NoAnswer) as error:
            why = str(error)
        except Exception as error:
            log.exception("webhook %d", endpoint.row.id)
            why = type(error).__name__
        took_ms = round((time.monotonic() - began_s) * 1000)
        if got is None or got.status >= 500:
            endpoint.breaker.failed(time.monotonic())
        else:
            endpoint.breaker.worked()
        await self._came.put(_Came(endpoint, delivery, got, why, took_ms, self.clock()))

    async def _settle(self, pool: Pool, drained: asyncio.Event) -> None:
        """Write down what comes back, many at a time."""
        end = asyncio.ensure_future(drained.wait())
        waiting: asyncio.Future[_Came] | None = None
        try:
            while True:
                waiting = waiting or asyncio.ensure_future(self._came.get())
                both: set[asyncio.Future[Any]] = {waiting, end}
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
                if not waiting.done():
                    return
                batch = [waiting.result()]
                waiting = None
                while len(batch) < 500 and not self._came.empty():
                    batch.append(self._came.get_nowait())
                await self._write(pool, batch, drained)
                for one in batch:
                    one.endpoint.under_way -= 1
                self._moved.set()
        finally:
            end.cancel()
            if waiting is not None:
                waiting.cancel()

    async def _write(self, pool: Pool, batch: list[_Came], drained: asyncio.Event) -> None:
        pause_s = 0.2
        while True:
            try:
                async with pool.acquire() as db, db.transaction():
                    await self._write_once(db, batch)
                return
            except Exception as error:
                if not is_away(error) or drained.is_set():
                    log.exception("what came of %d deliveries is not written down: tried again", len(batch))
                    return
                log.warning("what came of %d deliveries waits for the database", len(batch))
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, 5.0)

    async def _write_once(self, db: Any, batch: list[_Came]) -> None:
        tried, gone, over = [], {}, set()
        for one in batch:
            status = one.answer.status if one.answer else None
            retry_after_s = one.answer.retry_after_s if one.answer else None
            found = verdict(status, one.delivery.attempts, one.at, retry_after_s=retry_after_s)
            tried.append(tried_as(one.delivery.id, found.state, found.next_try_at, one))
            TRIES.labels({"pending": "again"}.get(found.state, found.state)).inc()
            if found.is_gone:
                gone[one.endpoint.row.id] = "410"
            elif found.state == "failed":
                over.add(one.endpoint.row.id)
        await settle_deliveries(db, tried, keep=KEPT_TRIES)
        working = {one.endpoint.row.id for one in batch if one.answer and 200 <= one.answer.status < 300}
        failing = {one.endpoint.row.id for one in batch} - working
        now = self.clock()
        await note_health(db, working=sorted(working), failing=sorted(failing), now=now)
        for endpoint in {one.endpoint.row.id: one.endpoint for one in batch}.values():
            since = endpoint.row.failing_since
            if endpoint.row.id in over - working and since is not None and now - since >= GIVES_UP_AFTER:
                gone[endpoint.row.id] = "exhausted"
        for webhook_id, why in gone.items():
            await disable_webhook(db, webhook_id, why=why, fact_id=uuid4(), now=now)
            self._endpoints.pop(webhook_id, None)

    async def _read_endpoints(self, pool: Pool) -> None:
        rows = {row.id: row for row in await endpoints(pool)}
        for webhook_id in self._endpoints.keys() - rows.keys():
            del self._endpoints[webhook_id]
        for webhook_id, row in rows.items():
            known = self._endpoints.get(webhook_id)
            if known is not None and known.row.updated_at == row.updated_at:
                known.row = row
                continue
            try:
                opened = self.sealer.open(row.secrets)
            except CannotOpen as error:
                log.error("webhook %d cannot be signed: %s", webhook_id, error)
                continue
            if known is None:
                self._endpoints[webhook_id] = Endpoint(row, opened)
            else:
                known.row, known.opened, known.breaker = row, opened, Breaker()


async def tell(
    session: aiohttp.ClientSession,
    row: WebhookRow,
    opened: dict[str, Any],
    delivery: Delivery,
    entry: FeedEntry,
    *,
    source: str,
    now: datetime,
) -> Answer:
    """Tell a webhook of an event, once.

    Raises:
        NotReached, NoAnswer: it did not say that it took it.
    """
    media, body = body_of(row.format, entry, source)
    headers = {"Content-Type": media} | headers_of(secrets_in(opened, now), message_id(row.id, entry.seq), body, now)
    if delivery.replay:
        headers["Reparto-Replay"] = "1"
    return await ask(session, "POST", row.url, headers=headers, body=body, most_bytes=ANSWER_BYTES)


def tried_as(delivery_id: int, state: str, next_try_at: datetime, came: _Came) -> Tried:
    """Say what is kept of a try."""
    return Tried(
        id=delivery_id,
        state=state,
        next_try_at=next_try_at,
        tried=shown_try(came.answer, came.why, came.took_ms, came.at),
        delivered_at=came.at if state == "delivered" else None,
    )


def shown_try(got: Answer | None, why: str, took_ms: int, at: datetime) -> dict[str, Any]:
    """Show a try; 1 kB of the answer is kept, as text."""
    said = (got.body.decode("utf-8", "replace") if got else why).replace("\0", "\ufffd")
    return {
        "at": at.isoformat(),
        "status": got.status if got else None,
        "took_ms": took_ms,
        "answer": said[:ANSWER_BYTES],
    }
