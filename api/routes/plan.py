"""From the body of a route to the plan that is kept: defaults filled in, stops placed on the path, mistakes named."""

import zoneinfo
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from shapely import Point

from api.http.config import ApiConfig
from api.http.ids import external_id_error
from api.http.problem import FieldError
from api.http.read.bodies import refuse
from api.http.times import out_of_range
from api.routes.body import RouteBody, StopBody
from api.routes.doubts import stray_places, times_that_run_back
from api.routes.path import RoutePath, given_path, place, straight_path
from geo.pings import UNKNOWN_MS, Floats
from geo.plan.numbers import MAX_STOPS
from geo.shape.fence_shape import polygon_on_plane
from geo.shape.lines import check_places, drive_s
from geo.times import ms_of
from sql.account.settings import AccountSettings
from sql.delivery.routes import RoutePlan
from sql.delivery.stops import ParcelPlan, StopPlan

FAR_M, TOO_FAR_M = 500.0, 50_000.0
"""A stop farther than this from the path is worth a warning; farther than that it is on another map."""

SHAPE_FAR_M = 5_000.0
"""How far from its stop a stop's geofence may lie."""

_AFTER_LAST_STOP = timedelta(hours=2)
_WHOLE_TOUR = timedelta(hours=12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A plan that can be kept, and what its planner should look at nevertheless."""

    plan: RoutePlan
    warnings: list[FieldError]


def check_plan(body: RouteBody, *, driver_id: int | None, config: ApiConfig) -> RoutePath:
    """Look for mistakes in a body; give its path, or straight lines through its places where it brings none.

    Args:
        driver_id: of the driver that the body names; None when it names none, or one that there is not.

    Raises:
        Invalid: names every mistake.
    """
    errors = list(_mistakes(body, driver_id, min(config.max_stops, MAX_STOPS)))
    path = _path(body, config.max_path_vertices)
    if isinstance(path, FieldError):
        errors += (stray_places(body) if path.at == "/stops" else []) or [path]
    refuse(errors)
    assert isinstance(path, RoutePath)
    return path


def make_plan(body: RouteBody, path: RoutePath, *, driver_id: int | None, settings: AccountSettings) -> Draft:
    """Make the plan that a body without mistakes asks for.

    Args:
        path: what `check_plan` gave, or one along roads in place of straight lines.

    Raises:
        Invalid: stops lie far away from the path.
    """
    lon, lat = [stop.lon for stop in body.stops], [stop.lat for stop in body.stops]
    along_m, aside_m = place(path, lon, lat, _leg_s(body, settings))
    far = [
        (metres > TOO_FAR_M, FieldError(at=f"/stops/{index}", why=f"is {metres / 1000:.1f} km away from the path"))
        for index, metres in enumerate(aside_m.tolist())
        if metres > FAR_M
    ]
    refuse([error for too_far, error in far if too_far])
    depot = body.depot
    plan = RoutePlan(
        driver_id=driver_id,
        date=body.date,
        timezone=body.timezone,
        start_at=body.start_at,
        end_at=body.end_at or _end_of(body, settings),
        depot_name=depot.name if depot else None,
        depot_lat=depot.lat if depot else None,
        depot_lon=depot.lon if depot else None,
        return_to_depot=body.return_to_depot,
        path_source=path.source,
        length_m=float(path.along_m[-1]),
        path_lon=path.lon.tolist(),
        path_lat=path.lat.tolist(),
        path_along_m=path.along_m.tolist(),
        stops=[_stop(stop, at_m, settings) for stop, at_m in zip(body.stops, along_m.tolist(), strict=True)],
        stop_drive_s=list(path.stop_drive_s),
        wait_for_window=settings.wait_for_window,
    )
    return Draft(plan=plan, warnings=_warnings(body, [warning for _, warning in far]))


def _warnings(body: RouteBody, far: list[FieldError]) -> list[FieldError]:
    """Name what is kept as it came and looks like a mistake; `far`: stops away from the path."""
    named = {warning.at for warning in far}
    strays = [stray for stray in stray_places(body) if stray.at not in named]
    return [*far, *strays, *times_that_run_back(body)]


def _leg_s(body: RouteBody, settings: AccountSettings) -> Floats:
    """Tell how long the plan drives to each stop from the one before."""
    arrivals = [stop.planned_arrival for stop in body.stops]
    planned_ms = [UNKNOWN_MS if arrival is None else ms_of(arrival) for arrival in arrivals]
    return drive_s(planned_ms, [settings.service_s if s.service_s is None else s.service_s for s in body.stops])


def _path(body: RouteBody, max_vertices: int) -> RoutePath | FieldError:
    if body.path is not None:
        return given_path(body.path, max_vertices=max_vertices)
    return straight_path(places_of(body))


def places_of(body: RouteBody) -> list[tuple[float, float]]:
    """Give (lon, lat) of the depot if there is one, of the stops, and of the depot again if the tour returns to it."""
    depot = [(body.depot.lon, body.depot.lat)] if body.depot else []
    stops = [(stop.lon, stop.lat) for stop in body.stops]
    return [*depot, *stops, *(depot if body.return_to_depot else [])]


def _end_of(body: RouteBody, settings: AccountSettings) -> datetime:
    """Say when a tour ends whose planner did not."""
    ends = [
        planned + timedelta(seconds=settings.service_s if stop.service_s is None else stop.service_s)
        for stop in body.stops
        if (planned := stop.planned_arrival or (stop.window.end if stop.window else None))
    ]
    if not ends:
        return body.start_at + _WHOLE_TOUR
    return max(*ends, body.start_at) + _AFTER_LAST_STOP


def _stop(stop: StopBody, along_m: float, settings: AccountSettings) -> StopPlan:
    cash = stop.cash_on_delivery
    return StopPlan(
        external_id=stop.external_id,
        kind=stop.kind,
        name=stop.name,
        address=stop.address,
        lat=stop.lat,
        lon=stop.lon,
        along_m=along_m,
        radius_m=settings.stop_radius_m if stop.radius_m is None else stop.radius_m,
        geofence=_geometry(stop.geofence) if stop.geofence else None,
        phone=stop.phone,
        email=stop.email,
        locale=stop.locale,
        window_start=stop.window.start if stop.window else None,
        window_end=stop.window.end if stop.window else None,
        service_s=settings.service_s if stop.service_s is None else stop.service_s,
        planned_arrival=stop.planned_arrival,
        instructions=stop.instructions,
        cash_amount=Decimal(repr(cash.amount)) if cash else None,
        cash_currency=cash.currency if cash else None,
        proof=list(stop.proof),
        recipient_may_not=sorted(set(stop.recipient_may_not)),
        parcels=[
            ParcelPlan(barcode=parcel.barcode, description=parcel.description, quantity=parcel.quantity)
            for parcel in stop.parcels
        ],
    )


def _geometry(geofence: dict[str, Any]) -> dict[str, Any]:
    """Look through a Feature at its geometry."""
    inner = geofence.get("geometry") if geofence.get("type") == "Feature" else geofence
    return inner if isinstance(inner, dict) else {}


def _mistakes(body: RouteBody, driver_id: int | None, max_stops: int) -> Iterator[FieldError]:
    if body.driver is not None and driver_id is None:
        yield FieldError(at="/driver", why=f"there is no driver {body.driver!r}")
    if body.timezone not in _timezones():
        yield FieldError(at="/timezone", why="is not a time zone of the IANA list, like America/Bogota")
    yield from out_of_range(("/date", body.date), ("/start_at", body.start_at), ("/end_at", body.end_at))
    if body.end_at is not None and body.end_at <= body.start_at:
        yield FieldError(at="/end_at", why="is not after start_at")
    if body.return_to_depot and body.depot is None:
        yield FieldError(at="/return_to_depot", why="there is no depot to return to")
    if body.depot is not None:
        yield from _place_mistakes("/depot", body.depot.lon, body.depot.lat)
    if len(body.stops) > max_stops:
        yield FieldError(at="/stops", why=f"a route has at most {max_stops} stops, this one {len(body.stops)}")
        return
    times = Counter(stop.external_id for stop in body.stops)
    for index, stop in enumerate(body.stops):
        yield from _stop_mistakes(f"/stops/{index}", stop)
        if times[stop.external_id] > 1:
            yield FieldError(at=f"/stops/{index}/external_id", why="another stop of this route has the same one")


def _stop_mistakes(at: str, stop: StopBody) -> Iterator[FieldError]:
    bad_id = external_id_error(f"{at}/external_id", stop.external_id)
    if bad_id:
        yield bad_id
    yield from _place_mistakes(at, stop.lon, stop.lat)
    yield from out_of_range((f"{at}/planned_arrival", stop.planned_arrival))
    if stop.window:
        yield from out_of_range((f"{at}/window/start", stop.window.start), (f"{at}/window/end", stop.window.end))
        if stop.window.end <= stop.window.start:
            yield FieldError(at=f"{at}/window/end", why="is not after the window's start")
    if len(set(stop.proof)) < len(stop.proof):
        yield FieldError(at=f"{at}/proof", why="names a kind of proof twice")
    if stop.geofence is not None:
        try:
            shape = polygon_on_plane(_geometry(stop.geofence), stop.lon, stop.lat)
        except ValueError as error:
            yield FieldError(at=f"{at}/geofence", why=str(error))
        else:
            if shape.distance(Point(0, 0)) > SHAPE_FAR_M:
                yield FieldError(at=f"{at}/geofence", why=f"is more than {SHAPE_FAR_M / 1000:.0f} km from the stop")


def _place_mistakes(at: str, lon: float, lat: float) -> Iterator[FieldError]:
    try:
        check_places([lon], [lat])
    except ValueError as error:
        yield FieldError(at=at, why=str(error))


@cache
def _timezones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
