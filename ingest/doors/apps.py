"""The doors for phone apps that others wrote. They are first in, first out and send a refused message for ever.

So a message of a known device is answered like a good one, whatever is in it; what cannot be used goes into quarantine.
Only an unknown token, too much at once, or a database that is away is said to the phone.
"""

from aiohttp import web

from api.http.auth import DEVICES
from api.http.operation import Operations, Who
from api.http.problem import BadRequest
from ingest.decode import osmand
from ingest.decode.message import AppMessage
from ingest.doors.bodies import BODIES
from ingest.doors.keep import arrival_of, keep
from ingest.doors.rates import RATES
from sql.account.devices import DeviceRow

operations = Operations("pings")


@operations.operation("GET", "/ingest/{token}/osmand", who=Who.ANYONE)
async def get_osmand(request: web.Request) -> web.Response:
    """Send one fix in the query, as the OsmAnd app does.

    `{token}` is the device's `ingest_token`. The answer is 200 without a body, also for a message that cannot be used.
    """
    return await _osmand(request)


@operations.operation("POST", "/ingest/{token}/osmand", who=Who.ANYONE)
async def post_osmand(request: web.Request) -> web.Response:
    """Send one fix as Traccar Client does: query (8), JSON (9) or form (10).

    `{token}` is the device's `ingest_token`. The answer is 200 without a body, also for a message that cannot be used.
    """
    return await _osmand(request)


async def _osmand(request: web.Request) -> web.Response:
    device = await _device(request)
    body = await _body(request)
    arrival = arrival_of(request.app, device)
    message = AppMessage(
        app=device.app,
        query=request.query,
        query_text=request.query_string,
        body=body,
        is_json=request.content_type == "application/json",
    )
    decoded = osmand.decode(message, arrival)
    await keep(request.app, device, arrival, decoded, source="osmand", secret=request.match_info["token"])
    return web.Response()


async def _device(request: web.Request) -> DeviceRow:
    device = await request.app[DEVICES].by_ingest_token(request.match_info["token"])
    request.app[RATES].admit(device.id)
    return device


async def _body(request: web.Request) -> bytes:
    """Read what can be read of a body; one that does not unpack is an unusable message like others."""
    try:
        return await request.app[BODIES].read(request)
    except BadRequest:
        return b""
