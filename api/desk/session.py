"""Sessions: signing in with a password, who is signed in, other passwords, signing out."""

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from aiohttp import web
from msgspec import UNSET, Meta, Struct, UnsetType

from api.desk.addresses import LONGEST, address_in, admit_reset, admit_sign_in, signed_in
from api.desk.passwords import PASSWORDS, GivenPassword, NewPassword, open_passwords
from api.desk.second_factor import ask_second_factor
from api.http import ids
from api.http.app_keys import POOL
from api.http.auth import (
    SESSION_PREFIX,
    Caller,
    Role,
    caller_of,
    from_this_site,
    hash_of,
    is_secure,
    new_secret,
    session_cookie,
    signed_out,
)
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.problem import FieldError, Forbidden, Unauthorized
from api.http.read.bodies import read_body, refuse
from api.http.trail import note
from sql.account.accounts import account_by_id
from sql.desk import links, people, sessions
from sql.desk.people import Membership, Person
from sql.messages.setup import channels_of
from sql.pool import Db, Pool

operations = Operations("session", prepare=open_passwords)

GivenEmail: TypeAlias = Annotated[str, Meta(min_length=1, max_length=LONGEST)]


GivenCode: TypeAlias = Annotated[str, Meta(min_length=1, max_length=40)]


AccountName: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200)]


class SignIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who signs in.

    Attributes:
        account: its name, for who is in several; else the one they were in first.
        code: of their phone, or a recovery code, where that is asked for.
    """

    email: GivenEmail
    password: GivenPassword
    code: GivenCode | None = None
    account: AccountName | None = None


class Reset(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who has forgotten their password."""

    email: GivenEmail


class PasswordChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The password so far, and the one from now on."""

    old: GivenPassword
    new: NewPassword


class SessionChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another account of the same person, by its name; how the person is called."""

    account: AccountName | UnsetType = UNSET
    name: Annotated[str, Meta(max_length=100)] | UnsetType = UNSET


class SignedInUser(Struct, frozen=True, kw_only=True):
    """A person; `totp`: a code of their phone is asked for when they sign in."""

    id: str
    email: str
    name: str
    totp: bool


class AccountRole(Struct, frozen=True, kw_only=True):
    """An account, and what somebody is there."""

    name: str
    role: str


class Session(Struct, frozen=True, kw_only=True):
    """Who asks.

    Attributes:
        user: who signed in; null: nobody, an API key asks.
        account: the account that is asked about.
        role: what the caller is there.
        accounts: where the user is a member; of a key, its own.
    """

    user: SignedInUser | None
    account: str
    role: str
    accounts: list[AccountRole]


@operations.operation("POST", "/v1/session", who=Who.ANYONE, body=SignIn, answer=Session, status=201)
async def post_session(request: web.Request) -> web.Response:
    """Sign in; the answer sets a cookie that ends a week later, or after 14 hours without use.

    401 is the same, and takes as long, whether there is no such person or it is not their password; ten wrong ones
    close the door for them for a quarter of an hour. Who has codes of a phone switched on is asked for one too, by the
    problem `second-factor-needed`. What a session changes needs the header `Reparto-Csrf: 1`.
    """
    from_this_site(request)
    body = await read_body(request, SignIn)
    who = await known(request, body.email, body.password)
    await ask_second_factor(request, who.person.id, body.code)
    signed = await open_session(request, who, account=body.account)
    response = answer(request, signed.session, status=201, headers={"Cache-Control": "no-store"})
    set_cookie(request, response, signed.secret)
    return response


@operations.operation("GET", "/v1/session", who=Who.CALLER, answer=Session)
async def get_session(request: web.Request) -> web.Response:
    """Read who asks, and what they are."""
    return answer(request, await _session_of(request.app[POOL], caller_of(request)))


