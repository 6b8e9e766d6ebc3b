"""The page of a link that lets somebody in: it sets a password, or takes an invitation, once. Works without scripts."""

from dataclasses import replace
from math import ceil
from typing import Any

from aiohttp import web

from api.desk.addresses import address_in
from api.desk.pages import LANG, desk_language, desk_page
from api.desk.passwords import LONGEST, PASSWORDS, SHORTEST, open_passwords
from api.desk.session import person_by_password
from api.desk.users import noted_role
from api.http.app_keys import POOL
from api.http.auth import Caller, Role
from api.http.operation import Operations, Who
from api.http.problem import TooManyRequests
from api.http.read.forms import first, read_form
from api.http.trail import note
from api.pages.catalog import desk_texts
from sql.account.accounts import account_by_id, read_instance
from sql.desk import links, people, sessions
from sql.desk.links import DeskLink
from sql.desk.people import Person
from sql.pool import Db, Pool
from work.links import desk_link_of_token

operations = Operations("session", prepare=open_passwords)

_FORM = {
    "type": "object",
    "properties": {"password": {"type": "string"}, "email": {"type": "string"}},
    "required": ["password"],
}


@operations.operation(
    "GET",
    "/desk/link/{token}",
    who=Who.ANYONE,
    query=(LANG,),
    media=("text/html",),
    also={409: "A page that says what has to be done first.", 410: "A page that says that the link is over."},
)
async def get_link_page(request: web.Request) -> web.Response:
    """Open the page of a link that lets somebody in; looking at it uses nothing up."""
    link = await _link_in(request)
    return _page(request, 410, "over") if link is None else await _asking(request, link)


@operations.operation(
    "POST",
    "/desk/link/{token}",
    who=Who.ANYONE,
    query=(LANG,),
    media=("text/html",),
    takes={"application/x-www-form-urlencoded": _FORM},
    also={
        409: "A page that says what has to be done first.",
        410: "A page that says that the link is over.",
        422: "The page again: the password is too short or not theirs, or the address is none.",
        429: "The page again: that was tried very often.",
    },
)
async def post_link_page(request: web.Request) -> web.Response:
    """Set the password, or take the invitation; the link is over then, and sessions that used another password end.

    The link of a first start makes the owner: its form asks for the address too.
    """
    link = await _link_in(request)
    if link is None:
        return _page(request, 410, "over")
    form = await read_form(request)
    password, said = first(form, "password"), first(form, "email")
    person = await _settled(request.app[POOL], link.email)
    if person is not None and link.kind == "invitation":
        if person.password_hash is None:
            return await _asking(request, link)
        return await _join(request, link, password)
    if link.kind == "owner":
        email = address_in(said)
        if email is None:
            return await _asking(request, link, status=422, wrong="no_address", said=said)
        link = replace(link, email=email, role="owner")
    if not SHORTEST <= len(password) <= LONGEST:
        return await _asking(request, link, status=422, wrong="short", said=said)
    return await _let_in(request, link, await request.app[PASSWORDS].hash(password))


async def _let_in(request: web.Request, link: DeskLink, password_hash: str) -> web.Response:
    """Give whom a link is for their password, and the role that it makes them."""
    async with request.app[POOL].acquire() as db, db.transaction():
        if await links.use_link(db, link.id) is None:
            return _page(request, 410, "over")
        if link.kind == "invitation" and await _settled(db, link.email) is not None:
            return _page(request, 410, "over")  # another account's invitation was taken at the same moment
        person = await people.ensure_person(db, link.email)
        if link.role is not None:
            await people.add_member(db, link.account_id, person.id, link.role, driver_id=link.driver_id)
        await people.set_password(db, person.id, password_hash)
        await sessions.end_sessions(db, person.id)
        await links.end_links(db, link.email)
        await _note(request, db, link, person.id)
    return _page(request, 200, "done")


async def _join(request: web.Request, link: DeskLink, password: str) -> web.Response:
    """Make somebody a member who has a password, if they know it: whoever holds the link may be another."""
    try:
        person = await person_by_password(request, link.email, password)
    except TooManyRequests as often:
        wait_s = int(often.headers["Retry-After"])
        page = await _asking(request, link, status=429, wrong="often", minutes=ceil(wait_s / 60))
        page.headers["Retry-After"] = str(wait_s)
        return page
    if person is None:
        return await _asking(request, link, status=422, wrong="refused")
    async with request.app[POOL].acquire() as db, db.transaction():
        if await links.use_link(db, link.id) is None:
            return _page(request, 410, "over")
        assert link.role is not None
        await people.add_member(db, link.account_id, person.id, link.role, driver_id=link.driver_id)
        await _note(request, db, link, person.id)
    return _page(request, 200, "done")


async def _note(request: web.Request, db: Db, link: DeskLink, person_id: int) -> None:
    caller = Caller(account_id=link.account_id, person_id=person_id, role=Role.VIEWER)
    after = None if link.role is None else {"email": link.email} | noted_role(link.role, link.driver_id)
    await note(request, db, caller=caller, after=after)


async def _link_in(request: web.Request) -> DeskLink | None:
    pool = request.app[POOL]
    link_id = desk_link_of_token((await read_instance(pool)).secret, request.match_info["token"])
    return None if link_id is None else await links.open_link(pool, link_id)


async def _settled(db: Db | Pool, email: str) -> Person | None:
    """Find who has this address and signs in by something of their own; None: nobody, or a provider says so."""
    return await people.find_person(db, email) if await people.is_settled(db, email) else None


async def _asking(
    request: web.Request, link: DeskLink, *, status: int = 200, wrong: str = "", minutes: int = 0, said: str = ""
) -> web.Response:
    """Give the page with the form that goes with the link and with whom it is for; `said`: the address typed so far."""
    pool = request.app[POOL]
    person = await _settled(pool, link.email)
    if person is not None and person.password_hash is None and link.kind == "invitation":
        return _page(request, 409, "first")
    account = (await account_by_id(pool, link.account_id)).name
    kind = "join" if person is not None and link.kind == "invitation" else "set"
    if link.kind == "owner":
        kind = "owner"
    return _page(request, status, kind, email=link.email or said, account=account, wrong=wrong, minutes=minutes)


def _page(
    request: web.Request, status: int, kind: str, *, email: str = "", wrong: str = "", **said: Any
) -> web.Response:
    language = desk_language(request)
    t = desk_texts(language)
    said |= {"shortest": SHORTEST, "longest": LONGEST}

    def words(name: str) -> str:
        return t[name].format(**said) if name in t else ""

    return desk_page(
        "link.html",
        language,
        status=status,
        t=dict(t),
        title=words(f"{kind}_title"),
        lead=words(f"{kind}_lead"),
        label=words("join_password" if kind == "join" else "set_password"),
        hint=words("join_hint" if kind == "join" else "set_hint"),
        go=words("join_go" if kind == "join" else "set_go"),
        wrong=words(wrong),
        asks=kind in ("set", "join", "owner"),
        is_owner=kind == "owner",
        is_new=kind != "join",
        is_done=kind == "done",
        email=email,
        shortest=SHORTEST,
        longest=LONGEST,
    )
