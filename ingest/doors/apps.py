"""The doors for phone apps that others wrote. They are first in, first out and send a refused message for ever.

So a message of a known device is answered like a good one, whatever is in it; what cannot be used goes into quarantine.
Only an unknown token, too much at once, or a database that is away is said to the phone.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from aiohttp import web

from api.http.app_keys import POOL
from api.http.auth import device_of, find_device, ingest_token_of
from api.http.operation import Operations, Who
from api.http.problem import BadRequest
from api.http.read.limited import read_limited
from api.http.shares.rates import RATES
from api.http.who import is_of_device
from ingest.decode import bggeo, gprmc, gpslogger, osmand, overland, owntracks
from ingest.decode.columns import Arrival, Decoded
from ingest.decode.fields import refused
from ingest.decode.message import AppMessage
from ingest.decode.refusals import Refusal, TooMuch
from ingest.doors.alarms import raise_alarm
from ingest.doors.app_keys import DOORS_CONFIG
from ingest.doors.heartbeats import note_heartbeat
from ingest.doors.keep import arrival_of, keep
from ingest.doors.refusals import problem_of
from sql.account.devices import DeviceRow

operations = Operations("pings")

_EMPTY = "The answer is 200 without a body, also for a message that cannot be used."
_LIST = "The answer is `[]`, also for a message that cannot be used."


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A way that messages of an app come in.

    Attributes:
        app: whose it is.
        method: of the request.
        name: the word for the door in the quarantine, and the end of its path, `/ingest/{token}/name`.
        by_header: another path, for phones whose ingest token stands in a header; None: it stands in the path.
        decode: makes pings of a message; what it cannot use it rejects, it raises nothing but TooMuch.
        answer: the body of every 200, as the app wants it.
        media: its type; None: as aiohttp has it.
        does, how: for the API's description.
    """

    app: str
    method: str
    name: str
    by_header: str | None = None
    decode: Callable[[AppMessage, Arrival], Decoded]
    answer: bytes = b""
    media: str | None = None
    does: str
    how: str = _EMPTY

    @property
    def path(self) -> str:
        """The path of its operation."""
        return self.by_header or f"/ingest/{{token}}/{self.name}"


_OWNTRACKS = Door(
    app="owntracks",
    method="POST",
    name="owntracks",
    decode=owntracks.decode,
    answer=b"[]",
    media="application/json",
    does="Send one message as OwnTracks does in its mode HTTP.",
    how=_LIST,
)

_OVERLAND = Door(
    app="overland",
    method="POST",
    name="overland",
    decode=overland.decode,
    answer=b'{"result":"ok"}',
    media="application/json",
    does="Send a batch as Overland does.",
    how='The answer is `{"result":"ok"}`, also for features that cannot be used.',
)

OSMAND = Door(
    app="traccar",
    method="POST",
    name="osmand",
    decode=osmand.decode,
    does="Send one fix as Traccar Client does: query (8), JSON (9) or form (10).",
)

DOORS = (
    OSMAND,
    Door(
        app="osmand",
        method="GET",
        name="osmand",
        decode=osmand.decode,
        does="Send one fix in the query, as the OsmAnd app does.",
    ),
    _OWNTRACKS,
    replace(_OWNTRACKS, by_header="/pub"),
    _OVERLAND,
    replace(_OVERLAND, by_header="/ingest/overland"),
    *(
        Door(
            app="gpslogger",
            method=method,
            name="gpslogger",
            decode=gpslogger.decode,
            does="Send one fix as GPSLogger does to a custom URL, in the query or the body.",
        )
        for method in ("GET", "POST", "PUT")
    ),
    *(
        Door(
            app="gpslogger",
            method=method,
            name="gprmc",
            decode=gprmc.decode,
            does="Send one fix as a sentence of NMEA 0183, `gprmc=$GPRMC,…`, as to an OpenGTS server.",
        )
        for method in ("GET", "POST")
    ),
    *(
        Door(
            app="bggeo",
            method=method,
            name="bggeo",
            decode=bggeo.decode,
            does="Send locations as apps do that are built on background-geolocation: one, or a batch.",
        )
        for method in ("POST", "PUT")
    ),
)
"""All of them. An app joins by a row here, its texts in `api/pages/catalog/enrolment` and its set-up in `api.fleet`."""