@operations.operation("PATCH", "/v1/session", who=Who.USER, body=SessionChange, answer=Session)
async def patch_session(request: web.Request) -> web.Response:
    """Go on in another account, or under another name."""
    caller = caller_of(request)
    person_id, session_id = signed_in_as(caller)
    change = await read_body(request, SessionChange)
    pool = request.app[POOL]
    async with pool.acquire() as db, db.transaction():
        if change.account is not UNSET:
            chosen = _named(await people.accounts_of(db, person_id), change.account)
            await sessions.move_session(db, session_id, chosen.account_id)
            caller = Caller(person_id=person_id, session_id=session_id, account_id=chosen.account_id, role=caller.role)
        if change.name is not UNSET:
            await people.set_name(db, person_id, change.name.strip())
        now = await _session_of(db, caller)
        await note(request, db)
    return answer(request, now)


@operations.operation(
    "DELETE",
    "/v1/session",
    who=Who.USER,
    status=204,
    query=(
        Parameter(
            name="everywhere",
            description="true: every session of this person ends, in all browsers and accounts.",
            schema={"type": "string", "enum": ["true"]},
        ),
    ),
)
async def delete_session(request: web.Request) -> web.Response:
    """Sign out. A session by the account's identity provider ends, with `everywhere`, all of that account alone."""
    caller = caller_of(request)
    assert caller.person_id is not None
    assert caller.session_id is not None
    person_id, session_id = caller.person_id, caller.session_id
    async with request.app[POOL].acquire() as db, db.transaction():
        if request.query.get("everywhere") == "true" and caller.by_provider:
            await sessions.end_sessions_there(db, caller.account_id, person_id)
        elif request.query.get("everywhere") == "true":
            await sessions.end_sessions(db, person_id)
        else:
            await sessions.end_session(db, session_id)
        await note(request, db)
    response = web.Response(status=204)
    end_cookie(request, response)
    return response


@operations.operation("PUT", "/v1/session/password", who=Who.USER, body=PasswordChange, status=204)
async def put_password(request: web.Request) -> web.Response:
    """Change the password; every other session of this person ends."""
    caller = caller_of(request)
    person_id, session_id = signed_in_as(caller)
    body = await read_body(request, PasswordChange)
    pool = request.app[POOL]
    person = await people.person_by_id(pool, person_id)
    if await person_by_password(request, person.email, body.old) is None:
        refuse([FieldError(at="/old", why="is not the password")])
    password_hash = await request.app[PASSWORDS].hash(body.new)
    async with pool.acquire() as db, db.transaction():
        await people.set_password(db, person_id, password_hash)
        await sessions.end_sessions(db, person_id, but=session_id)
        await links.end_links(db, person.email)
        await note(request, db)
    return web.Response(status=204)


