"""What a tracking link gives a program: asked again and again, or followed. No login: the token is the right.

`api/recipient/view.py` decides what is shown; nothing is decided here.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from aiohttp import ETag, web

from api.http.app_keys import POOL
from api.http.auth import hash_of
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.problem import Gone, NotFound
from api.http.versions import IF_NONE_MATCH, UNCHANGED
from api.recipient.view import Ended, TrackingView, next_stop, stop_of_link, view_of
from api.stream.hub import HUB, Hub
from api.stream.sse import event_stream
from geo.shape.stretch import stretch
from sql.delivery.tracking import TrackedRoute, TrackedStop, find_tracked_route, read_stretch, tracked_route
from sql.pool import Pool

operations = Operations("tracking")

COALESCE_S = 0.25
"""Changes are gathered for so long before pages get them."""

LOOK_AGAIN_S = 15.0
"""Routes that are watched are read again so often, whatever was told: time alone changes what may be seen."""

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, OPTIONS",
    "Access-Control-Allow-Headers": "If-None-Match, Last-Event-ID, Cache-Control",
    "Access-Control-Expose-Headers": "ETag",
    "Access-Control-Max-Age": "86400",
}
"""Shops show the van on pages of their own; the token in the address is all the right there is, so any page may ask."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")

_WORDS = {
    "revoked": "This tracking link was revoked.",
    "cancelled": "The route of this delivery was cancelled.",
    "removed": "This delivery was taken off its route.",
    "over": "This delivery is over, and its tracking with it.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A route and, from its van to its next stop, the way ahead; the same for all who track the route."""

    route: TrackedRoute
    path_ahead: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one link shows, and of which stop and route."""

    route: TrackedRoute
    stop: TrackedStop
    view: TrackingView | Ended


@operations.operation(
    "GET", "/v1/track/{token}", who=Who.ANYONE, answer=TrackingView, also=UNCHANGED, headers=(IF_NONE_MATCH,)
)
async def get_tracking(request: web.Request) -> web.Response:
    """Read where a delivery is, by its tracking link.

    With `ETag`; ask again after `poll_after_s`, or follow `/stream`. 410 when the link has ended.
    """
    view = _open(await seen_by(request.app[POOL], link_in(request))).view
    tag = ETag(value=hashlib.sha256(msgspec.json.encode(view)).hexdigest()[:24], is_weak=True)
    headers = {**CORS, "Cache-Control": "private, no-cache"}
    if tag.value in {one.value for one in request.if_none_match or ()}:
        response = web.Response(status=304, headers={**headers, "Vary": "Accept"})
    else:
        response = answer(request, view, headers=headers)
    response.etag = tag
    return response


@operations.operation("GET", "/v1/track/{token}/stream", who=Who.ANYONE, media=("text/event-stream",))
async def stream_tracking(request: web.Request) -> web.StreamResponse:
    """Follow where a delivery is, as server-sent events.

    `tracking` with what `GET /v1/track/{token}` gives, at once and at every change; `end` when the link has ended.
    """
    link_hash, hub = link_in(request), request.app[HUB]
    route = _open(await seen_by(hub.pool, link_hash)).route
    async with event_stream(request, hub, headers=CORS) as stream, hub.watch(follow_route, route.id) as watch:
        sent = b""
        while not hub.closing:
            look = await watch.next(stream.beat_in_s)
            if look is None:
                await stream.beat()
                continue
            seen = seen_in(look, link_hash)
            view = None if seen is None else seen.view
            if not isinstance(view, TrackingView):
                await stream.send("end", msgspec.json.encode({"why": "revoked" if view is None else view.why}))
                break
            body = msgspec.json.encode(view)
            if body != sent:
                await stream.send("tracking", body)
                sent = body
    return stream.response


@operations.operation("OPTIONS", "/v1/track/{token}", who=Who.ANYONE, status=204)
async def allow_tracking(_request: web.Request) -> web.Response:
    """Tell a browser that any page may ask."""
    return web.Response(status=204, headers=CORS)


@operations.operation("OPTIONS", "/v1/track/{token}/stream", who=Who.ANYONE, status=204)
async def allow_stream(_request: web.Request) -> web.Response:
    """Tell a browser that any page may follow."""
    return web.Response(status=204, headers=CORS)


async def follow_route(hub: Hub, route_id: int) -> AsyncIterator[Look]:
    """Give a route as its recipients' pages need it, again at every change and every `LOOK_AGAIN_S`."""
    with hub.on_route(route_id) as signal:
        while True:
            signal.take()
            yield await look_at(hub.pool, route_id)
            await asyncio.sleep(COALESCE_S)
            await signal.wait(LOOK_AGAIN_S)


async def look_at(pool: Pool, route_id: int) -> Look:
    """Read a route, and the way ahead where somebody may see it."""
    route = await tracked_route(pool, route_id)
    stop, van = next_stop(route), route.van
    if stop is None or van is None or van.along_m is None or van.version != route.version:
        return Look(route=route, path_ahead=())
    view = view_of(route, stop, datetime.now(UTC))
    if isinstance(view, Ended) or view.position is None:
        return Look(route=route, path_ahead=())
    path = await read_stretch(pool, route_id=route_id, version=van.version, from_m=van.along_m, to_m=stop.along_m)
    if path is None:
        return Look(route=route, path_ahead=())
    drawn = stretch(path.lon, path.lat, path.along_m, van.along_m, stop.along_m)
    return Look(route=route, path_ahead=[(round(lon, 6), round(lat, 6)) for lon, lat in drawn.tolist()])


def link_in(request: web.Request) -> bytes:
    """Read the token in a path; give what is kept of it, or for what can be no token something that no stop has."""
    token = request.match_info["token"]
    return hash_of(token) if _TOKEN.fullmatch(token) else b""


async def seen_by(pool: Pool, link_hash: bytes) -> Seen | None:
    """Give what a link shows now; None when there is no such link."""
    route_id = await find_tracked_route(pool, link_hash)
    return None if route_id is None else seen_in(await look_at(pool, route_id), link_hash)


def seen_in(look: Look, link_hash: bytes) -> Seen | None:
    """Give what a link shows of a route; None when it is not, or no longer, of one of its stops."""
    stop = stop_of_link(look.route, link_hash)
    if stop is None:
        return None
    view = view_of(look.route, stop, datetime.now(UTC), path_ahead=look.path_ahead)
    return Seen(route=look.route, stop=stop, view=view)


def _open(seen: Seen | None) -> Seen:
    if seen is None:
        raise _unknown()
    if isinstance(seen.view, Ended):
        raise Gone(_WORDS[seen.view.why], headers=CORS)
    return seen


def _unknown() -> NotFound:
    return NotFound("There is no such tracking link. Please check that the address is complete.", headers=CORS)
