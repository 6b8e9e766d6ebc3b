"""The quarantine: what phones sent that nobody could use, and what a tracker could not fold."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """One unusable message.

    Attributes:
        account_id, driver_id, device_id: None where it is not known whose it was (a damaged block).
        source: the door it came through, or "tracker".
        reason: a stable word.
        detail: more about the reason; None when there is nothing to add.
        body: what was sent, cut at a limit.
    """

    account_id: int | None
    driver_id: int | None
    device_id: int | None
    received_at: datetime
    source: str
    reason: str
    detail: str | None
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedQuarantined:
    """One unusable message as its account sees it; the fields are those of `Quarantined`."""

    id: int
    driver_id: int | None
    device_id: int | None
    received_at: datetime
    source: str
    reason: str
    detail: str | None
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineCount:
    """How much is in quarantine, of all accounts.

    Attributes:
        set_aside: of them, pings that were acknowledged, and that the tracker set aside.
    """

    entries: int
    set_aside: int


def summed_up(reasons: Iterable[str]) -> tuple[str, str]:
    """Give the most frequent of some reasons, at least one, and a detail that counts them all."""
    counts = Counter(reasons).most_common()
    return counts[0][0], ", ".join(f"{why}: {count}" for why, count in counts)


def in_parts(items: Iterable[str], max_bytes: int) -> list[tuple[int, bytes]]:
    """Write items, each JSON in ASCII, as JSON lists of at most so many bytes: every item whole in one of them.

    Returns:
        How many items are in each list, and the list. An item that is longer by itself is cut, and no JSON any more.
    """
    parts: list[list[str]] = []
    room = 0
    for item in items:
        if len(item) + 2 > room:
            parts.append([])
            room = max_bytes
        parts[-1].append(item)
        room -= len(item) + 2
    return [(len(part), f"[{', '.join(part)}]".encode()[:max_bytes]) for part in parts]


def written(item: object) -> str:
    """Write any value that a phone can send as JSON (with NaN), in ASCII."""
    try:
        return json.dumps(item, default=repr, skipkeys=True)
    except (ValueError, RecursionError):
        return '"too deeply nested to be written"'


async def put_quarantined(db: Db, messages: Sequence[Quarantined]) -> None:
    """Keep unusable messages."""
    await db.execute(
        _SQL["put_quarantined"],
        [message.account_id for message in messages],
        [message.driver_id for message in messages],
        [message.device_id for message in messages],
        [message.received_at for message in messages],
        [message.source for message in messages],
        [message.reason for message in messages],
        [message.detail for message in messages],
        [message.body for message in messages],
    )


async def find_quarantined(db: Db | Pool, *, account_id: int, entry_id: int) -> ListedQuarantined | None:
    """Find one of an account's unusable messages; None when there is none such."""
    row = await db.fetchrow(_SQL["find_quarantined"], account_id, entry_id)
    return None if row is None else ListedQuarantined(**row)


async def forget_quarantined(db: Db | Pool, *, account_id: int, entry_id: int) -> None:
    """Forget a message that is of use after all."""
    await db.execute(_SQL["forget_quarantined"], account_id, entry_id)


async def trim_quarantine(db: Db | Pool, *, account_bytes: int, account_entries: int, at_most: int) -> int:
    """Forget the oldest of what is over an account's share, and over an eighth of that of one device; return how many.

    Acknowledged pings that the tracker set aside stay.
    """
    return len(await db.fetch(_SQL["trim_quarantine"], account_bytes, account_entries, at_most))


async def count_quarantined(db: Db) -> QuarantineCount:
    """Count what is there."""
    row = await db.fetchrow(_SQL["count_quarantined"])
    assert row is not None
    return QuarantineCount(**row)


async def list_quarantined(
    db: Db | Pool, *, account_id: int, after_id: int | None, limit: int
) -> list[ListedQuarantined]:
    """List an account's unusable messages, newest first.

    Args:
        after_id: the last id of the page before; None for the first page.
        limit: at most so many.
    """
    rows = await db.fetch(_SQL["list_quarantined"], account_id, after_id, limit)
    return [ListedQuarantined(**row) for row in rows]
