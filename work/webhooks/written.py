"""What is told of an event, written once for all webhooks that are told of it at about the same time."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from cachetools import TTLCache

from sql.pool import Db
from sql.webhooks.webhooks import events_of
from work.webhooks.body import body_of

KEPT_S = 10.0
"""How long at most: what is erased from the feed must not be told from memory."""

KEPT_BYTES = 16_000_000


@dataclass(frozen=True, slots=True)
class WrittenEvent:
    """An event in the form in which a webhook is told of it."""

    seq: int
    known_at: datetime
    media: str
    body: bytes


_Key: TypeAlias = tuple[int, str, int]


@dataclass(slots=True)
class WrittenEvents:
    """Those that were told just now; `source` is the feed's address."""

    source: str
    _kept: TTLCache[_Key, WrittenEvent] = field(
        default_factory=lambda: TTLCache(KEPT_BYTES, KEPT_S, getsizeof=lambda one: len(one.body))
    )

    async def of(self, db: Db, account_id: int, form: str, seqs: Collection[int]) -> dict[int, WrittenEvent]:
        """Give events of an account by seq; those that are not in the feed any more are left out."""
        found = {seq: one for seq in seqs if (one := self._kept.get((account_id, form, seq))) is not None}
        if missing := [seq for seq in seqs if seq not in found]:
            for seq, entry in (await events_of(db, account_id, missing)).items():
                media, body = body_of(form, entry, self.source)
                found[seq] = WrittenEvent(seq, entry.known_at, media, body)
                self._kept[account_id, form, seq] = found[seq]
        return found
