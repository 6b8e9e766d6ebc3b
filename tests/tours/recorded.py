"""Tours on real streets, made by the recipe of the recorded ones (the README beside them): from a town to a `Tour`."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from geo.pings import UNKNOWN_MS, Floats, Ints
from geo.plan.plans import Plan
from geo.plan.prepare import Head, PathColumns, StopColumns, prepare_plan
from geo.shape import lines, plane
from geo.simulate.drive import Truth
from tests.tours.city import City, Way
from tests.tours.driver import Driven, Planned, Streets
from tests.tours.heard import Phone, heard
from tests.tours.streets import ORDINARY_KMH
from tests.tours.tours import GREY_MS, START_MS, Tour, along, seen, when_left
from tests.tours.van import driven as drive

EVERY_S = (1, 5, 15, 30)
"""How often phones send, seconds."""

STOPS, CLUSTERS = (20, 61), (3, 8)
"""How many of each, at least, and fewer than."""

APART_M, SPREAD_M, DEPOT_M, DOORS_M = (700.0, 2_800.0), (150.0, 600.0), 10_000.0, 25.0
"""How far a cluster is from one before it, the doors of one from its middle, the depot from the first at most, and two
doors at least."""

LENGTH_M = (20_000.0, 62_000.0)
"""Shorter and longer tours are drawn anew."""

SWAPPED = 0.12
"""Part of the stops that are put before the one they would follow."""

DOOR_M, DOOR_SPREAD, RADII_M = 11.8, 0.55, (30.0, 40.0, 50.0, 60.0)
"""From the middle of the street to a door, in the median, lognormal; and the radius of a fence, each as often."""

PLANNED_SERVICE_S, SERVICE_S, SERVICE_SPREAD, SHORTEST_S, LONGEST_S = 120.0, 80.0, 0.75, 20.0, 830.0
"""What every stop is planned to take, and what it takes: in the median, lognormal, within."""

PLANNED_PACE, PACE = 0.8, (0.45, 1.05)
"""Part of an empty street's speed that is planned, and that is driven."""

HALTS_PER_KM, HALT_S = 0.85, (5.0, 53.0)
"""At junctions: how often, how long."""

DETOURS, SKIPS, REVISITS = (0.25, 0.5, 0.25), 0.5, 0.28
"""How likely none, one and two detours are, and leaving out one or two stops, and going back to a stop of before."""

DETOUR_M, DETOUR_LONGEST_M = (220.0, 1_350.0), 5_000.0
"""So much of the path is left out by a detour, which is no longer than that."""


@dataclass(slots=True)
class Deviating:
    """How a tour is driven.

    Attributes:
        driven: the way.
        excused: from and to of the stretches of the way on which a van goes back to a stop: nobody is asked about them.
        waits_s: where the van stands without serving a stop, by place in the way, seconds.
    """

    driven: Driven
    excused: list[tuple[int, int]] = field(default_factory=list)
    waits_s: dict[int, float] = field(default_factory=dict)


def made(seed: int, town: City, at: tuple[float, float], every_s: int) -> Tour:
    """Make a tour in a town around `at` (lon, lat) with a fix in so many seconds; the same seed makes the same."""
    random = np.random.default_rng(seed)
    u_turns = bool(random.random() < 0.7)
    length_m = 0.0
    while not LENGTH_M[0] < length_m < LENGTH_M[1]:
        roads = _Roads(town.copy(), u_turns)
        planned = _planned(random, roads)
        length_m = roads.along_m(planned.path)[-1]
    plan, doors_m = _plan(random, roads, planned, at)
    how = _deviating(random, roads, planned)
    truth, came = _driven(random, roads, how, at)
    along_m = along(truth.along_m, how.driven, plan, roads.along_m(how.driven.way))
    left = when_left(truth.ms, along_m)
    grey = np.zeros(len(truth), np.bool_)
    for began_ms, back_ms in left:
        grey |= (truth.ms >= began_ms - GREY_MS) & (truth.ms < back_ms + GREY_MS)
    phone = Phone(
        every_s=every_s,
        error_m=random.uniform(3.5, 9.5),
        memory_s=random.uniform(15, 70),
        mute=bool(random.random() < 0.25),
    )
    pings, sample = heard(random, seen(truth, came, plan, doors_m), phone)
    again = np.concatenate(([False], np.maximum.accumulate(sample)[:-1] >= sample[1:]))
    asked_ms = [(truth.arrived_ms[a], truth.departed_ms[b]) for a, b in how.excused]
    return Tour(
        kind=f"{every_s} s", sky="mute" if phone.mute else "tells speed", plan=plan, pings=pings,
        along_m=along_m[sample], scored=(~np.isnan(along_m) & ~grey)[sample] & ~again, came=came,
        left=np.array(
            [(a, b) for a, b in left.tolist() if not any(began <= b and a <= end for began, end in asked_ms)], np.int64
        ).reshape(-1, 2),
        depot=True,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Roads:
    """A town as it is driven.

    Attributes:
        u_turns: vans turn round where they served a stop.
        from_behind: of each door the streets that lead to it from where no van comes that serves it.
    """

    town: City
    u_turns: bool
    from_behind: dict[int, frozenset[tuple[int, int]]] = field(default_factory=dict)

    def way(self, so_far: Way, to: int, closed: frozenset[tuple[int, int]] = frozenset()) -> Way:
        """Find the quickest way on: to a door from its side, if that can be."""
        at = so_far[-1]
        turn = frozenset() if self.u_turns or len(so_far) < 2 else frozenset([(at, so_far[-2])])
        behind = self.from_behind.get(to, frozenset())
        for shut in (closed | turn | behind, closed | turn, closed):
            way = self.town.way(at, to, shut)
            if way is not None:
                return way
        way = self.town.way(at, to)
        assert way is not None, "a town where every corner can be reached"
        return way

    def along_m(self, way: Way) -> Floats:
        """Measure a way up to each of its corners."""
        xy_m = np.array([self.town.xy_m[corner] for corner in way])
        return np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(xy_m, axis=0).T))))

    def takes_s(self, way: Way, pace: float) -> list[float]:
        """Tell how long each street of a way takes."""
        mps = pace * ORDINARY_KMH / 3.6
        return [self.town.streets[a][b] / mps for a, b in pairwise(way)]


