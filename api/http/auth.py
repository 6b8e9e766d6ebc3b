"""Who asks: API keys for programs, sessions for people who signed in, two secrets for each device.

Secrets have 256 random bits, so a plain SHA-256 at rest is enough; none is ever logged. A device's `token` opens the
driver's API and native pings; its `ingest_token` only ever writes pings. Apps that others wrote have only that one: in
the path, or in a header, where HTTP Basic counts too.

A browser sends a session's cookie by itself, whoever made it ask. So what changes something has to come from a page of
this site: it carries a header that no other site's page can add.
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from aiohttp import web

from api.http.app_keys import CONFIG, POOL
from api.http.known.devices import DEVICES
from api.http.known.keys import KEYS
from api.http.problem import Forbidden, Unauthorized
from api.http.who import is_of, is_of_device
from sql.account import devices
from sql.account.devices import DeviceRow
from sql.desk import sessions

KEY_PREFIX = "rpk_"
TOKEN_PREFIX = "rpd_"  # noqa: S105
INGEST_TOKEN_PREFIX = "rpi_"  # noqa: S105
SESSION_PREFIX = "rps_"

CSRF_HEADER = "Reparto-Csrf"
CHANGES_NOTHING = frozenset({"GET", "HEAD", "OPTIONS"})
_OF_THIS_SITE = frozenset({"same-origin", "same-site", "none"})


class Role(IntEnum):
    """What a person or an API key may do; each role from `VIEWER` on may do what the ones below may."""

    DRIVER = 1  # of people only: sees their own tours, says what happened there, and nothing else
    VIEWER = 2
    SUPPORT = 3  # reads, and answers tickets
    DISPATCHER = 4
    ADMIN = 5
    OWNER = 6  # of people only: says who else owns the account


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The holder of an API key, or somebody who signed in: a person, by a session.

    Attributes:
        by_provider: the identity provider of this account says who it is; nobody else's need believe it.
    """

    account_id: int
    role: Role
    key_id: int | None = None
    person_id: int | None = None
    session_id: int | None = None
    by_provider: bool = False


_CALLER: web.RequestKey[Caller] = web.RequestKey("caller", Caller)
_DEVICE: web.RequestKey[DeviceRow] = web.RequestKey("device", DeviceRow)


def new_secret(prefix: str) -> str:
    """Make a secret that says what it is."""
    return prefix + secrets.token_urlsafe(32)


def hash_of(secret: str) -> bytes:
    """Give what is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def bearer_of(headers: Mapping[str, str]) -> str:
    """Read `Authorization: Bearer …`.

    Raises:
        Unauthorized: there is none.
    """
    scheme, _, secret = headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Unauthorized("Send `Authorization: Bearer …` with an API key or a device's token.")
    return secret.strip()


def password_of(header: str) -> str:
    """Read the password of HTTP Basic, whoever the user is said to be; empty: there is none."""
    scheme, _, packed = header.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(packed.strip(), validate=True).decode("utf-8", "replace").partition(":")[2]
    except ValueError:
        return ""


def ingest_token_of(headers: Mapping[str, str]) -> str:
    """Read an ingest token from `Authorization`: what Bearer says, or the password of Basic, its user unchecked.

    Overland, where it imitates OwnTracks, writes `Basic TOKEN:` without base64, which knows no underscore.

    Raises:
        Unauthorized: there is none.
    """
    header = headers.get("Authorization", "")
    scheme, _, said = header.partition(" ")
    secret, said = "", said.strip()
    if scheme.lower() == "bearer":
        secret = said
    elif scheme.lower() == "basic" and said.startswith(INGEST_TOKEN_PREFIX):
        secret = said.partition(":")[0]
    else:
        secret = password_of(header)
    if not secret:
        raise Unauthorized("Send the device's ingest token as the password of HTTP Basic, or as Bearer.", basic=True)
    return secret


async def authorize(request: web.Request, least: Role, *, polled: bool = False) -> Caller:
    """Find out whose API key or session this is, and remember it on the request. A key counts before a cookie.

    Args:
        polled: it may be believed what was known of the key a moment ago.

    Raises:
        Unauthorized: neither, or not a known one.
        Forbidden: its role is below `least`, or a cookie came with what another site may have asked for.
    """
    secret = session_secret_of(request)
    if "Authorization" in request.headers or secret is None:
        return _let_in(request, await _of_key(request, bearer_of(request.headers), polled=polled), least)
    return _let_in(request, await _of_session(request, secret), least)


async def authorize_secret(request: web.Request, secret: str, least: Role, *, polled: bool = False) -> Caller:
    """Do so by the secret of an API key or of a session, wherever in the request it stood.

    Raises:
        Unauthorized, Forbidden: as `authorize`.
    """
    is_session = secret.startswith(SESSION_PREFIX)
    caller = await (_of_session(request, secret) if is_session else _of_key(request, secret, polled=polled))
    return _let_in(request, caller, least)


def _let_in(request: web.Request, caller: Caller, least: Role) -> Caller:
    if caller.role < least:
        raise Forbidden(f"This needs the role {least.name.lower()}; you have {caller.role.name.lower()}.")
    request[_CALLER] = caller
    is_of(request, ("account", caller.account_id))
    return caller


async def _of_key(request: web.Request, secret: str, *, polled: bool) -> Caller:
    secret_hash, known = hash_of(secret), request.app[KEYS]
    row = await (known.find(secret_hash) if polled else known.ask(secret_hash))
    if row is None:
        raise Unauthorized("This API key is not known, was revoked, or its time is over.")
    return Caller(key_id=row.id, account_id=row.account_id, role=Role[row.role.upper()])


def signed_out() -> Unauthorized:
    """Say that a sign-in does not count any more."""
    return Unauthorized("You are not signed in any more. Please sign in again.")


async def _of_session(request: web.Request, secret: str) -> Caller:
    row = await sessions.find_session(request.app[POOL], hash_of(secret))
    if row is None:
        raise signed_out()
    if request.method not in CHANGES_NOTHING:
        if request.headers.get(CSRF_HEADER) != "1":
            raise Forbidden(f"With a session, whatever changes something needs the header `{CSRF_HEADER}: 1`.")
        from_this_site(request)
    return Caller(
        session_id=row.id,
        person_id=row.person_id,
        account_id=row.account_id,
        role=Role[row.role.upper()],
        by_provider=row.by_provider,
    )


def from_this_site(request: web.Request) -> None:
    """Make sure that no other site's page had a browser send this.

    Raises:
        Forbidden: one did.
    """
    if request.headers.get("Sec-Fetch-Site", "none") not in _OF_THIS_SITE:
        raise Forbidden("This was asked for by a page of another site.")


def is_secure(request: web.Request) -> bool:
    """Tell whether people reach this server by https, as `REPARTO_PUBLIC_URL` says."""
    return request.app[CONFIG].public_url.startswith("https:")


def session_cookie(request: web.Request) -> str:
    """Give the name of the cookie with a session's secret: by https one that no other host can set."""
    return "__Host-reparto" if is_secure(request) else "reparto"


