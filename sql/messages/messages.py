"""Messages: made once, leased by who sends them, and what became of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)

_LOCK = 0x6D736773  # "msgs"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """A message to make; `why` is set where it is never to leave."""

    account_id: int
    route_id: int
    stop_id: int
    attempt: int
    kind: str
    round: int
    channel: str
    address: str
    locale: str
    state: str
    why: str | None
    fact_id: UUID | None
    happened_at: datetime
    next_try_at: datetime
    expires_at: datetime
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRow:
    """A message as its sender sees it.

    Attributes:
        attempt: of the stop; attempts: how often it was sent, or may have been.
        unknowns: of these, that may have reached them and ended without a word.
    """

    id: int
    account_id: int
    route_id: int
    stop_id: int
    attempt: int
    kind: str
    round: int
    channel: str
    address: str
    locale: str
    state: str
    fact_id: UUID | None
    happened_at: datetime
    data: dict[str, Any]
    why: str | None
    parts: int | None
    price: Decimal | None
    attempts: int
    expires_at: datetime
    unknowns: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedMessage:
    """A message as dispatchers see it."""

    id: int
    stop_id: int
    kind: str
    channel: str
    address: str
    locale: str
    state: str
    why: str | None
    subject: str | None
    body: str | None
    parts: int | None
    price: Decimal | None
    provider_id: str | None
    attempts: int
    created_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """A message that is about to be sent, in the words in which it leaves; `why` it is tried again, None: it is not.

    `body` None: its words are not kept.
    """

    id: int
    subject: str | None
    body: str | None
    parts: int
    price: Decimal | None
    why: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PutBack:
    """A message that does not leave now, or never."""

    id: int
    state: str
    why: str | None
    next_try_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What came of sending a message; `until`: its lease ends."""

    id: int
    until: datetime
    state: str
    why: str | None
    provider_id: str | None
    next_try_at: datetime
    sent_at: datetime | None
    is_unknown: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFact:
    """What the feed is told of a message."""

    id: int
    type: str
    fact_id: UUID
    happened_at: datetime
    data: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What left by a channel."""

    parts_today: int
    money_today: Decimal
    parts_month: int
    money_month: Decimal


def _columns(rows: Sequence[Any], names: Iterable[str]) -> list[list[Any]]:
    return [[getattr(one, name) for one in rows] for name in names]


async def put_messages(db: Db, messages: Sequence[NewMessage], *, now: datetime) -> int:
    """Make messages; of one key there is only ever one. Return how many are new."""
    names = [one.name for one in fields(NewMessage) if one.name not in ("data", "next_try_at", "expires_at")]
    columns = _columns(messages, [*names, "data", "next_try_at", "expires_at"])
    return len(await db.fetch(_SQL["put_messages"], *columns, now))


async def rounds_told(db: Db, stop_ids: Iterable[int], kind: str) -> dict[tuple[int, int], tuple[int, dict[str, Any]]]:
    """Read the newest round of a kind, and its data, by stop and attempt."""
    rows = await db.fetch(_SQL["rounds_told"], list(stop_ids), kind)
    return {(row["stop_id"], row["attempt"]): (row["round"], row["data"]) for row in rows}


async def told_before(db: Db, keys: Sequence[tuple[int, int, str, int]]) -> set[tuple[int, int, str, int]]:
    """Tell which of (stop, attempt, kind, round) have a message by whatever channel."""
    columns: list[list[Any]] = [[key[place] for key in keys] for place in range(4)]
    return {(row[0], row[1], row[2], row[3]) for row in await db.fetch(_SQL["told_before"], *columns)}


async def due_providers(db: Db | Pool, asked: Sequence[tuple[int, str]], now: datetime) -> list[tuple[int, str]]:
    """Tell which channels of which accounts have something to send now."""
    accounts, channels = [one[0] for one in asked], [one[1] for one in asked]
    return [(row[0], row[1]) for row in await db.fetch(_SQL["due_providers"], accounts, channels, now)]


async def hold_account(db: Db, account_id: int) -> None:
    """Be the only one who decides what leaves to an account's recipients, until the transaction ends."""
    await db.execute(_SQL["hold_account"], _LOCK, account_id)


async def take_due(db: Db, account_id: int, channel: str, now: datetime, *, at_most: int) -> list[MessageRow]:
    """Hold the messages of a channel that wait the longest."""
    return [MessageRow(**row) for row in await db.fetch(_SQL["take_due"], account_id, channel, now, at_most)]


