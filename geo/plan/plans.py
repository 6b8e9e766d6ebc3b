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
from numpy.typing import NDArray

from geo.pings import UNKNOWN_MS, Bools, Floats, Ints
from geo.plan.fence import Fences
from geo.plan.numbers import EARLY_MS, LATE_MS

# columns of Plan.segments
X, Y, DX, DY, INVERSE, ALONG, LENGTH = range(7)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class Plan:
    """One version of a route. Make it with `geo.plan.prepare.prepare_plan`.

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
        stop_kinds: (s,) delivery, pickup, return, depot, break.
        owed: (s,) where somebody waits: a tour with such a stop open is not done.
        stop_parcels: (s,) how many.
        stop_drive_s: (s,) what routing says the drive from the stop before takes (the first: from the path's start);
            NaN where nothing said.
        wait_for_window: a van that is early waits until the window opens.
        times_learned: its arrivals hold what ETAs learned of drives and services.
        utc_offset_s: of the route's time zone while it is driven, for the hour and weekday of what is learned.
        next_from: for every BIN_M metres along the path, the first stop that is not behind it by STOP_SLACK_M.
        near_until: for every BIN_M metres along the path, one past the last stop within STOP_SLACK_M of it.
        timetable: (s,) of each stop (due, done: due and served, both as in stop_due_ms; along_m), empty without times.
        door_m: (s,) from each stop's place on the path to its door, where that is driven; 0 where it is walked.
        together: (s,) the places in the tour of the stops that one standing there serves, ascending, with its own.
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
    owed: Bools
    stop_parcels: Ints
    stop_drive_s: Floats
    wait_for_window: bool
    times_learned: bool
    utc_offset_s: int
    next_from: Sequence[int]
    near_until: Sequence[int]
    timetable: Sequence[tuple[float, float, float]]
    door_m: Floats
    together: Sequence[tuple[int, ...]]
    polygons: Mapping[int, Any]


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
        ended_ms: of phones that were shut out, by device: when they had recorded their last.
    """

    driver_id: int
    plans: tuple[Plan, ...] = ()
    fences: Fences = field(default_factory=Fences)
    claims: tuple[Claim, ...] = ()
    ended_ms: Mapping[int, int] = field(default_factory=dict)
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
    for plan in plans:
        routes.setdefault(plan.route_id, []).append(plan)
    pieces: list[tuple[int, int, Plan]] = []
    for versions in map(_in_force, routes.values()):
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


def _in_force(versions: Sequence[Plan]) -> list[Plan]:
    """Leave out the versions of a route that a later one, in force from before, put out of force; in order of time."""
    kept: list[Plan] = []
    for plan in sorted(versions, key=lambda plan: -plan.version):
        if not kept or plan.effective_ms < kept[-1].effective_ms:
            kept.append(plan)
    return kept[::-1]


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


def places_at(plans: Sequence[Plan], along_m: Floats) -> tuple[Floats, Floats]:
    """Find the places so far along n paths: x, y, metres on each plan's plane."""
    if not len(plans):
        return along_m, along_m
    first = [
        min(max(int(plan.path_along_m.searchsorted(at_m, "right")) - 1, 0), len(plan.segments) - 1)
        for plan, at_m in zip(plans, along_m.tolist(), strict=True)
    ]
    pieces, _ = windows([plan.segments for plan in plans], first, [row + 1 for row in first])
    length_m = pieces[:, LENGTH]
    share = np.clip((along_m - pieces[:, ALONG]) / np.where(length_m > 0, length_m, 1.0), 0.0, 1.0)
    share = np.where(length_m > 0, share, 0.0)
    return pieces[:, X] + share * pieces[:, DX], pieces[:, Y] + share * pieces[:, DY]


def place_at(plan: Plan, along_m: float) -> tuple[float, float]:
    """Find the place so far along one path, as `places_at`."""
    x_m, y_m = places_at([plan], np.array([along_m]))
    return float(x_m[0]), float(y_m[0])
