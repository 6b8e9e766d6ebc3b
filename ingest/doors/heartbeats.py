"""A message without a place says that the phone lives, and how full its battery is; the map does not move."""

from ingest.decode.columns import Arrival, Decoded
from sql.account.devices import DeviceRow
from sql.inbox.heartbeats import keep_heartbeat
from sql.pool import Pool
from sql.track.live import tell_live


async def note_heartbeat(pool: Pool, device: DeviceRow, arrival: Arrival, decoded: Decoded) -> None:
    """Remember that a phone was heard of, unless its message has a ping, which says more."""
    if decoded.heard is None or len(decoded.pings):
        return
    shown = await keep_heartbeat(pool, device.driver_id, received_ms=arrival.received_ms, battery=decoded.heard.battery)
    if shown is not None:
        await tell_live(pool, [shown])
