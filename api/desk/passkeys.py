"""Passkeys: a phone or a computer signs somebody in, by a finger, a face or a PIN, without a password.

What it signs names this site, so no other site's page gets anything that counts here. Each challenge counts once, in
the browser that asked for it.
"""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

from aiohttp import web
from msgspec import Meta, Struct
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json_dict
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from api.desk.addresses import admit_begun
from api.desk.half import begin_half, end_half_cookie, set_half_cookie, take_half
from api.desk.passwords import open_passwords
from api.desk.session import AccountName, KnownPerson, Session, open_session, set_cookie, signed_in_as
from api.desk.totp import OwnPassword, person_who_knows
from api.http import ids
from api.http.app_keys import POOL
from api.http.auth import caller_of, from_this_site
from api.http.host import public_url
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.problem import Conflict, FieldError, NotFound, Unauthorized
from api.http.read.bodies import read_body, refuse
from api.http.trail import note
from sql.desk import passkeys, people
from sql.desk.passkeys import PasskeyRow

operations = Operations("session", prepare=open_passwords)

MOST = 20
"""Of one person."""

_SITE = "Reparto"
_NO_STORE = {"Cache-Control": "no-store"}
_WRONG = "This passkey does not count here."

CredentialJson = dict[str, Any]
"""What the browser made, as `PublicKeyCredential.toJSON` writes it."""


class NewPasskey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A passkey that a browser made, and what its owner calls it."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    credential: CredentialJson


class PasskeySignIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a passkey signed. `account`: its name, for who is in several; else the one they were in first."""

    credential: CredentialJson
    account: AccountName | None = None


class PasskeyOptions(Struct, frozen=True, kw_only=True):
    """What `navigator.credentials` takes as `publicKey`, with its bytes in base64url."""

    options: dict[str, Any]


class Passkey(Struct, frozen=True, kw_only=True):
    """A passkey; `last_used_at` is null until it signed its owner in."""

    id: str
    name: str
    created_at: datetime
    last_used_at: datetime | None


class PasskeyList(Struct, frozen=True, kw_only=True):
    """Passkeys, all on one page."""

    passkeys: list[Passkey]
    next: str | None = None


@operations.operation(
    "POST", "/v1/session/passkeys/begin", who=Who.USER, body=OwnPassword, answer=PasskeyOptions, status=201
)
async def post_passkey_begin(request: web.Request) -> web.Response:
    """Begin to add a passkey: the answer goes into `navigator.credentials.create`, within ten minutes."""
    person = await person_who_knows(request)
    options = generate_registration_options(
        rp_id=_rp_id(request),
        rp_name=_SITE,
        user_id=ids.shown(ids.USER, person.id).encode(),
        user_name=person.email,
        user_display_name=person.name or person.email,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=one) for one in await passkeys.credentials_of(request.app[POOL], person.id)
        ],
    )
    said = {"challenge": bytes_to_base64url(options.challenge)}
    secret = await begin_half(request, "passkey-new", person_id=person.id, said=said)
    response = answer(request, PasskeyOptions(options=options_to_json_dict(options)), status=201, headers=_NO_STORE)
    set_half_cookie(request, response, "passkey-new", secret)
    return response


@operations.operation("POST", "/v1/session/passkeys", who=Who.USER, body=NewPasskey, answer=Passkey, status=201)
async def post_passkey(request: web.Request) -> web.Response:
    """Add the passkey that the browser made; it signs in from now on, without a password or a code."""
    person_id, _ = signed_in_as(caller_of(request))
    new = await read_body(request, NewPasskey)
    half = await take_half(request, "passkey-new")
    if half is None or half.person_id != person_id:
        raise Conflict("Nothing was begun in this browser that this could end; ask for another challenge.")
    made = _registered(request, new.credential, base64url_to_bytes(half.said["challenge"]))
    pool = request.app[POOL]
    if len(await passkeys.list_passkeys(pool, person_id)) >= MOST:
        raise Conflict(f"There are {MOST} passkeys already; remove one first.")
    async with pool.acquire() as db, db.transaction():
        row = await passkeys.add_passkey(
            db,
            person_id,
            credential_id=made.credential_id,
            public_key=made.credential_public_key,
            sign_count=made.sign_count,
            name=new.name,
        )
        if row is None:
            raise Conflict("This passkey is there already.")
        await note(request, db, made=ids.shown(ids.PASSKEY, row.id), after={"name": new.name})
    response = answer(request, _shown(row), status=201)
    end_half_cookie(request, response, "passkey-new")
    return response


@operations.operation("GET", "/v1/session/passkeys", who=Who.USER, answer=PasskeyList)
async def list_own_passkeys(request: web.Request) -> web.Response:
    """List the passkeys of whoever asks."""
    person_id, _ = signed_in_as(caller_of(request))
    rows = await passkeys.list_passkeys(request.app[POOL], person_id)
    return answer(request, PasskeyList(passkeys=[_shown(row) for row in rows]))


@operations.operation("DELETE", "/v1/session/passkeys/{passkey}", who=Who.USER, status=204)
async def delete_passkey(request: web.Request) -> web.Response:
    """Remove a passkey; it signs nobody in any more. Sessions that it opened go on."""
    person_id, _ = signed_in_as(caller_of(request))
    passkey_id = ids.id_in_path(request, "passkey", ids.PASSKEY)
    async with request.app[POOL].acquire() as db, db.transaction():
        name = await passkeys.drop_passkey(db, person_id, passkey_id)
        if name is None:
            raise NotFound("There is no passkey of this id.")
        await note(request, db, before={"name": name})
    return web.Response(status=204)


@operations.operation("POST", "/v1/session/passkey/begin", who=Who.ANYONE, answer=PasskeyOptions, status=201)
async def post_passkey_sign_in_begin(request: web.Request) -> web.Response:
    """Begin to sign in with a passkey: the answer goes into `navigator.credentials.get`, within ten minutes.

    It names nobody: the browser shows the passkeys that it has for this site.
    """
    from_this_site(request)
    await admit_begun(request)
    required = UserVerificationRequirement.REQUIRED
    options = generate_authentication_options(rp_id=_rp_id(request), user_verification=required)
    secret = await begin_half(request, "passkey", said={"challenge": bytes_to_base64url(options.challenge)})
    response = answer(request, PasskeyOptions(options=options_to_json_dict(options)), status=201, headers=_NO_STORE)
    set_half_cookie(request, response, "passkey", secret)
    return response


@operations.operation("POST", "/v1/session/passkey", who=Who.ANYONE, body=PasskeySignIn, answer=Session, status=201)
async def post_passkey_sign_in(request: web.Request) -> web.Response:
    """Sign in with what a passkey signed; no password and no code is asked for.

    The cookie is that of `POST /v1/session`. 401 is the same whether the passkey is not known, was removed, or what it
    signed is not for here and now.
    """
    from_this_site(request)
    body = await read_body(request, PasskeySignIn)
    half = await take_half(request, "passkey")
    if half is None:
        raise Unauthorized("Nothing was begun in this browser that this could end; ask for another challenge.")
    person_id = await _proven(request, body.credential, base64url_to_bytes(half.said["challenge"]))
    pool = request.app[POOL]
    person, accounts = await people.person_by_id(pool, person_id), await people.accounts_of(pool, person_id)
    if not accounts:
        raise Unauthorized(_WRONG)
    signed = await open_session(
        request, KnownPerson(person=person, accounts=accounts), account=body.account, by="passkey"
    )
    response = answer(request, signed.session, status=201, headers=_NO_STORE)
    set_cookie(request, response, signed.secret)
    end_half_cookie(request, response, "passkey")
    return response


def _registered(request: web.Request, credential: CredentialJson, challenge: bytes) -> VerifiedRegistration:
    """Read a new passkey.

    Raises:
        Invalid: it was not made for this site, for this challenge, or without showing who it is.
    """
    try:
        return verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=_rp_id(request),
            expected_origin=_origin(request),
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, TypeError, KeyError, AttributeError):  # it reads what browsers write
        refuse([FieldError(at="/credential", why="is no passkey that was made here just now")])
        raise AssertionError from None


async def _proven(request: web.Request, credential: CredentialJson, challenge: bytes) -> int:
    """Find out whose passkey signed this; give the person.

    Raises:
        Unauthorized: nobody's, or not for here and now.
    """
    pool, said = request.app[POOL], credential.get("rawId")
    try:
        credential_id = base64url_to_bytes(said) if isinstance(said, str) else b""
    except ValueError:
        credential_id = b""
    passkey = await passkeys.find_passkey(pool, credential_id)
    if passkey is None:
        raise Unauthorized(_WRONG)
    try:
        proof: VerifiedAuthentication = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=_rp_id(request),
            expected_origin=_origin(request),
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, TypeError, KeyError, AttributeError):
        raise Unauthorized(_WRONG) from None
    if not await passkeys.use_passkey(pool, passkey, proof.new_sign_count):
        raise Unauthorized(_WRONG)
    return passkey.person_id


def _rp_id(request: web.Request) -> str:
    """Give the name of this site, for which passkeys are made and count: its host."""
    return urlsplit(public_url(request)).hostname or ""


def _origin(request: web.Request) -> str:
    parts = urlsplit(public_url(request))
    return f"{parts.scheme}://{parts.netloc}"


def _shown(row: PasskeyRow) -> Passkey:
    return Passkey(
        id=ids.shown(ids.PASSKEY, row.id), name=row.name, created_at=row.created_at, last_used_at=row.last_used_at
    )
