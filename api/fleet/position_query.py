"""What is asked of live positions: of whom, and what of it somebody looks at."""

import math

from aiohttp import web

from api.fleet.followers import View
from api.fleet.position_view import STATUSES, Box, Filter
from api.http.ids import DRIVER, number_of
from api.http.operation import Parameter
from api.http.problem import FieldError, Invalid

MOST_LOOKED_AT = 100
"""Drivers of one view, wherever they are."""

_BOX = "minlon,minlat,maxlon,maxlat in degrees; minlon > maxlon crosses the antimeridian."

ONLY = (
    Parameter(name="bbox", description=f"Only drivers within: {_BOX}"),
    Parameter(name="status", description=f"Only drivers of these, separated by commas: {', '.join(STATUSES)}."),
)

VIEW = (
    Parameter(name="view", description=f"Drivers within are told at once, the others seldom: {_BOX}"),
    Parameter(
        name="drivers",
        description=f"Up to {MOST_LOOKED_AT} ids, separated by commas: who is told at once out of the view, too.",
    ),
    Parameter(
        name="last_event_id",
        description="Of the last event that was read; goes on from there with another view. So does `Last-Event-ID`.",
    ),
)


def filter_in(request: web.Request) -> Filter:
    """Read `?bbox=` and `?status=`.

    Raises:
        Invalid: they are no box, or no statuses.
    """
    errors: list[FieldError] = []
    statuses = None
    box = _box_in(request, "bbox", errors)
    if text := request.query.get("status", ""):
        statuses = frozenset(text.split(","))
        if not statuses <= set(STATUSES):
            errors.append(FieldError(at="status", why=f"must be some of {', '.join(STATUSES)}, separated by commas"))
    if errors:
        raise Invalid("A parameter is not usable.", errors=errors)
    return Filter(box=box, statuses=statuses)


def view_in(request: web.Request) -> View | None:
    """Read `?view=` and `?drivers=`; None: all is looked at.

    Raises:
        Invalid: they are no box, or no drivers.
    """
    errors: list[FieldError] = []
    box = _box_in(request, "view", errors)
    drivers = _drivers_in(request, errors)
    if errors:
        raise Invalid("A parameter is not usable.", errors=errors)
    return None if box is None else View(box=box, drivers=drivers)


def last_event_in(request: web.Request) -> str:
    """Read which event the client had last; a browser that opens a stream again knows best, and says it by a header."""
    return request.headers.get("Last-Event-ID") or request.query.get("last_event_id", "")


def _box_in(request: web.Request, name: str, errors: list[FieldError]) -> Box | None:
    text = request.query.get(name, "")
    if not text:
        return None
    box = _box(text)
    if box is None:
        why = "must be minlon,minlat,maxlon,maxlat in degrees, like -74.2,4.5,-74.0,4.8"
        errors.append(FieldError(at=name, why=why))
    return box


def _box(text: str) -> Box | None:
    try:
        west, south, east, north = map(float, text.split(","))
    except ValueError:
        return None
    fits = all(map(math.isfinite, (west, south, east, north)))
    fits = fits and max(abs(west), abs(east)) <= 180 and -90 <= south <= north <= 90
    return (west, south, east, north) if fits else None


def _drivers_in(request: web.Request, errors: list[FieldError]) -> frozenset[int]:
    text = request.query.get("drivers", "")
    drivers = [number_of(DRIVER, one) for one in text.split(",")] if text else []
    if len(drivers) > MOST_LOOKED_AT or None in drivers:
        why = f"must be up to {MOST_LOOKED_AT} ids like dr_7, separated by commas"
        errors.append(FieldError(at="drivers", why=why))
    elif drivers and not request.query.get("view"):
        errors.append(FieldError(at="drivers", why="goes with a view: without one, everybody is told at once"))
    return frozenset(one for one in drivers if one is not None)