def _planned(random: np.random.Generator, roads: _Roads) -> Planned:
    """Draw doors in clusters, order them as a planner and then a hand does, and find the way."""
    town = roads.town
    corners = np.array(town.xy_m)
    middles = [corners[random.integers(len(corners))]]
    for _ in range(int(random.integers(*CLUSTERS)) - 1):
        away_m = np.hypot(*(corners - middles[random.integers(len(middles))]).T)
        middles.append(corners[random.choice(np.flatnonzero((away_m > APART_M[0]) & (away_m < APART_M[1])))])
    near = np.flatnonzero(np.hypot(*(corners - middles[0]).T) < DEPOT_M)
    depot = int(random.choice(near))
    left: list[int] = []
    count = int(random.integers(*STOPS))
    while len(left) < count:
        middle = middles[random.integers(len(middles))]
        door = town.door(random, (middle[0], middle[1]), random.uniform(*SPREAD_M), least_m=8)
        if all(town.far_m(door, other) > DOORS_M for other in left):
            left.append(door)
    for door in left:
        leading = [(at, door) for at in town.streets[door] if door in town.streets[at]]
        came = leading[int(random.integers(len(leading)))] if leading else None
        roads.from_behind[door] = frozenset(street for street in leading if street != came)
    order = [depot]
    while left:
        left.sort(key=lambda door: town.far_m(order[-1], door))
        order.append(left.pop(int(random.random() < SWAPPED and len(left) > 1)))
    path, stop_at = [depot], [0]
    for door in order[1:]:
        path += roads.way(path, door)[1:]
        stop_at.append(len(path) - 1)
    return Planned(path, stop_at)


def _plan(random: np.random.Generator, roads: _Roads, planned: Planned, at: tuple[float, float]) -> tuple[Plan, Floats]:
    """Make the plan of a tour, its depot a stop too, and its doors, (s, 2) metres from where they are served."""
    xy_m = np.array([roads.town.xy_m[corner] for corner in planned.path])
    lon, lat = plane.unproject(*xy_m.T, *at)
    along_m = lines.along_m(lon, lat)
    stop_at = np.array(planned.stop_at)
    lead_m = xy_m[stop_at] - xy_m[np.maximum(stop_at - 1, 0)]
    aside = np.column_stack((lead_m[:, 1], -lead_m[:, 0])) / np.maximum(np.hypot(*lead_m.T), 1)[:, None]
    count = len(stop_at)
    far_m = random.lognormal(np.log(DOOR_M), DOOR_SPREAD, count) * random.choice((-1, 1), count)
    aside[0], far_m[0] = (1, 0), 1  # the depot is where the path begins
    doors_m = far_m[:, None] * aside
    stop_lon, stop_lat = plane.unproject(*(xy_m[stop_at] + doors_m).T, *at)
    service_s = np.full(count, PLANNED_SERVICE_S)
    takes_s = np.cumsum([0.0, *roads.takes_s(planned.path, PLANNED_PACE)])[stop_at]
    planned_ms = START_MS + np.rint(1000 * (takes_s + np.cumsum(service_s) - service_s)).astype(np.int64)
    head = Head(
        route_id=1, version=1, order=(START_MS, "tour"), effective_ms=UNKNOWN_MS, driver_id=1,
        start_ms=START_MS, end_ms=int(planned_ms[-1]), return_to_depot=False,
    )  # fmt: skip
    stops = StopColumns(
        ids=np.arange(count) + 1, lon=stop_lon, lat=stop_lat, radius_m=random.choice(RADII_M, count),
        service_s=service_s, planned_ms=planned_ms,
        along_m=lines.place_stops(lon, lat, along_m, stop_lon, stop_lat, lines.drive_s(planned_ms, service_s)),
    )  # fmt: skip
    return prepare_plan(head, PathColumns(lon, lat, along_m), stops), doors_m


