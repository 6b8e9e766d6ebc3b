"""Live positions: where an account's drivers are, asked once or followed."""

import asyncio
import math
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from aiohttp import web

from api.fleet.held_positions import HeldPositions
from api.http.auth import Role, authorize, caller_of
from api.http.ids import DRIVER, ROUTE, STOP, shown, shown_or_none
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.problem import FieldError, Invalid, Problem
from api.stream.hub import HUB, Hub
from api.stream.sse import event_stream
from sql.pool import DATABASE_AWAY
from sql.track.live import ALARM_SHOWN, LivePosition

operations = Operations("positions")

STANDING_BELOW_MPS = 1.0
"""A parked phone's own speed wavers up to about this; slower than walking."""

SPEED_HOLDS_S = 60.0
"""A speed and a heading are told of a fix so young; what the van does after it nobody knows."""

COALESCE_S = 0.25
"""Changes are gathered for so long before a stream gets them: four times a second looks smooth on a map."""

LOOK_AGAIN_S = 10.0
"""A stream is told so often, whether anything changed or not."""

CHECK_KEY_S = 15.0
"""A stream looks so often whether its key was revoked."""

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
        box: west, south, east, north in degrees, west > east across the antimeridian; None for everywhere.
        statuses: None for all.
    """

    box: tuple[float, float, float, float] | None
    statuses: frozenset[str] | None

    def takes(self, position: LivePosition, now: datetime) -> bool:
        """Tell whether a driver is among those asked for."""
        if self.statuses is not None and status_of(position, now) not in self.statuses:
            return False
        if self.box is None:
            return True
        west, south, east, north = self.box
        lon, lat = position.lon_e6 / 1e6, position.lat_e6 / 1e6
        inside = west <= lon <= east if west <= east else lon >= west or lon <= east
        return inside and south <= lat <= north


_QUERY = (
    Parameter(
        name="bbox", description="minlon,minlat,maxlon,maxlat in degrees; minlon > maxlon crosses the antimeridian."
    ),
    Parameter(name="status", description=f"Only drivers of these, separated by commas: {', '.join(STATUSES)}."),
)


@operations.operation("GET", "/v1/positions", who=Who.VIEWER, answer=Positions, query=_QUERY)
async def get_positions(request: web.Request) -> web.Response:
    """Read where the drivers are, as GeoJSON.

    Each at the newest ping that is believed; `age_s` says how old it is.
    """
    wanted = filter_in(request)
    positions = await request.app[HUB].part(HeldPositions).of_account(caller_of(request).account_id)
    now = datetime.now(UTC)
    return answer(request, _collection([one for one in positions.values() if wanted.takes(one, now)]))


@operations.operation("GET", "/v1/positions/stream", who=Who.VIEWER, query=_QUERY, media=("text/event-stream",))
async def stream_positions(request: web.Request) -> web.StreamResponse:
    """Follow where the drivers are, as server-sent events.

    First `snapshot` with all of them, then `changed` with those who changed, both GeoJSON feature collections, and
    `gone` with `{"driver_ids": […]}` of those who are no longer among what was asked for. Ends when the key is revoked.
    """
    wanted, hub, account_id = filter_in(request), request.app[HUB], caller_of(request).account_id
    async with event_stream(request, hub) as stream, hub.watch(follow_account, account_id) as watch:
        sent: dict[int, LivePosition] | None = None
        clock = asyncio.get_running_loop()
        check_at = clock.time() + CHECK_KEY_S
        while not hub.closing:
            positions = await watch.next(stream.beat_in_s)
            if clock.time() >= check_at:
                if not await _may_still(request):
                    break
                check_at = clock.time() + CHECK_KEY_S
            if positions is None:
                await stream.beat()
                continue
            at = datetime.now(UTC)
            now = {driver_id: one for driver_id, one in positions.items() if wanted.takes(one, at)}
            if sent is None:
                await stream.send("snapshot", msgspec.json.encode(_collection(list(now.values()))))
            else:
                changed = [one for driver_id, one in now.items() if sent.get(driver_id) is not one]
                if changed:
                    await stream.send("changed", msgspec.json.encode(_collection(changed)))
                if gone := [shown(DRIVER, driver_id) for driver_id in sent if driver_id not in now]:
                    await stream.send("gone", msgspec.json.encode({"driver_ids": gone}))
            sent = now
    return stream.response


async def follow_account(hub: Hub, account_id: int) -> AsyncIterator[Mapping[int, LivePosition]]:
    """Give an account's positions by driver, again at every change; who did not change is the same object as before."""
    held = hub.part(HeldPositions)
    with hub.on_account(account_id) as signal:
        while True:
            signal.read()
            yield await held.known_of_account(account_id)
            await asyncio.sleep(COALESCE_S)
            await signal.wait(LOOK_AGAIN_S)


def status_of(position: LivePosition, now: datetime) -> Literal["silent", "off_route", "moving", "stopped"]:
    """Say in one word how a driver is doing."""
    if position.silent:
        return "silent"
    if position.on_route is False:
        return "off_route"
    return "moving" if (_held(position.speed_mps, position, now) or 0.0) >= STANDING_BELOW_MPS else "stopped"


def _held(value: float | None, position: LivePosition, now: datetime) -> float | None:
    """Give what a fix says of motion while it is young; then it is not known any more."""
    return value if (now - position.recorded_at).total_seconds() <= SPEED_HOLDS_S else None


def filter_in(request: web.Request) -> Filter:
    """Read `?bbox=` and `?status=`.

    Raises:
        Invalid: they are no box, or no statuses.
    """
    errors: list[FieldError] = []
    box = statuses = None
    if text := request.query.get("bbox", ""):
        box = _box(text)
        if box is None:
            why = "must be minlon,minlat,maxlon,maxlat in degrees, like -74.2,4.5,-74.0,4.8"
            errors.append(FieldError(at="bbox", why=why))
    if text := request.query.get("status", ""):
        statuses = frozenset(text.split(","))
        if not statuses <= set(STATUSES):
            errors.append(FieldError(at="status", why=f"must be some of {', '.join(STATUSES)}, separated by commas"))
    if errors:
        raise Invalid("A parameter is not usable.", errors=errors)
    return Filter(box=box, statuses=statuses)


def _box(text: str) -> tuple[float, float, float, float] | None:
    try:
        west, south, east, north = map(float, text.split(","))
    except ValueError:
        return None
    fits = all(map(math.isfinite, (west, south, east, north)))
    fits = fits and max(abs(west), abs(east)) <= 180 and -90 <= south <= north <= 90
    return (west, south, east, north) if fits else None


async def _may_still(request: web.Request) -> bool:
    try:
        await authorize(request, Role.VIEWER)
    except Problem:
        return False
    except DATABASE_AWAY:
        return True  # not known now; asked again
    return True


def _collection(positions: list[LivePosition]) -> Positions:
    now = datetime.now(UTC)
    return Positions(features=[_feature(position, now) for position in positions])


def _feature(position: LivePosition, now: datetime) -> PositionFeature:
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


def _rounded(value: Any) -> float | None:
    return None if value is None else round(value, 2)
