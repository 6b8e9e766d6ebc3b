"""Who asks: API keys for people and programs, two secrets for each device.

Secrets have 256 random bits, so a plain SHA-256 at rest is enough; none is ever logged. A device's `token` opens the
driver's API and native pings; its `ingest_token` only ever writes pings.
"""

import hashlib
import math
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from aiohttp import web
from cachetools import TTLCache

from api.http.app_keys import POOL
from api.http.problem import Forbidden, Unauthorized
from api.http.who import is_of, is_of_device
from sql.account import devices, keys
from sql.account.devices import DeviceRow
from sql.pool import Pool

DEVICES: web.AppKey["DeviceCache"] = web.AppKey("devices")

BELIEVED_S = 2.0
"""How long a device's credential is believed without asking again. At a ping a second and phone it saves every other
query, at ten nineteen of twenty; so long, at most, does a revoked phone send on where no notification comes."""

KEY_PREFIX = "rpk_"
TOKEN_PREFIX = "rpd_"  # noqa: S105
INGEST_TOKEN_PREFIX = "rpi_"  # noqa: S105


class Role(IntEnum):
    """What an API key may do; each role may do what the ones below may."""

    VIEWER = 1
    DISPATCHER = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The holder of an API key."""

    key_id: int
    account_id: int
    role: Role


_CALLER: web.RequestKey[Caller] = web.RequestKey("caller", Caller)
_DEVICE: web.RequestKey[DeviceRow] = web.RequestKey("device", DeviceRow)


def new_secret(prefix: str) -> str:
    """Make a secret that says what it is."""
    return prefix + secrets.token_urlsafe(32)


def hash_of(secret: str) -> bytes:
    """Give what is kept of a secret."""
    return hashlib.sha256(secret.encode()).digest()


def bearer_of(request: web.Request) -> str:
    """Read `Authorization: Bearer …`.

    Raises:
        Unauthorized: there is none.
    """
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Unauthorized("Send `Authorization: Bearer …` with an API key or a device's token.")
    return secret.strip()


async def authorize_key(request: web.Request, least: Role) -> Caller:
    """Find out whose API key this is, and remember it on the request.

    Raises:
        Unauthorized: no key, or not a known one.
        Forbidden: its role is below `least`.
    """
    secret = bearer_of(request)
    row = await keys.find_key(request.app[POOL], hash_of(secret))
    if row is None:
        raise Unauthorized("This API key is not known, was revoked, or its time is over.")
    caller = Caller(key_id=row.id, account_id=row.account_id, role=Role[row.role.upper()])
    if caller.role < least:
        raise Forbidden(f"This needs the role {least.name.lower()}; the key has {row.role}.")
    request[_CALLER] = caller
    is_of(request, ("account", caller.account_id))
    return caller


def caller_of(request: web.Request) -> Caller:
    """Give the caller that `authorize_key` found."""
    return request[_CALLER]


async def authorize_device(request: web.Request) -> DeviceRow:
    """Find out whose device token this is, and remember it on the request.

    Raises:
        Unauthorized: no token, not a known one, or one that was revoked.
    """
    device = await request.app[DEVICES].by_token(bearer_of(request))
    request[_DEVICE] = device
    is_of_device(request, device.id, device.account_id)
    return device


def device_of(request: web.Request) -> DeviceRow:
    """Give the device that `authorize_device` found."""
    return request[_DEVICE]


@dataclass(frozen=True, slots=True)
class _Answer:
    row: DeviceRow
    asked_s: float


class DeviceCache:
    """Devices by the hash of a secret, believed for a moment, so that a ping costs no query.

    A revoked device is forgotten at once in the process that revokes it, and in the others when the database's
    notification comes (`forget`), at the latest after `ttl_s`. A full cache forgets those longest away.
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
        self._clock_s = clock_s
        self._known: TTLCache[tuple[bool, bytes], _Answer] = TTLCache(size, ttl_s, timer=clock_s)
        # For as long as an answer from before can be in `_known`; so nothing has to be looked for there.
        self._forgotten_s: TTLCache[int, float] = TTLCache(size, ttl_s, timer=clock_s)

    async def by_token(self, secret: str) -> DeviceRow:
        """Find a device by its `token`.

        Raises:
            Unauthorized: there is none, or it was revoked.
        """
        return await self._find(hash_of(secret), can_read=True)

    async def by_ingest_token(self, secret: str) -> DeviceRow:
        """Find a device by its `ingest_token`.

        Raises:
            Unauthorized: there is none, or it was revoked.
        """
        return await self._find(hash_of(secret), can_read=False)

    def forget(self, device_id: int) -> None:
        """Ask the database again the next time this device comes; what it is being asked now counts as before."""
        self._forgotten_s[device_id] = self._clock_s()

    async def _find(self, secret_hash: bytes, *, can_read: bool) -> DeviceRow:
        known = self._known.get((can_read, secret_hash))
        if known is not None and known.asked_s > self._forgotten_s.get(known.row.id, -math.inf):
            return known.row
        asked_s = self._clock_s()
        find = devices.find_by_token if can_read else devices.find_by_ingest_token
        row = await find(self._pool, secret_hash)
        if row is None:
            self._known.pop((can_read, secret_hash), None)
            raise Unauthorized("This device token is not known, or was revoked.")
        self._known[can_read, secret_hash] = _Answer(row, asked_s)
        return row
