"""Who asks: API keys for programs, sessions for people who signed in, two secrets for each device.

Secrets have 256 random bits, so a plain SHA-256 at rest is enough; none is ever logged. A device's `token` opens the
driver's API and native pings; its `ingest_token` only ever writes pings.

A browser sends a session's cookie by itself, whoever made it ask. So what changes something has to come from a page of
this site: it carries a header that no other site's page can add.
"""

import asyncio
import hashlib
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from aiohttp import web
from cachetools import TTLCache

from api.http.app_keys import CONFIG, POOL
from api.http.problem import Forbidden, Unauthorized
from api.http.who import is_of, is_of_device
from sql.account import devices, keys
from sql.account.devices import DeviceRow
from sql.account.keys import KeyRow
from sql.desk import sessions
from sql.pool import DATABASE_AWAY, Pool

DEVICES: web.AppKey["DeviceCache"] = web.AppKey("devices")
KEYS: web.AppKey["KeyCache"] = web.AppKey("keys")

KEY_BELIEVED_S = 1.0
"""How long a key may poll without being looked up again: so long, at most, does a revoked one in processes that did not
revoke it."""

BELIEVED_S = 2.0
"""How long a device's credential is believed without asking again: so long, at most, does a revoked phone send on where
no notification comes."""

BELIEVED_LONGEST_S = 60.0
"""How long it is while every revocation is heard: so long does one that nobody told, written into the table by hand."""

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
    return hashlib.sha256(secret.encode()).digest()


def bearer_of(headers: Mapping[str, str]) -> str:
    """Read `Authorization: Bearer …`.

    Raises:
        Unauthorized: there is none.
    """
    scheme, _, secret = headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Unauthorized("Send `Authorization: Bearer …` with an API key or a device's token.")
    return secret.strip()


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
        caller = await _of_key(request, polled=polled)
    else:
        caller = await _of_session(request, secret)
    if caller.role < least:
        raise Forbidden(f"This needs the role {least.name.lower()}; you have {caller.role.name.lower()}.")
    request[_CALLER] = caller
    is_of(request, ("account", caller.account_id))
    return caller


async def _of_key(request: web.Request, *, polled: bool) -> Caller:
    secret_hash = hash_of(bearer_of(request.headers))
    known = request.app[KEYS]
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


async def authorize_device(request: web.Request) -> DeviceRow:
    """Find out whose device token this is, and remember it on the request.

    Raises:
        Unauthorized: no token, not a known one, or one that was revoked.
    """
    device = await request.app[DEVICES].by_token(bearer_of(request.headers))
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
    """Give the device that `authorize_device` found."""
    return request[_DEVICE]


