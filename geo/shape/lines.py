"""Paths: made, checked, measured, and the stops placed along them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from pyproj import Geod

from geo.pings import UNKNOWN_MS, Bools, Floats
from geo.shape import plane
from geo.shape.numbers import (
    AT_DOOR_M,
    BEGINS,
    DOOR_M,
    LEG_M,
    LEG_PART,
    LOOP,
    LOOP_M,
    MAX_LAT_DEG,
    MAX_REACH_M,
    SAME_M,
    TURN_M,
    TURNED,
    TURNS,
)

_GEOD = Geod(ellps="WGS84")


def check_path(lon: ArrayLike, lat: ArrayLike, *, max_vertices: int) -> tuple[Floats, Floats]:
    """Check a path and drop vertices that repeat the one before.

    Args:
        lon, lat: (v,) degrees.
        max_vertices: the API's limit.

    Returns:
        lon and lat, at least two vertices.

    Raises:
        ValueError: a sentence about what is wrong.
    """
    lon, lat = _degrees(lon), _degrees(lat)
    if len(lon) != len(lat):
        raise ValueError("a path needs as many longitudes as latitudes")
    if len(lon) > max_vertices:
        raise ValueError(f"a path has at most {max_vertices} vertices")
    check_places(lon, lat)
    moved = np.ones(len(lon), np.bool_)
    moved[1:] = (np.diff(lon) != 0) | (np.diff(lat) != 0)
    lon, lat = lon[moved], lat[moved]
    if len(lon) < 2:
        raise ValueError("a path needs at least two different points")
    east = plane.wrap_deg(lon - lon[0])
    x_m, y_m = plane.project(lon, lat, lon[0] + (east.min() + east.max()) / 2, (lat.min() + lat.max()) / 2)
    if np.sqrt(x_m * x_m + y_m * y_m).max() > MAX_REACH_M:
        raise ValueError(f"a path reaches at most {MAX_REACH_M / 1000:.0f} km from its middle")
    return lon, lat


def check_places(lon: ArrayLike, lat: ArrayLike) -> None:
    """Raise ValueError with a sentence unless all places are where a van can be: numbers, ±180 and ±80 degrees."""
    lon, lat = _degrees(lon), _degrees(lat)
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        raise ValueError("coordinates must be numbers")
    if len(lon) and (np.abs(lon).max() > 180 or np.abs(lat).max() > MAX_LAT_DEG):
        raise ValueError("longitude must be between -180 and 180, latitude between -80 and 80")


def along_m(lon: ArrayLike, lat: ArrayLike) -> Floats:
    """Measure a path: WGS 84 geodesic metres from its first vertex to each.

    Args:
        lon, lat: (v,) degrees, v at least 1.

    Returns:
        (v,) starting at 0, never decreasing.
    """
    lon, lat = _degrees(lon), _degrees(lat)
    total = np.zeros(len(lon))
    if len(lon) > 1:
        np.cumsum(_GEOD.line_lengths(lon, lat), out=total[1:])
    return total


def straight_path(lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
    """Make a path that leads straight from place to place, for a route that brings none.

    Args:
        lon, lat: (k,) depot and stops in the order of the tour (and the depot again), degrees.

    Returns:
        lon and lat; places that repeat the one before are left out.
    """
    lon, lat = _degrees(lon), _degrees(lat)
    moved = np.ones(len(lon), np.bool_)
    moved[1:] = (np.diff(lon) != 0) | (np.diff(lat) != 0)
    return lon[moved], lat[moved]


def decode_polyline(text: str, precision: int = 5) -> tuple[Floats, Floats]:
    """Decode an encoded polyline.

    Args:
        text: as routing engines give it.
        precision: decimals, 5 (Google, OSRM) or 6 (Valhalla).

    Returns:
        lon and lat, degrees.

    Raises:
        ValueError: not an encoded polyline.

    Source: https://developers.google.com/maps/documentation/utilities/polylinealgorithm
    """
    if not 1 <= precision <= 7:
        raise ValueError("the precision of a polyline is between 1 and 7")
    values: list[int] = []
    value = shift = 0
    for code in text.encode("ascii", "replace"):
        chunk = code - 63
        if not 0 <= chunk < 64 or shift > 35:
            raise ValueError("this is not an encoded polyline")
        value |= (chunk & 31) << shift
        shift += 5
        if chunk < 32:
            values.append(~(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    if shift or len(values) % 2:
        raise ValueError("the encoded polyline ends in the middle of a point")
    lat, lon = np.cumsum(np.array(values, np.int64).reshape(-1, 2), axis=0).T / 10.0**precision
    return np.ascontiguousarray(lon), np.ascontiguousarray(lat)


def encode_polyline(lon: ArrayLike, lat: ArrayLike, precision: int = 5) -> str:
    """Encode a line, the reverse of `decode_polyline`.

    Args:
        lon, lat: (n,) degrees.
        precision: decimals that are kept, 1 to 7.

    Source: https://developers.google.com/maps/documentation/utilities/polylinealgorithm
    """
    places = np.rint(np.column_stack((_degrees(lat), _degrees(lon))) * 10.0**precision).astype(np.int64)
    steps = np.diff(places, axis=0, prepend=0).reshape(-1)
    zigzag = (steps << 1) ^ (steps >> 63)
    chunks = zigzag[:, None] >> np.arange(0, 35, 5)  # of five bits, the lowest first
    is_last = chunks < 32
    codes = np.where(is_last, chunks, (chunks & 31) | 32) + 63
    wanted = np.arange(chunks.shape[1]) <= is_last.argmax(axis=1)[:, None]
    return str(codes[wanted].astype(np.uint8).tobytes(), "ascii")


def place_stops(
    path_lon: Floats, path_lat: Floats, path_along_m: Floats, stop_lon: ArrayLike, stop_lat: ArrayLike,
    leg_s: ArrayLike | None = None, *, max_passes: int = 64,
) -> Floats:  # fmt: skip
    """Find each stop's place along a path that may pass it many times: stops are served in their order.

    Of all ways to give each stop one of the passes near it, none before the stop before, the most likely wins: near the
    path, and as far along it from the stop before as the plan gives time to drive. Paths turn round where somebody
    stops; and where there are times the way from a stop to the next one, the quickest, hardly comes by where it began.
    Among equals the earliest passes.

    Args:
        path_lon, path_lat, path_along_m: (v,) the path.
        stop_lon, stop_lat: (s,) in the order of the tour, degrees.
        leg_s: (s,) planned seconds of driving to each stop from the one before, as `drive_s` gives
            them; NaN where the plan does not say.
        max_passes: how many passes of a stop, nearest first, are considered.

    Returns:
        (s,) metres along the path, never decreasing.

    Source: dynamic programming over the local minima of distance, as in Viterbi's algorithm with a monotone constraint.
    """
    stop_lon, stop_lat = _degrees(stop_lon), _degrees(stop_lat)
    if not len(stop_lon):
        return np.zeros(0)
    way = _passing(path_lon, path_lat, path_along_m, stop_lon, stop_lat, max_passes)
    rough_m = _viterbi(way, np.full(len(stop_lon), np.nan))
    if leg_s is None:
        return rough_m
    # the plan's own pace, over all legs of which it gives the time
    seconds = np.maximum(_degrees(leg_s), 0.0)
    leg_m = np.diff(rough_m, prepend=0.0)
    told = ~np.isnan(seconds)
    if not (seconds[told].sum() > 0 and leg_m[told].sum() > 0):
        return rough_m
    return _viterbi(way, seconds * (leg_m[told].sum() / seconds[told].sum()))


@dataclass(frozen=True, slots=True, eq=False)
class _Passing:
    """A path and the stops that it passes, on a plane.

    Attributes:
        x_m, y_m, along_m: (v,) the path.
        stop_x, stop_y: (s,) the stops.
        turns_m: where the path turns round, metres along it, ascending.
        passes: (s) of each stop, where the path comes nearest to it (metres along it), and the squared distance there.
        max_passes: how many of a stop are considered, and twice as many places where it may be served.
    """

    x_m: Floats
    y_m: Floats
    along_m: Floats
    stop_x: Floats
    stop_y: Floats
    turns_m: Floats
    passes: list[tuple[Floats, Floats]]
    max_passes: int

    def squared_at(self, stop: int, place_m: Floats) -> Floats:
        """Measure from a stop to places along the path: squared metres."""
        dx = np.interp(place_m, self.along_m, self.x_m) - float(self.stop_x[stop])
        dy = np.interp(place_m, self.along_m, self.y_m) - float(self.stop_y[stop])
        squared: Floats = dx**2 + dy**2
        return squared

    def turns_at(self, place_m: Floats) -> Bools:
        """Tell at which places the path turns round."""
        first = np.searchsorted(self.turns_m, place_m - TURN_M)
        turns: Bools = np.searchsorted(self.turns_m, place_m + TURN_M, "right") > first
        return turns

    def again_m(self, place_m: Floats, others_m: Floats) -> Floats:
        """Find at which of other places the path comes by each place later, the first time; inf: at none."""
        (x_m, y_m), (other_x, other_y) = (
            [np.interp(each, self.along_m, column) for column in (self.x_m, self.y_m)] for each in (place_m, others_m)
        )
        same = (x_m[:, None] - other_x) ** 2 + (y_m[:, None] - other_y) ** 2 < SAME_M**2
        again: Floats = np.where(same & (others_m - place_m[:, None] > LOOP_M), others_m, np.inf).min(axis=1)
        return again


def _passing(
    path_lon: Floats, path_lat: Floats, path_along_m: Floats, stop_lon: Floats, stop_lat: Floats, max_passes: int
) -> _Passing:
    lon0, lat0 = float(path_lon[0]), float(path_lat[0])
    x_m, y_m = plane.project(path_lon, path_lat, lon0, lat0)
    stop_x, stop_y = plane.project(stop_lon, stop_lat, lon0, lat0)
    passes = [
        _passes(x_m, y_m, path_along_m, float(at_x), float(at_y), max_passes)
        for at_x, at_y in zip(stop_x, stop_y, strict=True)
    ]
    return _Passing(x_m, y_m, path_along_m, stop_x, stop_y, _turns_m(x_m, y_m, path_along_m), passes, max_passes)


def _turns_m(x_m: Floats, y_m: Floats, along_m: Floats) -> Floats:
    """Find where a path turns round, metres along it."""
    dx, dy = np.diff(x_m), np.diff(y_m)
    length_m = np.sqrt(dx * dx + dy * dy)
    some = np.flatnonzero(length_m > 0)
    dx, dy = dx[some] / length_m[some], dy[some] / length_m[some]
    return along_m[some[1:][dx[1:] * dx[:-1] + dy[1:] * dy[:-1] < TURNED]]


def _viterbi(way: _Passing, plan_m: Floats) -> Floats:
    """Place the stops when the plan expects so many metres from each to the next; NaN: it does not say."""
    best_cost, best_m, again_m = np.zeros(1), np.zeros(1), np.full(1, np.inf)
    came_from: list[tuple[Floats, list[int]]] = []
    for stop, (pass_m, squared) in enumerate(way.passes):
        # serving it at once where the stop before was served is always possible
        at_m, squared = np.concatenate((pass_m, best_m)), np.concatenate((squared, way.squared_at(stop, best_m)))
        leg_m = at_m - best_m[:, None]
        cost = np.where(leg_m >= 0, best_cost[:, None] + _leg_cost(leg_m, plan_m[stop], again_m, at_m), np.inf)
        parent = np.argmin(cost, axis=0)
        cost = cost[parent, np.arange(len(at_m))] + np.maximum(squared, AT_DOOR_M**2) / (2 * DOOR_M**2) + 1e-9 * at_m
        cost -= np.where(way.turns_at(at_m), TURNS, 0.0)
        if stop == 0 and way.squared_at(0, np.zeros(1))[0] < AT_DOOR_M**2:
            cost += np.where(at_m > LOOP_M, BEGINS, 0.0)
        most = min(2 * way.max_passes, np.count_nonzero(np.isfinite(cost)))
        keep = np.sort(np.argsort(cost, kind="stable")[:most])
        keep = keep[np.argsort(at_m[keep], kind="stable")]
        best_m, best_cost = at_m[keep], cost[keep]
        if not np.isnan(plan_m[stop + 1 : stop + 2]).all():
            again_m = way.again_m(best_m, at_m)
        came_from.append((best_m, parent[keep].tolist()))
    result = np.zeros(len(way.passes))
    choice = int(np.argmin(best_cost))
    for stop in range(len(way.passes) - 1, -1, -1):
        places_m, parents = came_from[stop]
        result[stop] = places_m[choice]
        choice = parents[choice]
    return result


def drive_s(planned_ms: ArrayLike, service_s: ArrayLike) -> Floats:
    """Tell how long a plan drives to each stop from the one before: what is left of its times without the service.

    Args:
        planned_ms: (s,) planned arrivals, epoch milliseconds; UNKNOWN_MS where there is none.
        service_s: (s,) planned stay.

    Returns:
        (s,) seconds; NaN where a time is missing or before the one of the stop before, and for the first stop.
    """
    planned = np.asarray(planned_ms, np.int64)
    seconds = np.full(len(planned), np.nan)
    known = (planned[1:] != UNKNOWN_MS) & (planned[:-1] != UNKNOWN_MS) & (planned[1:] >= planned[:-1])
    seconds[1:][known] = np.diff(planned)[known] / 1000 - np.asarray(service_s, np.float64)[:-1][known]
    waited: Floats = np.maximum(seconds, 0.0)
    return waited


def _leg_cost(leg_m: Floats, plan_m: float, again_m: Floats, at_m: Floats) -> Floats:
    """How unlikely ways between stops are, given the metres that the plan has time for, and which come by their begin.

    Without times nothing speaks for one: stops are served as early as they can be.
    """
    if np.isnan(plan_m):
        return np.zeros_like(leg_m)
    loops = np.where(again_m[:, None] <= at_m, LOOP, 0.0)
    return np.abs(leg_m - plan_m) / (LEG_M + LEG_PART * plan_m) + loops


def _passes(x_m: Floats, y_m: Floats, along: Floats, at_x: float, at_y: float, at_most: int) -> tuple[Floats, Floats]:
    """Find the local minima of the distance from a place to a path: where, ascending, and the squared distance."""
    if len(x_m) == 1:
        return along[:1], (x_m - at_x) ** 2 + (y_m - at_y) ** 2
    dx, dy = np.diff(x_m), np.diff(y_m)
    length2 = np.maximum(dx * dx + dy * dy, 1e-12)
    part = np.clip(((at_x - x_m[:-1]) * dx + (at_y - y_m[:-1]) * dy) / length2, 0, 1)
    squared = (x_m[:-1] + part * dx - at_x) ** 2 + (y_m[:-1] + part * dy - at_y) ** 2
    here = along[:-1] + part * np.diff(along)
    # a foot inside a segment is a minimum; so is a vertex that is nearest on both of its segments
    corner = np.append(part[:-1] >= 1, True) & np.append(part[1:] <= 0, True)
    low = np.flatnonzero(
        ((part > 0) & (part < 1)) | ((part >= 1) & corner) | ((part <= 0) & (np.arange(len(part)) == 0))
    )
    if len(low) > at_most:
        low = np.sort(low[np.argsort(squared[low], kind="stable")[:at_most]])
    return here[low], squared[low]


def _degrees(column: ArrayLike) -> Floats:
    return np.ascontiguousarray(column, np.float64).reshape(-1)
