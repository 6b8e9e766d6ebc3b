"""A recipient's browser that wants to be told by its push service, without a number or an address."""

from aiohttp import web

from api.http.app_keys import POOL, SEALER, now_of
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.read.bodies import read_body
from api.http.read.browsers import BrowserSubscription, PushOffer, push_key_of, sealed_browser
from api.portal.change import NotOffered, counted, linked_stop
from sql.messages.push import drop_subscriptions, hash_of_endpoint, put_subscription

operations = Operations("tracking")


@operations.operation("GET", "/v1/track/{token}/push", who=Who.ANYONE, answer=PushOffer)
async def get_push(request: web.Request) -> web.Response:
    """Read the key that a browser needs to be told of this delivery."""
    stop = await linked_stop(request, now_of(request))
    return answer(request, PushOffer(key=await push_key_of(request.app[POOL], stop.account_id, request.app[SEALER])))


@operations.operation(
    "POST", "/v1/track/{token}/push", who=Who.ANYONE, body=BrowserSubscription, answer=None, status=204
)
async def post_push(request: web.Request) -> web.Response:
    """Have this browser told. Asked again it is told once; of more than five the oldest are told no more."""
    await counted(request)
    body = await read_body(request, BrowserSubscription)
    now = now_of(request)
    stop = await linked_stop(request, now)
    if await push_key_of(request.app[POOL], stop.account_id, request.app[SEALER]) is None:
        raise NotOffered("Whoever sent you this link sends nothing to browsers.")
    sealed = sealed_browser(request, body)
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
