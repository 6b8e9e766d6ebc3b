"""What every door does with a message that was read: pay for it, keep it, count what was refused."""

import time

from aiohttp import web

from api.http.shares.rates import ENTRY_BYTES, QUARANTINE_RATE, RATES
from ingest.decode.columns import Arrival, Decoded
from ingest.doors.app_keys import DOORS_CONFIG, INBOX, OLDEST_PING_DAYS
from ingest.doors.quarantine import count_refused, of_rejected
from sql.account.devices import DeviceRow

_DAY_MS = 86_400_000

BYTES_OF_A_PING = 400
"""A fix of Traccar Client 9, the longest of all dialects, has so many: junk costs as many pings as it had room for."""


def arrival_of(app: web.Application, device: DeviceRow) -> Arrival:
    """Note whose message comes in, now."""
    received_ms = time.time_ns() // 1_000_000
    oldest_ms = received_ms - round(app[OLDEST_PING_DAYS] * _DAY_MS)
    return Arrival(driver_id=device.driver_id, device_id=device.id, received_ms=received_ms, oldest_ms=oldest_ms)


async def keep(
    app: web.Application, device: DeviceRow, arrival: Arrival, decoded: Decoded, *, source: str, secret: str = ""
) -> None:
    """Keep what a message held and what was unusable of it, and count it against the device's rate.

    The caller has let the device in, which paid for one ping.

    Args:
        source: the word for the door.
        secret: the credential the message came with, where it may stand in what was sent.

    Raises:
        Full: as `Inbox.keep`.
        TooManyRequests: the device has sent too much that nobody can use; nothing of this is kept.
    """
    app[RATES].pay(device.id, _cost(decoded) - 1)
    most = app[DOORS_CONFIG].quarantine_body_bytes
    refused = of_rejected(device, arrival, decoded.rejected, source=source, max_bytes=most, secret=secret)
    if refused:
        app[QUARANTINE_RATE].spend(device.id, sum(ENTRY_BYTES + len(one.body) for one in refused))
    await app[INBOX].keep(decoded.pings, device.lane, refused)
    count_refused(decoded.rejected)


def _cost(decoded: Decoded) -> int:
    """Price a message in pings."""
    junk_bytes = sum(len(one.sent) for one in decoded.rejected if isinstance(one.sent, bytes))
    return max(len(decoded.pings) + len(decoded.rejected), junk_bytes // BYTES_OF_A_PING + 1)