async def left_lately(
    db: Db, account_id: int, addresses: Iterable[str], *, since: datetime, today: datetime
) -> dict[str, tuple[datetime, int]]:
    """Tell when something last left to addresses, not before `since`, and how many messages since `today`."""
    rows = await db.fetch(_SQL["left_lately"], account_id, list(addresses), since, today)
    return {row["address"]: (row["last_at"], row["today"]) for row in rows}


async def begin_sending(db: Db, leaving: Sequence[Leaving], *, until: datetime, now: datetime) -> None:
    """Lease messages; `begin_giving` says of each when it may have left."""
    names = ("id", "subject", "body", "parts", "price", "why")
    await db.execute(_SQL["begin_sending"], *_columns(leaving, names), until, now)


async def begin_giving(db: Db | Pool, leases: Sequence[tuple[int, datetime]]) -> set[int]:
    """Note that messages are given to their providers now; return those that are: the others are not leased any more.

    Args:
        leases: message, and when its lease ends.
    """
    columns: list[list[Any]] = [[lease[place] for lease in leases] for place in range(2)]
    return {row["id"] for row in await db.fetch(_SQL["begin_giving"], *columns)}


async def put_back(db: Db, messages: Sequence[PutBack]) -> None:
    """Hold messages, or end them unsent."""
    await db.execute(_SQL["put_back"], *_columns(messages, ("id", "state", "why", "next_try_at")))


async def spent_on(db: Db, account_id: int, channel: str, day: date) -> Spent:
    """Read what left by a channel on a day (UTC) and in its month until then."""
    row = await db.fetchrow(_SQL["spent_on"], account_id, channel, day)
    assert row is not None
    return Spent(**row)


async def spend(db: Db, account_id: int, channel: str, day: date, *, parts: int, money: Decimal) -> None:
    """Count what leaves; less than nothing gives it back."""
    await db.execute(_SQL["spend"], account_id, channel, day, parts, money)


async def settle_sent(db: Db, settled: Sequence[Settled]) -> set[int]:
    """Write what came of sending; return those that nobody else has leased since."""
    names = ("id", "state", "why", "provider_id", "next_try_at", "sent_at", "is_unknown", "until")
    return {row["id"] for row in await db.fetch(_SQL["settle_sent"], *_columns(settled, names))}


async def find_sent(db: Db, account_id: int, channel: str, provider_id: str) -> list[MessageRow]:
    """Hold the messages that a provider calls by this id."""
    return [MessageRow(**row) for row in await db.fetch(_SQL["find_sent"], account_id, channel, provider_id)]


async def find_message(db: Db, account_id: int, message_id: int) -> MessageRow | None:
    """Hold a message by our own id."""
    row = await db.fetchrow(_SQL["find_message"], account_id, message_id)
    return None if row is None else MessageRow(**row)


async def raise_state(
    db: Db,
    message_id: int,
    *,
    state: str,
    why: str | None,
    sent_at: datetime | None = None,
    delivered_at: datetime | None = None,
    read_at: datetime | None = None,
) -> None:
    """Write what a receipt says; times that are known stay."""
    await db.execute(_SQL["raise_state"], message_id, state, why, delivered_at, read_at, sent_at)


async def list_messages(
    db: Db | Pool,
    account_id: int,
    *,
    stop_id: int | None,
    route_id: int | None,
    state: str | None,
    before: int,
    limit: int,
) -> list[ListedMessage]:
    """Read messages, the newest first."""
    rows = await db.fetch(_SQL["list_messages"], account_id, stop_id, route_id, state, before, limit)
    return [ListedMessage(**row) for row in rows]


async def logged_messages(db: Db | Pool, *, limit: int) -> list[ListedMessage]:
    """Read what the channel `log` would have sent, of every account, the newest first."""
    return [ListedMessage(**row) for row in await db.fetch(_SQL["logged_messages"], limit)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Whom a message was for."""

    account_id: int
    channel: str
    address: str
    locale: str


async def address_of(db: Db | Pool, message_id: int) -> Address | None:
    """Read whom a message was for; None when it is forgotten, or was for nobody."""
    row = await db.fetchrow(_SQL["address_of"], message_id)
    return None if row is None else Address(**row)


async def put_message_facts(db: Db, facts: Sequence[MessageFact]) -> None:
    """Tell the feed what became of messages; what it was told before is told once."""
    names = ("id", "type", "fact_id", "happened_at", "data")
    await db.execute(_SQL["put_message_facts"], *_columns(facts, names))


async def drop_messages(db: Db | Pool, before: datetime, *, at_most: int) -> int:
    """Forget the oldest messages that were made before a time; return how many."""
    return len(await db.fetch(_SQL["drop_messages"], before, at_most))
