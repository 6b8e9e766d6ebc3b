"""The sender of webhooks: reads the feed on for each endpoint as far as it takes it, and no endpoint waits for another.

An endpoint has so many requests under way at most, and no more rows are made for it than it has room for: what one that
hangs has not been told stays in the feed.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import aiohttp
from prometheus_client import Counter, Histogram

from sql.feed.events import FeedEntry, read_events
from sql.pool import Db, Pool
from sql.webhooks.webhooks import (
    Delivery,
    FeedPlace,
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
from work.outgoing.http import Answer, NoAnswer, NotReached, open_session
from work.outgoing.loop import SendingLoop
from work.outgoing.outlet import Outlet
from work.outgoing.sealed import CannotOpen, Sealer
from work.webhooks.schedule import AfterTry, verdict
from work.webhooks.tell import shown_try, tell

log = logging.getLogger(__name__)

AT_ONCE = 32
"""Requests under way to one endpoint in one process: its share."""

SESSION_AT_ONCE = 1_000
LEASE = timedelta(seconds=60)
"""Longer than a request may take."""

STRETCH = 10_000
"""Entries looked at in one step for a webhook of some types only."""

KEPT_TRIES = 20
GIVES_UP_AFTER = timedelta(days=3)
"""An endpoint that took nothing for so long, when a delivery comes to the end of its schedule, is switched off."""

TRIES = Counter("reparto_webhook_tries", "Tries to deliver an event to a webhook, by outcome", ["outcome"])
WAITED = Histogram(
    "reparto_webhook_wait_seconds",
    "From knowing an event until its first try at a webhook",
    buckets=(0.25, 0.5, 1, 2, 5, 15, 60, 300, 3600),
)


@dataclass(slots=True, kw_only=True)
class Endpoint(Outlet):
    """A webhook while this process tells it."""

    row: WebhookRow
    opened: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of one try; no `answer`: `why`."""

    delivery: Delivery
    answer: Answer | None
    why: str
    took_ms: int
    at: datetime

    @property
    def verdict(self) -> AfterTry:
        """What follows from it; another one each time, for its jitter."""
        got = self.answer
        status, retry_after_s = (got.status, got.retry_after_s) if got else (None, None)
        return verdict(status, self.delivery.attempts, self.at, retry_after_s=retry_after_s)


