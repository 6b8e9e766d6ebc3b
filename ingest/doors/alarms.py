"""An alarm that a phone sent becomes a fact before the phone has its answer, with or without a place."""

import logging

import asyncpg
from prometheus_client import Counter

from api.http.ids import DEVICE, shown
from geo.times import ms_of
from ingest.decode.columns import AHEAD_MS, Arrival
from ingest.decode.heard import SOS, HeardBeside
from sql.account.devices import DeviceRow
from sql.feed.facts import LATE_AFTER_S, put_revisions
from sql.pool import Pool
from sql.track.live import live_of_drivers, tell_live
from work.feed.entries import Alarm, entry_of_alarm

log = logging.getLogger(__name__)

ALARMS = Counter("reparto_alarms_total", "Alarms that phones sent", ["kind"])


async def raise_alarm(pool: Pool, device: DeviceRow, arrival: Arrival, heard: HeardBeside) -> None:
    """Put the alarm of a message into the feed, with its place, else with the driver's last one and how old that was.

    Sent again it is the same fact: messages that say no time, only within one millisecond.
    """
    assert heard.alarm is not None
    said_ms = heard.said_ms
    is_dated = said_ms is not None and arrival.oldest_ms <= said_ms <= arrival.received_ms + AHEAD_MS
    occurred_ms = said_ms if said_ms is not None and is_dated else arrival.received_ms
    last = (await live_of_drivers(pool, device.account_id, [device.driver_id])).get(device.driver_id)
    data: dict[str, object] = {"device_id": shown(DEVICE, device.id)}
    if heard.battery is not None:
        data["battery"] = round(heard.battery, 2)
    if heard.lat is not None and heard.lon is not None:
        data |= {"lat": heard.lat, "lon": heard.lon, "place": "alarm"}
    elif last is not None:
        age_s = max(0.0, (occurred_ms - ms_of(last.recorded_at)) / 1000)
        data |= {"lat": last.lat_e6 / 1e6, "lon": last.lon_e6 / 1e6, "place": "last", "place_age_s": round(age_s, 1)}
    alarm = Alarm(
        account_id=device.account_id,
        lane=device.lane,
        driver_id=device.driver_id,
        device_id=device.id,
        word=heard.alarm,
        occurred_ms=occurred_ms,
        route_id=None if last is None else last.route_id,
        data=data,
    )
    async with pool.acquire() as db:
        try:
            await put_revisions(db, [entry_of_alarm(alarm)], late_after_s=LATE_AFTER_S)
        except asyncpg.UniqueViolationError:
            return  # sent again: the phone did not get our answer
        await tell_live(db, [(device.account_id, device.driver_id, alarm.route_id or 0)])
    kind = SOS if heard.alarm == SOS else "other"
    ALARMS.labels(kind).inc()
    log.warning("driver %d sent an alarm (%s) by device %d", device.driver_id, kind, device.id)
