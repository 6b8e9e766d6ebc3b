"""The desk's door: somebody signs in, and out. It works without scripts."""

import logging
from collections.abc import Mapping
from math import ceil

from aiohttp import web

from api.desk.half import begin_half, end_half_cookie, half_in, set_half_cookie, take_half
from api.desk.oidc.beginning import provider_for, send_there
from api.desk.oidc.endpoints import company_page
from api.desk.oidc.refused import NotLetIn
from api.desk.pages import LANG, desk_language, desk_page
from api.desk.second_factor import SecondFactorNeeded, SecondFactorWrong, ask_second_factor
from api.desk.session import KnownPerson, ask_reset, end_cookie, known, open_session, set_cookie
from api.desk_page.shown import DRIVERS, NOT_THE_DAY, looker_of, signed_in
from api.desk_page.today import today_page
from api.http.app_keys import POOL
from api.http.auth import Caller, Role, from_this_site, hash_of, session_secret_of
from api.http.operation import Operations, Parameter, Who
from api.http.problem import TooManyRequests, Unauthorized
from api.http.read.forms import first, read_form
from api.http.trail import note
from api.pages.catalog import desk_texts
from sql.desk import oidc, people, sessions
from sql.pool import is_away

log = logging.getLogger(__name__)

operations = Operations("desk")

_LONGEST_FIELD = 320
_FIELDS = ("email", "password", "forgotten", "company", "account")
_FORM = {
    "application/x-www-form-urlencoded": {
        "type": "object",
        "properties": {name: {"type": "string"} for name in _FIELDS},
    }
}
_LONGEST_CODE = 40
_CODE_FORM = {
    "application/x-www-form-urlencoded": {
        "type": "object",
        "properties": {"code": {"type": "string"}},
        "required": ["code"],
    }
}


@operations.operation(
    "GET",
    "/desk",
    who=Who.ANYONE,
    query=(LANG, Parameter(name="account", description="Its name: whose provider people sign in by there.")),
    media=("text/html",),
    also={303: "Who answers the phone finds a delivery first; a driver sees their tour."},
)
async def get_desk(request: web.Request) -> web.Response:
    """Show the tours of today to somebody who is signed in, and to others the form to sign in."""
    language = desk_language(request)
    try:
        caller = await signed_in(request)
        if caller is None:
            return await _sign_in_page(request, at=request.query.get("account", "")[:_LONGEST_FIELD])
        if caller.role in NOT_THE_DAY:
            page = "driving" if caller.role in DRIVERS else "find"
            return web.Response(
                status=303, headers={"Location": f"/desk/{page}?lang={language}", "Cache-Control": "no-store"}
            )
        return await today_page(request, await looker_of(request, caller))
    except Exception as error:
        if not is_away(error):
            raise
        log.warning("database away: %s", type(error).__name__)
        return _door(language, status=503, said=desk_texts(language)["later"])


@operations.operation(
    "POST",
    "/desk/sign-in",
    who=Who.ANYONE,
    query=(LANG,),
    media=("text/html",),
    takes=_FORM,
    also={
        303: "Signed in: the desk.",
        401: "The form again: these do not go together.",
        422: "The form again: there is no such provider, or it does not answer.",
        429: "The form again: that was tried very often.",
    },
)
async def post_sign_in(request: web.Request) -> web.Response:
    """Sign in by the form of the page, ask for a new password, or go on to the company's identity provider."""
    from_this_site(request)
    language, form = desk_language(request), await read_form(request)
    t = desk_texts(language)
    email, password, forgotten, company, at = (first(form, name)[:_LONGEST_FIELD] for name in _FIELDS)
    try:
        if forgotten:
            await ask_reset(request, email)
            return await _sign_in_page(request, email=email, said=t["in_mailed"], at=at)
        if company:
            sent = await send_there(request, account=at, email=email, language=language)
            response = company_page(language, "going", to=sent.url)
            sent.keep_in(request, response)
            return response
        who = await known(request, email, password)
    except TooManyRequests as often:
        return _later(await _sign_in_page(request, status=429, email=email, said=_wait(often, t), at=at), often)
    except NotLetIn as refused:
        return await _sign_in_page(request, status=422, email=email, said=t[f"company_{refused.why}"], at=at)
    except Unauthorized:
        return await _sign_in_page(request, status=401, email=email, said=t["in_refused"], at=at)
    if not who.person.has_totp:
        return await _signed_in_page(request, who, language)
    response = _code_page(language)
    set_half_cookie(request, response, "code", await begin_half(request, "code", person_id=who.person.id))
    return response


