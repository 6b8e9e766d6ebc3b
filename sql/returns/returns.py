"""Requests for a return, each with how far its pickup is."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnRow:
    """A request for a return.

    Attributes:
        reason, words: of whoever asked; None: it is forgotten, or nothing was said.
        said: what the company answered.
        pickups: how many orders to fetch it were made; `order_name` is the last one's external id, None: none was.
        order: external id of the stop that brought what goes back.
        order_state, pickup_stop_id, pickup_status: of that order, and of its stop once it is on a route; None before.
        pickup_day: of that route.
        pickup_generation: of that stop's link; None: it has none that works.
    """

    id: int
    account_id: int
    stop_id: int
    route_id: int
    order: str
    state: str
    asked_by: str
    reason: str | None = field(repr=False)
    words: str | None = field(repr=False)
    said: str | None = field(repr=False)
    photo_ids: Sequence[int]
    version: int
    asked_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    pickups: int
    order_name: str | None
    order_state: str | None
    pickup_stop_id: int | None
    pickup_status: str | None
    pickup_day: date | None
    pickup_generation: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReturn:
    """A request to keep; `asked_by`: recipient or company."""

    account_id: int
    stop_id: int
    asked_by: str
    reason: str = field(repr=False)
    words: str | None = field(repr=False)
    photo_ids: Sequence[int] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredStop:
    """What was delivered, as far as fetching it again needs it; `depot`: of the order that brought it, None: any."""

    name: str = field(repr=False)
    address: str | None = field(repr=False)
    lat: float
    lon: float
    phone: str | None = field(repr=False)
    email: str | None = field(repr=False)
    locale: str | None
    timezone: str
    depot: str | None
    load: dict[str, float]
    status: str
    outcome_at: datetime | None
    external_id: str


async def put_return(db: Db, new: NewReturn, *, now: datetime) -> int | None:
    """Keep a request; return its id, None when one of this stop is open."""
    made: int | None = await db.fetchval(
        _SQL["put_return"],
        *(new.account_id, new.stop_id, new.asked_by, new.reason, new.words, list(new.photo_ids), now),
    )
    return made


async def open_return(db: Db, stop_id: int) -> int | None:
    """Give the open request of a stop; None: there is none."""
    found: int | None = await db.fetchval(_SQL["open_return"], stop_id)
    return found


async def hold_return(db: Db, *, account_id: int, return_id: int) -> ReturnRow | None:
    """Read a request that nobody else changes until the transaction ends; None: the account has no such one."""
    if not await db.fetchval(_SQL["hold_return"], account_id, return_id):
        return None
    return await find_return(db, account_id=account_id, return_id=return_id)


async def find_return(db: Db | Pool, *, account_id: int, return_id: int) -> ReturnRow | None:
    """Read a request; None: the account has no such one."""
    row = await db.fetchrow(_SQL["find_return"], account_id, return_id)
    return None if row is None else ReturnRow(**row)


async def returns_of_stop(db: Db | Pool, stop_id: int) -> list[ReturnRow]:
    """Read the requests of a stop, oldest first."""
    return [ReturnRow(**row) for row in await db.fetch(_SQL["returns_of_stop"], stop_id)]


async def page_of_returns(
    db: Db | Pool, *, account_id: int, state: str | None, stop_id: int | None, before: int | None, limit: int
) -> list[ReturnRow]:
    """Read a page of requests, the newest first; None asks for any."""
    rows = await db.fetch(_SQL["page_of_returns"], account_id, state, stop_id, before, limit)
    return [ReturnRow(**row) for row in rows]


async def move_return(db: Db, return_id: int, *, state: str, said: str | None, now: datetime) -> None:
    """Bring a request to a state; what is said stays where nothing new is."""
    await db.execute(_SQL["move_return"], return_id, state, said, now)


async def note_pickup(db: Db, return_id: int, order_name: str) -> None:
    """Note the order by which it is fetched."""
    await db.execute(_SQL["note_pickup"], return_id, order_name)


async def delivered_stop(db: Db | Pool, *, account_id: int, stop_id: int) -> DeliveredStop | None:
    """Read what was delivered; None: the account has no such stop, or whom it was for is forgotten."""
    row = await db.fetchrow(_SQL["delivered_stop"], account_id, stop_id)
    return None if row is None else DeliveredStop(**row)


async def fetched_returns(db: Db, *, at_most: int) -> list[tuple[int, int]]:
    """Read approved returns whose pickup was made: account and id."""
    return [(row["account_id"], row["id"]) for row in await db.fetch(_SQL["fetched_returns"], at_most)]


async def stale_returns(db: Db, *, before: datetime, at_most: int) -> list[tuple[int, int]]:
    """Read open returns of which nothing was heard since before a time, and that no van is to fetch."""
    return [(row["account_id"], row["id"]) for row in await db.fetch(_SQL["stale_returns"], before, at_most)]
