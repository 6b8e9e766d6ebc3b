"""Pings that were in quarantine, put into the inbox like any others."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from aiohttp import web

from api.http.app_keys import POOL
from geo.times import ms_of
from ingest import blocks
from ingest.decode import native
from ingest.decode.columns import Arrival
from ingest.doors.app_keys import DOORS_CONFIG, OLDEST_PING_DAYS
from ingest.doors.native import RefusedPing
from sql.account.devices import DeviceRow
from sql.inbox.inbox import put_blocks
from sql.pool import Pool

_UNKNOWN = -1


async def apply_pings(
    app: web.Application, device: DeviceRow, items: list[Any], received_at: datetime
) -> tuple[int, list[RefusedPing]]:
    """Keep pings as a phone would send them; give how many are on disk, and which were refused.

    Raises:
        Unreadable, TooMuch: as `native.decode`.
    """
    oldest = max(received_at, app[POOL].clock.now()) - timedelta(days=app[OLDEST_PING_DAYS])
    arrival = Arrival(
        driver_id=device.driver_id,
        device_id=device.id,
        received_ms=ms_of(received_at),
        oldest_ms=min(ms_of(oldest), ms_of(received_at)),
    )
    message = native.PingsBody(n=None, typed=False, pings=items, columns=None)
    decoded = native.decode(message, arrival, max_batch=app[DOORS_CONFIG].max_batch)
    await _put(app[POOL], received_at, blocks.split([(device.lane, decoded.pings)]))
    return len(decoded.pings), [RefusedPing(one.index, one.why) for one in decoded.rejected]


async def apply_set_aside(app: web.Application, device: DeviceRow, body: bytes, received_at: datetime) -> int:
    """Put back what a tracker set aside, as it was: a block, or one ping. Give how many pings that is.

    Raises:
        ValueError: it is damaged.
    """
    if body[:1] == b"{":
        ping = msgspec.json.decode(body, type=dict[str, Any])
        applied, refused = await apply_pings(app, device, [_as_sent(ping)], received_at)
        if refused:
            raise ValueError(refused[0].why)
        return applied
    pings = len(blocks.decode(body))
    await _put(app[POOL], received_at, [blocks.PackedBlock(device.lane, pings, body)])
    return pings


async def _put(pool: Pool, received_at: datetime, packed: list[blocks.PackedBlock]) -> None:
    await put_blocks(
        pool,
        received_at=received_at,
        lanes=[block.lane for block in packed],
        pings=[block.pings for block in packed],
        bodies=[block.body for block in packed],
    )


def _as_sent(ping: dict[str, Any]) -> dict[str, Any]:
    """Write a row of dtype `PING` as a phone would send it."""
    sent = {"time": ping["recorded_ms"], "lat": ping["lat_e6"] / 1e6, "lon": ping["lon_e6"] / 1e6}
    for name in ("accuracy_m", "altitude_m", "speed_mps", "heading_deg", "battery"):
        sent[name] = ping.get(name)
    for name in ("charging", "mock"):
        sent[name] = None if ping.get(name) in (None, _UNKNOWN) else bool(ping[name])
    return sent
