"""The sender of messages: never stops for one provider, holds no transaction while it waits for any.

Of each channel of each account so many are under way at once as it allows; the rest waits in its table. What comes of
them is written down together, many at a time.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from prometheus_client import Counter, Histogram

from sql.messages.messages import Settled, due_providers, put_message_facts, settle_sent, spend
from sql.messages.setup import ProviderRow, providers
from sql.pool import Pool, is_away
from work.messages.channels.protocol import Later, Outcome, Refused, Sends, Sent, Unknown
from work.messages.channels.settings import SETTINGS, Common
from work.messages.expand import fall_back
from work.messages.facts import fact_of
from work.messages.leave import Leased, Sender, lease
from work.messages.render import Source
from work.outgoing.breaker import Breaker, Rate
from work.outgoing.sealed import CannotOpen, Sealer

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.1
SETUP_EVERY_S = 1.0
MOST_AT_A_TIME = 50
"""Messages of one channel taken in one transaction, so that no other waits long for its turn."""

FIRST_AGAIN_S, LONGEST_AGAIN_S = 5.0, 600.0
_DRAIN_S = 25.0  # longer than a channel takes; what is still under way then is unknown, as after a crash

OUTCOMES = Counter("reparto_messages", "Tries to send a message, by channel and outcome", ["channel", "outcome"])
WAITED = Histogram(
    "reparto_message_wait_seconds",
    "From the cause of a message until its first try, without what rules held back",
    ["channel"],
    buckets=(0.25, 0.5, 1, 2, 5, 15, 60, 300, 3600),
)


@dataclass(slots=True)
class Provider:
    """A channel of an account while this process sends by it."""

    row: ProviderRow
    settings: Common
    sends: Sends
    breaker: Breaker
    rate: Rate
    under_way: int = 0
    is_gone: bool = False

    @property
    def key(self) -> tuple[int, str]:
        """Whose it is."""
        return self.row.account_id, self.row.channel

    def room(self, now_s: float) -> int:
        """Say how many more may be sent now."""
        most = min(self.settings.at_once, self.sends.at_once) - self.under_way
        return max(0, min(most, MOST_AT_A_TIME, self.breaker.may_send(now_s), self.rate.may_send(now_s)))


@dataclass(frozen=True, slots=True)
class _Came:
    """What came of one message."""

    provider: Provider
    leased: Leased
    outcome: Outcome


@dataclass(slots=True)
class MessageSender:
    """Sends until stopped.

    Attributes:
        open_channel: makes the channel that an account set, from its settings with the secrets in them.
        source: where addresses in messages lead; asked for once the database is there.
        clock: now, aware.
    """

    open_channel: Callable[[ProviderRow, Common, Source], Sends]
    source: Callable[[Pool], Any]
    sealer: Sealer
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    name: str = "send messages"
    _providers: dict[tuple[int, str], Provider] = field(default_factory=dict)
    _came: asyncio.Queue[_Came] = field(default_factory=asyncio.Queue)
    _moved: asyncio.Event = field(default_factory=asyncio.Event)
    _looked_s: float = float("-inf")

    async def run(self, pool: Pool, stop: asyncio.Event) -> None:
        """Send until `stop` is set; then wait for what is under way and write it down."""
        try:
            async with asyncio.TaskGroup() as tasks:
                drained = asyncio.Event()
                tasks.create_task(self._settle(pool, drained), name="settle messages")
                try:
                    await self._go_on(pool, stop, tasks)
                    await self._drain()
                finally:
                    drained.set()
        finally:
            for provider in self._providers.values():
                await provider.sends.close()

    async def _go_on(self, pool: Pool, stop: asyncio.Event, tasks: asyncio.TaskGroup) -> None:
        """Send until `stop` is set, whatever fails."""
        source: Source | None = None
        failures = 0
        while not stop.is_set():
            try:
                if source is None:
                    source = await self.source(pool)
                more = await self._turn(pool, source, tasks)
                failures, pause_s = 0, 0.0 if more else LOOK_EVERY_S
            except Exception as error:
                failures += 1
                pause_s = min(0.5 * 2**failures, 30.0)
                if is_away(error):
                    log.warning("messages wait %.0f s for the database: %s", pause_s, type(error).__name__)
                else:
                    log.exception("sending messages failed and goes on in %.0f s", pause_s)
            await self._pause(stop, pause_s)

    async def _pause(self, stop: asyncio.Event, pause_s: float) -> None:
        """Wait for a moment, less when something comes back, not at all when there is more to do."""
        if pause_s <= 0:
            await asyncio.sleep(0)
            return
        self._moved.clear()
        waiting = [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(self._moved.wait())]
        try:
            await asyncio.wait(waiting, timeout=pause_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()

    async def _drain(self) -> None:
        until_s = time.monotonic() + _DRAIN_S
        while any(one.under_way for one in self._providers.values()) and time.monotonic() < until_s:
            self._moved.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await self._moved.wait()

    async def _turn(self, pool: Pool, source: Source, tasks: asyncio.TaskGroup) -> bool:
        """Send what may be sent now; tell whether there is more to do at once."""
        if time.monotonic() - self._looked_s >= SETUP_EVERY_S:
            await self._read_setup(pool, source)
            self._looked_s = time.monotonic()
        now_s = time.monotonic()
        free = {one.key: one for one in self._providers.values() if not one.is_gone and one.room(now_s) > 0}
        more = False
        for key in await due_providers(pool, list(free), self.clock()) if free else ():
            provider = free[key]
            room = provider.room(time.monotonic())
            if room <= 0:
                continue
            sender = Sender(
                account_id=key[0],
                channel=key[1],
                settings=provider.settings,
                again_when_unknown=provider.sends.again_when_unknown,
            )
            async with pool.acquire() as db, db.transaction():
                leased = await lease(db, sender, source, now=self.clock(), at_most=room)
            for one in leased:
                provider.under_way += 1
                provider.breaker.began()
                provider.rate.began()
                tasks.create_task(self._send(provider, one))
            more = more or (len(leased) == room and provider.room(time.monotonic()) > 0)
        return more

    async def _send(self, provider: Provider, one: Leased) -> None:
        if not one.row.attempts:
            WAITED.labels(one.row.channel).observe(max(0.0, (self.clock() - one.row.created_at).total_seconds()))
        try:
            outcome: Outcome = await provider.sends.send(one.outgoing)
        except Exception as error:
            log.exception("message %d by %s", one.row.id, one.row.channel)
            outcome = Unknown(type(error).__name__)
        now_s = time.monotonic()
        if isinstance(outcome, Unknown) or (isinstance(outcome, Later) and outcome.down):
            provider.breaker.failed(now_s)
        else:
            provider.breaker.worked()
        OUTCOMES.labels(one.row.channel, type(outcome).__name__.lower()).inc()
        await self._came.put(_Came(provider, one, outcome))

    async def _settle(self, pool: Pool, drained: asyncio.Event) -> None:
        """Write down what comes back, many at a time, until everything has; a database that is away is waited for."""
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
                while len(batch) < 200 and not self._came.empty():
                    batch.append(self._came.get_nowait())
                await self._write(pool, batch, drained)
                for one in batch:
                    one.provider.under_way -= 1
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
                    log.exception("what came of %d messages is not written down: unknown after their lease", len(batch))
                    return
                log.warning("what came of %d messages waits for the database", len(batch))
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, 5.0)

    async def _write_once(self, db: Any, batch: list[_Came]) -> None:
        now = self.clock()
        settled = {one.leased.row.id: settled_as(one.leased, one.outcome, one.provider.sends, now) for one in batch}
        written = await settle_sent(db, list(settled.values()))
        ours = [one for one in batch if one.leased.row.id in written]
        facts = [
            fact
            for one in ours
            if (ended := settled[one.leased.row.id]).state != "queued"
            and (fact := fact_of(one.leased.row, ended.state, ended.why, now)) is not None
        ]
        if facts:
            await put_message_facts(db, facts)
        for provider in {one.provider.key: one.provider for one in ours}.values():
            back = [one.leased for one in ours if one.provider is provider and isinstance(one.outcome, Refused | Later)]
            if back:
                money = sum((one.price or Decimal(0) for one in back), Decimal(0))
                parts = sum(one.parts for one in back)
                await spend(db, *provider.key, now.date(), parts=-parts, money=-money)
        elsewhere = [one.leased.row for one in ours if isinstance(one.outcome, Refused) and one.outcome.elsewhere]
        if elsewhere:
            await fall_back(db, elsewhere, now=now)

    async def _read_setup(self, pool: Pool, source: Source) -> None:
        """Take up channels that were switched on or changed, and let go of those that were switched off."""
        rows = {(row.account_id, row.channel): row for row in await providers(pool)}
        for key, provider in list(self._providers.items()):
            row = rows.get(key)
            if row is None or row.updated_at != provider.row.updated_at:
                provider.is_gone = True
                if not provider.under_way:
                    await provider.sends.close()
                    del self._providers[key]
        for key, row in rows.items():
            if key not in self._providers and (opened := self._open(row, source)) is not None:
                self._providers[key] = opened

    def _open(self, row: ProviderRow, source: Source) -> Provider | None:
        try:
            settings = opened_settings(row.channel, row.settings, row.secrets, self.sealer)
            sends = self.open_channel(row, settings, source)
        except (CannotOpen, msgspec.ValidationError, ValueError) as error:
            log.error("account %d, channel %s cannot be used: %s", row.account_id, row.channel, error)
            return None
        return Provider(row=row, settings=settings, sends=sends, breaker=Breaker(), rate=Rate(settings.per_second))


def opened_settings(channel: str, settings: dict[str, Any], secrets: bytes | None, sealer: Sealer) -> Common:
    """Put the settings of a channel and its secrets together.

    Raises:
        CannotOpen: the secrets were sealed with another key.
        msgspec.ValidationError: they are of another release.
    """
    return msgspec.convert(settings | sealer.open(secrets), SETTINGS[channel])


def settled_as(leased: Leased, outcome: Outcome, sends: Sends, now: datetime) -> Settled:
    """Say what becomes of a message after a try."""
    row = leased.row
    state, at = "sent", now
    why: str | None = None
    provider_id: str | None = None
    match outcome:
        case Sent(name):
            provider_id = name
        case Refused(said):
            state, why = "failed", said
        case Later(after_s, said):
            state, why, at = "queued", said, now + timedelta(seconds=max(after_s, _again_s(row.attempts)))
        case Unknown(_):
            once_more = sends.again_when_unknown and not leased.tried_blind
            state, why = ("queued" if once_more else "failed"), "unknown"
            at = now + timedelta(seconds=_again_s(row.attempts))
    return Settled(
        id=row.id,
        state=state,
        why=why,
        provider_id=provider_id,
        next_try_at=at,
        sent_at=now if state == "sent" else None,
    )


def _again_s(attempts: int) -> float:
    """Say how long to wait after so many tries before this one: longer each time, and never all at once."""
    return float(min(FIRST_AGAIN_S * 3**attempts, LONGEST_AGAIN_S) * random.uniform(0.8, 1.2))