@dataclass(slots=True)
class WebhookSender:
    """Tells webhooks until stopped; `source` is the feed's address."""

    sealer: Sealer
    guard: Guard
    source: str
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    name: str = "webhooks"
    _session: aiohttp.ClientSession | None = None
    _endpoints: dict[int, Endpoint] = field(default_factory=dict)

    async def run(self, pool: Pool, stop: asyncio.Event) -> None:
        """Tell until `stop` is set; then wait for what is under way and write it down."""
        async with open_session(self.guard, at_once=SESSION_AT_ONCE, keep=True) as self._session:
            await SendingLoop(self, pool).run(stop)

    @property
    def outlets(self) -> Collection[Endpoint]:
        """The webhooks of all accounts."""
        return self._endpoints.values()

    async def due(self, pool: Pool, free: Sequence[Endpoint]) -> list[Endpoint]:
        """Tell which webhooks have news, or something to be tried again."""
        return [self._endpoints[one] for one in await behind(pool, [one.row.id for one in free], self.clock())]

    async def lease(self, db: Db, outlet: Endpoint, at_most: int) -> list[tuple[Delivery, FeedEntry]]:
        """Take what an endpoint is told next: new events first, then what is tried again."""
        now = self.clock()
        place = await hold_endpoint(db, outlet.row.id)
        if place is None:
            return []
        fresh = await _read_on(db, outlet.row.id, place, at_most)
        entries = {one.seq: one for one in fresh}
        leased: list[Delivery] = []
        if fresh:
            leased = await put_deliveries(db, outlet.row.id, place.account_id, fresh, until=now + LEASE, now=now)
        left = at_most - len(leased)
        if left > 0:
            again = await lease_due(db, outlet.row.id, now=now, until=now + LEASE, at_most=left)
            if seqs := [one.seq for one in again if one.seq is not None]:
                entries |= await events_of(db, place.account_id, seqs)
            leased += again
        return [(one, entries[one.seq]) for one in leased if one.seq in entries]

    async def send(self, outlet: Endpoint, thing: tuple[Delivery, FeedEntry]) -> Answered:
        """Tell a webhook of one event."""
        assert self._session is not None
        delivery, entry = thing
        now = self.clock()
        if delivery.attempts == 1 and not delivery.replay:
            WAITED.observe(max(0.0, (now - entry.known_at).total_seconds()))
        began_s = time.monotonic()
        got: Answer | None = None
        why = ""
        try:
            got = await tell(self._session, outlet.row, outlet.opened, delivery, entry, source=self.source, now=now)
        except (NotReached, NoAnswer) as error:
            why = str(error)
        except Exception as error:
            log.exception("webhook %d", outlet.row.id)
            why = type(error).__name__
        took_ms = round((time.monotonic() - began_s) * 1000)
        if got is None or got.status >= 500:
            outlet.breaker.failed(time.monotonic())
        else:
            outlet.breaker.worked()
        return Answered(delivery, got, why, took_ms, self.clock())

    async def write(self, db: Db, came: Sequence[tuple[Endpoint, Answered]]) -> None:
        """Write down what came of tries, and switch off webhooks that are gone."""
        now = self.clock()
        judged = [(endpoint, one, one.verdict) for endpoint, one in came]
        await settle_deliveries(db, [tried_as(one, found) for _, one, found in judged], keep=KEPT_TRIES)
        for _, _, found in judged:
            TRIES.labels({"pending": "again"}.get(found.state, found.state)).inc()
        working = {endpoint.row.id for endpoint, _, found in judged if found.state == "delivered"}
        failing = {endpoint.row.id for endpoint, _ in came} - working
        await note_health(db, working=sorted(working), failing=sorted(failing), now=now)
        for webhook_id, why in _ended(judged, working, now).items():
            await disable_webhook(db, webhook_id, why=why, fact_id=uuid4(), now=now)
            self._endpoints.pop(webhook_id, None)

    async def read_outlets(self, pool: Pool) -> None:
        """Take up webhooks that are new or changed, and let go of those that are off."""
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
                self._endpoints[webhook_id] = Endpoint(row=row, opened=opened, at_once=AT_ONCE)
            else:
                known.row, known.opened, known.breaker = row, opened, Breaker()


async def _read_on(db: Db, webhook_id: int, place: FeedPlace, at_most: int) -> list[FeedEntry]:
    """Read the feed on from where a webhook is, and note how far that was."""
    upto = min(place.head, place.told_seq + STRETCH)
    if upto <= place.told_seq:
        return []
    fresh = await read_events(db, place.account_id, after=place.told_seq, until=upto, types=place.types, limit=at_most)
    await set_told(db, webhook_id, fresh[-1].seq if len(fresh) == at_most else upto)
    return fresh


def _ended(judged: Sequence[tuple[Endpoint, Answered, AfterTry]], working: set[int], now: datetime) -> dict[int, str]:
    """Say which webhooks are switched off, and why: 410, or nothing was taken for too long."""
    ended: dict[int, str] = {}
    for endpoint, _, found in judged:
        row = endpoint.row
        took_nothing = row.failing_since is not None and now - row.failing_since >= GIVES_UP_AFTER
        if found.is_gone:
            ended[row.id] = "410"
        elif found.state == "failed" and took_nothing and row.id not in working:
            ended.setdefault(row.id, "exhausted")
    return ended


def tried_as(came: Answered, found: AfterTry) -> Tried:
    """Say what is kept of a try."""
    return Tried(
        id=came.delivery.id,
        state=found.state,
        next_try_at=found.next_try_at,
        tried=shown_try(came.answer, came.why, came.took_ms, came.at),
        delivered_at=came.at if found.state == "delivered" else None,
    )
