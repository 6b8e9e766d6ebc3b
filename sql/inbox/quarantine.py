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


def summed_up(reasons: Iterable[str]) -> tuple[str, str]:
    """Give the most frequent of some reasons, at least one, and a detail that counts them all."""
    counts = Counter(reasons).most_common()
    return counts[0][0], ", ".join(f"{why}: {count}" for why, count in counts)


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
