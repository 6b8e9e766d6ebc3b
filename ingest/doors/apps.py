"""The doors for phone apps that others wrote. They are first in, first out and send a refused message for ever.

So a message of a known device is answered like a good one, whatever is in it; what cannot be used goes into quarantine.
Only an unknown token, too much at once, or a database that is away is said to the phone.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from api.http.app_keys import POOL
from api.http.auth import find_device
from api.http.operation import Operations, Who
from api.http.problem import BadRequest
from api.http.read.limited import read_limited
from api.http.shares.rates import RATES
from api.http.who import is_of_device
from ingest.decode import osmand
from ingest.decode.columns import Arrival, Decoded
from ingest.decode.message import AppMessage
from ingest.doors.alarms import raise_alarm
from ingest.doors.app_keys import DOORS_CONFIG
from ingest.doors.heartbeats import note_heartbeat
from ingest.doors.keep import arrival_of, keep
from sql.account.devices import DeviceRow

operations = Operations("pings")

_HOW = (
    "`{token}` is the device's `ingest_token`."
    " The answer is 200 without a body, also for a message that cannot be used."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A way that messages of an app come in.

    Attributes:
        app: whose devices can be made once this row is here.
        method, path: the request, `/ingest/{token}/path`; the path names the door in the quarantine, too.
        decode: makes pings of a message; what it cannot use it rejects, it raises nothing.
        answer: the body of every 200, as the app wants it.
        media: its type; None: as aiohttp has it.
        does, how: for the API's description.
    """

    app: str
    method: str
    path: str
    decode: Callable[[AppMessage, Arrival], Decoded]
    answer: bytes = b""
    media: str | None = None
    does: str
    how: str = _HOW


DOORS = (
    Door(
        app="traccar",
        method="POST",
        path="osmand",
        decode=osmand.decode,
        does="Send one fix as Traccar Client does: query (8), JSON (9) or form (10).",
    ),
    Door(
        app="osmand",
        method="GET",
        path="osmand",
        decode=osmand.decode,
        does="Send one fix in the query, as the OsmAnd app does.",
    ),
)
"""All of them. An app joins by a row here, its texts in `api/pages/catalog/enrolment` and its set-up in `api.fleet`."""

WELCOME = ("native", *dict.fromkeys(door.app for door in DOORS))
"""Apps whose devices may be let in."""


def _operation(door: Door) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Make the operation of a door."""

    async def post(request: web.Request) -> web.Response:
        device = await _device(request)
        if request.method == "HEAD":  # asks what GET would answer, and does nothing
            return web.Response(content_type=door.media)
        message = AppMessage(
            app=device.app,
            query=request.query,
            query_text=request.query_string,
            body=await _body(request),
            is_json=request.content_type == "application/json",
        )
        arrival = arrival_of(request.app, device)
        decoded = door.decode(message, arrival)
        if decoded.heard is not None and decoded.heard.alarm is not None:
            await raise_alarm(request.app[POOL], device, arrival, decoded.heard)
        await note_heartbeat(request.app[POOL], device, arrival, decoded)
        await keep(request.app, device, arrival, decoded, source=door.path, secret=request.match_info["token"])
        return web.Response(body=door.answer, content_type=door.media)

    post.__name__ = f"{door.method.lower()}_{door.path}"
    post.__doc__ = f"{door.does}\n\n{door.how}"
    media = (door.media,) if door.media else ()
    declare = operations.operation(door.method, f"/ingest/{{token}}/{door.path}", who=Who.ANYONE, media=media)
    return declare(post)


for _door in DOORS:
    _operation(_door)


async def _device(request: web.Request) -> DeviceRow:
    device = await find_device(request.app, request.match_info["token"], can_read=False)
    is_of_device(request, device.id, device.account_id)
    request.app[RATES].admit(device.id)
    return device


async def _body(request: web.Request) -> bytes:
    """Read what can be read of a body; one that does not unpack is an unusable message like others."""
    try:
        return await read_limited(request, request.app[DOORS_CONFIG].max_ping_bytes)
    except BadRequest:
        return b""
