"""Step-up: whoever wants to change place, person, time or contact shows that they have the contact on file too.

A code goes there; it counts for all changes by this link for ten minutes, or until the next one. Guesses are counted in
a transaction of their own, one at a time: nothing that fails afterwards gives one back, and no crowd gets a sixth.
"""

import hmac
from datetime import datetime
from uuid import uuid4

from aiohttp import web
from msgspec import Struct

from api.http.app_keys import POOL, now_of
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.problem import Conflict, Forbidden
from api.portal.change import counted, linked_stop, refuse_closed
from api.portal.hints import hinted
from api.portal.limits import admit_code, admit_contact
from api.portal.rules import BY_CODE, option, options
from api.recipient.stream import link_in
from sql.account.accounts import read_instance
from sql.account.settings import RecipientChange
from sql.pool import Db
from sql.portal import step_up, stops
from sql.portal.step_up import CodeRow
from sql.portal.stops import PortalStop
from work.feed.types import CODE_LOCKED
from work.links import code_of
from work.messages.deciding.expand import reached_by
from work.messages.notices import note_stops

operations = Operations("tracking")

LIVES_S = 600.0
MOST_WRONG = 5
LOCKED_S = 86_400.0

CODE = Parameter(name="Reparto-Code", description="What `POST /v1/track/{token}/code` sent to the contact on file.")


class StepUpNeeded(Forbidden):
    """The link alone is not enough."""

    type = "step-up-needed"
    title = "A code is needed for this"


class WrongCode(Forbidden):
    """It is not the one that was sent."""

    type = "wrong-code"
    title = "That is not the code"


class CodeLocked(Forbidden):
    """There were too many wrong ones."""

    type = "code-locked"
    title = "There were too many wrong codes"


class NoContact(Conflict):
    """There is nobody to send a code to."""

    type = "no-contact"
    title = "There is no contact that a code could go to"


class CodeSent(Struct, frozen=True, kw_only=True):
    """A code that is on its way: by which channel, to whom (as little as they need to know it), how long it counts."""

    channel: str
    to: str
    valid_s: int


@operations.operation("POST", "/v1/track/{token}/code", who=Who.ANYONE, answer=CodeSent)
async def post_code(request: web.Request) -> web.Response:
    """Have a code sent to the contact on file; the one before counts no more."""
    await admit_code(request, link_in(request))
    now, pool = now_of(request), request.app[POOL]
    stop = await linked_stop(request, now)
    asked = {name: one for name, one in options(stop, now).items() if name in BY_CODE}
    if not any(one.allowed for one in asked.values()):
        refuse_closed(*min(asked.items(), key=lambda named: named[1].why == "not-offered"), stop, now)
    async with pool.acquire() as db:
        choice = await reached_by(db, stop.id, "code")
    if choice is None or choice.why is not None:
        raise NoContact(_nobody(stop, now))
    await admit_contact(request, stop.account_id, choice.address)
    async with pool.acquire() as db, db.transaction():
        generation = await step_up.ask_code(db, stop, locked_s=LOCKED_S)
        if generation is None:
            raise _locked()
        data = {"round": generation, "generation": generation}
        await _note(db, stop, "code", data, now)
    shown = CodeSent(channel=choice.channel, to=hinted(choice.address), valid_s=int(LIVES_S))
    return answer(request, shown, headers={"Cache-Control": "no-store"})


async def stepped_up(request: web.Request, change: RecipientChange) -> None:
    """Let a change pass that needs a code, before anything of it is read.

    Raises:
        TooManyRequests, TooLate, NotOffered, Conflict: it is closed, whatever the code.
        StepUpNeeded, WrongCode, CodeLocked: it is open, and the code does not open it.
    """
    await counted(request)
    now = now_of(request)
    stop = await linked_stop(request, now)
    refuse_closed(change, option(change, stop, now), stop, now)
    given = request.headers.get(CODE.name, "").replace(" ", "")
    async with request.app[POOL].acquire() as db:
        async with db.transaction():
            secret = (await read_instance(db)).secret
            code = await step_up.hold_code(db, stop, lives_s=LIVES_S, locked_s=LOCKED_S)
            refused = await _judged(db, stop, code, given, secret, now)
        if refused is not None:
            raise refused


async def _judged(
    db: Db, stop: PortalStop, code: CodeRow | None, given: str, secret: bytes, now: datetime
) -> Forbidden | None:
    """Judge a code that is held, and count the guess; give what is wrong, None: nothing."""
    if code is not None and code.locked:
        return _locked()
    if not given or code is None or not code.alive:
        return StepUpNeeded(
            "This needs a code that is sent to the contact on file: POST …/code has it sent, and the header "
            "Reparto-Code brings it. It counts for ten minutes."
        )
    if hmac.compare_digest(code_of(secret, stop.id, code.generation).encode(), given.encode()):
        if code.wrong:
            await step_up.count_guess(db, stop, wrong=0, locked=False)
        return None
    wrong = code.wrong + 1
    await step_up.count_guess(db, stop, wrong=wrong, locked=wrong >= MOST_WRONG)
    if wrong < MOST_WRONG:
        return WrongCode(f"That is not the code that was sent last. {MOST_WRONG - wrong} tries are left.")
    await _note(db, stop, "locked", {"round": code.generation}, now)
    await stops.put_fact(db, stop, fact_id=uuid4(), type_name=CODE_LOCKED, data={"wrong": wrong}, now=now)
    return _locked()


def _locked() -> CodeLocked:
    return CodeLocked(
        f"There were {MOST_WRONG} wrong codes. Nothing can be changed by code for a day; whoever waits and whoever "
        "delivers were told. Please ask whoever sent you this link."
    )


async def _note(db: Db, stop: PortalStop, kind: str, data: dict[str, int], now: datetime) -> None:
    await note_stops(
        db,
        kind,
        account_id=stop.account_id,
        route_id=stop.route_id,
        stop_ids=[stop.id],
        data={stop.id: data},
        now=now,
    )


def _nobody(stop: PortalStop, now: datetime) -> str:
    still = [name for name, one in options(stop, now).items() if one.allowed and name not in BY_CODE]
    instead = f"Possible without one: {', '.join(still)}. For" if still else "For"
    return (
        f"Whoever delivers this has no phone or e-mail that a code can be sent to. {instead} all else, please ask them."
    )
