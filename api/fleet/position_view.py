"""What is shown of live positions, and to whom asked for some of them: GeoJSON, as of a moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

import msgspec

from api.http.ids import DRIVER, ROUTE, STOP, shown, shown_or_none
from sql.account.shifts import LONGEST_BREAK
from sql.track.live import ALARM_SHOWN, LivePosition

STANDING_BELOW_MPS = 1.0
"""A parked phone's own speed wavers up to about this; slower than walking."""

SPEED_HOLDS_S = 60.0
"""A speed and a heading are told of a fix so young; what the van does after it nobody knows."""

LATE_S = 900.0
"""Behind the plan by more, a van is late at the desk: what recipients were promised is at risk."""

Box: TypeAlias = tuple[float, float, float, float]
"""West, south, east, north in degrees; west > east across the antimeridian."""

STATUSES = ("silent", "off_route", "moving", "stopped")


class Point(msgspec.Struct, frozen=True, kw_only=True, tag="Point", tag_field="type"):
    """A GeoJSON point: longitude, latitude."""

    coordinates: tuple[float, float]


class ShownAlarm(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm, as the phone called it: `sos` is a call for help. `at`: by the phone's clock."""

    kind: str
    at: datetime


class PositionProperties(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a driver where they are.

    Attributes:
        age_s: how long ago the phone recorded it.
        speed_mps, heading_deg: null where the phone did not say, and when it said so more than a minute ago.
        along_m: metres along the route's path; null when not on it.
        delay_s: behind the plan, negative ahead; null where the plan has no times.
        heard_at: when anything of the phone came, by our clock; a message without a place, too.
        battery: 0 to 1, as the newest message said it, with or without a place.
        silent: on a route, but not heard of for too long.
        silent_why: why there is no newer place: `phone_silent` when silent; `no_fix` while the phone is heard of and
            its newest message has no place; null otherwise.
        alarm: within the last twelve hours the driver called for help, or the phone sent another alarm; until they end
            the shift.
        status: the first that holds of silent, off_route, moving (1 m/s or faster, less than a minute ago),
            stopped.
        on_break: the driver is on a break, by their word or at a planned one; that lasts two hours at most.
        at_stop: the stop of the route where the van is; null at none.
    """

    driver_id: str
    route_id: str | None
    recorded_at: datetime
    age_s: float
    speed_mps: float | None
    heading_deg: float | None
    along_m: float | None
    on_route: bool | None
    next_stop: str | None
    delay_s: float | None
    battery: float | None
    heard_at: datetime
    silent: bool
    silent_why: Literal["phone_silent", "no_fix"] | None
    alarm: ShownAlarm | None
    status: Literal["silent", "off_route", "moving", "stopped"]
    on_break: bool
    at_stop: str | None


class PositionFeature(msgspec.Struct, frozen=True, kw_only=True, tag="Feature", tag_field="type"):
    """A driver as a GeoJSON feature."""

    id: str
    geometry: Point
    properties: PositionProperties


class Positions(msgspec.Struct, frozen=True, kw_only=True, tag="FeatureCollection", tag_field="type"):
    """Drivers as a GeoJSON feature collection."""

    features: list[PositionFeature]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which drivers are asked for.

    Attributes:
        box: None for everywhere.
        statuses: None for all.
    """

    box: Box | None
    statuses: frozenset[str] | None

    def takes(self, position: LivePosition, now: datetime) -> bool:
        """Tell whether a driver is among those asked for."""
        if self.statuses is not None and status_of(position, now) not in self.statuses:
            return False
        return self.box is None or bool(is_in(self.box, position.lon_e6 / 1e6, position.lat_e6 / 1e6))


def is_in(box: Box, lon: Any, lat: Any) -> Any:
    """Tell whether a place, or which of many (n,), is in a box, degrees; NaN is in none."""
    west, south, east, north = box
    inside = (west <= lon) & (lon <= east) if west <= east else (lon >= west) | (lon <= east)
    return inside & (south <= lat) & (lat <= north)


def collection(positions: Sequence[LivePosition], now: datetime) -> Positions:
    """Show some drivers."""
    return Positions(features=[feature_of(position, now) for position in positions])


def feature_of(position: LivePosition, now: datetime) -> PositionFeature:
    """Show one driver."""
    return PositionFeature(
        id=shown(DRIVER, position.driver_id),
        geometry=Point(coordinates=(position.lon_e6 / 1e6, position.lat_e6 / 1e6)),
        properties=PositionProperties(
            driver_id=shown(DRIVER, position.driver_id),
            route_id=shown_or_none(ROUTE, position.route_id),
            recorded_at=position.recorded_at,
            age_s=round(max(0.0, (now - position.recorded_at).total_seconds()), 1),
            speed_mps=_rounded(_held(position.speed_mps, position, now)),
            heading_deg=_rounded(_held(position.heading_deg, position, now)),
            along_m=_rounded(position.along_m),
            on_route=position.on_route,
            next_stop=shown_or_none(STOP, position.next_stop_id),
            delay_s=_rounded(position.delay_s),
            battery=_rounded(position.battery),
            heard_at=position.heard_at,
            silent=position.silent,
            silent_why=_silent_why(position),
            alarm=_alarm(position, now),
            status=status_of(position, now),
            on_break=_on_break(position, now),
            at_stop=shown_or_none(STOP, position.at_stop_id),
        ),
    )


def _silent_why(position: LivePosition) -> Literal["phone_silent", "no_fix"] | None:
    if position.silent:
        return "phone_silent"
    return "no_fix" if position.heard_at > position.received_at else None


def _alarm(position: LivePosition, now: datetime) -> ShownAlarm | None:
    if position.alarm is None or position.alarm_at is None or now - position.alarm_at > ALARM_SHOWN:
        return None
    return ShownAlarm(kind=position.alarm, at=position.alarm_at)


def _on_break(position: LivePosition, now: datetime) -> bool:
    since = position.break_since
    return position.at_break or (since is not None and now < since + LONGEST_BREAK)


def _rounded(value: Any) -> float | None:
    return None if value is None else round(value, 2)


def status_of(position: LivePosition, now: datetime) -> Literal["silent", "off_route", "moving", "stopped"]:
    """Say in one word how a driver is doing."""
    if position.silent:
        return "silent"
    if position.on_route is False:
        return "off_route"
    return "moving" if (_held(position.speed_mps, position, now) or 0.0) >= STANDING_BELOW_MPS else "stopped"


def state_of(position: LivePosition, now: datetime) -> tuple[object, ...]:
    """Give what somebody has to know at once if it becomes another: anything but the place and how it is going."""
    alarm = _alarm(position, now)
    return (
        status_of(position, now),
        _silent_why(position),
        alarm and (alarm.kind, alarm.at),
        _on_break(position, now),
        position.at_stop_id,
        position.route_id,
        position.delay_s is not None and position.delay_s > LATE_S,
    )


def _held(value: float | None, position: LivePosition, now: datetime) -> float | None:
    """Give what a fix says of motion while it is young; then it is not known any more."""
    return value if (now - position.recorded_at).total_seconds() <= SPEED_HOLDS_S else None


def lasts_until(position: LivePosition, now: datetime) -> datetime | None:
    """Tell until when a driver is shown as now if nothing is written of them, but for the age; None: for ever."""
    moments = [position.recorded_at + timedelta(seconds=SPEED_HOLDS_S)]
    if position.alarm_at is not None:
        moments.append(position.alarm_at + ALARM_SHOWN)
    if position.break_since is not None:
        moments.append(position.break_since + LONGEST_BREAK)
    return min((moment for moment in moments if moment >= now), default=None)


def telling(position: LivePosition, now: datetime) -> PositionFeature:
    """Give what is shown of a driver, but for the age."""
    feature = feature_of(position, now)
    return msgspec.structs.replace(feature, properties=msgspec.structs.replace(feature.properties, age_s=0.0))
