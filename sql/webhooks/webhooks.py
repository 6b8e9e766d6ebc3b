"""Webhooks, what waits for them, and what was delivered."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sql.feed.events import FeedEntry
from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)

TEST = "webhook.test"
"""The type of what is sent to try a webhook; the feed has none such."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRow:
    """A webhook; `types` None: every type. `secrets` are sealed."""

    id: int
    account_id: int
    url: str
    types: list[str] | None
    format: str
    enabled: bool
    disabled_why: str | None
    secrets: bytes = field(repr=False)
    failing_since: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Span:
    """Neighbours in the feed that are leased together; `open`: the seqs of which nothing is noted yet."""

    webhook_id: int
    first_seq: int
    open: set[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event for one webhook that is to be sent now; `span` None: it was tried before."""

    webhook_id: int
    account_id: int
    seq: int
    type: str
    replay: bool = False
    attempts: int = 1
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What there is to be told now besides news: `due` to be tried again, `lost` by whoever had it leased."""

    due: bool
    lost: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedDelivery:
    """A delivery as it is listed; `tries` are the last ones: {at, status, took_ms, answer}."""

    id: int
    seq: int | None
    type: str
    state: str
    replay: bool
    attempts: int
    next_try_at: datetime
    tries: list[dict[str, Any]]
    created_at: datetime
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of a try, `at` a time."""

    webhook_id: int
    account_id: int
    seq: int
    type: str
    state: str
    next_try_at: datetime
    tried: dict[str, Any]
    at: datetime


async def create_webhook(
    db: Db | Pool, *, account_id: int, url: str, types: list[str] | None, form: str, enabled: bool, secrets: bytes
) -> int:
    """Make a webhook; return its id."""
    return int(await db.fetchval(_SQL["create_webhook"], account_id, url, types, form, enabled, secrets))


async def count_webhooks(db: Db | Pool, account_id: int) -> int:
    """Count an account's webhooks."""
    return int(await db.fetchval(_SQL["count_webhooks"], account_id))


async def list_webhooks(db: Db | Pool, account_id: int, *, after: int, limit: int) -> list[WebhookRow]:
    """Read an account's webhooks, the oldest first."""
    return [WebhookRow(**row) for row in await db.fetch(_SQL["list_webhooks"], account_id, after, limit)]


async def find_webhook(db: Db | Pool, account_id: int, webhook_id: int) -> WebhookRow | None:
    """Read one webhook."""
    row = await db.fetchrow(_SQL["find_webhook"], account_id, webhook_id)
    return None if row is None else WebhookRow(**row)


async def hold_webhook(db: Db, account_id: int, webhook_id: int) -> WebhookRow | None:
    """Read one webhook that nobody else changes until the transaction ends."""
    row = await db.fetchrow(_SQL["hold_webhook"], account_id, webhook_id)
    return None if row is None else WebhookRow(**row)


async def change_webhook(
    db: Db | Pool, row: WebhookRow, *, url: str, types: list[str] | None, form: str, enabled: bool
) -> None:
    """Change a webhook."""
    await db.execute(_SQL["change_webhook"], row.account_id, row.id, url, types, form, enabled)


async def put_webhook_secrets(db: Db | Pool, webhook_id: int, secrets: bytes) -> None:
    """Replace the sealed secrets of a webhook."""
    await db.execute(_SQL["put_webhook_secrets"], webhook_id, secrets)


async def sealed_webhooks(db: Db) -> list[tuple[int, bytes]]:
    """Read and hold all sealed secrets: webhook, secrets."""
    return [(row["id"], row["secrets"]) for row in await db.fetch(_SQL["sealed_webhooks"])]


async def delete_webhook(db: Db | Pool, account_id: int, webhook_id: int) -> bool:
    """Forget a webhook and what was delivered to it."""
    return await db.fetchval(_SQL["delete_webhook"], account_id, webhook_id) is not None


async def endpoints(db: Db | Pool) -> list[WebhookRow]:
    """Read every webhook that is told, of all accounts."""
    return [WebhookRow(**row) for row in await db.fetch(_SQL["endpoints"])]


async def behind(db: Db | Pool, webhook_ids: Iterable[int], now: datetime) -> dict[int, Waiting]:
    """Tell which webhooks have something to be told now."""
    rows = await db.fetch(_SQL["behind"], list(webhook_ids), now)
    return {row["id"]: Waiting(due=row["has_due"], lost=row["has_lost"]) for row in rows}


async def read_on(db: Db, row: WebhookRow, *, at_most: int, stretch: int, until: datetime) -> list[Delivery]:
    """Lease the feed's next entries for a webhook; none where another process is at it.

    Args:
        stretch: entries looked at, of any type.
        until: the lease ends.
    """
    found = await db.fetch(_SQL["read_on"], row.id, at_most, stretch, until)
    span = Span(row.id, found[0]["seq"], {one["seq"] for one in found}) if found else None
    return [Delivery(webhook_id=row.id, account_id=row.account_id, span=span, **one) for one in found]


async def end_spans(db: Db, spans: Iterable[Span]) -> None:
    """Forget spans of which everything is noted."""
    keys = [(one.webhook_id, one.first_seq) for one in spans]
    await db.execute(_SQL["end_spans"], *map(list, zip(*keys, strict=True)))


async def take_up_lost(db: Db, webhook_id: int, *, now: datetime) -> None:
    """Have tried what a process had leased that ended."""
    await db.execute(_SQL["take_up_lost"], webhook_id, now)


async def lease_due(db: Db, row: WebhookRow, *, now: datetime, until: datetime, at_most: int) -> list[Delivery]:
    """Lease what is to be tried again."""
    found = await db.fetch(_SQL["lease_due"], row.id, now, until, at_most)
    return [Delivery(webhook_id=row.id, account_id=row.account_id, **one) for one in found]


async def give_up(db: Db, webhook_id: int, seqs: Sequence[int]) -> None:
    """Try no more what the feed has forgotten by now."""
    await db.execute(_SQL["give_up"], webhook_id, seqs)


async def events_of(db: Db | Pool, account_id: int, seqs: Iterable[int]) -> dict[int, FeedEntry]:
    """Read events by seq."""
    return {row["seq"]: FeedEntry(**row) for row in await db.fetch(_SQL["events_of"], account_id, list(seqs))}


async def settle_deliveries(db: Db, tried: Sequence[Tried], *, keep: int) -> None:
    """Write what came of tries, one at most of each delivery; the last `keep` of each stay."""
    columns = [[getattr(one, name.name) for one in tried] for name in fields(Tried)]
    await db.execute(_SQL["settle_deliveries"], *columns, keep)


async def note_health(db: Db, *, working: Sequence[int], failing: Sequence[int], now: datetime) -> None:
    """Note which webhooks took something and which did not."""
    if working:
        await db.execute(_SQL["note_working"], working)
    if failing:
        await db.execute(_SQL["note_failing"], failing, now)


async def disable_webhook(db: Db, webhook_id: int, *, why: str, fact_id: UUID, now: datetime) -> bool:
    """Switch a webhook off and tell the feed; False: it was off."""
    row = await db.fetchrow(_SQL["disable_webhook"], webhook_id, why)
    if row is None:
        return False
    data = {"webhook_id": f"wh_{webhook_id}", "url": row["url"], "why": why}
    await db.execute(_SQL["put_webhook_fact"], row["account_id"], fact_id, now, data)
    return True


async def list_deliveries(
    db: Db | Pool, webhook_id: int, *, before: int, state: str | None, limit: int
) -> list[ListedDelivery]:
    """Read what was delivered to a webhook, or was not, the newest first."""
    rows = await db.fetch(_SQL["list_deliveries"], webhook_id, before, state, limit)
    return [ListedDelivery(**row) for row in rows]


async def replay(
    db: Db, row: WebhookRow, *, since: int, until: int, failed_only: bool, now: datetime, at_most: int
) -> int:
    """Have events delivered again, those that never were too unless `failed_only`; return how many."""
    again = await db.fetch(_SQL["replay_again"], row.id, since, until, failed_only, now)
    if failed_only:
        return len(again)
    others = await db.fetch(_SQL["replay_others"], row.id, row.account_id, since, until, now, at_most)
    return len(again) + len(others)


async def put_test(db: Db | Pool, row: WebhookRow, *, state: str, tried: dict[str, Any], now: datetime) -> int:
    """Note a test; return the delivery's id."""
    return int(await db.fetchval(_SQL["put_test"], row.id, row.account_id, state, [tried], now, TEST))


async def drop_deliveries(db: Db | Pool, before: datetime, *, at_most: int) -> int:
    """Forget the oldest deliveries that are over; return how many."""
    return len(await db.fetch(_SQL["drop_deliveries"], before, at_most))
