"""The line to drive: read from what the planner gave, made of roads, or drawn straight through the stops."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from api.http.problem import FieldError, Invalid
from api.http.read.bodies import converted
from api.routes.body import LineString, Polyline
from geo.pings import Floats
from geo.shape import lines, plane

LONGEST_M = 5_000_000.0
"""Metres of path a route may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePath:
    """A line to drive.

    Attributes:
        lon, lat, along_m: (v,) degrees, metres from its start.
        source: as in a route.
        stop_drive_s: seconds of driving to each stop from the one before or the path's start; empty where unknown.
    """

    lon: Floats
    lat: Floats
    along_m: Floats
    source: str
    stop_drive_s: Sequence[float] = ()


def given_path(path: dict[str, Any], *, max_vertices: int) -> RoutePath | FieldError:
    """Read a GeoJSON LineString or an encoded polyline."""
    try:
        if "polyline" in path:
            polyline: Polyline = converted(path, Polyline, "/path")
            lon, lat = lines.decode_polyline(polyline.polyline, polyline.precision)
        else:
            vertices = converted(path, LineString, "/path").coordinates
            if any(len(vertex) < 2 for vertex in vertices):
                raise ValueError("every vertex needs a longitude and a latitude")
            lon, lat = np.array([vertex[:2] for vertex in vertices], np.float64).reshape(-1, 2).T
        return _measured(*lines.check_path(lon, lat, max_vertices=max_vertices), "given")
    except Invalid as problem:
        return problem.errors[0]
    except ValueError as error:
        return FieldError(at="/path", why=str(error))


def road_path(lon: Floats, lat: Floats, *, max_vertices: int) -> RoutePath:
    """Take the line of a way along roads.

    Raises:
        ValueError: a sentence about why it can be no path.
    """
    return _measured(*lines.check_path(lon, lat, max_vertices=max_vertices), "road")


def straight_path(places: Sequence[tuple[float, float]]) -> RoutePath | FieldError:
    """Draw straight lines through (lon, lat) places; all of them may be one."""
    lon, lat = lines.straight_path([lon for lon, _ in places], [lat for _, lat in places])
    try:
        if len(lon) > 1:
            lines.check_path(lon, lat, max_vertices=len(lon))
        return _measured(lon, lat, "straight")
    except ValueError as error:
        return FieldError(at="/stops", why=f"straight lines through them make no path: {error}")


def _measured(lon: Floats, lat: Floats, source: str) -> RoutePath:
    along_m = lines.along_m(lon, lat)
    if along_m[-1] > LONGEST_M:
        raise ValueError(f"a path is at most {LONGEST_M / 1000:.0f} km long, this one has {along_m[-1] / 1000:.0f}")
    return RoutePath(lon=lon, lat=lat, along_m=along_m, source=source)


def place(path: RoutePath, lon: Sequence[float], lat: Sequence[float], leg_s: Floats) -> tuple[Floats, Floats]:
    """Find the stops' places along a path, in the order of the tour.

    Args:
        lon, lat: (s,) of the stops, degrees.
        leg_s: (s,) planned driving to each from the one before, as `geo.shape.lines.drive_s` gives it.

    Returns:
        (s,) metres along the path, never decreasing, and (s,) metres from there to the stop.
    """
    along_m = lines.place_stops(path.lon, path.lat, path.along_m, lon, lat, leg_s)
    east = plane.wrap_deg(path.lon - path.lon[0])
    there = plane.in_space(
        path.lon[0] + np.interp(along_m, path.along_m, east), np.interp(along_m, path.along_m, path.lat)
    )
    return along_m, np.linalg.norm(there - plane.in_space(lon, lat), axis=1)
