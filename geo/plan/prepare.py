"""Routes put on their planes: what makes a `geo.plan.plans.Plan`."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

import numpy as np
from numpy.typing import ArrayLike

from geo.pings import UNKNOWN_MS, Floats, Ints
from geo.plan.numbers import BIN_M, FAR_DOOR_M, MAX_STOPS, STOP_SLACK_M
from geo.plan.plans import Plan
from geo.plan.together import paced_ms, together
from geo.shape import plane
from geo.shape.fence_shape import polygon_on_plane


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a version of a route is, apart from where it leads: every attribute as in `Plan`."""

    route_id: int
    version: int
    order: tuple[int, str]
    effective_ms: int
    driver_id: int | None
    start_ms: int
    end_ms: int
    return_to_depot: bool
    wait_for_window: bool = False
    times_learned: bool = False
    utc_offset_s: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class PathColumns:
    """The path of a route, as `geo.shape.lines` made it.

    Attributes:
        lon, lat: (v,) vertices, degrees; at least one.
        along_m: (v,) metres from the first vertex, never decreasing.

    Raises:
        ValueError: columns differ in length, or no vertex.
    """

    lon: Floats
    lat: Floats
    along_m: Floats

    def __post_init__(self) -> None:
        for name in ("lon", "lat", "along_m"):
            object.__setattr__(self, name, _floats(getattr(self, name)))
        if not len(self.lon) == len(self.lat) == len(self.along_m):
            raise ValueError("columns differ in length")
        if not len(self.lon):
            raise ValueError("a plan needs a path")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StopColumns:
    """The stops of a route in the order of the tour.

    Attributes:
        ids, lon, lat, radius_m, service_s: (s,) as in `Plan`.
        along_m: (s,) as `geo.shape.lines.place_stops` made it, never decreasing.
        planned_ms: (s,) planned arrivals, epoch milliseconds; UNKNOWN_MS where there is none.
        window_ms: (s, 2) as in `Plan`; None: no stop has a window.
        kinds, parcels, drive_s: (s,) as in `Plan`; None: deliveries of one parcel, no drive known.
        shapes: GeoJSON Polygon or MultiPolygon of the stops (by stop id) whose fence is not a circle.

    Raises:
        ValueError: columns differ in length, more than MAX_STOPS stops, or stops not in order along the path.
    """

    ids: Ints
    lon: Floats
    lat: Floats
    along_m: Floats
    radius_m: Floats
    service_s: Floats
    planned_ms: Ints
    window_ms: Ints | None = None
    kinds: Sequence[str] | None = None
    parcels: Ints | None = None
    drive_s: Floats | None = None
    shapes: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count = len(np.ravel(self.ids))
        of_unknown: dict[str, Any] = {
            "window_ms": np.full((count, 2), UNKNOWN_MS),
            "kinds": ("delivery",) * count,
            "parcels": np.ones(count, np.int64),
            "drive_s": np.full(count, np.nan),
        }
        for name, column in of_unknown.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, column)
        for name in ("ids", "planned_ms", "parcels"):
            object.__setattr__(self, name, _ints(getattr(self, name)))
        for name in ("lon", "lat", "along_m", "radius_m", "service_s", "drive_s"):
            object.__setattr__(self, name, _floats(getattr(self, name)))
        object.__setattr__(self, "window_ms", _ints(self.window_ms).reshape(-1, 2))
        object.__setattr__(self, "kinds", tuple(self.kinds or ()))
        columns = (name for name in self.__slots__ if name != "shapes")
        if any(len(getattr(self, name)) != count for name in columns):
            raise ValueError("columns differ in length")
        if count > MAX_STOPS:
            raise ValueError(f"a plan has at most {MAX_STOPS} stops")
        if (np.diff(self.along_m) < 0).any():
            raise ValueError("stop_along_m decreases")


def prepare_plan(head: Head, path: PathColumns, stops: StopColumns) -> Plan:
    """Put a route on its plane. Costs about a millisecond; keep the result as long as the version lives.

    Raises:
        ValueError: a shape of a stop is bad.
    """
    assert stops.window_ms is not None
    assert stops.kinds is not None
    assert stops.parcels is not None
    assert stops.drive_s is not None
    lon0, lat0 = _plane_of(path)
    segments = _segments(path, lon0, lat0)
    stop_x, stop_y = plane.project(stops.lon, stops.lat, lon0, lat0)
    pace_ms = paced_ms(stops.along_m, stops.service_s)
    due_ms = _fill_due(stops.planned_ms, pace_ms)
    reached_ms = pace_ms if np.isnan(due_ms).any() else due_ms
    return Plan(
        route_id=head.route_id,
        version=head.version,
        order=head.order,
        effective_ms=head.effective_ms,
        driver_id=head.driver_id,
        start_ms=head.start_ms,
        end_ms=head.end_ms,
        return_to_depot=head.return_to_depot,
        wait_for_window=head.wait_for_window,
        times_learned=head.times_learned,
        utc_offset_s=head.utc_offset_s,
        lon0=lon0,
        lat0=lat0,
        path_lon=path.lon,
        path_lat=path.lat,
        path_along_m=path.along_m,
        length_m=float(path.along_m[-1]),
        segments=segments,
        stop_ids=stops.ids,
        stops=np.column_stack((stop_x, stop_y, stops.radius_m, stops.along_m, stops.service_s)),
        stop_lon=stops.lon,
        stop_lat=stops.lat,
        stop_due_ms=due_ms,
        stop_window_ms=stops.window_ms,
        stop_kinds=stops.kinds,
        owed=np.array([kind not in ("depot", "break") for kind in stops.kinds], np.bool_),
        stop_parcels=stops.parcels,
        stop_drive_s=stops.drive_s,
        timetable=_timetable(due_ms, stops),
        door_m=_doors_m(segments, path.along_m, stops.along_m, stop_x, stop_y),
        together=together(
            np.column_stack((stop_x, stop_y)), stops.along_m, stops.kinds or (), reached_ms, segments[0, :2]
        ),
        polygons=_polygons(stops, lon0, lat0),
        **_bins(path.along_m, stops.along_m),
    )


