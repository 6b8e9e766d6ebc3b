"""Returns for the company: listed, asked for in somebody's name, approved, rejected, closed."""

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
from api.http.versions import IF_MATCH, check_if_match, etag
from api.planning.orders import depots_of
from api.proofs.links import signer_of
from api.returns.answer_label import answer_label
from api.returns.by_link import ReturnReason, ReturnText, ask
from api.returns.deciding import Decision, ReturnStateRefused, decide
from api.returns.view import Return, ReturnPage, company_return
from api.tickets.by_link import Photos
from api.tickets.photos import named_photos
from sql.account.settings import read_settings
from sql.portal.stops import hold_stop
from sql.returns import returns
from sql.returns.returns import NewReturn

operations = Operations("returns")

ReturnState = Literal["requested", "approved", "rejected", "cancelled", "returned", "expired"]


class NewReturnBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A return that somebody asked the company for."""

    stop_id: Annotated[str, Meta(max_length=40)]
    reason: ReturnReason
    text: ReturnText | None = None
    photos: Photos = []


class ReturnChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new state, with words for the recipient or without; `returned`: it is here, however it came."""

    state: Literal["approved", "rejected", "cancelled", "returned"]
    text: ReturnText | None = None


class DecisionWords(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words for the recipient; the body may be left out."""

    text: ReturnText | None = None


@operations.operation(
    "GET",
    "/v1/returns",
    who=Who.VIEWER,
    answer=ReturnPage,
    query=(
        *PAGING,
        Parameter(
            name="state",
            description="Only those in this state.",
            schema={"type": "string", "enum": list(get_args(ReturnState))},
        ),
        Parameter(name="stop", description="Only those of this stop."),
    ),
)
async def list_returns(request: web.Request) -> web.Response:
    """List returns, the newest first."""
    limit, errors = limit_in(request), []
    before = cursor_in(request, tuple[Id])
    state, stop = request.query.get("state") or None, request.query.get("stop") or None
    if state is not None and state not in get_args(ReturnState):
        errors.append(FieldError(at="state", why=f"must be one of {', '.join(get_args(ReturnState))}"))
    stop_id = None if stop is None else ids.number_of(ids.STOP, stop)
    if stop is not None and stop_id is None:
        errors.append(FieldError(at="stop", why="must be the id of a stop, like st_7"))
    refuse(errors)
    rows = await returns.page_of_returns(
        request.app[POOL],
        account_id=caller_of(request).account_id,
        state=state,
        stop_id=stop_id,
        before=before[0] if before else None,
        limit=limit + 1,
    )
    page, following = cut(rows, limit, lambda row: (row.id,))
    signer = await signer_of(request)
    return answer(request, ReturnPage(returns=[company_return(row, signer) for row in page], next=following))


@operations.operation("POST", "/v1/returns", who=Who.DISPATCHER, body=NewReturnBody, answer=Return, status=201)
async def post_company_return(request: web.Request) -> web.Response:
    """Ask for a return in a recipient's name, also when their time for it is over. It is still to be approved."""
    account_id, now = caller_of(request).account_id, now_of(request)
    body = await read_body(request, NewReturnBody)
    stop_id = ids.number_of(ids.STOP, body.stop_id)
    async with request.app[POOL].acquire() as db, db.transaction():
        stop = await returns.delivered_stop(db, account_id=account_id, stop_id=stop_id) if stop_id else None
        if stop is None or stop_id is None:
            raise NotFound("There is no stop of this id.")
        await hold_stop(db, stop_id)  # the stop before its return, as everybody who asks for one does
        if stop.status not in ("completed", "partially_completed"):
            raise ReturnStateRefused("Nothing was handed over at this stop that could go back.")
        if await returns.open_return(db, stop_id) is not None:
            raise ReturnStateRefused("A return of this delivery is under way already.")
        new = NewReturn(
            account_id=account_id,
            stop_id=stop_id,
            asked_by="company",
            reason=body.reason.strip(),
            words=(body.text or "").strip() or None,
            photo_ids=await named_photos(db, stop_id, account_id, body.photos),
        )
        row = await ask(db, new, now=now)
    return await _answer_one(request, row.id, status=201)


@operations.operation("GET", "/v1/returns/{return}", who=Who.VIEWER, answer=Return)
async def get_return(request: web.Request) -> web.Response:
    """Read a return, and how far its pickup is."""
    return await _answer_one(request, _return_in(request))


@operations.operation(
    "PATCH", "/v1/returns/{return}", who=Who.DISPATCHER, body=ReturnChange, answer=Return, headers=(IF_MATCH,)
)
async def patch_return(request: web.Request) -> web.Response:
    """Bring a return to a state; the recipient hears of it. Approving one whose pickup failed sends another van."""
    body = await read_body(request, ReturnChange)
    return await _decide(request, body.state, body.text)


@operations.operation(
    "POST", "/v1/returns/{return}/approve", who=Who.DISPATCHER, body=DecisionWords, answer=Return, headers=(IF_MATCH,)
)
async def post_approve(request: web.Request) -> web.Response:
    """Approve a return: an order of kind pickup is made for one of the next days, with a tracking link of its own."""
    return await _decide(request, "approved", await _words_in(request))


@operations.operation(
    "POST", "/v1/returns/{return}/reject", who=Who.DISPATCHER, body=DecisionWords, answer=Return, headers=(IF_MATCH,)
)
async def post_reject(request: web.Request) -> web.Response:
    """Reject a return that was asked for."""
    return await _decide(request, "rejected", await _words_in(request))


@operations.operation("GET", "/v1/returns/{return}/label", who=Who.VIEWER, media=("application/pdf",))
async def get_company_label(request: web.Request) -> web.Response:
    """Get the label of an approved return, as its recipient gets it, in the account's first language."""
    pool, account_id = request.app[POOL], caller_of(request).account_id
    row = await returns.find_return(pool, account_id=account_id, return_id=_return_in(request))
    if row is None:
        raise _no_return()
    language = (await read_settings(pool, account_id)).languages[0]
    return await answer_label(request, row, language=language)


async def _words_in(request: web.Request) -> str | None:
    if not request.body_exists or request.content_length == 0:
        return None
    return (await read_body(request, DecisionWords)).text


async def _decide(request: web.Request, state: str, text: str | None) -> web.Response:
    account_id, pool, now = caller_of(request).account_id, request.app[POOL], now_of(request)
    decision = Decision(state=state, by="company", words=(text or "").strip() or None)
    depots = await depots_of(pool, account_id)
    async with pool.acquire() as db, db.transaction():
        row = await returns.hold_return(db, account_id=account_id, return_id=_return_in(request))
        if row is None:
            raise _no_return()
        check_if_match(request, row.version)
        await decide(db, row, decision, depots, now=now)
    return await _answer_one(request, row.id)


async def _answer_one(request: web.Request, return_id: int, *, status: int = 200) -> web.Response:
    row = await returns.find_return(request.app[POOL], account_id=caller_of(request).account_id, return_id=return_id)
    if row is None:
        raise _no_return()
    return answer(request, company_return(row, await signer_of(request)), status=status, headers=etag(row.version))


def _return_in(request: web.Request) -> int:
    return ids.id_in_path(request, "return", ids.RETURN)


def _no_return() -> NotFound:
    return NotFound("There is no return of this id.")
