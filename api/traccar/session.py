"""Signing in as Traccar's clients do, and what they ask of the server before."""

from urllib.parse import parse_qsl

from aiohttp import web

from api.desk.second_factor import SecondFactorNeeded, ask_second_factor
from api.desk.session import SignIn, known, open_session
from api.http.app_keys import POOL
from api.http.auth import KEY_PREFIX, Caller, Role, authorize_secret, caller_of, from_this_site, hash_of
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.problem import Forbidden
from api.http.read.bodies import converted
from api.http.read.limited import read_limited
from api.http.trail import note
from api.traccar.login import COOKIE, authorize_traccar, end_cookie, set_cookie, token_of
from api.traccar.shapes import TraccarServer, TraccarUser
from sql.account.accounts import account_by_id
from sql.desk import people, sessions
from sql.desk.people import Person

operations = Operations("traccar", find=authorize_traccar)

_FORM = {"type": "object", "properties": {name: {"type": "string"} for name in ("email", "password", "code")}}
_MOST_FORM_BYTES = 16_384
_NEVER_STORED = {"Cache-Control": "no-store"}


@operations.operation("GET", "/api/server", who=Who.ANYONE, answer=TraccarServer)
async def get_traccar_server(request: web.Request) -> web.Response:
    """Tell what a Traccar client asks of its server first.

    Nobody has to say who they are. Whoever does is told whether that is right: some clients try their key here.
    """
    if "Authorization" in request.headers:
        await authorize_traccar(request, Role.VIEWER)
    return answer(request, TraccarServer())


@operations.operation(
    "GET",
    "/api/session",
    who=Who.VIEWER,
    answer=TraccarUser,
    query=(Parameter(name="token", description="An API key. The answer sets a cookie that stands for it."),),
)
async def get_traccar_session(request: web.Request) -> web.Response:
    """Read who asks; with a token, sign in by it."""
    caller, pool = caller_of(request), request.app[POOL]
    secret = token_of(request) if "Authorization" not in request.headers else None
    if secret is not None:
        from_this_site(request)  # nobody is signed in by a page of another site, as somebody else
    if caller.person_id is not None:
        shown = _shown(await people.person_by_id(pool, caller.person_id))
    else:
        shown = await _shown_key(request, caller)
    response = answer(request, shown, headers=_NEVER_STORED)
    if secret is not None:
        set_cookie(request, response, secret)
    return response


@operations.operation(
    "POST",
    "/api/session",
    who=Who.ANYONE,
    answer=TraccarUser,
    takes={"application/x-www-form-urlencoded": _FORM},
)
async def post_traccar_session(request: web.Request) -> web.Response:
    """Sign in by a form; the answer sets a cookie.

    `password` is an API key, whatever the `email`, or the password of that person. Who has codes of a phone switched on
    sends `code` too; without it the answer is 401 with `WWW-Authenticate: TOTP`. Somebody in several accounts signs in
    to the one that they were in first.
    """
    from_this_site(request)
    form = dict(parse_qsl((await read_limited(request, _MOST_FORM_BYTES)).decode(errors="replace")))
    said = {name: form[name] for name in ("email", "password", "code") if name in form}
    secret = said.get("password", "")
    if secret.startswith(KEY_PREFIX):
        shown = await _shown_key(request, await authorize_secret(request, secret, Role.VIEWER))
    else:
        shown, secret = await _signed_in(request, converted(said, SignIn, ""))
    response = answer(request, shown, headers=_NEVER_STORED)
    set_cookie(request, response, secret)
    return response


@operations.operation("DELETE", "/api/session", who=Who.ANYONE, status=204)
async def delete_traccar_session(request: web.Request) -> web.Response:
    """Sign out: the cookie is forgotten, and the session of a person ends. An API key stays what it is."""
    from_this_site(request)
    async with request.app[POOL].acquire() as db, db.transaction():
        ended = await sessions.end_by_secret(db, hash_of(request.cookies.get(COOKIE, "")))
        if ended is not None:
            account_id, person_id = ended
            await note(request, db, caller=Caller(account_id=account_id, person_id=person_id, role=Role.VIEWER))
    response = web.Response(status=204)
    end_cookie(request, response)
    return response


async def _signed_in(request: web.Request, body: SignIn) -> tuple[TraccarUser, str]:
    """Open a session for a person; give them and its secret."""
    who = await known(request, body.email, body.password)
    try:
        await ask_second_factor(request, who.person.id, body.code)
    except SecondFactorNeeded as needed:
        needed.headers["WWW-Authenticate"] = "TOTP"
        raise
    if Role[who.accounts[0].role.upper()] < Role.VIEWER:
        raise Forbidden("Drivers see their own tours, and not the fleet.")
    return _shown(who.person), (await open_session(request, who)).secret


async def _shown_key(request: web.Request, caller: Caller) -> TraccarUser:
    assert caller.key_id is not None
    name = (await account_by_id(request.app[POOL], caller.account_id)).name
    return TraccarUser(id=caller.key_id, name=name, email=None)


def _shown(person: Person) -> TraccarUser:
    return TraccarUser(id=person.id, name=person.name or person.email, email=person.email)
