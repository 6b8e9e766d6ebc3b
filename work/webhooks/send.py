"""The sender of webhooks: reads the feed on for each endpoint as far as it takes it, and no endpoint waits for another.

An endpoint has so many requests under way at most, and no more rows are made for it than it has room for: what one that
hangs has not been told stays in the feed.
"""

import asyncio
import logging
import time
from collections import Counter as CountOf
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from prometheus_client import Counter, Histogram

from sql.pool import Db, Pool
from sql.webhooks.webhooks import (
    Delivery,
    Span,
    Tried,
    Waiting,
    WebhookRow,
    behind,
    disable_webhook,
    end_spans,
    endpoints,
    give_up,
    lease_due,
    note_health,
    read_on,
    settle_deliveries,
    take_up_lost,
)
from work.outgoing.breaker import Breaker
from work.outgoing.guard import Guard
from work.outgoing.http import Answer, NoAnswer, NotReached
from work.outgoing.kept import KeptLine
from work.outgoing.loop import SendingLoop
from work.outgoing.outlet import Outlet
from work.outgoing.sealed import CannotOpen, Sealer
from work.webhooks.schedule import AfterTry, verdict
from work.webhooks.tell import shown_try, tell
from work.webhooks.written import WrittenEvent, WrittenEvents

log = logging.getLogger(__name__)

AT_ONCE = 64
"""Requests under way to one endpoint in one process: its share."""

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
    """A webhook while this process tells it; `waiting`: what there is besides news."""

    row: WebhookRow
    opened: dict[str, Any]
    line: KeptLine
    waiting: Waiting | None = None


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
    """Tells webhooks until stopped.

    Attributes:
        clock: now, aware; None: the database's.
    """

    sealer: Sealer
    guard: Guard
    events: WrittenEvents
    clock: Callable[[], datetime] | None = None
    name: str = "webhooks"
    _now: Callable[[], datetime] = field(init=False)
    _endpoints: dict[int, Endpoint] = field(default_factory=dict)

    async def run(self, pool: Pool, stop: asyncio.Event) -> None:
        """Tell until `stop` is set; then wait for what is under way and write it down."""
        self._now = self.clock or pool.clock.now
        try:
            await SendingLoop(self, pool).run(stop)
        finally:
            for endpoint in self._endpoints.values():
                endpoint.line.close()

    @property
    def outlets(self) -> Collection[Endpoint]:
        """The webhooks of all accounts."""
        return self._endpoints.values()

    async def due(self, pool: Pool, free: Sequence[Endpoint]) -> list[Endpoint]:
        """Tell which webhooks have news, or something to be tried again."""
        found = await behind(pool, [one.row.id for one in free], self._now())
        behind_now = [one for one in free if one.row.id in found]
        for one in behind_now:
            also = found[one.row.id]
            one.waiting = also if also.due or also.lost else None
        return behind_now

    async def lease(self, db: Db, outlet: Endpoint, at_most: int) -> list[tuple[Delivery, WrittenEvent]]:
        """Take what an endpoint is told next: new events first, then what is tried again."""
        row, now = outlet.row, self._now()
        until = now + LEASE
        leased = await read_on(db, row, at_most=at_most, stretch=STRETCH, until=until)
        if outlet.waiting is not None and outlet.waiting.lost:
            await take_up_lost(db, row.id, now=now)
        if outlet.waiting is not None and len(leased) < at_most:
            leased += await lease_due(db, row, now=now, until=until, at_most=at_most - len(leased))
        events = await self.events.of(db, row.account_id, row.format, [one.seq for one in leased])
        if forgotten := [one.seq for one in leased if one.seq not in events]:
            await give_up(db, row.id, forgotten)
        return [(one, events[one.seq]) for one in leased if one.seq in events]

    async def send(self, outlet: Endpoint, thing: tuple[Delivery, WrittenEvent]) -> Answered:
        """Tell a webhook of one event."""
        delivery, event = thing
        now = self._now()
        if delivery.attempts == 1 and not delivery.replay:
            WAITED.observe(max(0.0, (now - event.known_at).total_seconds()))
        began_s = time.monotonic()
        got: Answer | None = None
        why = ""
        try:
            got = await tell(outlet.line, outlet.opened, delivery, event, now=now)
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
        return Answered(delivery, got, why, took_ms, self._now())

    async def write(self, db: Db, came: Sequence[tuple[Endpoint, Answered]]) -> None:
        """Write down what came of tries, and switch off webhooks that are gone."""
        now = self._now()
        judged = [(endpoint, one, one.verdict) for endpoint, one in came]
        await settle_deliveries(db, [tried_as(one, found) for _, one, found in judged], keep=KEPT_TRIES)
        noted = [one.delivery for _, one in came if one.delivery.span is not None]
        if over := _all_noted(noted):
            await end_spans(db, over)
        for state, count in CountOf(found.state for _, _, found in judged).items():
            TRIES.labels({"pending": "again"}.get(state, state)).inc(count)
        working = {endpoint.row.id for endpoint, _, found in judged if found.state == "delivered"}
        better, worse = _changed_health({endpoint.row.id: endpoint.row for endpoint, _ in came}, working)
        await note_health(db, working=better, failing=worse, now=now)
        for webhook_id, why in _ended(judged, working, now).items():
            await disable_webhook(db, webhook_id, why=why, fact_id=uuid4(), now=now)
            if (gone := self._endpoints.pop(webhook_id, None)) is not None:
                gone.line.close()
        for one in noted:  # at last: what fails above is written once more
            assert one.span is not None
            one.span.open.discard(one.seq)

    async def read_outlets(self, pool: Pool) -> None:
        """Take up webhooks that are new or changed, and let go of those that are off."""
        rows = {row.id: row for row in await endpoints(pool)}
        for webhook_id in self._endpoints.keys() - rows.keys():
            self._endpoints.pop(webhook_id).line.close()
        for webhook_id, row in rows.items():
            known = self._endpoints.get(webhook_id)
            if known is not None and known.row.updated_at == row.updated_at:
                known.row = row
                known.line.close_idle()
                continue
            try:
                opened = self.sealer.open(row.secrets)
            except CannotOpen as error:
                log.error("webhook %d cannot be signed: %s", webhook_id, error)
                continue
            line = KeptLine(self.guard, row.url)
            if known is None:
                self._endpoints[webhook_id] = Endpoint(row=row, opened=opened, line=line, at_once=AT_ONCE)
            else:
                known.line.close()
                known.row, known.opened, known.line, known.breaker = row, opened, line, Breaker()


def _all_noted(noted: Sequence[Delivery]) -> list[Span]:
    """Give the spans of which nothing is left when these are noted."""
    seqs: dict[int, tuple[Span, set[int]]] = {}
    for one in noted:
        assert one.span is not None
        seqs.setdefault(id(one.span), (one.span, set()))[1].add(one.seq)
    return [span for span, ours in seqs.values() if span.open <= ours]


def _changed_health(told: Mapping[int, WebhookRow], working: set[int]) -> tuple[list[int], list[int]]:
    """Say which webhooks take something again, and which nothing since now."""
    better = sorted(one for one in working if told[one].failing_since is not None)
    worse = sorted(one for one in told.keys() - working if told[one].failing_since is None)
    return better, worse


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
    told = came.delivery
    return Tried(
        webhook_id=told.webhook_id,
        account_id=told.account_id,
        seq=told.seq,
        type=told.type,
        state=found.state,
        next_try_at=found.next_try_at,
        tried=shown_try(came.answer, came.why, came.took_ms, came.at),
        at=came.at,
    )
