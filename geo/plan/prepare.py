"""Routes put on their planes: what makes a `geo.plan.plans.Plan`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geo.numbers import TYPICAL_MPS
from geo.pings import UNKNOWN_MS, Floats, Ints
from geo.plan.numbers import BIN_M, MAX_STOPS, NEXT_DOOR_M, SAME_PLACE_M, STOP_SLACK_M
from geo.plan.plans import Plan
from geo.shape import plane
from geo.shape.fence_shape import polygon_on_plane


def prepare_plan(
    *,
    route_id: int,
    version: int,
    order: tuple[int, str],
    effective_ms: int,
    driver_id: int | None,
    start_ms: int,
    end_ms: int,
    return_to_depot: bool,
    path_lon: ArrayLike,
    path_lat: ArrayLike,
    path_along_m: ArrayLike,
    stop_ids: ArrayLike,
    stop_lon: ArrayLike,
    stop_lat: ArrayLike,
    stop_along_m: ArrayLike,
    stop_radius_m: ArrayLike,
    stop_service_s: ArrayLike,
    stop_planned_ms: ArrayLike,
    stop_shapes: Mapping[int, Mapping[str, Any]],
    stop_window_ms: ArrayLike | None = None,
    stop_kinds: Sequence[str] | None = None,
    stop_parcels: ArrayLike | None = None,
    stop_drive_s: ArrayLike | None = None,
    wait_for_window: bool = False,
    utc_offset_s: int = 0,
) -> Plan:
    """Put a route on its plane. Costs about a millisecond; keep the result as long as the version lives.

    Args:
        path_lon, path_lat, path_along_m: (v,) as `geo.shape.lines` made them; at least one vertex.
        stop_ids, stop_lon, stop_lat, stop_along_m, stop_radius_m, stop_service_s: (s,) in the order of the tour;
            along_m as `geo.shape.lines.place_stops` made it, never decreasing.
        stop_planned_ms: (s,) planned arrivals, epoch milliseconds; UNKNOWN_MS where there is none.
        stop_shapes: GeoJSON Polygon or MultiPolygon of the stops (by stop id) whose fence is not a circle.
        stop_window_ms: (s, 2) as in `Plan`; None: no stop has a window.
        stop_kinds, stop_parcels, stop_drive_s: (s,) as in `Plan`; None: deliveries of one parcel, no drive known.

    Raises:
        ValueError: columns differ in length, no vertex, more than MAX_STOPS stops, stops not in order along the path,
            or a bad shape.
    """
    lon, lat = _floats(path_lon), _floats(path_lat)
    along_m = _floats(path_along_m)
    ids = np.ascontiguousarray(stop_ids, np.int64).reshape(-1)
    count = len(ids)
    columns = [_floats(column) for column in (stop_lon, stop_lat, stop_radius_m, stop_along_m, stop_service_s)]
    planned_ms = np.ascontiguousarray(stop_planned_ms, np.int64).reshape(-1)
    window_ms = np.full((count, 2), UNKNOWN_MS) if stop_window_ms is None else np.asarray(stop_window_ms, np.int64)
    window_ms = window_ms.reshape(-1, 2)
    kinds = tuple(stop_kinds) if stop_kinds is not None else ("delivery",) * count
    parcels = np.ones(count, np.int64) if stop_parcels is None else np.asarray(stop_parcels, np.int64).reshape(-1)
    drive_s = np.full(count, np.nan) if stop_drive_s is None else _floats(stop_drive_s)
    optional = (window_ms, kinds, parcels, drive_s)
    if not len(lon) == len(lat) == len(along_m) or any(
        len(column) != count for column in (*columns, planned_ms, *optional)
    ):
        raise ValueError("columns differ in length")
    if not len(lon):
        raise ValueError("a plan needs a path")
    if count > MAX_STOPS:
        raise ValueError(f"a plan has at most {MAX_STOPS} stops")
    at_lon, at_lat, radius_m, at_along_m, service_s = columns
    if (np.diff(at_along_m) < 0).any():
        raise ValueError("stop_along_m decreases")

    lon0, lat0 = float(lon[0] + _middle(plane.wrap_deg(lon - lon[0]))), _middle(lat)
    x_m, y_m = plane.project(lon, lat, lon0, lat0)
    if len(lon) == 1:
        x_m, y_m, along_m = np.repeat(x_m, 2), np.repeat(y_m, 2), np.repeat(along_m, 2)
    dx_m, dy_m = np.diff(x_m), np.diff(y_m)
    squared = dx_m * dx_m + dy_m * dy_m
    inverse = np.divide(1.0, squared, out=np.zeros_like(squared), where=squared > 1e-9)
    segments = np.column_stack((x_m[:-1], y_m[:-1], dx_m, dy_m, inverse, along_m[:-1], np.diff(along_m)))

    stop_x, stop_y = plane.project(at_lon, at_lat, lon0, lat0)
    due_ms = _fill_due(planned_ms, at_along_m, service_s)
    timetable = list(zip(due_ms.tolist(), (due_ms + 1000 * service_s).tolist(), at_along_m.tolist(), strict=True))
    bin_m = np.arange(int(along_m[-1] // BIN_M) + 2) * BIN_M
    first = np.searchsorted(at_along_m, bin_m - STOP_SLACK_M, "left")
    past = np.searchsorted(at_along_m, bin_m + BIN_M + STOP_SLACK_M, "right")
    return Plan(
        route_id=route_id,
        version=version,
        order=order,
        effective_ms=effective_ms,
        driver_id=driver_id,
        start_ms=start_ms,
        end_ms=end_ms,
        return_to_depot=return_to_depot,
        lon0=lon0,
        lat0=lat0,
        path_lon=lon,
        path_lat=lat,
        path_along_m=_floats(path_along_m),
        length_m=float(along_m[-1]),
        segments=segments,
        segment_at=np.clip(np.searchsorted(along_m, bin_m, "right") - 1, 0, len(segments) - 1).tolist(),
        stop_ids=ids,
        stops=np.column_stack((stop_x, stop_y, radius_m, at_along_m, service_s)),
        stop_lon=at_lon,
        stop_lat=at_lat,
        stop_due_ms=due_ms,
        stop_window_ms=window_ms,
        stop_kinds=kinds,
        stop_parcels=parcels,
        stop_drive_s=drive_s,
        wait_for_window=wait_for_window,
        utc_offset_s=utc_offset_s,
        stops_near=list(zip(first.tolist(), past.tolist(), strict=True)),
        next_from=first.tolist(),
        timetable=timetable if not np.isnan(due_ms).any() else [],
        together=_together(stop_x, stop_y, at_along_m),
        polygons={
            int(np.flatnonzero(ids == stop_id)[0]): polygon_on_plane(shape, lon0, lat0)
            for stop_id, shape in stop_shapes.items()
            if stop_id in ids
        },
    )


def _floats(column: ArrayLike) -> Floats:
    return np.ascontiguousarray(column, np.float64).reshape(-1)


def _middle(degrees: Floats) -> float:
    return float((degrees.min() + degrees.max()) / 2)


def _fill_due(planned_ms: Ints, along_m: Floats, service_s: Floats) -> Floats:
    """Give every stop a planned arrival where any has one: NaN for all when none has."""
    known = np.flatnonzero(planned_ms != UNKNOWN_MS)
    if not len(known):
        return np.full(len(planned_ms), np.nan)
    # how long the tour takes to each stop at a typical speed; the known times shift that clock piece by piece
    pace_ms = 1000 * (along_m / TYPICAL_MPS + np.concatenate(([0.0], np.cumsum(service_s)[:-1])))
    shift_ms = np.interp(np.arange(len(planned_ms)), known, planned_ms[known] - pace_ms[known])
    due_ms = pace_ms + shift_ms
    due_ms[known] = planned_ms[known]
    return np.maximum.accumulate(due_ms)


def _together(x_m: Floats, y_m: Floats, along_m: Floats) -> list[int]:
    """Count, from each stop on, the stops of one building: doors next to each other, served from one place."""
    count = len(x_m)
    together = [1] * count
    for first in range(count):
        last = first + 1
        while (
            last < count
            and along_m[last] - along_m[first] <= SAME_PLACE_M
            and np.hypot(x_m[last] - x_m[first], y_m[last] - y_m[first]) <= NEXT_DOOR_M
        ):
            last += 1
        together[first] = last - first
    return together
