"""What a recipient may see: one pure function of the route, the stop and the time.

The rules, each with its reason:

- The van is shown at its snapped place only: the raw fix walks to other recipients' doors.
- Only near the recipient's own turn, by both parts of the account's rule: nobody follows a driver through a day.
- Never during a break, nor outside a shift where the driver uses shifts: that is the driver's own time.
- Not off the route and not when last heard of long ago: a wrong dot is worse than none. The ETA is called stale then.
- The way ahead is drawn only when this stop is next: before that it leads past other recipients' doors.
- Nothing of van and driver once the stop is done; a day later the link ends.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from api.recipient.standing import (
    done_at_of,
    heard_at,
    is_done,
    is_worded,
    lies_behind,
    places_ahead,
    said_arrival,
    sight_of,
    status_of,
    why_ended,
)
from api.routes.pins import pin_of
from api.routes.staleness import ExpectedArrival, aged
from sql.account.settings import SeenElement, settings_of
from sql.account.shifts import LONGEST_BREAK
from sql.delivery.tracking import TrackedRoute, TrackedStop

POSITION_FOR = timedelta(minutes=30)
"""A place older than this says nothing of where the van is."""

POLL_NEAR_S, POLL_UNDER_WAY_S, POLL_LATER_S = 5, 20, 60
"""How soon a page without a stream asks again: the van is on the map, the van is out, nothing moves."""


class StopView(msgspec.Struct, frozen=True, kw_only=True):
    """The recipient's own stop; `window` is what was promised, if anything; no place: nobody knows it yet."""

    name: str
    kind: str
    lat: float | None
    lon: float | None
    window: dict[Literal["start", "end"], datetime | None] | None


class EtaView(msgspec.Struct, frozen=True, kw_only=True):
    """When the van is expected, with the bounds of an 80 % window; `stale`: it rests on old or doubtful knowledge."""

    expected: datetime
    low: datetime
    high: datetime
    stale: bool


class PositionView(msgspec.Struct, frozen=True, kw_only=True):
    """Where the van is on its path; `heading_deg` is clockwise from north."""

    lat: float
    lon: float
    heading_deg: float | None
    recorded_at: datetime


class DriverView(msgspec.Struct, frozen=True, kw_only=True):
    """Who brings it."""

    first_name: str


