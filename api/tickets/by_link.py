"""Tickets by the tracking link: report a problem, read what was answered, answer."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct

from api.http import ids
from api.http.app_keys import POOL, now_of
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.problem import Conflict, FieldError, NotFound
from api.http.read.bodies import read_body, refuse
from api.pages.catalog import LANGUAGES
from api.portal.change import changing, counted, linked_stop, linked_stop_now
from api.proofs.links import signer_of
from api.tickets.case import TicketStop, TicketWords, answer_of_recipient, due_of, reopen_until, report
from api.tickets.contact import ContactView, contact_of
from api.tickets.evidence import evidence_in_short
from api.tickets.photos import named_photos
from api.tickets.view import RecipientTicket, RecipientTickets, recipient_ticket
from sql.account.settings import TicketKind, settings_of
from sql.portal import stops
from sql.portal.stops import PortalStop
from sql.tickets import tickets
from sql.tickets.tickets import TicketRow

operations = Operations("tracking")

MOST_TICKETS = 20
"""Of one stop: each kind may be reported again when the one before is over for a week."""

_PRIVATE = {"Cache-Control": "private, no-store"}

Told = Annotated[str, Meta(min_length=1, max_length=2_000)]
Photos = Annotated[list[Annotated[str, Meta(max_length=40)]], Meta(max_length=10)]


class ProblemBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What went wrong; `photos`: ids of photos that were sent by this link."""

    kind: TicketKind
    text: Told
    photos: Photos = []


class AnswerBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the recipient says; `photos` as in a report."""

    text: Told
    photos: Photos = []


@operations.operation("POST", "/v1/track/{token}/problem", who=Who.ANYONE, body=ProblemBody, answer=RecipientTicket)
async def post_problem(request: web.Request) -> web.Response:
    """Report a problem with a delivery: a ticket.

    One of the same kind that is open, or was closed in the last week, goes on with these words; the same words once
    more change nothing.
    """
    await counted(request)
    body = await read_body(request, ProblemBody)
    words = said_in(body.text)
    async with changing(request, "problem") as it:
        if len(await tickets.tickets_of_stop(it.db, it.stop.id)) >= MOST_TICKETS:
            raise Conflict(f"{MOST_TICKETS} problems were reported of this delivery. Please call the company.")
        photos = await named_photos(it.db, it.stop.id, it.stop.account_id, body.photos)
        said = TicketWords(words=words, photo_ids=photos)
        ticket_id = await report(it.db, ticket_stop(it.stop), body.kind, said, by="recipient", now=it.now)
    row = await tickets.find_ticket(request.app[POOL], account_id=it.stop.account_id, ticket_id=ticket_id)
    return await _answer_one(request, row)


@operations.operation("GET", "/v1/track/{token}/tickets", who=Who.ANYONE, answer=RecipientTickets)
async def get_tickets(request: web.Request) -> web.Response:
    """Read the tickets of a delivery, what is known of how it went, and how the company is reached."""
    now, pool = now_of(request), request.app[POOL]
    stop = await linked_stop(request, now)
    rows = await tickets.tickets_of_stop(pool, stop.id)
    shown = RecipientTickets(
        tickets=await _shown(request, rows),
        evidence=await evidence_in_short(request, account_id=stop.account_id, stop_id=stop.id) if rows else None,
        contact=_contact(request, stop, now),
    )
    return answer(request, shown, headers=_PRIVATE)


@operations.operation(
    "POST",
    "/v1/track/{token}/tickets/{ticket}/answers",
    who=Who.ANYONE,
    body=AnswerBody,
    answer=RecipientTicket,
)
async def post_answer(request: web.Request) -> web.Response:
    """Answer in a ticket. One that was closed in the last week is opened again."""
    await counted(request)
    now = now_of(request)
    stop = await linked_stop(request, now)
    body, ticket_id = await read_body(request, AnswerBody), ids.id_in_path(request, "ticket", ids.TICKET)
    words = said_in(body.text)
    async with request.app[POOL].acquire() as db, db.transaction():
        await stops.hold_stop(db, stop.id)
        stop = await linked_stop_now(db, request, now)
        ticket = await tickets.hold_ticket(db, account_id=stop.account_id, ticket_id=ticket_id)
        if ticket is None or ticket.stop_id != stop.id:
            raise NotFound("There is no ticket of this id.")
        said = TicketWords(words=words, photo_ids=await named_photos(db, stop.id, stop.account_id, body.photos))
        due = due_of(ticket_stop(stop), ticket.kind, now)
        await answer_of_recipient(db, ticket, said, due=due, now=now)
    row = await tickets.find_ticket(request.app[POOL], account_id=stop.account_id, ticket_id=ticket_id)
    return await _answer_one(request, row)


@operations.operation("GET", "/v1/track/{token}/contact", who=Who.ANYONE, answer=ContactView | None)
async def get_contact(request: web.Request) -> web.Response:
    """Read how the company is reached, whether somebody is there now, and links that say what it is about.

    Null where the company names no way.
    """
    now = now_of(request)
    return answer(request, _contact(request, await linked_stop(request, now), now), headers=_PRIVATE)


def said_in(text: str) -> str:
    """Give words without the space around them.

    Raises:
        Invalid: there are none.
    """
    words = text.strip()
    if not words:
        refuse([FieldError(at="/text", why="is empty")])
    return words


def ticket_stop(stop: PortalStop) -> TicketStop:
    """Give of a linked stop what a ticket is about."""
    return TicketStop(
        id=stop.id,
        account_id=stop.account_id,
        lat=stop.lat,
        lon=stop.lon,
        timezone=stop.timezone,
        settings=settings_of(dict(stop.settings)),
    )


def language_of(request: web.Request, stop: PortalStop) -> str:
    """Choose the language of who reads: as asked by `?lang=`, else the sender's word, else the account's first."""
    offered = settings_of(dict(stop.settings)).languages
    asked = (request.query.get("lang", "").lower(), (stop.locale or "")[:2].lower())
    return next((one for one in asked if one in offered and one in LANGUAGES), offered[0])


def _contact(request: web.Request, stop: PortalStop, now: datetime) -> ContactView | None:
    settings = settings_of(dict(stop.settings))
    return contact_of(settings, reference=stop.external_id, language=language_of(request, stop), now=now)


async def _answer_one(request: web.Request, row: TicketRow | None) -> web.Response:
    assert row is not None
    (shown,) = await _shown(request, [row])
    return answer(request, shown, headers=_PRIVATE)


async def _shown(request: web.Request, rows: Sequence[TicketRow]) -> list[RecipientTicket]:
    signer = await signer_of(request)
    entries = await tickets.entries_of(request.app[POOL], [row.id for row in rows])
    return [recipient_ticket(row, entries, signer, reopen_until(row)) for row in rows]
