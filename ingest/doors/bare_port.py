"""A port of its own for phones that can be told a host and a port, and no path: who they are stands in what they send.

Nothing else is answered there. It is a second application that shares what the first one holds.
"""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from api.http.app_keys import CONFIG, POOL
from api.http.auth import find_device
from api.http.host import known_host
from api.http.itself.metrics import timing
from api.http.itself.rights import guard
from api.http.known.devices import DEVICES
from api.http.operation import Operations, Who
from api.http.problem import Unauthorized, problems
from api.http.shares.bodies import BODIES
from api.http.shares.rates import QUARANTINE_RATE, RATES
from api.http.who import is_of_device
from ingest.decode.fields import json_in, object_in
from ingest.decode.osmand import form_in
from ingest.doors.app_keys import DOORS_CONFIG, INBOX, OLDEST_PING_DAYS
from ingest.doors.apps import OSMAND, read_message, take

operations = Operations("pings")

_SHARED: tuple[web.AppKey[Any], ...] = (
    *(CONFIG, POOL, DEVICES, BODIES, RATES, QUARANTINE_RATE),
    *(DOORS_CONFIG, INBOX, OLDEST_PING_DAYS),
)

_NAMES = ("id", "deviceid", "device_id")


def create_bare_app(app: web.Application) -> web.Application:
    """Make the application of that port.

    Args:
        app: has the doors, runs already, and goes on until this one has ended.
    """
    bare = web.Application(middlewares=[timing, problems, known_host])
    bare.on_response_prepare.append(_guard)
    for key in _SHARED:
        bare[key] = app[key]
    operations.add_to(bare)
    return bare


async def _guard(_request: web.Request, response: web.StreamResponse) -> None:
    guard("/ingest/", response.headers)


@operations.operation("GET", "/", who=Who.ANYONE)
async def get_bare(request: web.Request) -> web.Response:
    """Send one fix in the query; `id` is the device's ingest token."""
    return await _receive(request)


@operations.operation("POST", "/", who=Who.ANYONE)
async def post_bare(request: web.Request) -> web.Response:
    """Send one fix as query, form or JSON; `id`, in JSON `device_id`, is the device's ingest token."""
    return await _receive(request)


async def _receive(request: web.Request) -> web.Response:
    secret, body = _id_in(request.query), None
    if not secret:  # else whose share its body is of is known before it is read
        body = await read_message(request)
        secret = _id_in(_said_in(request, body or b""))
    if not secret:
        raise Unauthorized("Send the device's ingest token as its `id`.")
    device = await find_device(request.app, secret, can_read=False)
    is_of_device(request, device.id, device.account_id)
    request.app[RATES].admit(device.id)
    if request.method == "HEAD":
        return web.Response()
    if body is None:
        body = await read_message(request)
    return await take(request, OSMAND, device, secret=secret, body=body)


def _said_in(request: web.Request, body: bytes) -> Mapping[str, Any]:
    try:
        return object_in(json_in(body)) if request.content_type == "application/json" else form_in(body)
    except (ValueError, RecursionError):
        return {}


def _id_in(said: Mapping[str, Any]) -> str:
    """Give the text that a phone calls itself by; empty: it says none."""
    return next((one for name in _NAMES if isinstance(one := said.get(name), str)), "")
