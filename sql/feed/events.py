"""The feed of facts: read in the order of `seq`, which one numberer gives after commit."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sql import locks
from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)

EVENTS_CHANNEL = "reparto_events"
"""Channel on which the accounts are told whose feed has grown, separated by spaces."""

NUMBERED_AT_ONCE = 10_000
"""Entries that one call of `number_events` numbers at most: about 0.1 s, during which account rows are locked."""

_NUMBERED_WITHIN = timedelta(minutes=10)
"""Of two entries one that became known by so much later has the greater seq: no transaction takes longer."""

_ACCOUNTS_A_PAYLOAD = 390  # 20 bytes each: below the 8 000 that a notification may have


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """One revision of a fact."""

    seq: int
    fact_id: UUID
    revision: int
    state: str
    type: str
    occurred_at: datetime
    known_at: datetime
    driver_id: int | None
    route_id: int | None
    stop_id: int | None
    geofence_id: int | None
    late: bool
    data: dict[str, Any]


async def events_numbered(db: Db | Pool, account_id: int) -> int:
    """Tell the greatest `seq` of an account's feed; 0 when it is empty."""
    return int(await db.fetchval(_SQL["events_numbered"], account_id))


async def read_events(
    db: Db | Pool, account_id: int, *, after: int, until: int, types: Sequence[str] | None, limit: int
) -> list[FeedEntry]:
    """Read entries with `after` < seq <= `until`, in order; `types` None is every type."""
    rows = await db.fetch(_SQL["read_events"], account_id, after, until, types, limit)
    return [FeedEntry(**row) for row in rows]


async def events_dropped(db: Db | Pool, account_id: int) -> int:
    """Tell the greatest `seq` of an account's feed that is not kept any more; 0 when all are.

    Asked after reading, it tells whether what was read has a gap.
    """
    return int(await db.fetchval(_SQL["events_dropped"], account_id))


async def facts_known_between(
    db: Db | Pool,
    account_id: int,
    *,
    since: datetime,
    until: datetime,
    types: Sequence[str],
    driver_ids: Collection[int] | None,
    limit: int,
) -> list[FeedEntry]:
    """Read facts that first became known at or after `since` and before `until`, as they are now, at most `limit`.

    Those that were taken back since are left out. In the order of the feed.

    Args:
        driver_ids: whose; None: of anybody.
    """
    first = await db.fetchval(_SQL["place_of_time"], account_id, since - _NUMBERED_WITHIN)
    last = await db.fetchval(_SQL["place_of_time"], account_id, until + _NUMBERED_WITHIN)
    drivers = None if driver_ids is None else list(driver_ids)
    rows = await db.fetch(
        _SQL["facts_known_between"], account_id, first, last, since, until, list(types), drivers, limit
    )
    return [FeedEntry(**row) for row in rows]


async def number_events(db: Db, *, alerting: Collection[str] = ()) -> list[int]:
    """Give `seq` to entries that are committed and have none, and tell who listens.

    Call it again at once when it returns accounts; when it returns none, nothing waits or another process is at it.
    Not to be called inside a transaction.

    Args:
        alerting: types of facts that people of the company are told of.

    Returns:
        The accounts whose feed has grown.
    """
    async with db.transaction():
        if not await db.fetchval(_SQL["try_hold_numbering"], locks.NUMBERING):
            return []
        accounts = [row["id"] for row in await db.fetch(_SQL["number_events"], NUMBERED_AT_ONCE, list(alerting))]
    for start in range(0, len(accounts), _ACCOUNTS_A_PAYLOAD):
        await db.execute(
            _SQL["tell_events"], EVENTS_CHANNEL, " ".join(map(str, accounts[start : start + _ACCOUNTS_A_PAYLOAD]))
        )
    return accounts
