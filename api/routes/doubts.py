"""What is kept as it came, or makes no path, and looks like a mistake: places far away, times that run back."""

from collections.abc import Iterator
from datetime import timedelta

from api.http.problem import FieldError
from api.routes.body import RouteBody
from geo.shape.strays import Stray, strays

_SLACK = timedelta(minutes=1)
"""Planners round their times."""

_ANOTHER_DAY = timedelta(hours=12)
"""A time that runs back by more is one of the next day, written with the date of this one."""

_LIKELY = {
    "zero": "it is at 0/0, where a geocoder puts what it does not find",
    "exchanged": "with latitude and longitude exchanged it would be among them",
}


def stray_places(body: RouteBody) -> list[FieldError]:
    """Name the depot and the stops that lie far from most of the others."""
    depot = [("/depot", body.depot.lon, body.depot.lat)] if body.depot else []
    places = [*depot, *((f"/stops/{index}", stop.lon, stop.lat) for index, stop in enumerate(body.stops))]
    found = strays([lon for _, lon, _ in places], [lat for _, _, lat in places])
    return [FieldError(at=places[stray.index][0], why=_why(stray)) for stray in found]


def times_that_run_back(body: RouteBody) -> Iterator[FieldError]:
    """Name the planned arrivals that are before one of an earlier stop, or before the tour begins."""
    latest, of = body.start_at, "the start of the tour"
    for index, stop in enumerate(body.stops):
        planned = stop.planned_arrival
        if planned is None:
            continue
        if planned < latest - _SLACK:
            yield FieldError(at=f"/stops/{index}/planned_arrival", why=_earlier(latest - planned, of))
        if planned > latest:
            latest, of = planned, f"that of /stops/{index}"


def _why(stray: Stray) -> str:
    away = f"is {stray.away_m / 1000:,.0f} km away from most of this route"
    return f"{away}: {_LIKELY[stray.likely]}" if stray.likely else away


def _earlier(by: timedelta, of: str) -> str:
    minutes = round(by.total_seconds() / 60)
    told = f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
    return f"is {told} before {of}" + ("; is it meant for the next day?" if by > _ANOTHER_DAY else "")
