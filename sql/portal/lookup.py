"""Deliveries as somebody looks for them who has no link: by the order's number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)

MOST_OF_A_NAME = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """An account, as a page shows it."""

    id: int
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedStop:
    """A stop of an order's number, and what only its recipient knows of it."""

    id: int
    link_generation: int
    address: str | None = field(repr=False)
    phone: str | None = field(repr=False)


async def find_company(db: Db | Pool, name: str) -> Company | None:
    """Find the account of a name, or with an empty one the only account that there is; None: neither."""
    row = await db.fetchrow(_SQL["find_company"], name)
    return None if row is None else Company(**row)


async def stops_named(db: Db | Pool, order: str, *, account_id: int | None) -> Sequence[NamedStop]:
    """Read the stops that have an order's number and a link that works, the newest tour first; None: of any account."""
    rows = await db.fetch(_SQL["stops_named"], order, account_id, MOST_OF_A_NAME)
    return [NamedStop(**row) for row in rows]
