"""Notices: that recipients may have to hear of something, written in the transaction of its cause."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNotice:
    """A notice to write.

    Attributes:
        stop_id: None: every stop of the route.
        fact_id: the fact of the feed that it rests on; None: on none.
        happened_ms: when its cause was, epoch milliseconds.
    """

    account_id: int
    route_id: int | None
    stop_id: int | None
    kind: str
    happened_ms: int
    fact_id: UUID | None = None
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A notice that was taken out."""

    id: int
    account_id: int
    route_id: int | None
    stop_id: int | None
    kind: str
    fact_id: UUID | None
    happened_at: datetime
    data: dict[str, Any]


async def put_notices(db: Db, notices: Sequence[NewNotice]) -> None:
    """Leave notices; call it in the transaction of their cause."""
    names = ("account_id", "route_id", "stop_id", "kind", "fact_id", "happened_ms", "data")
    await db.execute(_SQL["put_notices"], *([getattr(one, name) for one in notices] for name in names))


async def accounts_with_notices(db: Db | Pool) -> list[int]:
    """Name the accounts that have notices."""
    return [row["account_id"] for row in await db.fetch(_SQL["accounts_with_notices"])]


async def pop_notices(db: Db, *, at_most: int, account_id: int | None = None) -> list[Notice]:
    """Take the oldest notices out, oldest first; inside the transaction that makes their messages.

    Args:
        account_id: None: of any.
    """
    rows = await db.fetch(_SQL["pop_notices"], at_most, account_id)
    return [Notice(**row) for row in sorted(rows, key=lambda row: row["id"])]


async def stops_of_routes(db: Db, route_ids: Iterable[int]) -> dict[int, list[int]]:
    """Read the stops of tours where somebody waits, by route."""
    found: dict[int, list[int]] = {}
    for row in await db.fetch(_SQL["stops_of_routes"], list(route_ids)):
        found.setdefault(row["route_id"], []).append(row["id"])
    return found
