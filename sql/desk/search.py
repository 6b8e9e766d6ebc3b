"""Finding a delivery by whatever somebody on the phone says of it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)

LEAST_DIGITS = 6
"""Of a phone: what somebody says of theirs without the codes of country and city."""

BY_WORDS = 4
"""The rank of a stop that is found by words of its name and address: several people have them."""

_PHONE = re.compile(r"[+()\d\s./-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundStop:
    """A stop that goes with what was said; `rank`: the less the surer; `route`: external id of its tour."""

    id: int
    rank: int
    external_id: str
    name: str = field(repr=False)
    address: str | None = field(repr=False)
    status: str
    route: str
    date: date
    timezone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundOrder:
    """An order that is on no tour; `name` None: it is forgotten whom it was for."""

    external_id: str
    name: str | None = field(repr=False)
    address: str | None = field(repr=False)
    state: str
    earliest: date
    latest: date


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTour:
    """A tour that goes with what was said; `driver` None: nobody drives it yet."""

    id: int
    external_id: str
    date: date
    status: str
    driver: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherTry:
    """Another stop of the same order."""

    id: int
    route: str
    date: date
    status: str


async def found_stops(db: Db | Pool, account_id: int, said: str, *, limit: int) -> Sequence[FoundStop]:
    """Find stops by the order's number, a barcode, e-mail or phone (its end), or words of name and address.

    Args:
        said: without spaces around it.
    """
    digits = digits_of(said)
    ends = digits[::-1] if digits else None
    return [FoundStop(**row) for row in await db.fetch(_SQL["found_stops"], account_id, said, ends, limit)]


async def found_orders(db: Db | Pool, account_id: int, said: str, *, limit: int) -> Sequence[FoundOrder]:
    """Find orders that are on no tour, by their number, e-mail or phone (all of it)."""
    rows = await db.fetch(_SQL["found_orders"], account_id, said, digits_of(said), limit)
    return [FoundOrder(**row) for row in rows]


async def found_tours(db: Db | Pool, account_id: int, said: str, *, since: datetime, limit: int) -> Sequence[FoundTour]:
    """Find tours that begin after `since` by their id or who drives them."""
    return [FoundTour(**row) for row in await db.fetch(_SQL["found_tours"], account_id, said, since, limit)]


async def tries_of_order(db: Db | Pool, account_id: int, stop_id: int) -> Sequence[OtherTry]:
    """Read the other stops of the order of a stop, the newest first."""
    return [OtherTry(**row) for row in await db.fetch(_SQL["tries_of_order"], account_id, stop_id)]


def digits_of(said: str) -> str | None:
    """Give the digits of what may be a phone, without the zero that is dialled inside a country; None: it is none."""
    digits = re.sub(r"\D", "", said).lstrip("0") if _PHONE.fullmatch(said) else ""
    return digits if len(digits) >= LEAST_DIGITS else None