def _plane_of(path: PathColumns) -> tuple[float, float]:
    """Give the origin of a path's plane: the middle of its box, degrees."""
    first = path.lon[0]
    return float(first + _middle(plane.wrap_deg(path.lon - first))), _middle(path.lat)


def _segments(path: PathColumns, lon0: float, lat0: float) -> Floats:
    """Give `Plan.segments`; a path of one vertex has one of no length."""
    x_m, y_m = plane.project(path.lon, path.lat, lon0, lat0)
    along_m = path.along_m
    if len(x_m) == 1:
        x_m, y_m, along_m = np.repeat(x_m, 2), np.repeat(y_m, 2), np.repeat(along_m, 2)
    dx_m, dy_m = np.diff(x_m), np.diff(y_m)
    squared = dx_m * dx_m + dy_m * dy_m
    inverse = np.divide(1.0, squared, out=np.zeros_like(squared), where=squared > 1e-9)
    return np.column_stack((x_m[:-1], y_m[:-1], dx_m, dy_m, inverse, along_m[:-1], np.diff(along_m)))


def _doors_m(segments: Floats, path_m: Floats, stop_m: Floats, x_m: Floats, y_m: Floats) -> Floats:
    """Give `Plan.door_m`: straight, for nobody knows the track."""
    row = np.clip(np.searchsorted(path_m, stop_m, "right") - 1, 0, len(segments) - 1)
    from_x, from_y, dx_m, dy_m, _, at_m, length_m = segments[row].T
    part = np.clip((stop_m - at_m) / np.maximum(length_m, 1e-9), 0.0, 1.0)
    away_m = np.hypot(from_x + part * dx_m - x_m, from_y + part * dy_m - y_m)
    return np.where(away_m > FAR_DOOR_M, away_m, 0.0)


class _Bins(TypedDict):
    segment_at: Sequence[int]
    near_until: Sequence[int]
    next_from: Sequence[int]


def _bins(path_m: Floats, stop_m: Floats) -> _Bins:
    """Look up once, for every BIN_M metres of a path, which segment and which stops are there: as in `Plan`.

    Args:
        path_m, stop_m: where vertices and stops are along the path.
    """
    bin_m = np.arange(int(path_m[-1] // BIN_M) + 2) * BIN_M
    last_segment = max(len(path_m) - 2, 0)
    return {
        "segment_at": _short(np.clip(np.searchsorted(path_m, bin_m, "right") - 1, 0, last_segment)),
        "near_until": _short(np.searchsorted(stop_m, bin_m + BIN_M + STOP_SLACK_M, "right")),
        "next_from": _short(np.searchsorted(stop_m, bin_m - STOP_SLACK_M, "left")),
    }


def _short(numbers: Ints) -> Sequence[int]:
    """Keep whole numbers in four bytes each: a list takes ten times as much, and every plan has three of them."""
    return array("i", numbers.tolist())


def _timetable(due_ms: Floats, stops: StopColumns) -> list[tuple[float, float, float]]:
    """Give `Plan.timetable`."""
    if np.isnan(due_ms).any():
        return []
    done_ms = due_ms + 1000 * stops.service_s
    return list(zip(due_ms.tolist(), done_ms.tolist(), stops.along_m.tolist(), strict=True))


def _polygons(stops: StopColumns, lon0: float, lat0: float) -> dict[int, Any]:
    """Give `Plan.polygons`."""
    return {
        int(np.flatnonzero(stops.ids == stop_id)[0]): polygon_on_plane(shape, lon0, lat0)
        for stop_id, shape in stops.shapes.items()
        if stop_id in stops.ids
    }


def _floats(column: ArrayLike) -> Floats:
    return np.ascontiguousarray(column, np.float64).reshape(-1)


def _ints(column: ArrayLike | None) -> Ints:
    return np.ascontiguousarray(column, np.int64).reshape(-1)


def _middle(degrees: Floats) -> float:
    return float((degrees.min() + degrees.max()) / 2)


def _fill_due(planned_ms: Ints, pace_ms: Floats) -> Floats:
    """Give every stop a planned arrival where any has one: NaN for all when none has.

    How long the tour takes to each stop at a typical speed is a clock; the known times shift it piece by piece.
    """
    known = np.flatnonzero(planned_ms != UNKNOWN_MS)
    if not len(known):
        return np.full(len(planned_ms), np.nan)
    shift_ms = np.interp(np.arange(len(planned_ms)), known, planned_ms[known] - pace_ms[known])
    due_ms = pace_ms + shift_ms
    due_ms[known] = planned_ms[known]
    return np.maximum.accumulate(due_ms)
