"""The sender of messages: never stops for one provider, holds no transaction while it waits for any.

Of each channel of each account so many are under way at once as it allows; the rest waits in its table.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from prometheus_client import Counter, Histogram

from sql.messages.messages import MessageRow, Settled, due_providers, put_message_facts, settle_sent, spend
from sql.messages.push import forget_gone
from sql.messages.setup import ProviderRow, providers
from sql.pool import Db, Pool
from work.messages.channels.protocol import Accepted, Later, NotGiven, Outcome, Refused, Sends, Unknown
from work.messages.channels.settings import SETTINGS, Common
from work.messages.deciding.expand import fall_back
from work.messages.deciding.leave import SECRET, Leased, Sender, lease
from work.messages.facts import fact_of
from work.messages.sending.give import Notes
from work.messages.words.render import Source
from work.outgoing.breaker import Rate
from work.outgoing.loop import SendingLoop
from work.outgoing.outlet import Outlet
from work.outgoing.sealed import CannotOpen, Sealer

log = logging.getLogger(__name__)

FIRST_AGAIN_S, LONGEST_AGAIN_S = 5.0, 600.0

OUTCOMES = Counter("reparto_messages", "Tries to send a message, by channel and outcome", ["channel", "outcome"])
WAITED = Histogram(
    "reparto_message_wait_seconds",
    "From the cause of a message until its first try, without what rules held back",
    ["channel"],
    buckets=(0.25, 0.5, 1, 2, 5, 15, 60, 300, 3600),
)


@dataclass(slots=True, kw_only=True)
class Provider(Outlet):
    """A channel of an account while this process sends by it."""

    row: ProviderRow
    settings: Common
    sends: Sends
    is_gone: bool = False

    @property
    def key(self) -> tuple[int, str]:
        """Whose it is."""
        return self.row.account_id, self.row.channel

    def room(self, now_s: float) -> int:
        """Say how many more may be sent now."""
        return 0 if self.is_gone else Outlet.room(self, now_s)


@dataclass(frozen=True, slots=True)
class Attempted:
    """What came of one message."""

    leased: Leased
    outcome: Outcome


@dataclass(slots=True)
class MessageSender:
    """Sends until stopped.

    Attributes:
        open_channel: makes the channel that an account set, from its settings with the secrets in them.
        find_source: says where addresses in messages lead; asked once the database is there.
        clock: now, aware; None: the database's.
    """

    open_channel: Callable[[ProviderRow, Common, Source], Sends]
    find_source: Callable[[Pool], Awaitable[Source]]
    sealer: Sealer
    clock: Callable[[], datetime] | None = None
    name: str = "messages"
    _source: Source | None = None
    _now: Callable[[], datetime] = field(init=False)
    _notes: Notes = field(default_factory=Notes)
    _providers: dict[tuple[int, str], Provider] = field(default_factory=dict)

    async def run(self, pool: Pool, stop: asyncio.Event) -> None:
        """Send until `stop` is set; then wait for what is under way and write it down."""
        self._now = self.clock or pool.clock.now
        noting = asyncio.create_task(self._notes.run(pool), name="note what is given")
        try:
            await SendingLoop(self, pool).run(stop)
        finally:
            noting.cancel()
            for provider in self._providers.values():
                await provider.sends.close()

    @property
    def outlets(self) -> Collection[Provider]:
        """The channels of all accounts."""
        return self._providers.values()

    async def due(self, pool: Pool, free: Sequence[Provider]) -> list[Provider]:
        """Tell which channels have something to send now."""
        keys = await due_providers(pool, [one.key for one in free], self._now())
        return [self._providers[key] for key in keys]

    async def lease(self, db: Db, outlet: Provider, at_most: int) -> list[Leased]:
        """Take messages that may leave now, written for their readers."""
        assert self._source is not None  # nobody is sent to before it is known
        sender = Sender(
            account_id=outlet.row.account_id,
            channel=outlet.row.channel,
            settings=outlet.settings,
            again_when_unknown=outlet.sends.again_when_unknown,
        )
        async with db.transaction():
            return await lease(db, sender, self._source, now=self._now(), at_most=at_most)

    async def send(self, outlet: Provider, thing: Leased) -> Attempted:
        """Send one message."""
        row = thing.row
        if not row.attempts:
            WAITED.labels(row.channel).observe(max(0.0, (self._now() - row.created_at).total_seconds()))
        try:
            outcome: Outcome = await outlet.sends.send(thing.outgoing, lambda: self._notes.note(thing))
        except NotGiven as error:
            return Attempted(thing, Later(FIRST_AGAIN_S, str(error)))
        except Exception as error:
            log.exception("message %d by %s", row.id, row.channel)
            outcome = Unknown(type(error).__name__)
        if isinstance(outcome, Unknown) or (isinstance(outcome, Later) and outcome.down):
            outlet.breaker.failed(time.monotonic())
        else:
            outlet.breaker.worked()
        OUTCOMES.labels(row.channel, type(outcome).__name__.lower()).inc()
        return Attempted(thing, outcome)

    async def write(self, db: Db, came: Sequence[tuple[Provider, Attempted]]) -> None:
        """Write down what came of messages, tell the feed, give money back, and let other channels have their turn."""
        now = self._now()
        settled = {
            one.leased.row.id: settled_as(one.leased, one.outcome, provider.sends, now) for provider, one in came
        }
        written = await settle_sent(db, list(settled.values()))
        ours = [(provider, one) for provider, one in came if one.leased.row.id in written]
        await _forget_browsers(db, [one for _, one in came])
        await _tell_feed(db, [one.leased.row for _, one in ours], settled, now)
        for key in {provider.key for provider, _ in ours}:
            await _give_back(db, key, [one for provider, one in ours if provider.key == key], now)
        elsewhere = [one.leased.row for _, one in ours if isinstance(one.outcome, Refused) and one.outcome.elsewhere]
        if elsewhere:
            await fall_back(db, elsewhere, now=now)

    async def read_outlets(self, pool: Pool) -> None:
        """Take up channels that were switched on or changed, and let go of those that were switched off."""
        if self._source is None:
            self._source = await self.find_source(pool)
        rows = {(row.account_id, row.channel): row for row in await providers(pool)}
        for key, provider in list(self._providers.items()):
            row = rows.get(key)
            if row is None or row.updated_at != provider.row.updated_at:
                provider.is_gone = True
                if not provider.is_busy:
                    await provider.sends.close()
                    del self._providers[key]
        for key, row in rows.items():
            if key not in self._providers and (opened := self._open(row, self._source)) is not None:
                self._providers[key] = opened

    def _open(self, row: ProviderRow, source: Source) -> Provider | None:
        try:
            settings = opened_settings(row.channel, row.settings, row.secrets, self.sealer)
            sends = self.open_channel(row, settings, source)
        except (CannotOpen, msgspec.ValidationError, ValueError) as error:
            log.error("account %d, channel %s cannot be used: %s", row.account_id, row.channel, error)
            return None
        return Provider(
            row=row,
            settings=settings,
            sends=sends,
            at_once=min(settings.at_once, sends.at_once),
            rate=Rate(settings.per_second),
        )


async def _forget_browsers(db: Db, came: Sequence[Attempted]) -> None:
    """Forget browsers that are not there any more."""
    judged = [(one.leased.row.stop_id, one.outcome) for one in came]
    gone = [(stop_id, one) for stop_id, what in judged if isinstance(what, Accepted | Refused) for one in what.gone]
    if gone:
        await forget_gone(db, gone)


async def _tell_feed(db: Db, rows: Sequence[MessageRow], settled: Mapping[int, Settled], now: datetime) -> None:
    """Tell the feed of those that are not tried again."""
    ended = [(row, settled[row.id]) for row in rows if settled[row.id].state != "queued"]
    facts = [fact for row, end in ended if (fact := fact_of(row, end.state, end.why, now)) is not None]
    if facts:
        await put_message_facts(db, facts)


async def _give_back(db: Db, key: tuple[int, str], tried: Sequence[Attempted], now: datetime) -> None:
    """Give a channel's budget back what a provider did not take."""
    back = [one.leased for one in tried if isinstance(one.outcome, Refused | Later)]
    if back:
        money = sum((one.price or Decimal(0) for one in back), Decimal(0))
        await spend(db, *key, now.date(), parts=-sum(one.parts for one in back), money=-money)


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
        case Accepted(name):
            provider_id = name
        case Refused(said):
            state, why = "failed", said
        case Later(after_s, said):
            state, why, at = "queued", said, now + timedelta(seconds=max(after_s, _again_s(row.attempts)))
        case Unknown(_):
            once_more = row.unknowns < int(sends.again_when_unknown)
            state, why = ("queued" if once_more else "failed"), "unknown"
            at = now + timedelta(seconds=_again_s(row.attempts))
    if why and row.kind in SECRET:
        why = why.replace(leased.outgoing.values["code"], "…")  # providers repeat what they refuse
    return Settled(
        id=row.id,
        until=leased.until,
        state=state,
        why=why,
        provider_id=provider_id,
        next_try_at=at,
        sent_at=now if state == "sent" else None,
        is_unknown=isinstance(outcome, Unknown),
    )


def _again_s(attempts: int) -> float:
    """Say how long to wait after so many tries before this one: longer each time, and never all at once."""
    return float(min(FIRST_AGAIN_S * 3**attempts, LONGEST_AGAIN_S) * random.uniform(0.8, 1.2))
