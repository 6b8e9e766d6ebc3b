"""Tickets for the company: listed, read with what shows how it went, opened for who called, answered, closed."""

from collections.abc import Sequence
from typing import Annotated, Literal, get_args

from aiohttp import web
from msgspec import Meta, Struct

from api.http import ids
from api.http.app_keys import POOL, now_of
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.paging import PAGING, Id, cursor_in, cut, limit_in
from api.http.problem import FieldError, NotFound
from api.http.read.bodies import read_body, refuse
from api.http.times import time_in
from api.http.versions import IF_MATCH, check_if_match, etag
from api.proofs.links import signer_of
from api.tickets.by_link import Photos, Told, said_in
from api.tickets.case import TicketState, TicketStop, TicketWords, answer_of_company, due_of, note_of_company, report
from api.tickets.evidence import evidence_of
from api.tickets.photos import named_photos
from api.tickets.view import Ticket, TicketPage, TicketWithEvidence, company_ticket
from sql.account.settings import TicketKind, read_settings
from sql.pool import Db
from sql.tickets import tickets
from sql.tickets.evidence import find_place
from sql.tickets.tickets import TicketFilter, TicketRow

operations = Operations("tickets")

STATES, KINDS = get_args(TicketState), get_args(TicketKind)
Moved = Literal["in_review", "waiting_for_you", "resolved", "rejected", "reopened"]


