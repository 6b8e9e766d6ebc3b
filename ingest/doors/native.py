"""The door for Reparto's own format: `POST /v1/pings`. After a 200 every ping is on disk or named in `rejected`."""

import time

import msgspec
from aiohttp import web

from api.http.auth import device_of
from api.http.media import JSON, MSGPACK, answer, is_msgpack
from api.http.operation import Operations, Who
from api.http.problem import UnsupportedMediaType
from ingest.config import IngestConfig
from ingest.decode import native
from ingest.decode.columns import Arrival
from ingest.decode.refusals import Rejected
from ingest.doors.bodies import BODIES
from ingest.doors.quarantine import count_refused, of_rejected
from ingest.doors.rates import RATES
from ingest.inbox import INBOX
from sql.account.devices import DeviceRow

INGEST_CONFIG: web.AppKey[IngestConfig] = web.AppKey("ingest_config")

operations = Operations("pings")

_DAY_MS = 86_400_000
_UNSAID = (JSON, "application/octet-stream", "text/plain")  # clients that say nothing, or anything, mean JSON


class Kept(msgspec.Struct, frozen=True):
    """What became of a batch: how many pings are on disk, and which were refused and why."""

    accepted: int
    rejected: list[Rejected]


@operations.operation("POST", "/v1/pings", who=Who.DEVICE, body=native.Batch | list[native.Ping], answer=Kept)
async def post_pings(request: web.Request) -> web.Response:
    """Send pings.

    A 200 comes after the commit: the phone may delete its copy. Pings in `rejected` (docs/reference/refusals.md) will
    never be taken and must not be sent again. A batch may be sent twice; each fix is stored once.
    """
    device = device_of(request)
    request.app[RATES].admit(device.id)
    packed = is_msgpack(request.content_type)
    if not packed and request.content_type not in _UNSAID:
        raise UnsupportedMediaType(f"{request.content_type} is not read here; send {JSON} or {MSGPACK}.")
    body = await request.app[BODIES].read(request)
    kept = await keep(request.app, device, native.read(body, packed=packed), source="pings")
    return answer(request, kept)


async def keep(app: web.Application, device: DeviceRow, message: native.Message, *, source: str) -> Kept:
    """Keep a batch and what was unusable of it, and count it against the device's rate.

    Raises:
        Invalid, TooLarge: as `native.decode`.
        Unavailable: as `Inbox.keep`.
    """
    config, arrival = app[INGEST_CONFIG], arrival_of(app, device)
    decoded = native.decode(message, arrival, max_batch=config.max_batch)
    app[RATES].pay(device.id, len(decoded.pings) + len(decoded.rejected) - 1)
    refused = of_rejected(
        device, arrival, message, decoded.rejected, source=source, max_bytes=config.quarantine_body_bytes
    )
    await app[INBOX].keep(decoded.pings, device.lane, refused)
    count_refused(decoded.rejected)
    return Kept(len(decoded.pings), decoded.rejected)


def arrival_of(app: web.Application, device: DeviceRow) -> Arrival:
    """Note whose message comes in, now."""
    received_ms = time.time_ns() // 1_000_000
    oldest_ms = received_ms - round(app[INGEST_CONFIG].oldest_ping_days * _DAY_MS)
    return Arrival(driver_id=device.driver_id, device_id=device.id, received_ms=received_ms, oldest_ms=oldest_ms)
