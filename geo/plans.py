"""Plans prepared for tracking: what a driver is meant to do, with its geometry on a plane.

A `Plan` is one version of one route and never changes; a `Timeline` holds every version that ever concerned a driver,
so that the same ping finds the same plan today and in a re-run next month.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from geo import plane
from geo.fence import Fences
from geo.fence_shape import polygon_on_plane
from geo.pings import UNKNOWN_MS, Floats, Ints

EARLY_MS = 2 * 3_600_000
"""How long before its start a route may be driven."""

LATE_MS = 4 * 3_600_000
"""How long after its end a route may still be driven."""

MAX_STOPS = 512
"""Stops a plan can have: a track counts the visits of each in one byte."""

BIN_M = 25.0
"""Metres of path to a bin of `Plan.segment_at` and `Plan.stops_near`."""

STOP_SLACK_M = 120.0
"""How far from a stop along the path a van may be and still be at it."""

TYPICAL_MPS = 6.5
"""A delivery van's mean speed between stops, where a plan has no times of its own (the same in `geo.eta`)."""

# columns of Plan.segments
X, Y, DX, DY, INVERSE, ALONG, LENGTH = range(7)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class Plan:
    """One version of a route. Make it with `prepare_plan`.

    Attributes:
        route_id: the route, > 0.
        version: of the route, ascending.
        order: (start_ms, external_id): the first of a driver's routes by this is driven first.
        effective_ms: in force from this time on; UNKNOWN_MS means since ever.
        driver_id: who drives it; None: nobody.
        start_ms, end_ms: when it is planned to be driven.
        return_to_depot: the tour ends at the end of the path, not at its last stop.
        lon0, lat0: origin of the plane, degrees.
        path_lon, path_lat: (v,) vertices, degrees.
        path_along_m: (v,) WGS 84 geodesic metres from the first vertex, never decreasing.
        length_m: the last of them.
        segments: (v - 1, 7) columns X, Y (start, metres on the plane), DX, DY (to its end), INVERSE (1 / squared
            length; 0 for a segment of no length), ALONG (of its start, metres), LENGTH (in the measure of ALONG).
        segment_at: for every BIN_M metres along the path, the segment that is there.
        stop_ids: (s,) in the order of the tour.
        stops: (s, 5) columns x, y (metres on the plane), radius_m, along_m, service_s.
        stop_lon, stop_lat: (s,) degrees.
        stop_due_ms: (s,) planned arrivals; gaps are filled from their neighbours; NaN everywhere when none was planned.
        stop_window_ms: (s, 2) promised: from, until; UNKNOWN_MS where there is none.
        stop_kinds: (s,) delivery, pickup, return, break.
        stop_parcels: (s,) how many.
        stop_drive_s: (s,) what routing says the drive from the stop before takes (the first: from the path's start);
            NaN where nothing said.
        wait_for_window: a van that is early waits until the window opens.
        utc_offset_s: of the route's time zone while it is driven, for the hour and weekday of what is learned.
        stops_near: for every BIN_M metres along the path, (first, one past the last) stop within STOP_SLACK_M of it.
        next_from: for every BIN_M metres along the path, the first stop that is not behind it.
        timetable: (s,) of each stop (due, done: due and served, both as in stop_due_ms; along_m), empty without times.
        together: (s,) how many stops from this one on are at the same place and share a visit, at least 1.
        polygons: the fence of a stop on the plane, by its place in the tour, where it is not a circle.
    """

    route_id: int
    version: int
    order: tuple[int, str]
    effective_ms: int
    driver_id: int | None
    start_ms: int
    end_ms: int
    return_to_depot: bool
    lon0: float
    lat0: float
    path_lon: Floats
    path_lat: Floats
    path_along_m: Floats
    length_m: float
    segments: Floats
    segment_at: Sequence[int]
    stop_ids: Ints
    stops: Floats
    stop_lon: Floats
    stop_lat: Floats
    stop_due_ms: Floats
    stop_window_ms: Ints
    stop_kinds: Sequence[str]
    stop_parcels: Ints
    stop_drive_s: Floats
    wait_for_window: bool
    utc_offset_s: int
    stops_near: Sequence[tuple[int, int]]
    next_from: Sequence[int]
    timetable: Sequence[tuple[float, float, float]]
    together: Sequence[int]
    polygons: Mapping[int, Any]


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
        path_lon, path_lat, path_along_m: (v,) as `geo.lines` made them; at least one vertex.
        stop_ids, stop_lon, stop_lat, stop_along_m, stop_radius_m, stop_service_s: (s,) in the order of the tour;
            along_m as `geo.lines.place_stops` made it, never decreasing.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a driver said and history rests on: `route_started`, `arrived`, `departed`, `completed`, …

    Attributes:
        at_ms: when it happened, by the phone's clock.
        id: the event's UUID as text; tells the order within a millisecond.
        kind: the type of the event.
        route_id: which route; of the stop, where there is one.
        stop_id: 0: of a route.
        lat, lon: where the driver was, degrees; None: not said.
    """

    at_ms: int
    id: str
    kind: str
    route_id: int
    stop_id: int = 0
    lat: float | None = None
    lon: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Timeline:
    """All that was ever planned for a driver or said by them, and their account's fences.

    Attributes:
        driver_id: the driver.
        plans: every version of every route the driver ever had, also those versions whose driver is somebody else or
            nobody: they end the assignment.
        fences: of the driver's account, one object shared by all its drivers.
        claims: by (at_ms, id), whatever order they are given in.
    """

    driver_id: int
    plans: tuple[Plan, ...] = ()
    fences: Fences = field(default_factory=Fences)
    claims: tuple[Claim, ...] = ()
    _from_ms: list[int] = field(init=False, repr=False)
    _candidates: list[tuple[Plan, ...]] = field(init=False, repr=False)
    _by_version: dict[tuple[int, int], Plan] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        from_ms, candidates = _spans(self.driver_id, self.plans)
        object.__setattr__(self, "claims", tuple(sorted(self.claims, key=lambda claim: (claim.at_ms, claim.id))))
        object.__setattr__(self, "_from_ms", from_ms)
        object.__setattr__(self, "_candidates", candidates)
        object.__setattr__(self, "_by_version", {(plan.route_id, plan.version): plan for plan in self.plans})

    def plan_at(
        self, at_ms: int, finished: Mapping[int, int] = MappingProxyType({}), chosen: int = 0
    ) -> tuple[Plan | None, int]:
        """Tell which plan a ping is on.

        Of each route the version in force counts; of those that are this driver's, inside their hours and not finished,
        the one that the driver chose, else the first by `Plan.order`.

        Args:
            at_ms: when the ping was recorded.
            finished: routes that are done, and the version that was; one with other stops is not done.
            chosen: the route that the driver said they drive; 0: none.

        Returns:
            The plan, None when there is none, and until when (exclusive, ms) that answer holds for the same `finished`
            and `chosen`.
        """
        span = bisect_right(self._from_ms, at_ms)
        until_ms = self._from_ms[span] if span < len(self._from_ms) else FOREVER_MS
        first = None
        for plan in self._candidates[span]:
            if plan.route_id in finished and not self.new_stops(plan, finished[plan.route_id]):
                continue
            if plan.route_id == chosen or not chosen:
                return plan, until_ms
            first = first or plan
        return first, until_ms

    def new_stops(self, plan: Plan, version: int) -> set[int]:
        """Find the stops of a plan that an earlier version of its route did not have; none where that is not known."""
        before = self.plan(plan.route_id, version)
        return set() if before is None else set(plan.stop_ids.tolist()) - set(before.stop_ids.tolist())

    def plan(self, route_id: int, version: int) -> Plan | None:
        """Find one version of a route."""
        return self._by_version.get((route_id, version))


FOREVER_MS = int(np.iinfo(np.int64).max)
"""Later than any ping."""


def _spans(driver_id: int, plans: Sequence[Plan]) -> tuple[list[int], list[tuple[Plan, ...]]]:
    """Cut time where the candidates change: candidates[i] hold before from_ms[i], the last ones for ever after."""
    routes: dict[int, list[Plan]] = {}
    for plan in sorted(plans, key=lambda plan: (plan.route_id, plan.effective_ms, plan.version)):
        routes.setdefault(plan.route_id, []).append(plan)
    pieces: list[tuple[int, int, Plan]] = []
    for versions in routes.values():
        ends = [plan.effective_ms for plan in versions[1:]] + [FOREVER_MS]
        for plan, ended_ms in zip(versions, ends, strict=True):
            begin = max(plan.effective_ms, plan.start_ms - EARLY_MS)
            end = min(ended_ms, plan.end_ms + LATE_MS + 1)
            if plan.driver_id == driver_id and begin < end:
                pieces.append((begin, end, plan))
    from_ms = sorted({edge for begin, end, _ in pieces for edge in (begin, end)} - {UNKNOWN_MS})
    candidates = [
        tuple(
            plan
            for begin, end, plan in sorted(pieces, key=lambda piece: (piece[2].order, piece[2].route_id))
            if begin <= moment < end
        )
        for moment in (UNKNOWN_MS, *from_ms)
    ]
    return from_ms, candidates


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
    """Count, from each stop on, the stops of one building: doors within 15 m, served from the same 5 m of the path."""
    count = len(x_m)
    together = [1] * count
    for first in range(count):
        last = first + 1
        while (
            last < count
            and along_m[last] - along_m[first] <= 5
            and np.hypot(x_m[last] - x_m[first], y_m[last] - y_m[first]) <= 15
        ):
            last += 1
        together[first] = last - first
    return together


def outside(plan: Plan, row: int, x_m: float, y_m: float) -> float:
    """Measure how far a place is outside the fence of a stop; negative inside.

    Args:
        row: the stop's place in the tour.
        x_m, y_m: the place on the plan's plane.
    """
    polygon = plan.polygons.get(row)
    if polygon is None:
        x, y, radius_m = plan.stops[row, :3]
        return float(np.sqrt((x - x_m) ** 2 + (y - y_m) ** 2) - radius_m)
    place = shapely.Point(x_m, y_m)
    return float(-shapely.distance(polygon.boundary, place) if polygon.contains(place) else polygon.distance(place))


def places_in(plan: Plan, stop_ids: Ints) -> Ints:
    """Find the places in the tour of some of its stops."""
    order = np.argsort(plan.stop_ids)
    places: Ints = order[np.searchsorted(plan.stop_ids, stop_ids, sorter=order)]
    return places


def windows(arrays: Sequence[NDArray[Any]], first: Sequence[int], past: Sequence[int]) -> tuple[NDArray[Any], Ints]:
    """Join a piece of each array: the ragged gather under the per-ping work.

    A list of slices costs about 0.3 µs a driver, which is less than keeping all plans of a fleet in one array would.

    Args:
        arrays: (n) arrays of one width.
        first, past: (n) the rows wanted of each.

    Returns:
        The pieces in one array, and (n + 1,) where each begins.
    """
    starts = np.zeros(len(arrays) + 1, np.int64)
    np.cumsum(np.subtract(past, first), out=starts[1:])
    return np.concatenate([array[a:b] for array, a, b in zip(arrays, first, past, strict=True)]), starts