@operations.operation(
    "POST",
    "/desk/sign-in/code",
    who=Who.ANYONE,
    query=(LANG,),
    media=("text/html",),
    takes=_CODE_FORM,
    also={
        303: "Signed in: the desk; or, where nobody gave a password just now, the form for that.",
        401: "The form again: this code does not count.",
        429: "The form again: that was tried very often.",
    },
)
async def post_desk_code(request: web.Request) -> web.Response:
    """Sign in with a code of the phone, after the password."""
    from_this_site(request)
    language = desk_language(request)
    half = await half_in(request, "code")
    if half is None or half.person_id is None:
        return _to_desk(language)
    t, code = desk_texts(language), first(await read_form(request), "code")[:_LONGEST_CODE]
    try:
        await ask_second_factor(request, half.person_id, code)
    except TooManyRequests as often:
        return _later(_code_page(language, status=429, said=_wait(often, t)), often)
    except (SecondFactorNeeded, SecondFactorWrong):
        return _code_page(language, status=401, said=t["code_refused"])
    if await take_half(request, "code") is None:
        return _to_desk(language)  # another password ended it at the same moment
    pool = request.app[POOL]
    who = KnownPerson(
        person=await people.person_by_id(pool, half.person_id), accounts=await people.accounts_of(pool, half.person_id)
    )
    response = await _signed_in_page(request, who, language, by="password, code")
    end_half_cookie(request, response, "code")
    return response


@operations.operation(
    "POST", "/desk/sign-out", who=Who.ANYONE, query=(LANG,), status=303, takes={"application/x-www-form-urlencoded": {}}
)
async def post_sign_out(request: web.Request) -> web.Response:
    """Sign out by the button of the page."""
    from_this_site(request)
    response = _to_desk(desk_language(request))
    secret = session_secret_of(request)
    async with request.app[POOL].acquire() as db, db.transaction():
        ended = None if secret is None else await sessions.end_by_secret(db, hash_of(secret))
        if ended is not None:
            account_id, person_id = ended
            await note(request, db, caller=Caller(account_id=account_id, person_id=person_id, role=Role.VIEWER))
    end_cookie(request, response)
    return response


async def _signed_in_page(
    request: web.Request, who: KnownPerson, language: str, *, by: str = "password"
) -> web.Response:
    response = _to_desk(language)
    if who.accounts:  # else they were taken out of their last one at the same moment
        set_cookie(request, response, (await open_session(request, who, by=by)).secret)
    return response


def _wait(often: TooManyRequests, t: Mapping[str, str]) -> str:
    return t["often"].format(minutes=ceil(int(often.headers["Retry-After"]) / 60))


def _later(page: web.Response, often: TooManyRequests) -> web.Response:
    page.headers["Retry-After"] = often.headers["Retry-After"]
    return page


def _code_page(language: str, *, status: int = 200, said: str = "") -> web.Response:
    t = desk_texts(language)
    return desk_page("code.html", language, status=status, t=dict(t), title=t["code_title"], said=said)


def _to_desk(language: str) -> web.Response:
    return web.Response(status=303, headers={"Location": f"/desk?lang={language}", "Cache-Control": "no-store"})


async def _sign_in_page(
    request: web.Request, *, status: int = 200, email: str = "", said: str = "", at: str = ""
) -> web.Response:
    """Give the form to sign in; `at`: the account whose provider is offered, else that for an address."""
    language, pool = desk_language(request), request.app[POOL]
    t, company = desk_texts(language), ""
    if at and await provider_for(pool, account=at, email="") is not None:
        company = t["in_company_of"].format(account=at)
    elif await oidc.has_providers(pool):
        at, company = "", t["in_company"]
    return _door(language, status=status, email=email, said=said, at=at, company=company)


def _door(
    language: str, *, status: int = 200, email: str = "", said: str = "", at: str = "", company: str = ""
) -> web.Response:
    t = desk_texts(language)
    so_far = {"email": email, "said": said, "at": at, "company": company}
    return desk_page(
        "sign_in.html", language, status=status, is_scripted=True, t=dict(t), title=t["in_title"], **so_far
    )