def session_secret_of(request: web.Request) -> str | None:
    """Read the secret of a session; None: the request brings none."""
    return request.cookies.get(session_cookie(request)) or None


def caller_of(request: web.Request) -> Caller:
    """Give the caller that `authorize` found."""
    return request[_CALLER]


async def find_device(app: web.Application, secret: str, *, can_read: bool) -> DeviceRow:
    """Find the device of a `token`, or of an `ingest_token` (not `can_read`).

    Raises:
        Unauthorized: there is none, or it was revoked.
    """
    device = await app[DEVICES].find(hash_of(secret), can_read=can_read)
    if device is None:
        raise Unauthorized("This device token is not known, or was revoked.")
    return device


async def authorize_device(request: web.Request) -> DeviceRow:
    """Find out whose device token this is, and remember it on the request.

    Raises:
        Unauthorized: no token, not a known one, or one that was revoked.
    """
    device = await find_device(request.app, bearer_of(request.headers), can_read=True)
    request[_DEVICE] = device
    is_of_device(request, device.id, device.account_id)
    return device


async def authorize_phone(request: web.Request) -> DeviceRow:
    """Find out whose ingest token stands in the header, and remember the device on the request.

    Raises:
        Unauthorized: no token, not a known one, or one that was revoked.
    """
    device = await request.app[DEVICES].find(hash_of(ingest_token_of(request.headers)), can_read=False)
    if device is None:
        raise Unauthorized("This ingest token is not known, or was revoked.", basic=True)
    request[_DEVICE] = device
    is_of_device(request, device.id, device.account_id)
    return device


async def authorize_driver(request: web.Request) -> Caller | None:
    """Find out whose device token this is, or which driver signed in, and remember the device that speaks.

    Returns:
        Who signed in; None: a phone asks, by its token.

    Raises:
        Unauthorized: neither, or not a known one.
        Forbidden: somebody signed in who is no driver, or whose browser was shut out.
    """
    if "Authorization" in request.headers or session_secret_of(request) is None:
        await authorize_device(request)
        return None
    caller = await authorize(request, Role.DRIVER)
    assert caller.person_id is not None
    device = None
    if caller.role is Role.DRIVER:
        device = await devices.browser_of(request.app[POOL], caller.account_id, caller.person_id)
    if device is None:
        raise Forbidden("This is for drivers: an admin of the account says who drives as whom.")
    request[_DEVICE] = device
    is_of_device(request, device.id, device.account_id)
    return caller


def signed_in_caller(request: web.Request) -> Caller | None:
    """Give who signed in, of a request that devices may make too; None: a device did."""
    caller: Caller | None = request.get(_CALLER)
    return caller


def device_of(request: web.Request) -> DeviceRow:
    """Give the device that `authorize_device`, `authorize_driver` or `authorize_phone` found."""
    return request[_DEVICE]
