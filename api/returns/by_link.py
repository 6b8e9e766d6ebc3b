"""Returns by the tracking link: ask for one, see how it stands, get its label, take it back."""

from datetime import datetime
from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct

from api.http import ids
from api.http.app_keys import POOL, now_of
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.problem import Conflict, NotFound
from api.http.read.bodies import read_body
from api.planning.orders import depots_of
from api.portal.change import counted, linked_stop, linked_stop_now, refuse_closed
from api.portal.rules import option
from api.proofs.links import signer_of
from api.returns.answer_label import answer_label
from api.returns.deciding import Decision, decide
from api.returns.view import RecipientReturn, RecipientReturns, recipient_return
from api.tickets.by_link import Photos, language_of
from api.tickets.photos import named_photos
from sql.account.settings import settings_of
from sql.pool import Db
from sql.portal import stops
from sql.portal.stops import PortalStop
from sql.returns import returns
from sql.returns.returns import NewReturn, ReturnRow
from work.tickets.facts import tell_return

operations = Operations("tracking")

MOST_RETURNS = 5
"""Of one stop: asked for, taken back, asked for again."""

_PRIVATE = {"Cache-Control": "private, no-store"}

ReturnReason = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"\S", examples=["wrong_size"])]
ReturnText = Annotated[str, Meta(max_length=2_000)]


class ReturnBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why it goes back; `photos`: ids of photos that were sent by this link."""

    reason: ReturnReason
    text: ReturnText | None = None
    photos: Photos = []


@operations.operation("POST", "/v1/track/{token}/return", who=Who.ANYONE, body=ReturnBody, answer=RecipientReturn)
async def post_return(request: web.Request) -> web.Response:
    """Ask to give back what was delivered. Asked again, as it was, it is the same return."""
    await counted(request)
    now, pool = now_of(request), request.app[POOL]
    stop = await linked_stop(request, now)
    body = await read_body(request, ReturnBody)
    depots = await depots_of(pool, stop.account_id)
    async with pool.acquire() as db, db.transaction():
        await stops.hold_stop(db, stop.id)
        stop = await linked_stop_now(db, request, now)
        row = await _open_one(db, stop)
        if row is None or (row.reason, row.words) != (body.reason.strip(), _words(body)):
            refuse_closed("return", option("return", stop, now), stop, now)
            if len(await returns.returns_of_stop(db, stop.id)) >= MOST_RETURNS:
                raise Conflict(
                    f"A return of this delivery was asked for {MOST_RETURNS} times. Please call the company."
                )
            row = await ask(db, await _new(db, stop, body), now=now)
            if settings_of(dict(stop.settings)).return_approval == "automatic":
                await decide(db, row, Decision(state="approved", by="policy"), depots, now=now)
    return await _answer_one(request, stop, row.id)


@operations.operation("GET", "/v1/track/{token}/returns", who=Who.ANYONE, answer=RecipientReturns)
async def get_returns(request: web.Request) -> web.Response:
    """Read how the returns of a delivery stand."""
    stop = await linked_stop(request, now_of(request))
    rows = await returns.returns_of_stop(request.app[POOL], stop.id)
    signer, token = await signer_of(request), request.match_info["token"]
    shown = [recipient_return(row, signer, token) for row in rows]
    return answer(request, RecipientReturns(returns=shown), headers=_PRIVATE)


@operations.operation("POST", "/v1/track/{token}/returns/{return}/cancel", who=Who.ANYONE, answer=RecipientReturn)
async def post_cancel(request: web.Request) -> web.Response:
    """Take a return back, as long as no van is on its way for it."""
    await counted(request)
    now, pool = now_of(request), request.app[POOL]
    stop = await linked_stop(request, now)
    async with pool.acquire() as db, db.transaction():
        row = await returns.hold_return(db, account_id=stop.account_id, return_id=_return_in(request))
        if row is None or row.stop_id != stop.id:
            raise _no_return()
        await decide(db, row, Decision(state="cancelled", by="recipient"), (), now=now)
    return await _answer_one(request, stop, row.id)


@operations.operation("GET", "/v1/track/{token}/returns/{return}/label", who=Who.ANYONE, media=("application/pdf",))
async def get_label(request: web.Request) -> web.Response:
    """Get the label of an approved return: one small page of PDF with Code 128 and QR."""
    stop = await linked_stop(request, now_of(request))
    row = await returns.find_return(request.app[POOL], account_id=stop.account_id, return_id=_return_in(request))
    if row is None or row.stop_id != stop.id:
        raise _no_return()
    return await answer_label(request, row, language=language_of(request, stop))


async def ask(db: Db, new: NewReturn, *, now: datetime) -> ReturnRow:
    """Keep a request for a return; none of the stop is open, and the stop is held."""
    made = await returns.put_return(db, new, now=now)
    assert made is not None
    row = await returns.hold_return(db, account_id=new.account_id, return_id=made)
    assert row is not None
    await tell_return(db, row, "return.requested", now=now, by=new.asked_by)
    return row


def _words(body: ReturnBody) -> str | None:
    return (body.text or "").strip() or None


async def _new(db: Db, stop: PortalStop, body: ReturnBody) -> NewReturn:
    return NewReturn(
        account_id=stop.account_id,
        stop_id=stop.id,
        asked_by="recipient",
        reason=body.reason.strip(),
        words=_words(body),
        photo_ids=await named_photos(db, stop.id, stop.account_id, body.photos),
    )


async def _open_one(db: Db, stop: PortalStop) -> ReturnRow | None:
    number = await returns.open_return(db, stop.id)
    return None if number is None else await returns.hold_return(db, account_id=stop.account_id, return_id=number)


async def _answer_one(request: web.Request, stop: PortalStop, return_id: int) -> web.Response:
    row = await returns.find_return(request.app[POOL], account_id=stop.account_id, return_id=return_id)
    assert row is not None
    shown = recipient_return(row, await signer_of(request), request.match_info["token"])
    return answer(request, shown, headers=_PRIVATE)


def _return_in(request: web.Request) -> int:
    return ids.id_in_path(request, "return", ids.RETURN)


def _no_return() -> NotFound:
    return NotFound("There is no return of this id.")
