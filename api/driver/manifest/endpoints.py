"""What a driver's phone asks: what to do, when it is expected where, and why a delivery can fail."""

import re

import msgspec
from aiohttp import web
from msgspec import Struct

from api.driver.manifest.held import HeldManifests, Shape
from api.driver.manifest.view import Manifest
from api.http import ids
from api.http.app_keys import POOL
from api.http.auth import device_of
from api.http.media import JSON, MSGPACK, answer, wants_msgpack
from api.http.operation import Operations, Parameter, Who
from api.http.problem import FieldError
from api.http.read.bodies import refuse
from api.http.versions import IF_NONE_MATCH, UNCHANGED
from api.routes.eta import RouteEtaView, view_of
from api.stream.hub import HUB
from sql.account.settings import Reason, read_settings
from sql.delivery.manifest import look_at
from sql.eta.eta import eta_of_route, eta_stops

operations = Operations("driver")

_NUMBER = re.compile(r"-?[0-9]{1,18}")

_PATH = Parameter(
    name="path",
    description="`none` leaves out the lines to drive.",
    schema={"type": "string", "enum": ["polyline", "none"], "default": "polyline"},
)
_SINCE = Parameter(
    name="since",
    description="The `version` the phone has: only what changed since is told; everything when that is too long ago.",
    schema={"type": "integer"},
)


class DriverEta(RouteEtaView, frozen=True, kw_only=True):
    """The arrivals of the driver's current route; while they are on none, `route_id` is null and nothing expected."""

    route_id: str | None


class ReasonList(Struct, frozen=True, kw_only=True):
    """Why a delivery can fail, as the account has set it."""

    reasons: list[Reason]


@operations.operation(
    "GET",
    "/v1/driver/manifest",
    who=Who.DRIVER,
    answer=Manifest,
    query=(_SINCE, _PATH),
    also=UNCHANGED,
    headers=(IF_NONE_MATCH,),
)
async def get_manifest(request: web.Request) -> web.Response:
    """Read what the driver has to do.

    The route they are on and the one that follows, today or another day. Ask with `If-None-Match` and get 304 while
    nothing has changed; ask with `?since=` and get only what changed. ETAs are no part of it.
    """
    device, held = device_of(request), request.app[HUB].part(HeldManifests)
    since, with_path = _since_in(request), _with_path_in(request)
    look = await held.look(device.account_id, device.driver_id, request.app[POOL].clock.now())
    if _knows(request, look.version):
        await held.note_told(device.driver_id, look)
        return web.Response(status=304, headers=_headers(look.version))
    since = since if since is not None and look.oldest <= since <= look.version else None
    shape = Shape(since=since, with_path=with_path, msgpack=wants_msgpack(request), gzip=_takes_gzip(request))
    body = await held.body(device.account_id, device.driver_id, look, shape)
    await held.note_told(device.driver_id, look)
    headers = _headers(body.version)
    if body.is_packed:
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=body.data, content_type=MSGPACK if shape.msgpack else JSON, headers=headers)


@operations.operation("GET", "/v1/driver/eta", who=Who.DRIVER, answer=DriverEta)
async def get_driver_eta(request: web.Request) -> web.Response:
    """Read when the van is expected at the stops ahead of it, on the route the driver is on."""
    device, pool = device_of(request), request.app[POOL]
    now = pool.clock.now()
    look = await look_at(pool, account_id=device.account_id, driver_id=device.driver_id, now=now)
    eta = None if look.current is None else await eta_of_route(pool, device.account_id, route_id=look.current.id)
    if look.current is None or eta is None:
        return answer(request, DriverEta(route_id=None, computed_at=None, as_of=None, stale=True, stops=[]))
    view = view_of(eta, await eta_stops(pool, (*eta.stop_ids, *eta.behind_ids)), now)
    return answer(request, DriverEta(route_id=ids.shown(ids.ROUTE, look.current.id), **msgspec.structs.asdict(view)))


@operations.operation("GET", "/v1/driver/reasons", who=Who.DRIVER, answer=ReasonList)
async def get_reasons(request: web.Request) -> web.Response:
    """Read the reasons that a driver picks from when a delivery fails."""
    settings = await read_settings(request.app[POOL], device_of(request).account_id)
    return answer(request, ReasonList(reasons=settings.failure_reasons))


def _knows(request: web.Request, version: int) -> bool:
    """Tell whether the phone says that it has this version."""
    return str(version) in {tag.value for tag in request.if_none_match or ()}


def _headers(version: int) -> dict[str, str]:
    """Tell the version; the tag is weak, because the same content has several shapes."""
    return {"ETag": f'W/"{version}"', "Cache-Control": "private, no-cache", "Vary": "Accept, Accept-Encoding"}


def _takes_gzip(request: web.Request) -> bool:
    return "gzip" in request.headers.get("Accept-Encoding", "").lower()


def _since_in(request: web.Request) -> int | None:
    text = request.query.get("since", "")
    if text and not _NUMBER.fullmatch(text):
        refuse([FieldError(at="since", why="must be the `version` of an earlier answer")])
    return int(text) if text else None


def _with_path_in(request: web.Request) -> bool:
    text = request.query.get("path", "polyline")
    if text not in ("polyline", "none"):
        refuse([FieldError(at="path", why="must be polyline or none")])
    return text == "polyline"
