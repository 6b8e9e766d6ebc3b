"""What every door does with a message that was read: pay for it, keep it, count what was refused."""

from dataclasses import replace

import numpy as np
from aiohttp import web

from api.http.app_keys import POOL
from api.http.shares.rates import ENTRY_BYTES, QUARANTINE_RATE, RATES
from geo.trust.clock import shown_ahead_ms
from ingest.decode.columns import Arrival, Decoded, corrected
from ingest.doors.app_keys import DOORS_CONFIG, INBOX, OLDEST_PING_DAYS
from ingest.doors.quarantine import count_refused, of_rejected
from sql.account.devices import DeviceRow, clock_ahead_ms

_DAY_MS = 86_400_000
_NONE = np.zeros(0, np.int64)

BYTES_OF_A_PING = 400
"""A fix of Traccar Client 9, the longest of all dialects, has so many: junk costs as many pings as it had room for."""


def arrival_of(app: web.Application, device: DeviceRow) -> Arrival:
    """Note whose message comes in, now."""
    clock = app[POOL].clock
    received_ms, doubt_ms = clock.now_ms(), clock.doubt_ms
    return Arrival(
        driver_id=device.driver_id,
        device_id=device.id,
        received_ms=received_ms,
        oldest_ms=received_ms - doubt_ms - round(app[OLDEST_PING_DAYS] * _DAY_MS),
        doubt_ms=doubt_ms,
    )


def said_off_ms(arrival: Arrival, sent_ms: int | None) -> int:
    """Tell how far a phone's clock is ahead that says when it sends; 0: it is right, or does not say."""
    if sent_ms is None:
        return 0
    return shown_ahead_ms(_NONE, arrival.received_ms, sent_ms=sent_ms, doubt_ms=arrival.doubt_ms)


async def by_clock(app: web.Application, device: DeviceRow, arrival: Arrival, sent_ms: int | None) -> Arrival:
    """Correct what a phone is about to say that says when it sends, where that is another time than ours."""
    if sent_ms is None:
        return arrival
    if not (shown_ms := said_off_ms(arrival, sent_ms)):
        return replace(arrival, ahead_ms=0)
    ahead_ms = await clock_ahead_ms(app[POOL], device.id, shown_ms, arrival.received_ms, is_said=True)
    return replace(arrival, ahead_ms=ahead_ms)


def seen_off_ms(arrival: Arrival, decoded: Decoded) -> int:
    """Tell how far the clock of a phone that does not say when it sends is ahead, as its newest ping shows."""
    if arrival.ahead_ms is not None:
        return 0
    recorded_ms = decoded.pings.rows["recorded_ms"]
    return shown_ahead_ms(recorded_ms, arrival.received_ms, in_one_run=True, doubt_ms=arrival.doubt_ms)


async def _correct(app: web.Application, device: DeviceRow, arrival: Arrival, decoded: Decoded) -> None:
    """Correct what a phone said whose clock is ahead, as its newest ping shows; writes into the pings."""
    if shown_ms := seen_off_ms(arrival, decoded):
        now_ms = arrival.received_ms
        ahead_ms = await clock_ahead_ms(app[POOL], device.id, shown_ms, now_ms, is_said=False)
        corrected(decoded.pings.rows, ahead_ms, now_ms + arrival.doubt_ms)


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
    await _correct(app, device, arrival, decoded)
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