@operations.operation("POST", "/v1/session/reset", who=Who.ANYONE, body=Reset, status=204)
async def post_reset(request: web.Request) -> web.Response:
    """Ask for a new password: a link goes to the address, if it is somebody's, and works once within an hour.

    It goes by the mail server of the account that the person was in first; without one nothing goes, and whoever runs
    the server makes a link with `reparto user reset`. The answer is the same in all cases.
    """
    from_this_site(request)
    await ask_reset(request, (await read_body(request, Reset)).email)
    return web.Response(status=204)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A session that was just opened, and the secret for its cookie."""

    session: Session
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPerson:
    """Who signs in, and where they are a member: once at least."""

    person: Person
    accounts: list[Membership]


async def known(request: web.Request, email: str, password: str) -> KnownPerson:
    """Find out who knows the password.

    Raises:
        Unauthorized: they do not go together, or there is no such person: nobody learns which.
        TooManyRequests: it was tried too often.
    """
    person = await person_by_password(request, email, password)
    accounts = [] if person is None else await people.accounts_of(request.app[POOL], person.id)
    if person is None or not accounts:
        raise Unauthorized("This e-mail address and this password do not go together.")
    return KnownPerson(person=person, accounts=accounts)


async def open_session(
    request: web.Request, who: KnownPerson, *, account: str | None = None, by: str = "password"
) -> SignedIn:
    """Open a session for somebody who has shown who they are.

    Args:
        account: its name; None: the one they were in first.
        by: how they showed it, for the audit log.

    Raises:
        Invalid: they are no member of that account.
    """
    chosen = _named(who.accounts, account) if account else who.accounts[0]
    secret = new_secret(SESSION_PREFIX)
    async with request.app[POOL].acquire() as db, db.transaction():
        person_id = who.person.id
        await sessions.open_session(db, account_id=chosen.account_id, person_id=person_id, secret_hash=hash_of(secret))
        caller = Caller(account_id=chosen.account_id, person_id=person_id, role=Role[chosen.role.upper()])
        await note(request, db, caller=caller, after={"by": by})
    return SignedIn(session=_shown(who.person, who.accounts, chosen), secret=secret)


async def ask_reset(request: web.Request, text: str) -> None:
    """Have a link for another password mailed to an address, if it is a person's and their first account has e-mail.

    Raises:
        TooManyRequests: it was asked for too often.
    """
    email = address_in(text)
    await admit_reset(request, email or text)
    async with request.app[POOL].acquire() as db, db.transaction():
        person = await people.find_person(db, email or "")
        first = (await people.accounts_of(db, person.id))[:1] if person else []
        for membership in first:
            if await can_mail(db, membership.account_id):
                await links.make_link(
                    db,
                    account_id=membership.account_id,
                    kind="password",
                    email=email or "",
                    makes=None,
                    hours=links.RESET_HOURS,
                    is_mailed=True,
                )


async def person_by_password(request: web.Request, email: str, password: str) -> Person | None:
    """Find out whether somebody is who they say; None: not so.

    Raises:
        TooManyRequests: it was tried too often.
    """
    address = address_in(email)
    await admit_sign_in(request, address or email)
    person = None if address is None else await people.find_person(request.app[POOL], address)
    if not await request.app[PASSWORDS].fits(person.password_hash if person else None, password) or person is None:
        return None
    await signed_in(request.app[POOL], person.email)
    return person


async def can_mail(db: Db | Pool, account_id: int) -> bool:
    """Tell whether an account has a mail server that is switched on."""
    channel = (await channels_of(db, account_id)).get("email")
    return channel is not None and channel.enabled


def set_cookie(request: web.Request, response: web.Response, secret: str) -> None:
    """Hand a browser its session."""
    response.set_cookie(
        session_cookie(request),
        secret,
        max_age=sessions.LONGEST_DAYS * 86_400,
        path="/",
        secure=is_secure(request),
        httponly=True,
        samesite="Strict",
    )


def end_cookie(request: web.Request, response: web.Response) -> None:
    """Have a browser forget its session."""
    response.del_cookie(session_cookie(request), path="/", secure=is_secure(request), httponly=True, samesite="Strict")


async def _session_of(db: Db | Pool, caller: Caller) -> Session:
    if caller.person_id is not None:
        person = await people.person_by_id(db, caller.person_id)
        chosen = await people.membership_of(db, caller.account_id, caller.person_id)
        if chosen is None:
            raise signed_out()
        accounts = [chosen] if caller.by_provider else await people.accounts_of(db, caller.person_id)
        return _shown(person, accounts, chosen)
    name, role = (await account_by_id(db, caller.account_id)).name, caller.role.name.lower()
    return Session(user=None, account=name, role=role, accounts=[AccountRole(name=name, role=role)])


def _shown(person: Person, accounts: list[Membership], chosen: Membership) -> Session:
    return Session(
        user=SignedInUser(
            id=ids.shown(ids.USER, person.id), email=person.email, name=person.name, totp=person.has_totp
        ),
        account=chosen.name,
        role=chosen.role,
        accounts=[AccountRole(name=one.name, role=one.role) for one in accounts],
    )


def _named(accounts: list[Membership], name: str) -> Membership:
    found = next((one for one in accounts if one.name == name), None)
    if found is None:
        refuse([FieldError(at="/account", why="is none that you are a member of")])
    assert found is not None
    return found


def signed_in_as(caller: Caller) -> tuple[int, int]:
    """Give the person and the session of somebody who signed in, and may change how they do.

    Raises:
        Forbidden: only the account's provider says that it is them. Other accounts need not believe it, and how
            somebody signs in concerns them all.
    """
    if caller.by_provider:
        raise Forbidden("You signed in by your company's provider: this belongs to your own sign-in, in all accounts.")
    assert caller.person_id is not None
    assert caller.session_id is not None
    return caller.person_id, caller.session_id