def _deviating(random: np.random.Generator, roads: _Roads, planned: Planned) -> Deviating:
    """Drive a tour, and leave it now and then."""
    streets = Streets(roads.town, planned)
    path, stop_at = planned.path, planned.stop_at
    path_m = roads.along_m(path)
    count = len(stop_at)
    legs = random.permutation(np.arange(1, count - 3)).tolist()
    long = [leg for leg in legs if path_m[stop_at[leg + 1]] - path_m[stop_at[leg]] > DETOUR_M[0] + 60]
    detours = set(long[: int(random.choice(len(DETOURS), p=DETOURS))])
    others = [leg for leg in legs if not {leg, leg + 1, leg + 2} & detours]
    skip = others[0] if others and random.random() < SKIPS else -1
    others = [leg for leg in others if abs(leg - skip) > 4 and leg > 3]
    revisit = others[0] if others and random.random() < REVISITS else -1
    how = Deviating(Driven([path[0]], [0], [(0, 0)]))
    driven = how.driven
    leg = 0
    while leg < count - 1:
        to = leg + 1
        if leg == skip:
            to += int(random.integers(1, 3))
            _leave(driven, planned, roads.way(driven.way, path[stop_at[to]]), stop_at[leg], stop_at[to])
        elif leg in detours:
            begin_m, end_m = path_m[stop_at[leg]], path_m[stop_at[to]]
            leaves_m = random.uniform(begin_m, end_m - DETOUR_M[0])
            joins_m = min(leaves_m + random.uniform(*DETOUR_M), end_m)
            leaves, joins = (int(np.searchsorted(path_m, m, "right")) - 1 for m in (leaves_m, joins_m))
            streets.follow(driven, stop_at[leg], leaves)
            shut = zip(path[leaves:joins], path[leaves + 1 : joins + 1], strict=True)
            closed = frozenset(pair for a, b in shut for pair in ((a, b), (b, a)))
            way = roads.way(driven.way, path[joins], closed)
            if roads.along_m(way)[-1] > DETOUR_LONGEST_M:
                way = path[leaves : joins + 1]
            _leave(driven, planned, way, leaves, joins)
            streets.follow(driven, joins, stop_at[to])
        else:
            streets.follow(driven, stop_at[leg], stop_at[to])
        if leg == revisit:
            _go_back(random, how, roads, planned, to)
        driven.serve(to)
        leg = to
    return how


def _leave(driven: Driven, planned: Planned, way: Way, start: int, end: int) -> None:
    """Drive a way from one place of the path to another; where it is the path itself, at either end, it is on it."""
    path = planned.path
    at = [-1] * len(way)
    for k in range(min(len(way), end - start + 1)):
        if way[k] != path[start + k]:
            break
        at[k] = start + k
    for k in range(min(len(way), end - start + 1)):
        if way[-1 - k] != path[end - k]:
            break
        at[-1 - k] = end - k
    driven.on(way, at)


def _go_back(random: np.random.Generator, how: Deviating, roads: _Roads, planned: Planned, stop: int) -> None:
    """At a stop, before it is served, go back to one of before, stand there, and come again."""
    path, stop_at = planned.path, planned.stop_at
    again = stop - int(random.integers(2, 5))
    driven = how.driven
    begun = len(driven.way) - 1
    for to in (again, stop):
        way = roads.way(driven.way, path[stop_at[to]])
        driven.way += way[1:]
        driven.at += [-1] * (len(way) - 1)
        if to == again:
            how.waits_s[len(driven.way) - 1] = float(random.uniform(25, 90))
    driven.at[-1] = stop_at[stop]
    how.excused.append((begun, len(driven.way) - 1))


def _driven(random: np.random.Generator, roads: _Roads, how: Deviating, at: tuple[float, float]) -> tuple[Truth, Ints]:
    """Drive, and say of every visit its stop and when it began and ended, (v, 3)."""
    way, town = how.driven.way, roads.town
    way_m = roads.along_m(way)
    stays_s = np.zeros(len(way))
    junction = np.array([len(town.streets[corner]) > 2 for corner in way])
    halts = junction & (random.random(len(way)) < HALTS_PER_KM * way_m[-1] / 1000 / max(junction.sum(), 1))
    stays_s[halts] = random.uniform(*HALT_S, int(halts.sum()))
    for place, wait_s in how.waits_s.items():
        stays_s[place] = wait_s
    for place, stop in how.driven.served:
        took_s = random.lognormal(np.log(SERVICE_S), SERVICE_SPREAD)
        stays_s[place] = PLANNED_SERVICE_S if stop == 0 else np.clip(took_s, SHORTEST_S, LONGEST_S)
    takes_s = np.array(roads.takes_s(way, float(random.uniform(*PACE))))
    xy_m = np.array([town.xy_m[corner] for corner in way])
    truth = drive(xy_m, np.diff(way_m) / np.maximum(takes_s, 1e-9), stays_s, at, START_MS)
    came = [(stop, truth.arrived_ms[place], truth.departed_ms[place]) for place, stop in how.driven.served]
    return truth, np.array(came, np.int64)