class NewTicket(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A problem that somebody told the company of."""

    stop_id: Annotated[str, Meta(max_length=40)]
    kind: TicketKind
    text: Told
    photos: Photos = []


class TicketChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new state, with words for the recipient or without."""

    state: Moved
    text: Told | None = None


class CompanyAnswer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the company says. `internal`: for itself; then without a state, and the recipient never sees it."""

    text: Told
    state: Moved | None = None
    internal: bool = False
    photos: Photos = []


@operations.operation(
    "GET",
    "/v1/tickets",
    who=Who.VIEWER,
    answer=TicketPage,
    query=(
        *PAGING,
        Parameter(name="state", description="Only those in these states, separated by commas."),
        Parameter(name="kind", description="Only those of this kind."),
        Parameter(name="stop", description="Only those of this stop."),
        Parameter(name="order", description="Only those of stops with this external id."),
        Parameter(
            name="open",
            description="true: only those that are neither resolved nor rejected; false: only those that are.",
            schema={"type": "string", "enum": ["true", "false"]},
        ),
        Parameter(
            name="due_before",
            description="Only those that are to be answered before this time.",
            schema={"type": "string", "format": "date-time"},
        ),
    ),
)
async def list_tickets(request: web.Request) -> web.Response:
    """List tickets, the newest first."""
    account_id, limit = caller_of(request).account_id, limit_in(request)
    before = cursor_in(request, tuple[Id])
    rows = await tickets.page_of_tickets(
        request.app[POOL],
        account_id=account_id,
        asked=_filter_in(request),
        before=before[0] if before else None,
        limit=limit + 1,
    )
    page, following = cut(rows, limit, lambda row: (row.id,))
    return answer(request, TicketPage(tickets=await _shown(request, page), next=following))


@operations.operation("POST", "/v1/tickets", who=Who.DISPATCHER, body=NewTicket, answer=Ticket, status=201)
async def post_ticket(request: web.Request) -> web.Response:
    """Open a ticket for somebody who called, or go on with one of the kind that is open at the stop."""
    account_id, now = caller_of(request).account_id, now_of(request)
    body = await read_body(request, NewTicket)
    said = said_in(body.text)
    stop_id = ids.number_of(ids.STOP, body.stop_id)
    async with request.app[POOL].acquire() as db, db.transaction():
        stop = await _stop(db, account_id, stop_id, hold=True) if stop_id else None
        if stop is None:
            raise NotFound("There is no stop of this id.")
        photos = await named_photos(db, stop.id, account_id, body.photos)
        ticket_id = await report(db, stop, body.kind, TicketWords(words=said, photo_ids=photos), by="company", now=now)
    return await _answer_one(request, ticket_id, status=201)


@operations.operation("GET", "/v1/tickets/{ticket}", who=Who.VIEWER, answer=TicketWithEvidence)
async def get_ticket(request: web.Request) -> web.Response:
    """Read a ticket, and what shows how its delivery went: visits, proofs and their distance from the door, the PIN."""
    account_id = caller_of(request).account_id
    ticket_id = ids.id_in_path(request, "ticket", ids.TICKET)
    row = await tickets.find_ticket(request.app[POOL], account_id=account_id, ticket_id=ticket_id)
    if row is None:
        raise _no_ticket()
    (ticket,) = await _shown(request, [row])
    evidence = await evidence_of(request, account_id=account_id, stop_id=row.stop_id)
    fields = {name: getattr(ticket, name) for name in Ticket.__struct_fields__}
    shown = TicketWithEvidence(**fields, evidence=evidence)
    return answer(request, shown, headers={"Cache-Control": "private, no-store", **etag(row.version)})


@operations.operation(
    "PATCH", "/v1/tickets/{ticket}", who=Who.DISPATCHER, body=TicketChange, answer=Ticket, headers=(IF_MATCH,)
)
async def patch_ticket(request: web.Request) -> web.Response:
    """Bring a ticket to a state; the recipient hears of it, but for one that is only looked at now."""
    body = await read_body(request, TicketChange)
    words = None if body.text is None else said_in(body.text)
    return await _change(request, TicketWords(words=words), state=body.state)


@operations.operation(
    "POST",
    "/v1/tickets/{ticket}/answers",
    who=Who.SUPPORT,
    body=CompanyAnswer,
    answer=Ticket,
    status=201,
    headers=(IF_MATCH,),
)
async def post_company_answer(request: web.Request) -> web.Response:
    """Answer the recipient, by their page and a message, or note something for the company itself."""
    body = await read_body(request, CompanyAnswer)
    if body.internal and body.state is not None:
        refuse([FieldError(at="/state", why="a note for the company itself changes no state")])
    said = TicketWords(words=said_in(body.text))
    return await _change(request, said, state=body.state, internal=body.internal, photos=body.photos, status=201)


async def _change(
    request: web.Request,
    said: TicketWords,
    *,
    state: TicketState | None,
    internal: bool = False,
    photos: Sequence[str] = (),
    status: int = 200,
) -> web.Response:
    account_id, now = caller_of(request).account_id, now_of(request)
    ticket_id = ids.id_in_path(request, "ticket", ids.TICKET)
    async with request.app[POOL].acquire() as db, db.transaction():
        ticket = await tickets.hold_ticket(db, account_id=account_id, ticket_id=ticket_id)
        if ticket is None:
            raise _no_ticket()
        check_if_match(request, ticket.version)
        said = TicketWords(words=said.words, photo_ids=await named_photos(db, ticket.stop_id, account_id, photos))
        if internal:
            await note_of_company(db, ticket, said, now=now)
        else:
            stop = await _stop(db, account_id, ticket.stop_id)
            assert stop is not None
            due = due_of(stop, ticket.kind, now)
            await answer_of_company(db, ticket, said, state=state, due=due, now=now)
    return await _answer_one(request, ticket_id, status=status)


async def _stop(db: Db, account_id: int, stop_id: int, *, hold: bool = False) -> TicketStop | None:
    place = await find_place(db, account_id=account_id, stop_id=stop_id, hold=hold)
    if place is None:
        return None
    return TicketStop(
        id=stop_id,
        account_id=account_id,
        lat=place.lat,
        lon=place.lon,
        timezone=place.timezone,
        settings=await read_settings(db, account_id),
    )


def _filter_in(request: web.Request) -> TicketFilter:
    asked = {name: request.query.get(name) or None for name in ("state", "kind", "open", "stop", "order")}
    states = asked["state"].split(",") if asked["state"] else None
    stop_id = ids.number_of(ids.STOP, asked["stop"] or "")
    wrong = (
        (not set(states or ()) <= set(STATES), "state", f"must be some of {', '.join(STATES)}, separated by commas"),
        (asked["kind"] not in (None, *KINDS), "kind", f"must be one of {', '.join(KINDS)}"),
        (asked["open"] not in (None, "true", "false"), "open", "must be true or false"),
        (asked["stop"] is not None and stop_id is None, "stop", "must be the id of a stop, like st_7"),
    )
    errors = [FieldError(at=at, why=why) for is_wrong, at, why in wrong if is_wrong]
    bad_order = ids.external_id_error("order", asked["order"] or "none")
    refuse([*errors, *([bad_order] if bad_order else [])])
    return TicketFilter(
        states=states,
        kind=asked["kind"],
        stop_id=stop_id,
        order=asked["order"],
        is_open=None if asked["open"] is None else asked["open"] == "true",
        due_before=time_in(request, "due_before"),
    )


async def _answer_one(request: web.Request, ticket_id: int, *, status: int) -> web.Response:
    row = await tickets.find_ticket(request.app[POOL], account_id=caller_of(request).account_id, ticket_id=ticket_id)
    assert row is not None
    (shown,) = await _shown(request, [row])
    return answer(request, shown, status=status, headers=etag(row.version))


async def _shown(request: web.Request, rows: Sequence[TicketRow]) -> list[Ticket]:
    signer, now = await signer_of(request), now_of(request)
    entries = await tickets.entries_of(request.app[POOL], [row.id for row in rows])
    return [company_ticket(row, entries, signer, now) for row in rows]


def _no_ticket() -> NotFound:
    return NotFound("There is no ticket of this id.")
