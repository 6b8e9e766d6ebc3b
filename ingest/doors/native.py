"""The door for Reparto's own format: `POST /v1/pings`. After a 200 every ping is on disk or named in `rejected`."""

import msgspec
from aiohttp import web

from api.http.auth import device_of
from api.http.media import JSON, MSGPACK, answer, as_utf8, is_json, is_msgpack
from api.http.operation import Operations, Who
from api.http.problem import UnsupportedMediaType
from api.http.read.limited import read_limited
from api.http.shares.rates import RATES
from ingest.decode import native
from ingest.decode.refusals import TooMuch, Unreadable
from ingest.doors.app_keys import DOORS_CONFIG
from ingest.doors.keep import arrival_of, by_clock, keep
from ingest.doors.refusals import problem_of
from sql.account.devices import DeviceRow

operations = Operations("pings")


class RefusedPing(msgspec.Struct, frozen=True):
    """A ping that was refused: its place in what was sent, and the word for why."""

    index: int
    why: str


class Kept(msgspec.Struct, frozen=True):
    """What became of a batch: how many pings are on disk, and which were refused and why."""

    accepted: int
    rejected: list[RefusedPing]


@operations.operation("POST", "/v1/pings", who=Who.DEVICE, body=native.PingBatch | list[native.Ping], answer=Kept)
async def post_pings(request: web.Request) -> web.Response:
    """Send pings.

    A 200 comes after the commit: the phone may delete its copy. Pings in `rejected` (docs/reference/refusals.md) will
    never be taken and must not be sent again. A batch may be sent twice; each fix is stored once.
    """
    device = device_of(request)
    request.app[RATES].admit(device.id)
    packed = is_msgpack(request.content_type)
    if not packed and not is_json(request.content_type):
        raise UnsupportedMediaType(f"{request.content_type} is not read here; send {JSON} or {MSGPACK}.")
    body = await read_limited(request, request.app[DOORS_CONFIG].max_ping_bytes)
    try:
        kept = await keep_batch(
            request.app, device, native.read(body if packed else as_utf8(body), packed=packed), source="pings"
        )
    except (Unreadable, TooMuch) as refusal:
        raise problem_of(refusal) from refusal
    return answer(request, kept)


async def keep_batch(app: web.Application, device: DeviceRow, message: native.PingsBody, *, source: str) -> Kept:
    """Keep a batch and what was unusable of it.

    Raises:
        Unreadable, TooMuch: as `native.decode`.
        Full: as `Inbox.keep`.
    """
    arrival = await by_clock(app, device, arrival_of(app, device), message.sent_ms)
    decoded = native.decode(message, arrival, max_batch=app[DOORS_CONFIG].max_batch)
    await keep(app, device, arrival, decoded, source=source)
    return Kept(len(decoded.pings), [RefusedPing(one.index, one.why) for one in decoded.rejected])
