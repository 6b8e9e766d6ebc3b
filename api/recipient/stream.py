"""What a tracking link gives a program: asked again and again, or followed. No login: the token is the right.

`api/recipient/view.py` decides what is shown; nothing is decided here.
"""

import re

import msgspec
from aiohttp import web

from api.http.app_keys import now_of
from api.http.auth import hash_of
from api.http.media import JSON, answer, wants_msgpack
from api.http.operation import Operations, Who
from api.http.problem import Gone, NotFound
from api.http.versions import IF_NONE_MATCH, UNCHANGED
from api.http.who import is_of
from api.recipient.booked import booked_by, booked_view, led_on
from api.recipient.held import HeldRoutes
from api.recipient.looks import Seen
from api.recipient.view import Ended, TrackingView
from api.stream.hub import HUB
from api.stream.sse import event_stream

operations = Operations("tracking")

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, OPTIONS",
    "Access-Control-Allow-Headers": "If-None-Match, Last-Event-ID, Cache-Control",
    "Access-Control-Expose-Headers": "ETag",
    "Access-Control-Max-Age": "86400",
}
"""Shops show the van on pages of their own; the token in the address is all the right there is, so any page may ask."""

_HEADERS = {"Vary": "Accept", "Cache-Control": "private, no-cache", **CORS}

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")

_WORDS = {
    "revoked": "This tracking link was revoked.",
    "cancelled": "The route of this delivery was cancelled.",
    "removed": "This delivery was taken off its route.",
    "over": "This delivery is over, and its tracking with it.",
}


@operations.operation(
    "GET",
    "/v1/track/{token}",
    who=Who.ANYONE,
    answer=TrackingView,
    also={**UNCHANGED, 307: "The order is on a route: its stop is followed there."},
    headers=(IF_NONE_MATCH,),
)
async def get_tracking(request: web.Request) -> web.Response:
    """Read where a delivery is, by its tracking link.

    With `ETag`; ask again after `poll_after_s`, or follow `/stream`. 410 when the link has ended. The link of an order
    says `booked` until it is on a route, and from then on leads (307) to the link of its stop.
    """
    link_hash, held, now = link_in(request), request.app[HUB].part(HeldRoutes), now_of(request)
    shown = await held.shown(link_hash, now)
    if shown is None:
        return await _booked(request)
    if shown.ended is not None:
        raise _gone(shown.ended)
    headers = _HEADERS | {"ETag": f'W/"{shown.tag}"'}
    if shown.tag in request.headers.get("If-None-Match", "") and _knows(request, shown.tag):
        return web.Response(status=304, headers=headers)
    if wants_msgpack(request):
        seen = await held.seen(link_hash)
        return answer(request, _open(seen).view, headers=headers)
    return web.Response(body=shown.body, content_type=JSON, headers=headers)


@operations.operation("GET", "/v1/track/{token}/stream", who=Who.ANYONE, media=("text/event-stream",))
async def stream_tracking(request: web.Request) -> web.StreamResponse:
    """Follow where a delivery is, as server-sent events.

    `tracking` with what `GET /v1/track/{token}` gives, at once and at every change; `end` when the link has ended.
    """
    link_hash, hub = link_in(request), request.app[HUB]
    held = hub.part(HeldRoutes)
    route = _open(await held.seen(link_hash)).route
    is_of(request, ("link", link_hash))  # only now: nobody has shares by making tokens up
    async with event_stream(request, hub, headers=CORS) as stream, hub.watch(held.follow, route.id) as watch:
        sent = b""
        while not hub.closing:
            look = await watch.next(stream.beat_in_s)
            if look is None:
                await stream.beat()
                continue
            shown = held.shown_in(look, link_hash, now_of(request))
            ended = None if shown is None else shown.ended
            if shown is None or ended is not None:
                await stream.send("end", msgspec.json.encode({"why": "revoked" if ended is None else ended.why}))
                break
            if shown.body != sent:
                await stream.send("tracking", shown.body)
                sent = shown.body
    return stream.response


@operations.operation("OPTIONS", "/v1/track/{token}", who=Who.ANYONE, status=204)
async def allow_tracking(_request: web.Request) -> web.Response:
    """Tell a browser that any page may ask."""
    return web.Response(status=204, headers=CORS)


@operations.operation("OPTIONS", "/v1/track/{token}/stream", who=Who.ANYONE, status=204)
async def allow_stream(_request: web.Request) -> web.Response:
    """Tell a browser that any page may follow."""
    return web.Response(status=204, headers=CORS)


async def _booked(request: web.Request) -> web.Response:
    booked = await booked_by(request)
    if booked is None:
        raise _unknown()
    if booked.ended is not None:
        raise Gone(_WORDS["revoked"] if booked.ended == "revoked" else "This order was cancelled.", headers=CORS)
    if booked.stop_token is not None:
        response = led_on(booked, request)
        response.headers.update(CORS)
        return response
    return answer(request, booked_view(booked), headers=_HEADERS)


def link_in(request: web.Request) -> bytes:
    """Read the token in a path; give what is kept of it, or for what can be no token something that no stop has."""
    token = request.match_info["token"]
    return hash_of(token) if _TOKEN.fullmatch(token) else b""


def _knows(request: web.Request, tag: str) -> bool:
    return tag in {one.value for one in request.if_none_match or ()}


def _open(seen: Seen | None) -> Seen:
    if seen is None:
        raise _unknown()
    if isinstance(seen.view, Ended):
        raise _gone(seen.view)
    return seen


def _gone(ended: Ended) -> Gone:
    return Gone(_WORDS[ended.why], headers=CORS)


def _unknown() -> NotFound:
    return NotFound("There is no such tracking link. Please check that the address is complete.", headers=CORS)
