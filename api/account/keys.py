"""API keys: the credentials of people and programs."""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias, cast

from aiohttp import web
from msgspec import Meta, Struct

from api.http import ids
from api.http.app_keys import POOL
from api.http.auth import KEY_PREFIX, caller_of, hash_of, new_secret
from api.http.bodies import read_body
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.problem import NotFound
from sql.account import keys

operations = Operations("keys")

RoleName: TypeAlias = Literal["admin", "dispatcher", "viewer"]


class NewKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to make. Each role may do what the ones after it may: admin, dispatcher, viewer."""

    role: RoleName
    label: Annotated[str, Meta(min_length=1, max_length=200)] | None = None


class Key(Struct, frozen=True, kw_only=True):
    """A key that works; the secret itself is not kept."""

    id: str
    role: RoleName
    label: str | None
    created_at: datetime


class KeyMade(Key, frozen=True, kw_only=True):
    """A new key. `key` is the secret; it is shown only this once."""

    key: str


class KeyList(Struct, frozen=True, kw_only=True):
    """The keys that work, all on one page."""

    keys: list[Key]
    next: str | None = None


@operations.operation("GET", "/v1/keys", who=Who.ADMIN, answer=KeyList)
async def list_keys(request: web.Request) -> web.Response:
    """List the API keys that work."""
    rows = await keys.list_keys(request.app[POOL], caller_of(request).account_id)
    return answer(request, KeyList(keys=[_shown(row) for row in rows]))


@operations.operation("POST", "/v1/keys", who=Who.ADMIN, body=NewKey, answer=KeyMade, status=201)
async def post_key(request: web.Request) -> web.Response:
    """Make an API key.

    The answer holds the secret, which is not kept: whoever loses it makes another key.
    """
    new = await read_body(request, NewKey)
    secret = new_secret(KEY_PREFIX)
    key_id, created_at = await keys.create_key(
        request.app[POOL],
        account_id=caller_of(request).account_id,
        role=new.role,
        label=new.label,
        secret_hash=hash_of(secret),
    )
    made = KeyMade(id=ids.shown(ids.KEY, key_id), role=new.role, label=new.label, created_at=created_at, key=secret)
    return answer(request, made, status=201)


@operations.operation("DELETE", "/v1/keys/{key}", who=Who.ADMIN, status=204)
async def delete_key(request: web.Request) -> web.Response:
    """End an API key at once, be it the one that asks.

    Who ended the last one of an admin makes another with `reparto key create`.
    """
    key_id = ids.id_in_path(request, "key", ids.KEY)
    if not await keys.revoke_key(request.app[POOL], account_id=caller_of(request).account_id, key_id=key_id):
        raise NotFound("There is no key of this id that works.")
    return web.Response(status=204)


def _shown(row: keys.ListedKey) -> Key:
    return Key(id=ids.shown(ids.KEY, row.id), role=cast(RoleName, row.role), label=row.label, created_at=row.created_at)
