"""Tickets as both sides read them."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct

from api.http import ids
from api.proofs.links import Signer
from api.tickets.contact import ContactView
from api.tickets.evidence import Evidence, EvidenceInShort
from api.tickets.photos import PhotoView, shown_photos
from sql.tickets.tickets import EntryRow, TicketRow


class TicketEntry(Struct, frozen=True, kw_only=True):
    """What was said, and the state that the ticket came to.

    `by`: recipient, company, or clock (nobody answered). `internal`: a note of the company for itself, never shown to
    the recipient. `text`: null where nothing was said, or it was forgotten.
    """

    by: str
    state: str
    text: str | None
    photos: list[PhotoView]
    internal: bool
    at: datetime


class RecipientTicket(Struct, frozen=True, kw_only=True):
    """A ticket as its recipient reads it.

    `due_at`: until when the company answers; null: it is not its turn. `reopen_until`: of a closed one.
    """

    id: str
    kind: str
    state: str
    opened_at: datetime
    due_at: datetime | None
    closed_at: datetime | None
    reopen_until: datetime | None
    entries: list[TicketEntry]


class RecipientTickets(Struct, frozen=True, kw_only=True):
    """The tickets of a delivery, what is known of how it went, and who to call; null: nothing, nobody."""

    tickets: list[RecipientTicket]
    evidence: EvidenceInShort | None
    contact: ContactView | None


class Ticket(Struct, frozen=True, kw_only=True):
    """A ticket as the company reads it; `version` is its `ETag`, for `If-Match`."""

    id: str
    stop_id: str
    order: str
    kind: str
    state: str
    opened_by: str
    version: int
    opened_at: datetime
    updated_at: datetime
    due_at: datetime | None
    overdue: bool
    closed_at: datetime | None
    entries: list[TicketEntry]


class TicketWithEvidence(Ticket, frozen=True, kw_only=True):
    """With what shows how its stop was served; null once that is forgotten."""

    evidence: Evidence | None


class TicketPage(Struct, frozen=True, kw_only=True):
    """Tickets, the newest first."""

    tickets: list[Ticket]
    next: str | None


def recipient_ticket(
    row: TicketRow, entries: Iterable[EntryRow], signer: Signer, reopen_until: datetime | None
) -> RecipientTicket:
    """Show a ticket to its recipient: without the company's notes."""
    return RecipientTicket(
        id=ids.shown(ids.TICKET, row.id),
        kind=row.kind,
        state=row.state,
        opened_at=row.opened_at,
        due_at=row.due_at,
        closed_at=row.closed_at,
        reopen_until=reopen_until,
        entries=[_entry(one, signer) for one in entries if one.ticket_id == row.id and not one.internal],
    )


def company_ticket(row: TicketRow, entries: Iterable[EntryRow], signer: Signer, now: datetime) -> Ticket:
    """Show a ticket to the company."""
    return Ticket(
        id=ids.shown(ids.TICKET, row.id),
        stop_id=ids.shown(ids.STOP, row.stop_id),
        order=row.order,
        kind=row.kind,
        state=row.state,
        opened_by=row.opened_by,
        version=row.version,
        opened_at=row.opened_at,
        updated_at=row.updated_at,
        due_at=row.due_at,
        overdue=row.due_at is not None and row.due_at <= now,
        closed_at=row.closed_at,
        entries=[_entry(one, signer) for one in entries if one.ticket_id == row.id],
    )


def _entry(row: EntryRow, signer: Signer) -> TicketEntry:
    photos: Sequence[PhotoView] = shown_photos(row.photo_ids, signer)
    return TicketEntry(
        by=row.said_by, state=row.state, text=row.words, photos=list(photos), internal=row.internal, at=row.made_at
    )