def _operation(door: Door) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Make the operation of a door."""

    async def receive(request: web.Request) -> web.Response:
        device, secret = await _sender(request, door)
        if request.method == "HEAD":  # asks what GET would answer, and does nothing
            return web.Response(content_type=door.media)
        return await take(request, door, device, secret=secret, body=await read_message(request))

    receive.__name__ = f"{door.method.lower()}_{door.name}{'_by_header' if door.by_header else ''}"
    receive.__doc__ = f"{door.does}\n\n{door.how}"
    media = (door.media,) if door.media else ()
    who = Who.PHONE if door.by_header else Who.ANYONE
    return operations.operation(door.method, door.path, who=who, media=media)(receive)


for _door in DOORS:
    _operation(_door)


async def _sender(request: web.Request, door: Door) -> tuple[DeviceRow, str]:
    """Find out whose message it is, and by which secret; it costs one of the device's pings.

    Raises:
        Unauthorized: of no device that works.
        TooManyRequests: the device sends too much.
    """
    if door.by_header:
        device, secret = device_of(request), ingest_token_of(request.headers)
    else:
        secret = request.match_info["token"]
        device = await find_device(request.app, secret, can_read=False)
        is_of_device(request, device.id, device.account_id)
    request.app[RATES].admit(device.id)
    return device, secret


async def take(request: web.Request, door: Door, device: DeviceRow, *, secret: str, body: bytes | None) -> web.Response:
    """Keep what a message of a device holds, and answer as its app wants it.

    Args:
        secret: the credential, which shows in no quarantine.
        body: None: it does not unpack, and is an unusable message like others.

    Raises:
        TooLarge: it holds too many pings.
        TooManyRequests, Full: as `keep`.
    """
    message = AppMessage(
        app=device.app,
        query=request.query,
        query_text=request.query_string,
        body=body or b"",
        is_json=request.content_type == "application/json",
        max_batch=request.app[DOORS_CONFIG].max_batch,
    )
    try:
        await keep_message(
            request.app,
            device,
            message,
            decode=_unread if body is None else door.decode,
            source=door.name,
            secret=secret,
        )
    except TooMuch as refusal:
        raise problem_of(refusal) from refusal
    return web.Response(body=door.answer, content_type=door.media)


def _unread(message: AppMessage, _: Arrival) -> Decoded:
    return refused(Refusal.BODY_UNREADABLE, message)


async def keep_message(
    app: web.Application,
    device: DeviceRow,
    message: AppMessage,
    *,
    decode: Callable[[AppMessage, Arrival], Decoded],
    source: str,
    secret: str,
) -> None:
    """Keep what a message of an app holds: pings, an alarm, a sign of life, and what cannot be used.

    Args:
        source: the word for the door.
        secret: the credential, which shows in no quarantine.

    Raises:
        TooMuch: it holds too many pings.
        TooManyRequests, Full: as `keep`.
    """
    arrival = arrival_of(app, device)
    decoded = decode(message, arrival)
    if decoded.heard is not None and decoded.heard.alarm is not None:
        await raise_alarm(app[POOL], device, arrival, decoded.heard)
    await note_heartbeat(app[POOL], device, arrival, decoded)
    await keep(app, device, arrival, decoded, source=source, secret=secret)


async def read_message(request: web.Request) -> bytes | None:
    """Read a body; None: it does not unpack, or breaks off."""
    try:
        return await read_limited(request, request.app[DOORS_CONFIG].max_ping_bytes)
    except BadRequest:
        return None