class KeyCache:
    """Keys that work by the hash of their secret, believed for a moment, so that a poll costs no query."""

    def __init__(self, pool: Pool, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._pool = pool
        self._known: TTLCache[bytes, KeyRow] = TTLCache(10_000, KEY_BELIEVED_S, timer=clock_s)
        self._forgotten = 0

    async def find(self, secret_hash: bytes) -> KeyRow | None:
        """Find a key that works, as it was a moment ago; None when there is none."""
        row = self._known.get(secret_hash)
        return await self.ask(secret_hash) if row is None else row

    async def ask(self, secret_hash: bytes) -> KeyRow | None:
        """Find a key that works now; None when there is none."""
        forgotten = self._forgotten
        row = await keys.find_key(self._pool, secret_hash)
        if row is None:
            self._known.pop(secret_hash, None)
        elif forgotten == self._forgotten:  # else it may have been on its way since before
            self._known[secret_hash] = row
        return row

    def forget(self) -> None:
        """Ask the database again for all keys: one was revoked."""
        self._known.clear()
        self._forgotten += 1


_Secret: TypeAlias = tuple[bool, bytes]
"""Whether it opens the driver's API too, and its hash."""


@dataclass(slots=True)
class _Answer:
    """What the database said of a secret, and whether the phone was heard of since."""

    row: DeviceRow
    asked_s: float
    is_heard: bool = False


class DeviceCache:
    """Devices by the hash of a secret, believed for a moment, so that a ping costs no query.

    Before their time is over, all that were heard of since are asked for again in one query, beside the requests; the
    others are forgotten. A revoked device is forgotten at once in the process that revokes it, and in the others when
    the database's notification comes (`forget`), at the latest after `ttl_s`: answers live longer only while somebody
    vouches that every notification is heard (`heard`). A full cache forgets the oldest answers.

    Attributes:
        clock_s: what its times are by.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        ttl_s: float = BELIEVED_S,
        size: int = 200_000,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = pool
        self._ttl_s, self._size, self.clock_s = ttl_s, size, clock_s
        self._heard_since_s, self._heard_until_s = math.inf, -math.inf
        self._known: OrderedDict[_Secret, _Answer] = OrderedDict()
        self._looked_s = -math.inf
        self._looking: asyncio.Task[None] | None = None
        # Answers from before may be on their way; nobody believes them for longer.
        self._forgotten_s: TTLCache[int, float] = TTLCache(size, ttl_s, timer=clock_s)

    async def by_token(self, secret: str) -> DeviceRow:
        """Find a device by its `token`.

        Raises:
            Unauthorized: there is none, or it was revoked.
        """
        return await self._find((True, hash_of(secret)))

    async def by_ingest_token(self, secret: str) -> DeviceRow:
        """Find a device by its `ingest_token`.

        Raises:
            Unauthorized: there is none, or it was revoked.
        """
        return await self._find((False, hash_of(secret)))

    def believed(self, secret: str, *, can_read: bool) -> DeviceRow | None:
        """Give the device of a `token`, or of an `ingest_token` (not `can_read`), if it is known without asking."""
        return self._believed((can_read, hash_of(secret)), self.clock_s())

    def heard(self, since_s: float, until_s: float) -> None:
        """Take note that every revocation told between these times was heard, and its device forgotten."""
        self._heard_since_s, self._heard_until_s = since_s, until_s

    def forget(self, device_id: int) -> None:
        """Ask the database again the next time this device comes; what it is being asked now counts as before."""
        self._forgotten_s[device_id] = self.clock_s()
        for secret in [secret for secret, known in self._known.items() if known.row.id == device_id]:
            del self._known[secret]

    async def _find(self, secret: _Secret) -> DeviceRow:
        now_s = self.clock_s()
        if (believed := self._believed(secret, now_s)) is not None:
            return believed
        can_read, secret_hash = secret
        row = (await self._ask([secret_hash], can_read=can_read)).get(secret_hash)
        self._note(secret, row, now_s)
        if row is None:
            raise Unauthorized("This device token is not known, or was revoked.")
        return row

    def _believed(self, secret: _Secret, now_s: float) -> DeviceRow | None:
        """Give what is known of a secret, and look again at all that are in use before their time is over."""
        known = self._known.get(secret)
        if known is None or now_s >= (until_s := self._until_s(known)):
            return None
        known.is_heard = True
        if now_s >= max(until_s - self._ttl_s, self._looked_s) + self._ttl_s / 2:
            self._looked_s = now_s
            # for nobody in particular: whoever happens to come pays no turn for it
            self._looking = asyncio.create_task(self._look_again(), context=Context())
        return known.row

    def _until_s(self, known: _Answer) -> float:
        """Tell how long an answer is believed."""
        if known.asked_s < self._heard_since_s:
            return known.asked_s + self._ttl_s
        return max(known.asked_s, min(self._heard_until_s, known.asked_s + BELIEVED_LONGEST_S)) + self._ttl_s

    async def _look_again(self) -> None:
        """Renew the answers about all phones that were heard of since; without the database they run out."""
        now_s = self.clock_s()
        for secret in [secret for secret, known in self._known.items() if now_s >= self._until_s(known)]:
            del self._known[secret]
        for can_read in (True, False):
            hashes = [key[1] for key, known in self._known.items() if key[0] is can_read and known.is_heard]
            if not hashes:
                continue
            try:
                rows = await self._ask(hashes, can_read=can_read)
            except DATABASE_AWAY:
                return
            for secret_hash in hashes:
                self._note((can_read, secret_hash), rows.get(secret_hash), now_s)

    async def _ask(self, hashes: Sequence[bytes], *, can_read: bool) -> dict[bytes, DeviceRow]:
        find = devices.find_by_tokens if can_read else devices.find_by_ingest_tokens
        return await find(self._pool, hashes)

    def _note(self, secret: _Secret, row: DeviceRow | None, asked_s: float) -> None:
        self._known.pop(secret, None)
        is_late = self.clock_s() >= asked_s + self._ttl_s  # it may rest on a time that nobody remembers to be over
        if row is not None and not is_late and asked_s > self._forgotten_s.get(row.id, -math.inf):
            self._known[secret] = _Answer(row, asked_s)
            if len(self._known) > self._size:
                self._known.popitem(last=False)
