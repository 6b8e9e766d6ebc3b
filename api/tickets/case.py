"""What may become of a ticket, and what follows: its state, its deadline, what the feed and the recipient hear.

Call what is here in one transaction that holds the stop or the ticket.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from api.http import ids
from api.http.problem import Conflict
from sql.account.settings import USUAL_TICKET_DAYS, AccountSettings, TicketKind
from sql.pool import Db
from sql.tickets import tickets
from sql.tickets.tickets import NewEntry, TicketRow
from work.messages.notices import note_stops
from work.tickets.deadlines import due_at
from work.tickets.facts import tell_ticket

REOPENED_FOR = timedelta(days=7)
"""After that a closed ticket stays closed: a new one is opened. `sql/portal/stops.sql` keeps links as long."""

MOST_ENTRIES = 200
"""Of one ticket: beyond that nobody reads it any more, and a recipient calls."""

Side: TypeAlias = Literal["recipient", "company"]
TicketState: TypeAlias = Literal["open", "in_review", "waiting_for_you", "resolved", "rejected", "reopened"]

_CLOSED = frozenset({"resolved", "rejected"})
_BY_COMPANY: dict[str, frozenset[str]] = {
    **dict.fromkeys(("open", "reopened", "in_review"), frozenset({"in_review", "waiting_for_you", *_CLOSED})),
    "waiting_for_you": frozenset({"waiting_for_you", "in_review", *_CLOSED}),
    **dict.fromkeys(_CLOSED, frozenset({"reopened"})),
}
"""To which states a company may bring a ticket, by its state."""


class TicketStateRefused(Conflict):
    """The ticket is in a state from which this cannot be."""

    type = "ticket-state"
    title = "The ticket is in another state"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketWords:
    """What somebody says in a ticket."""

    words: str | None = field(repr=False)
    photo_ids: Sequence[int] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketStop:
    """The stop that a ticket is about; `lat`, `lon` in degrees."""

    id: int
    account_id: int
    lat: float
    lon: float
    timezone: str
    settings: AccountSettings


async def report(db: Db, stop: TicketStop, kind: TicketKind, said: TicketWords, *, by: Side, now: datetime) -> int:
    """Open a ticket; where one of the kind is open, or was closed lately, it is said there. Return its id.

    The stop must be held: what two post at once is one ticket.
    """
    due = due_of(stop, kind, now)
    known = await tickets.newest_of_kind(db, stop_id=stop.id, kind=kind)
    if known is not None:
        ticket = await tickets.hold_ticket(db, account_id=stop.account_id, ticket_id=known)
        assert ticket is not None
        if ticket.closed_at is None or now < ticket.closed_at + REOPENED_FOR:
            if by == "recipient":
                await answer_of_recipient(db, ticket, said, due=due, now=now)
            else:
                state: TicketState | None = None if ticket.closed_at is None else "reopened"
                await answer_of_company(db, ticket, said, state=state, due=due, now=now)
            return ticket.id
    made = await tickets.open_ticket(
        db, account_id=stop.account_id, stop_id=stop.id, kind=kind, opened_by=by, due_at=due, now=now
    )
    assert made is not None
    entry = NewEntry(said_by=by, state="open", words=said.words, photo_ids=said.photo_ids)
    await tickets.add_entry(db, made, entry, now)
    ticket = await tickets.find_ticket(db, account_id=stop.account_id, ticket_id=made)
    assert ticket is not None
    await tell_ticket(db, ticket, "ticket.opened", now=now, by=by, due_at=due.isoformat())
    return made


async def answer_of_recipient(db: Db, ticket: TicketRow, said: TicketWords, *, due: datetime, now: datetime) -> None:
    """Add what a recipient says: it is the company's turn again. The same words once more are not added.

    Args:
        due: until when the company answers, where its turn begins with this.

    Raises:
        TicketStateRefused: it was closed too long ago.
    """
    if await _is_repeated(db, ticket, "recipient", said):
        return
    if len(await tickets.entries_of(db, [ticket.id])) >= MOST_ENTRIES:
        raise TicketStateRefused("A great deal was said here already. Please call the company.")
    if ticket.closed_at is not None and now >= ticket.closed_at + REOPENED_FOR:
        raise TicketStateRefused("This was closed more than a week ago. Please report it anew.")
    state = {"waiting_for_you": "in_review", "resolved": "reopened", "rejected": "reopened"}.get(
        ticket.state, ticket.state
    )
    await tickets.move_ticket(db, ticket.id, state=state, due_at=ticket.due_at or due, now=now)
    entry = NewEntry(said_by="recipient", state=state, words=said.words, photo_ids=said.photo_ids)
    await tickets.add_entry(db, ticket.id, entry, now)
    await tell_ticket(db, ticket, "ticket.answered", now=now, by="recipient", state=state)


async def answer_of_company(
    db: Db, ticket: TicketRow, said: TicketWords, *, state: TicketState | None, due: datetime, now: datetime
) -> None:
    """Add what the company says, or bring a ticket to a state; the recipient is told. Nothing new changes nothing.

    Args:
        state: None: as it is; one that nobody looked at yet is in review from then on.
        due: as in `answer_of_recipient`.

    Raises:
        TicketStateRefused: from its state there is no way to that one.
    """
    told = said.words is not None or bool(said.photo_ids)
    wanted = state or _of_itself(ticket.state, told=told)
    if wanted != ticket.state and wanted not in _BY_COMPANY[ticket.state]:
        ways = ", ".join(sorted(_BY_COMPANY[ticket.state]))
        raise TicketStateRefused(f"The ticket is {ticket.state}; from there it can become {ways}.")
    if wanted == ticket.state and (not told or await _is_repeated(db, ticket, "company", said)):
        return
    until = None if wanted in _CLOSED or wanted == "waiting_for_you" else ticket.due_at or due
    await tickets.move_ticket(db, ticket.id, state=wanted, due_at=until, now=now)
    entry = NewEntry(said_by="company", state=wanted, words=said.words, photo_ids=said.photo_ids)
    await tickets.add_entry(db, ticket.id, entry, now)
    name = "ticket.closed" if wanted in _CLOSED else "ticket.answered"
    await tell_ticket(db, ticket, name, now=now, by="company", state=wanted)
    if told or wanted != "in_review":
        await _tell_recipient(db, ticket, wanted, said.words, now)


async def note_of_company(db: Db, ticket: TicketRow, said: TicketWords, *, now: datetime) -> None:
    """Add a note of the company for itself: nobody else hears of it."""
    if await _is_repeated(db, ticket, "company", said, internal=True):
        return
    await tickets.move_ticket(db, ticket.id, state=ticket.state, due_at=ticket.due_at, now=now)
    entry = NewEntry(said_by="company", state=ticket.state, words=said.words, internal=True, photo_ids=said.photo_ids)
    await tickets.add_entry(db, ticket.id, entry, now)


def due_of(stop: TicketStop, kind: str, now: datetime) -> datetime:
    """Tell until when the company answers what is said now."""
    days = {**USUAL_TICKET_DAYS, **stop.settings.ticket_days}[kind]  # type: ignore[index]
    return due_at(now, days, lat=stop.lat, lon=stop.lon, timezone=stop.timezone)


def reopen_until(ticket: TicketRow) -> datetime | None:
    """Tell until when a closed ticket may be opened again; None: it is open."""
    return None if ticket.closed_at is None else ticket.closed_at + REOPENED_FOR


def _of_itself(state: str, *, told: bool) -> str:
    if not told:
        return state
    return "in_review" if state in ("open", "reopened") else state


async def _is_repeated(db: Db, ticket: TicketRow, by: Side, said: TicketWords, *, internal: bool = False) -> bool:
    """Tell whether the last thing that was said is this, by the same side: a request that was sent twice."""
    entries = [one for one in await tickets.entries_of(db, [ticket.id]) if one.internal == internal]
    if not entries:
        return False
    last = entries[-1]
    same = last.words == said.words and list(last.photo_ids) == list(said.photo_ids)
    return same and last.said_by == by


async def _tell_recipient(db: Db, ticket: TicketRow, state: str, words: str | None, now: datetime) -> None:
    data = {"ticket": ids.shown(ids.TICKET, ticket.id), "state": state, "answer": words or ""}
    await note_stops(
        db,
        "ticket",
        account_id=ticket.account_id,
        route_id=ticket.route_id,
        stop_ids=[ticket.stop_id],
        data={ticket.stop_id: data},
        now=now,
    )
