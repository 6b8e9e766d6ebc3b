"""API keys: the credentials of people and programs."""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias, cast

from aiohttp import web
from msgspec import Meta, Struct

from api.http import ids
from api.http.app_keys import POOL, now_of
from api.http.auth import KEY_PREFIX, caller_of, hash_of, new_secret
from api.http.known.keys import KEYS
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.problem import FieldError, NotFound
from api.http.read.bodies import read_body, refuse
from api.http.times import time_in
from sql.account import keys

operations = Operations("keys")

_TIME = {"type": "string", "format": "date-time"}

RoleName: TypeAlias = Literal["admin", "dispatcher", "viewer"]


_UNTIL = "It works until then; else until it is ended."
_LAST_YEAR = 2999  # with a zone taken away it stays a time


class NewKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to make. Each role may do what the ones after it may: admin, dispatcher, viewer."""

    role: RoleName
    label: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    expires_at: Annotated[datetime, Meta(tz=True, description=_UNTIL)] | None = None


class Key(Struct, frozen=True, kw_only=True):
    """A key that was not ended; the secret itself is not kept.

    Attributes:
        expires_at: it works until then; null: until it is ended.
        last_used_at: to the hour; null: never.
    """

    id: str
    role: RoleName
    label: str | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class KeyMade(Key, frozen=True, kw_only=True):
    """A new key. `key` is the secret; it is shown only this once."""

    key: str


class KeyList(Struct, frozen=True, kw_only=True):
    """Keys, all on one page."""

    keys: list[Key]
    next: str | None = None


@operations.operation(
    "GET",
    "/v1/keys",
    who=Who.ADMIN,
    answer=KeyList,
    query=(
        Parameter(name="expires_before", description="Only keys that end before this time.", schema=_TIME),
        Parameter(name="unused_since", description="Only keys neither used nor made since this time.", schema=_TIME),
    ),
)
async def list_keys(request: web.Request) -> web.Response:
    """List the API keys that were not ended, also those whose time is over."""
    rows = await keys.list_keys(
        request.app[POOL],
        caller_of(request).account_id,
        expires_before=time_in(request, "expires_before"),
        unused_since=time_in(request, "unused_since"),
    )
    return answer(request, KeyList(keys=[_shown(row) for row in rows]))


@operations.operation("POST", "/v1/keys", who=Who.ADMIN, body=NewKey, answer=KeyMade, status=201)
async def post_key(request: web.Request) -> web.Response:
    """Make an API key.

    The answer holds the secret, which is not kept: whoever loses it makes another key.
    """
    new = await read_body(request, NewKey)
    refuse(_mistakes(new, now_of(request)))
    secret = new_secret(KEY_PREFIX)
    key_id, created_at = await keys.create_key(
        request.app[POOL],
        account_id=caller_of(request).account_id,
        role=new.role,
        label=new.label,
        secret_hash=hash_of(secret),
        expires_at=new.expires_at,
    )
    made = KeyMade(
        id=ids.shown(ids.KEY, key_id),
        role=new.role,
        label=new.label,
        created_at=created_at,
        expires_at=new.expires_at,
        last_used_at=None,
        key=secret,
    )
    return answer(request, made, status=201)


@operations.operation("DELETE", "/v1/keys/{key}", who=Who.ADMIN, status=204)
async def delete_key(request: web.Request) -> web.Response:
    """End an API key at once, be it the one that asks.

    Who ended the last one of an admin makes another with `reparto key create`.
    """
    key_id = ids.id_in_path(request, "key", ids.KEY)
    if not await keys.revoke_key(request.app[POOL], account_id=caller_of(request).account_id, key_id=key_id):
        raise NotFound("There is no key of this id that works.")
    request.app[KEYS].forget()
    return web.Response(status=204)


def _mistakes(new: NewKey, now: datetime) -> list[FieldError]:
    if new.expires_at is None or (new.expires_at.year <= _LAST_YEAR and new.expires_at > now):
        return []
    return [FieldError(at="/expires_at", why=f"must lie ahead, and not after the year {_LAST_YEAR}")]


def _shown(row: keys.ListedKey) -> Key:
    return Key(
        id=ids.shown(ids.KEY, row.id),
        role=cast(RoleName, row.role),
        label=row.label,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
    )