class CashView(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be paid at the door; `currency` is ISO 4217."""

    amount: float
    currency: str


class LineView(msgspec.Struct, frozen=True, kw_only=True, tag="LineString", tag_field="type"):
    """The way still to drive, a GeoJSON LineString."""

    coordinates: list[tuple[float, float]]


class TrackingView(msgspec.Struct, frozen=True, kw_only=True):
    """What a tracking link shows.

    Attributes:
        status: of the stop: booked (an order on no route yet), pending, en_route (it is the van's next), arrived,
            departed (seen to leave, nobody said with what outcome), completed, partially_completed, failed or skipped.
        under_way: the van is out and has not been here.
        eta_why: why there is no `eta` although the van is out: `behind` (it has passed here and has yet to come, before
            the others or after them); null otherwise.
        stops_before: stops that the van still makes before this one; None when this one is done or was passed by, and
            where the account does not let recipients see it, unless it is the next.
        done_at: when the driver said so, else when the van left or was here; None until then.
        started_at: when the tour began; None until then.
        arrived_at: when the van was at the stop, or the driver said so; None until then.
        pin: what the recipient tells the driver at the door; only while this stop is next or the van is here.
        cash: of a delivery; null where nothing is to be paid, and once the stop is done.
        received_by: who took it, or at a pickup handed it over: the stop's own name, of anybody else the first name and
            an initial. Whoever holds the link reads it, and a neighbour was not asked.
        updated_at: when the newest thing said here was known.
        timezone: of the route, for showing times.
        poll_after_s: how soon to ask again without a stream.
    """

    status: str
    under_way: bool
    stop: StopView
    eta: EtaView | None
    stops_before: int | None
    position: PositionView | None
    path_ahead: LineView | None
    driver: DriverView | None
    done_at: datetime | None
    updated_at: datetime
    timezone: str
    poll_after_s: int
    started_at: datetime | None = None
    arrived_at: datetime | None = None
    pin: str | None = None
    cash: CashView | None = None
    received_by: str | None = None
    eta_why: Literal["behind"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A link that shows nothing any more.

    Attributes:
        why: revoked, cancelled (the route), removed (the stop), over (some time after the end).
        status: how the stop ended, as in `TrackingView`.
        done_at: when it was done; None when it never was.
    """

    why: Literal["revoked", "cancelled", "removed", "over"]
    status: str
    kind: str
    done_at: datetime | None
    timezone: str


def view_of(
    route: TrackedRoute,
    stop: TrackedStop,
    now: datetime,
    *,
    path_ahead: Sequence[tuple[float, float]] = (),
    places: Mapping[int, int] | None = None,
) -> TrackingView | Ended:
    """Tell what the recipient of a stop may see.

    Args:
        stop: one of the route's.
        path_ahead: lon, lat from the van to the next stop; shown only to whom it leads.
        places: `places_ahead(route)`, where it is at hand.
    """
    before = (places or places_ahead(route)).get(stop.id)
    status, done_at = status_of(route, stop, before), done_at_of(route, stop)
    if (why := why_ended(route, stop, now)) is not None:
        return Ended(why=why, status=status, kind=stop.kind, done_at=done_at, timezone=route.timezone)
    done = is_done(stop, worded=is_worded(route))
    under_way = route.status == "started" and not done
    arrival = _arrival(route, stop, now)
    position = _position(route, now) if under_way and _near(route, stop, before, arrival, now) else None
    is_next = before == 0 and stop.status == "pending"
    shown = TrackingView(
        status=status,
        under_way=under_way,
        stop=StopView(name=stop.name, kind=stop.kind, lat=stop.lat, lon=stop.lon, window=_window(stop)),
        eta=_eta(route, arrival, now),
        stops_before=before,
        position=position,
        path_ahead=LineView(coordinates=list(path_ahead)) if position and is_next and path_ahead else None,
        driver=_driver(route) if under_way else None,
        done_at=done_at,
        updated_at=_updated_at(route, done_at, now),
        timezone=route.timezone,
        poll_after_s=_poll_after_s(position, under_way=under_way),
        started_at=route.started_at,
        arrived_at=stop.arrived_at,
        pin=_pin(route, stop, status) if under_way else None,
        cash=None if done else _cash(stop),
        received_by=_received_by(stop),
        eta_why="behind" if under_way and lies_behind(route, stop) else None,
    )
    return _without(shown, settings_of(route.settings).visibility.never)


def _without(shown: TrackingView, never: Collection[SeenElement]) -> TrackingView:
    """Leave out what an account never shows; who is next is no secret."""
    hidden: dict[str, dict[str, Any]] = {
        "position": {"position": None, "path_ahead": None},
        "path": {"path_ahead": None},
        "driver": {"driver": None},
        "stops_before": {"stops_before": None if shown.stops_before else shown.stops_before},
        "photos": {},
    }
    return msgspec.structs.replace(shown, **{name: none for one in never for name, none in hidden[one].items()})


def _poll_after_s(position: PositionView | None, *, under_way: bool) -> int:
    if position is not None:
        return POLL_NEAR_S
    return POLL_UNDER_WAY_S if under_way else POLL_LATER_S


def _arrival(route: TrackedRoute, stop: TrackedStop, now: datetime) -> ExpectedArrival | None:
    said = said_arrival(route, stop)
    return None if said is None else aged(said, sight_of(route), now)


def _eta(route: TrackedRoute, arrival: ExpectedArrival | None, now: datetime) -> EtaView | None:
    if arrival is None:
        return None
    return EtaView(
        expected=_whole_seconds(arrival.expected),
        low=_whole_seconds(arrival.low),
        high=_whole_seconds(arrival.high),
        stale=sight_of(route).is_stale(now),
    )


def _near(
    route: TrackedRoute, stop: TrackedStop, before: int | None, arrival: ExpectedArrival | None, now: datetime
) -> bool:
    """Tell whether it is this recipient's turn, or almost."""
    if stop.arrived_at is not None and stop.departed_at is None:
        return True  # the van is at the door
    if before is None or arrival is None:
        return False
    rule = settings_of(route.settings).visibility
    if rule.max_m is not None and (route.van is None or stop.along_m - (route.van.along_m or 0) > rule.max_m):
        return False
    return before <= rule.max_stops_before and arrival.expected - now <= timedelta(minutes=rule.max_minutes)


def _pin(route: TrackedRoute, stop: TrackedStop, status: str) -> str | None:
    if not stop.asks_pin or status not in ("en_route", "arrived"):
        return None
    return pin_of(route.secret, stop.id, stop.pin_generation)


def _cash(stop: TrackedStop) -> CashView | None:
    if stop.kind != "delivery" or stop.cash_amount is None or stop.cash_currency is None:
        return None
    return CashView(amount=float(stop.cash_amount), currency=stop.cash_currency)


def _on_break(route: TrackedRoute, now: datetime) -> bool:
    if route.break_since is not None and now < route.break_since + LONGEST_BREAK:
        return True
    return any(
        stop.kind == "break" and stop.arrived_at is not None and not is_done(stop, worded=False) for stop in route.stops
    )


def _off_shift(route: TrackedRoute, at: datetime) -> bool:
    return route.off_shift or (route.shift_since is not None and at < route.shift_since)


def _position(route: TrackedRoute, now: datetime) -> PositionView | None:
    van = route.van
    if van is None or not van.on_route or van.snapped_lat_e6 is None or van.snapped_lon_e6 is None:
        return None
    if _on_break(route, now) or _off_shift(route, van.recorded_at) or now - van.recorded_at > POSITION_FOR:
        return None
    return PositionView(
        lat=van.snapped_lat_e6 / 1e6,
        lon=van.snapped_lon_e6 / 1e6,
        heading_deg=None if van.heading_deg is None else round(van.heading_deg, 1),
        recorded_at=van.recorded_at,
    )


def _driver(route: TrackedRoute) -> DriverView | None:
    names = (route.driver_name or "").split()
    return DriverView(first_name=names[0]) if names else None


def _received_by(stop: TrackedStop) -> str | None:
    names = (stop.received_by or "").split()
    if not names:
        return None
    if " ".join(names).casefold() == " ".join(stop.name.split()).casefold():
        return stop.name
    return names[0] if len(names) == 1 else f"{names[0]} {names[-1][0].upper()}."


def _window(stop: TrackedStop) -> dict[Literal["start", "end"], datetime | None] | None:
    if stop.window_start is None and stop.window_end is None:
        return None
    return {"start": stop.window_start, "end": stop.window_end}


def _updated_at(route: TrackedRoute, done_at: datetime | None, now: datetime) -> datetime:
    if done_at is not None:
        return done_at
    heard = heard_at(route)
    return heard if heard <= now else _whole_seconds(now)  # a phone's clock may be fast


def _whole_seconds(time: datetime) -> datetime:
    return time.replace(microsecond=0)
