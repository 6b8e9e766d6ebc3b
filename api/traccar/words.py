"""How a thing of ours is said in Traccar's words and units: knots, percent, numbers for ids, times with `+00:00`."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any
from uuid import UUID

import asyncpg

from api.fleet.position_view import STANDING_BELOW_MPS
from api.traccar.shapes import TraccarDevice, TraccarEvent, TraccarPosition
from sql.account.drivers import DriverRow
from sql.feed.events import FeedEntry
from sql.track.live import ALARM_SHOWN, LivePosition
from work.feed.types import ALARMED, ALARMS, CALLED_FOR_HELP

KNOTS_A_MPS = 3_600 / 1_852
"""A nautical mile is 1 852 m."""

ONLINE_FOR = timedelta(minutes=10)
"""Who was not heard for longer is neither online nor offline: so long by Traccar's own setting, `status.timeout`."""

EVENT_TYPES = {
    "driver.seen": "deviceOnline",
    "driver.silent": "deviceOffline",
    "geofence.entered": "geofenceEnter",
    "geofence.exited": "geofenceExit",
    CALLED_FOR_HELP: "alarm",
    ALARMED: "alarm",
}
"""Entries of the feed that Traccar has a type for. Others are told in the feed alone: clients know no other types."""

_ID_BITS = 53
"""An id is exact in JavaScript."""


def status_of(position: LivePosition | None, now: datetime) -> str:
    """Say how a driver is: offline is who is silent on a route; nobody knows of who was not heard for ten minutes."""
    if position is None:
        return "unknown"
    if position.silent:
        return "offline"
    return "online" if now - position.heard_at <= ONLINE_FOR else "unknown"


def device_of(driver: DriverRow, position: LivePosition | None, status: str) -> TraccarDevice:
    """Say a driver as a device; None: they were never seen."""
    return TraccarDevice(
        id=driver.id,
        name=driver.name,
        unique_id=driver.external_id,
        status=status,
        last_update=None if position is None else time_text(position.heard_at),
        position_id=0 if position is None else live_id(position),
        phone=driver.phone,
    )


def position_of(position: LivePosition, *, alarm: str | None, geofence_ids: list[int]) -> TraccarPosition:
    """Say where a driver is, and in which geofences; `alarm`: the one in force, None for none."""
    attributes = _motion(position.speed_mps)
    if position.battery is not None:
        attributes["batteryLevel"] = round(position.battery * 100)
    if alarm is not None:
        attributes["alarm"] = alarm
    return TraccarPosition(
        id=live_id(position),
        device_id=position.driver_id,
        server_time=time_text(position.received_at),
        device_time=time_text(position.recorded_at),
        fix_time=time_text(position.recorded_at),
        latitude=position.lat_e6 / 1e6,
        longitude=position.lon_e6 / 1e6,
        speed=knots(position.speed_mps),
        course=_said(position.heading_deg),
        accuracy=_said(position.accuracy_m),
        outdated=position.heard_at > position.received_at,
        geofence_ids=geofence_ids,
        attributes=attributes,
    )


def positions_of(driver_id: int, pings: Sequence[asyncpg.Record]) -> list[TraccarPosition]:
    """Say a driver's track, but for the pings that do not count: a map would join a phone's errors to the line."""
    return [
        TraccarPosition(
            id=_position_id(driver_id, ping["recorded_at"], ping["lat_e6"], ping["lon_e6"]),
            device_id=driver_id,
            server_time=time_text(ping["received_at"]),
            device_time=time_text(ping["recorded_at"]),
            fix_time=time_text(ping["recorded_at"]),
            latitude=ping["lat_e6"] / 1e6,
            longitude=ping["lon_e6"] / 1e6,
            speed=knots(ping["speed_mps"]),
            course=_said(ping["heading_deg"]),
            accuracy=_said(ping["accuracy_m"]),
            attributes=_motion(ping["speed_mps"]),
        )
        for ping in pings
        if ping["believed"] is not False
    ]


def event_of(entry: FeedEntry) -> TraccarEvent:
    """Say an entry of the feed of one of `EVENT_TYPES`."""
    assert entry.driver_id is not None
    attributes: dict[str, Any] = {"alarm": entry.data.get("alarm", "sos")} if entry.type in ALARMS else {}
    return TraccarEvent(
        id=_event_id(entry.fact_id),
        type=EVENT_TYPES[entry.type],
        event_time=time_text(entry.occurred_at),
        device_id=entry.driver_id,
        geofence_id=entry.geofence_id or 0,
        attributes=attributes,
    )


def alarm_of(position: LivePosition, now: datetime) -> str | None:
    """Give the alarm that is in force, as the phone called it."""
    if position.alarm_at is None or now - position.alarm_at > ALARM_SHOWN:
        return None
    return position.alarm


def knots(speed_mps: float | None) -> float:
    """Give a speed in knots; 0 where it is not known."""
    return 0.0 if speed_mps is None else round(speed_mps * KNOTS_A_MPS, 3)


def time_text(time: datetime) -> str:
    """Write a time as Traccar does: 2026-03-02T13:00:00.000+00:00."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds")


def live_id(position: LivePosition) -> int:
    """Give a number to where a driver is: the one that the same ping has in the track."""
    return _position_id(position.driver_id, position.recorded_at, position.lat_e6, position.lon_e6)


def _position_id(driver_id: int, recorded_at: datetime, lat_e6: int, lon_e6: int) -> int:
    """Name a ping, which has no number, after what it is: of a million, two are named the same once in 18 000 times."""
    named = blake2b(f"{driver_id}:{recorded_at.timestamp():.3f}:{lat_e6}:{lon_e6}".encode(), digest_size=8)
    return int.from_bytes(named.digest()) >> (64 - _ID_BITS) or 1


def _event_id(fact_id: UUID) -> int:
    return fact_id.int >> (128 - _ID_BITS)


def _motion(speed_mps: float | None) -> dict[str, Any]:
    return {} if speed_mps is None else {"motion": speed_mps >= STANDING_BELOW_MPS}


def _said(value: float | None) -> float:
    return 0.0 if value is None else round(value, 2)
