"""Notes of a tour: dispatchers and drivers write down for each other what no field is for."""

from datetime import datetime
from typing import Annotated, Literal

from aiohttp import web
from msgspec import Meta, Struct

from api.http import ids
from api.http.app_keys import POOL
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.problem import NotFound
from api.http.read.bodies import read_body
from api.http.refs import ref_in_path
from api.http.trail import note
from sql.delivery.notes import RouteNote, add_note, notes_of_route
from sql.delivery.routes import find_route
from sql.pool import Db, Pool

operations = Operations("routes")

MOST_NOTES = 500
"""Of a tour, the newest."""


class NewNote(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be noted; it stays as it is."""

    text: Annotated[str, Meta(min_length=1, max_length=2_000, pattern=r"\S")]


class TourNote(Struct, frozen=True, kw_only=True):
    """A note. `name`: who wrote it, null where they are gone; `stop_id`: which stop it is about, null for the tour."""

    id: str
    by: Literal["dispatcher", "driver"]
    name: str | None
    at: datetime
    stop_id: str | None
    text: str


class NoteList(Struct, frozen=True, kw_only=True):
    """The notes of a tour, the newest first."""

    notes: list[TourNote]


@operations.operation("GET", "/v1/routes/{route}/notes", who=Who.VIEWER, answer=NoteList)
async def get_notes(request: web.Request) -> web.Response:
    """Read what dispatchers noted of a tour, and what its drivers noted of it, of its stops or while it went on."""
    pool = request.app[POOL]
    rows = await notes_of_route(pool, await _route(request, pool), at_most=MOST_NOTES)
    return answer(request, NoteList(notes=[note_of(row) for row in rows]))


@operations.operation("POST", "/v1/routes/{route}/notes", who=Who.DISPATCHER, body=NewNote, answer=TourNote, status=201)
async def post_note(request: web.Request) -> web.Response:
    """Note something of a tour, for other dispatchers; drivers do not see it. It cannot be changed any more."""
    body, who, pool = await read_body(request, NewNote), caller_of(request), request.app[POOL]
    async with pool.acquire() as db, db.transaction():
        route_id = await _route(request, db)
        number = await add_note(
            db,
            account_id=who.account_id,
            route_id=route_id,
            key_id=who.key_id,
            person_id=who.person_id,
            words=body.text,
        )
        made = next(one for one in await notes_of_route(db, route_id, at_most=MOST_NOTES) if one.id == number)
        await note(request, db, made=ids.shown(ids.NOTE, number))
    return answer(request, note_of(made), status=201)


def note_of(row: RouteNote) -> TourNote:
    """Show a note."""
    return TourNote(
        id=str(row.event_id) if row.id is None else ids.shown(ids.NOTE, row.id),
        by="driver" if row.id is None else "dispatcher",
        name=row.name,
        at=row.at,
        stop_id=ids.shown_or_none(ids.STOP, row.stop_id),
        text=row.words,
    )


async def _route(request: web.Request, db: Db | Pool) -> int:
    ref = ref_in_path(request, "route", ids.ROUTE)
    account_id = caller_of(request).account_id
    head = await find_route(db, account_id=account_id, route_id=ref.id, external_id=ref.external_id)
    if head is None:
        raise NotFound("There is no route of this id.")
    return head.id
