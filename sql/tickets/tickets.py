"""Tickets and what was said in them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRow:
    """A ticket, and the stop it is about.

    Attributes:
        opened_by: recipient or company.
        due_at: until when the company answers; None: it is not its turn.
        closed_at: None unless it is resolved or rejected.
        order: external id of the stop.
        lat, lon, timezone: of the stop and its route.
    """

    id: int
    account_id: int
    stop_id: int
    route_id: int
    order: str
    lat: float
    lon: float
    timezone: str
    kind: str
    state: str
    opened_by: str
    version: int
    opened_at: datetime
    updated_at: datetime
    due_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRow:
    """What was said in a ticket, and the state it came to; `said_by`: recipient, company or clock."""

    id: int
    ticket_id: int
    said_by: str
    state: str
    words: str | None = field(repr=False)
    internal: bool
    photo_ids: Sequence[int]
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """Something to add."""

    said_by: str
    state: str
    words: str | None = field(repr=False)
    internal: bool = False
    photo_ids: Sequence[int] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFilter:
    """What a list of tickets is asked for; None: any.

    Attributes:
        is_open: True: neither resolved nor rejected; False: one of them.
        due_before: the company's turn ends before this time.
    """

    states: Sequence[str] | None = None
    kind: str | None = None
    stop_id: int | None = None
    order: str | None = None
    is_open: bool | None = None
    due_before: datetime | None = None


async def open_ticket(
    db: Db, *, account_id: int, stop_id: int, kind: str, opened_by: str, due_at: datetime, now: datetime
) -> int | None:
    """Open a ticket; return its id, None when one of the kind is open at the stop."""
    made: int | None = await db.fetchval(_SQL["open_ticket"], account_id, stop_id, kind, opened_by, due_at, now)
    return made


async def newest_of_kind(db: Db, *, stop_id: int, kind: str) -> int | None:
    """Give the newest ticket of a kind at a stop; None: there is none."""
    found: int | None = await db.fetchval(_SQL["newest_of_kind"], stop_id, kind)
    return found


async def hold_ticket(db: Db, *, account_id: int, ticket_id: int) -> TicketRow | None:
    """Read a ticket that nobody else changes until the transaction ends; None: the account has no such one."""
    row = await db.fetchrow(_SQL["hold_ticket"], account_id, ticket_id)
    return None if row is None else TicketRow(**row)


async def find_ticket(db: Db | Pool, *, account_id: int, ticket_id: int) -> TicketRow | None:
    """Read a ticket; None: the account has no such one."""
    row = await db.fetchrow(_SQL["find_ticket"], account_id, ticket_id)
    return None if row is None else TicketRow(**row)


async def tickets_of_stop(db: Db | Pool, stop_id: int) -> list[TicketRow]:
    """Read the tickets of a stop, oldest first."""
    return [TicketRow(**row) for row in await db.fetch(_SQL["tickets_of_stop"], stop_id)]


async def page_of_tickets(
    db: Db | Pool, *, account_id: int, asked: TicketFilter, before: int | None, limit: int
) -> list[TicketRow]:
    """Read a page of tickets, the newest first."""
    rows = await db.fetch(
        _SQL["page_of_tickets"],
        *(account_id, asked.states, asked.kind, asked.stop_id, asked.order, asked.is_open, asked.due_before),
        *(before, limit),
    )
    return [TicketRow(**row) for row in rows]


async def move_ticket(db: Db, ticket_id: int, *, state: str, due_at: datetime | None, now: datetime) -> None:
    """Bring a ticket to a state, the same one too; its version grows, and a new deadline is told anew."""
    await db.execute(_SQL["move_ticket"], ticket_id, state, due_at, now)


async def add_entry(db: Db, ticket_id: int, entry: NewEntry, now: datetime) -> int:
    """Add what was said; return its id."""
    made: int = await db.fetchval(
        _SQL["add_entry"],
        *(ticket_id, entry.said_by, entry.state, entry.words, entry.internal, list(entry.photo_ids), now),
    )
    return made


async def entries_of(db: Db | Pool, ticket_ids: Sequence[int]) -> list[EntryRow]:
    """Read what was said in tickets, in order."""
    return [EntryRow(**row) for row in await db.fetch(_SQL["entries_of"], list(ticket_ids))]


async def hold_due(db: Db, *, near: datetime, now: datetime, at_most: int) -> list[TicketRow]:
    """Hold tickets whose deadline is near and was not told, or is over and that was not told."""
    return [TicketRow(**row) for row in await db.fetch(_SQL["hold_due"], near, now, at_most)]


async def deadline_is_told(db: Db, ticket_id: int, how_far: int) -> None:
    """Note that a deadline was told: 1 that it is near, 2 that it is over."""
    await db.execute(_SQL["deadline_is_told"], ticket_id, how_far)


async def hold_unanswered(db: Db, *, before: datetime, at_most: int) -> list[TicketRow]:
    """Hold tickets that have waited for their recipient since before a time."""
    return [TicketRow(**row) for row in await db.fetch(_SQL["hold_unanswered"], before, at_most)]
