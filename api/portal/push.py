"""A recipient's browser that wants to be told by its push service, without a number or an address."""

from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct, to_builtins

from api.http.app_keys import GUARD, POOL, SEALER, now_of
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.problem import FieldError
from api.http.read.bodies import read_body, refuse
from api.portal.change import NotOffered, counted, linked_stop
from sql.messages.push import drop_subscriptions, hash_of_endpoint, put_subscription
from sql.messages.setup import channels_of
from work.messages.channels.push import NoBrowser, check_keys, public_key_of

operations = Operations("tracking")

Key = Annotated[str, Meta(min_length=1, max_length=200)]


class BrowserKeys(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What seals a message for this browser: base64url."""

    p256dh: Key
    auth: Key


class BrowserSubscription(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `PushManager.subscribe` gives, as JSON."""

    endpoint: Annotated[str, Meta(min_length=1, max_length=2_000)]
    keys: BrowserKeys
    expirationTime: float | None = None  # noqa: N815 (the browser's word)


class PushOffer(Struct, frozen=True, kw_only=True):
    """By which key the browser asks its push service: base64url; null where the sender tells no browsers."""

    key: str | None


@operations.operation("GET", "/v1/track/{token}/push", who=Who.ANYONE, answer=PushOffer)
async def get_push(request: web.Request) -> web.Response:
    """Read the key that a browser needs to be told of this delivery."""
    stop = await linked_stop(request, now_of(request))
    return answer(request, PushOffer(key=await _offered(request, stop.account_id)))


@operations.operation(
    "POST", "/v1/track/{token}/push", who=Who.ANYONE, body=BrowserSubscription, answer=None, status=204
)
async def post_push(request: web.Request) -> web.Response:
    """Have this browser told. Asked again it is told once; of more than five the oldest are told no more."""
    await counted(request)
    body = await read_body(request, BrowserSubscription)
    now = now_of(request)
    stop = await linked_stop(request, now)
    if await _offered(request, stop.account_id) is None:
        raise NotOffered("Whoever sent you this link sends nothing to browsers.")
    if why := request.app[GUARD].why_not(body.endpoint):
        refuse([FieldError(at="/endpoint", why=why)])
    try:
        check_keys(body.keys.p256dh, body.keys.auth)
    except NoBrowser:
        refuse([FieldError(at="/keys", why="must be the keys of a browser's subscription, as base64url")])
    sealed = request.app[SEALER].seal({"endpoint": body.endpoint, **to_builtins(body.keys)})
    async with request.app[POOL].acquire() as db, db.transaction():
        await put_subscription(
            db,
            stop_id=stop.id,
            account_id=stop.account_id,
            endpoint_hash=hash_of_endpoint(body.endpoint),
            sealed=sealed,
            now=now,
        )
    return web.Response(status=204)


@operations.operation(
    "DELETE",
    "/v1/track/{token}/push",
    who=Who.ANYONE,
    query=(Parameter(name="endpoint", description="Of the browser; without, no browser is told any more."),),
    answer=None,
    status=204,
)
async def delete_push(request: web.Request) -> web.Response:
    """Have a browser told no more."""
    await counted(request)
    stop = await linked_stop(request, now_of(request))
    endpoint = request.query.get("endpoint")
    await drop_subscriptions(request.app[POOL], stop.id, hash_of_endpoint(endpoint) if endpoint else None)
    return web.Response(status=204)


async def _offered(request: web.Request, account_id: int) -> str | None:
    """Give the account's public key; None: it sends nothing to browsers."""
    row = (await channels_of(request.app[POOL], account_id)).get("push")
    if row is None or not row.enabled:
        return None
    return public_key_of(str(request.app[SEALER].open(row.secrets).get("key", "")))
