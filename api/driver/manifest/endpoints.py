"""What a driver's phone asks: what to do, when it is expected where, and why a delivery can fail."""

import re
from datetime import UTC, datetime

import msgspec
from aiohttp import ETag, web
from msgspec import Struct

from api.driver.manifest.changes import changes, whole
from api.driver.manifest.version import Current, bring_up_to_date
from api.driver.manifest.view import PRECISION, Manifest, ManifestPath, ManifestRoute
from api.http import ids
from api.http.app_keys import POOL
from api.http.auth import device_of
from api.http.bodies import refuse
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.problem import FieldError
from api.http.versions import IF_NONE_MATCH, UNCHANGED
from api.routes.eta import RouteEtaView, view_of
from geo.shape.lines import encode_polyline
from sql.account.settings import Reason, read_settings
from sql.delivery.manifest import Look, look_at
from sql.delivery.plans import read_path
from sql.eta.eta import eta_of_route, eta_stops
from sql.pool import Pool

operations = Operations("driver")

SEEN: web.AppKey["Seen"] = web.AppKey("seen_manifests")

_NUMBER = re.compile(r"-?[0-9]{1,18}")
_WORTH_PACKING_BYTES = 1_400
"""What fits into one packet on the network is not made smaller."""

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


class Seen:
    """The looks of this process at manifests whose version is known: an equal look has the same version.

    So a poll that brings nothing new costs one query, and no process believes anything without asking.
    """

    def __init__(self, size: int = 20_000) -> None:
        self._size = size
        self._looks: dict[int, Look] = {}

    def has(self, driver_id: int, look: Look) -> bool:
        """Tell whether the version of this look is that of its content."""
        return self._looks.get(driver_id) == look

    def put(self, driver_id: int, look: Look) -> None:
        """Remember a look whose version is that of its content."""
        if len(self._looks) >= self._size:
            del self._looks[next(iter(self._looks))]
        self._looks[driver_id] = look


class DriverEta(RouteEtaView, frozen=True, kw_only=True):
    """The arrivals of the driver's current route; while they are on none, `route_id` is null and nothing expected."""

    route_id: str | None


class ReasonList(Struct, frozen=True, kw_only=True):
    """Why a delivery can fail, as the account has set it."""

    reasons: list[Reason]


def add_to(app: web.Application) -> None:
    """Serve drivers' phones."""
    app[SEEN] = Seen()
    operations.add_to(app)


@operations.operation(
    "GET",
    "/v1/driver/manifest",
    who=Who.DEVICE,
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
    device, pool, seen = device_of(request), request.app[POOL], request.app[SEEN]
    since, with_path = _since_in(request), _with_path_in(request)
    now = datetime.now(UTC)
    look = await look_at(pool, account_id=device.account_id, driver_id=device.driver_id, now=now)
    current = Current(look=look, pieces=(), parts={})
    if not seen.has(device.driver_id, look) or not (_knows(request, look.version) or since == look.version):
        current = await bring_up_to_date(pool, account_id=device.account_id, driver_id=device.driver_id, now=now)
        seen.put(device.driver_id, current.look)
    if _knows(request, current.version):
        return _tagged(web.Response(status=304, headers={"Vary": "Accept"}), current.version)
    if since is not None and current.look.oldest <= since <= current.version:
        shown = changes(current, since, with_path=with_path)
    else:
        shown, since = whole(current), None
    if with_path:
        shown = msgspec.structs.replace(
            shown, routes=[await _with_path(pool, current, one, since) for one in shown.routes]
        )
    return _tagged(answer(request, shown), current.version)


@operations.operation("GET", "/v1/driver/eta", who=Who.DEVICE, answer=DriverEta)
async def get_driver_eta(request: web.Request) -> web.Response:
    """Read when the van is expected at the stops ahead of it, on the route the driver is on."""
    device, pool, now = device_of(request), request.app[POOL], datetime.now(UTC)
    look = await look_at(pool, account_id=device.account_id, driver_id=device.driver_id, now=now)
    eta = None if look.current is None else await eta_of_route(pool, device.account_id, route_id=look.current.id)
    if look.current is None or eta is None:
        return answer(request, DriverEta(route_id=None, computed_at=None, as_of=None, stale=True, stops=[]))
    view = view_of(eta, await eta_stops(pool, eta.stop_ids), now)
    return answer(request, DriverEta(route_id=ids.shown(ids.ROUTE, look.current.id), **msgspec.structs.asdict(view)))


@operations.operation("GET", "/v1/driver/reasons", who=Who.DEVICE, answer=ReasonList)
async def get_reasons(request: web.Request) -> web.Response:
    """Read the reasons that a driver picks from when a delivery fails."""
    settings = await read_settings(request.app[POOL], device_of(request).account_id)
    return answer(request, ReasonList(reasons=settings.failure_reasons))


async def _with_path(pool: Pool, current: Current, shown: ManifestRoute, since: int | None) -> ManifestRoute:
    """Add the line to drive, where it is another one than in the version `since`."""
    [route] = [one for one in current.look.routes if ids.shown(ids.ROUTE, one.id) == shown.id]
    if since is not None and current.parts["path", route.id].changed_in <= since:
        return shown
    line = await read_path(pool, route_id=route.id, version=route.version)
    polyline = encode_polyline([lon for lon, _ in line], [lat for _, lat in line], PRECISION)
    return msgspec.structs.replace(shown, path=ManifestPath(polyline=polyline, precision=PRECISION))


def _knows(request: web.Request, version: int) -> bool:
    """Tell whether the phone says that it has this version."""
    return _tag(version).value in {tag.value for tag in request.if_none_match or ()}


def _tag(version: int) -> ETag:
    return ETag(value=str(version), is_weak=True)  # the same content has two shapes


def _tagged(response: web.Response, version: int) -> web.Response:
    response.etag = _tag(version)
    response.headers["Cache-Control"] = "private, no-cache"
    if isinstance(response.body, bytes) and len(response.body) > _WORTH_PACKING_BYTES:
        response.enable_compression()
    return response


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
