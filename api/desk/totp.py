"""Codes of a phone beside the password: switched on by whoever wants that, and off again."""

from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct

from api.desk.codes import hash_of_recovery, in_letters, new_code_secret, new_recovery_codes, uri_of
from api.desk.passwords import GivenPassword, open_passwords
from api.desk.second_factor import take_code
from api.desk.session import GivenCode, person_by_password, signed_in_as
from api.http.app_keys import POOL, SEALER
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.problem import Conflict, FieldError
from api.http.read.bodies import read_body, refuse
from api.http.trail import note
from api.pages.qr import qr_svg
from sql.desk import factors, people, sessions
from sql.desk.people import Person

operations = Operations("session", prepare=open_passwords)


class OwnPassword(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The password of whoever asks: a browser that was left open is not enough."""

    password: GivenPassword


class TotpCode(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the app on the phone shows now."""

    code: GivenCode


class TotpBegun(Struct, frozen=True, kw_only=True):
    """What the app on the phone needs: scanned (`qr_svg`), opened (`uri`) or typed (`secret`). Shown only now."""

    secret: str
    uri: str
    qr_svg: str


class RecoveryCodes(Struct, frozen=True, kw_only=True):
    """Codes for the day when the phone is lost. Each counts once; shown only now."""

    recovery_codes: Annotated[list[str], Meta(max_length=10)]


@operations.operation("POST", "/v1/session/totp", who=Who.USER, body=OwnPassword, answer=TotpBegun, status=201)
async def post_totp(request: web.Request) -> web.Response:
    """Begin to sign in with codes of a phone too: the answer goes into an app for that.

    Nothing is asked for yet: `PUT` does that, with a code by which the phone shows that it has the secret.
    """
    person = await _person_who_knows(request)
    secret = new_code_secret()
    sealed = request.app[SEALER].seal({"secret": secret.hex()})
    async with request.app[POOL].acquire() as db, db.transaction():
        if not await factors.begin_totp(db, person.id, sealed):
            raise Conflict("Codes of a phone are asked for already; remove that first.")
        await note(request, db)
    uri = uri_of(secret, person.email)
    begun = TotpBegun(secret=in_letters(secret), uri=uri, qr_svg=qr_svg(uri))
    return answer(request, begun, status=201, headers={"Cache-Control": "no-store"})


@operations.operation("PUT", "/v1/session/totp", who=Who.USER, body=TotpCode, answer=RecoveryCodes)
async def put_totp(request: web.Request) -> web.Response:
    """Ask for a code of the phone from now on, whenever this person signs in; their other sessions end.

    401 where it is no code of the phone now; five wrong ones close this for a quarter of an hour.
    """
    person_id, session_id = signed_in_as(caller_of(request))
    body = await read_body(request, TotpCode)
    async with request.app[POOL].acquire() as db, db.transaction():
        totp = await factors.totp_of(db, person_id)
        if totp is None or totp.is_confirmed:
            raise Conflict("Nothing was begun that could be confirmed; ask `POST /v1/session/totp` first.")
        await take_code(request, db, person_id, totp, body.code)
        await sessions.end_sessions(db, person_id, but=session_id)
        codes = new_recovery_codes()
        await factors.put_recovery_codes(db, person_id, [hash_of_recovery(code) for code in codes])
        await note(request, db, before={"totp": False}, after={"totp": True})
    return answer(request, RecoveryCodes(recovery_codes=codes), headers={"Cache-Control": "no-store"})


@operations.operation(
    "POST", "/v1/session/totp/recovery-codes", who=Who.USER, body=OwnPassword, answer=RecoveryCodes, status=201
)
async def post_recovery_codes(request: web.Request) -> web.Response:
    """Make new recovery codes; the earlier ones count no more."""
    person = await _person_who_knows(request)
    if not person.has_totp:
        raise Conflict("No codes of a phone are asked for, so none is needed that stands in for them.")
    codes = new_recovery_codes()
    async with request.app[POOL].acquire() as db, db.transaction():
        await factors.put_recovery_codes(db, person.id, [hash_of_recovery(code) for code in codes])
        await note(request, db)
    headers = {"Cache-Control": "no-store"}
    return answer(request, RecoveryCodes(recovery_codes=codes), status=201, headers=headers)


@operations.operation("POST", "/v1/session/totp/remove", who=Who.USER, body=OwnPassword, status=204)
async def post_totp_remove(request: web.Request) -> web.Response:
    """Sign in with the password alone again; recovery codes count no more."""
    person = await _person_who_knows(request)
    async with request.app[POOL].acquire() as db, db.transaction():
        was = await factors.drop_totp(db, person.id)
        await note(request, db, before={"totp": was}, after={"totp": False})
    return web.Response(status=204)


async def _person_who_knows(request: web.Request) -> Person:
    """Give whoever asks, if they know their password.

    Raises:
        Invalid: it is not theirs.
        TooManyRequests: that was tried too often.
    """
    person_id, _ = signed_in_as(caller_of(request))
    body = await read_body(request, OwnPassword)
    person = await people.person_by_id(request.app[POOL], person_id)
    if await person_by_password(request, person.email, body.password) is None:
        refuse([FieldError(at="/password", why="is not the password")])
    return person
