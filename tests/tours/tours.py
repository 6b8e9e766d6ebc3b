"""Made-up tours: a plan in a made-up city, a drive of it, what the phone told, and the truth."""

from dataclasses import dataclass, replace

import numpy as np

from geo.pings import UNKNOWN_MS, Bools, Floats, Ints, Pings
from geo.plan.plans import Plan
from geo.plan.prepare import Head, PathColumns, StopColumns, prepare_plan
from geo.shape import lines, plane
from geo.simulate.drive import Truth, drive
from geo.simulate.phone import Faults, phone
from tests.tours import city
from tests.tours.driver import KINDS, Driven, Planned, Streets

EVERY_S = (1, 2, 5, 10, 15, 30)
"""How often phones send, seconds."""

SKIES = {
    "open": Faults(noise_m=4, canyons_per_h=0.3, gaps_per_h=0.1, repeated=0, late=0),
    "town": Faults(repeated=0, late=0),
    "canyons": Faults(noise_m=9, canyons_per_h=5, outliers=0.01, gaps_per_h=1, repeated=0, late=0),
    "tunnels": Faults(gaps_per_h=0, repeated=0, late=0),
    "mute": Faults(mute=True, repeated=0, late=0),
}
"""What phones meet: errors with memory, bursts of them, fixes that are simply wrong, gaps; tunnels are added."""

START_MS = 1_760_000_000_000
BEFORE_S = 120
"""So long before it leaves, a van stands at its depot."""

GREY_MS = 15_000
"""So long after a van came back to its path it is not asked where it is."""

WALK_MPS = 1.2
HALT, HALT_S = 0.12, 20.0
"""A van halts at this part of the corners, so long in the mean: lights, queues."""

TUNNELS = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tour:
    """A made-up tour.

    Attributes:
        kind, sky: of the driver and the phone.
        plan: what was to be driven.
        pings: (n,) what the phone told, one a second at most, in the order of time.
        along_m: (n,) where the van really was along the path; NaN off it.
        scored: (n,) whether that is beyond doubt: on the path, and not just come to it.
        came: (v, 3) of every visit: the stop's place in the tour, when it began and ended, ms.
        left: (d, 2) when the van left its path and was on it again, ms.
        depot: the first stop is the depot where the tour begins, and nobody is asked about it.
    """

    kind: str
    sky: str
    plan: Plan
    pings: Pings
    along_m: Floats
    scored: Bools
    came: Ints
    left: Ints
    depot: bool = False


def made(seed: int, kind: str, sky: str, *, stops: int = 22, blocks: int = 14) -> Tour:
    """Make a tour; the same seed makes the same."""
    random = np.random.default_rng(seed)
    town = city.made(random, blocks)
    depot = int(random.integers(blocks * blocks))
    reach_m = blocks * city.BLOCK_M
    middle_m = random.uniform(-0.2, 0.2, 2) * reach_m
    doors = [town.door(random, middle_m, random.uniform(0.15, 0.45) * reach_m) for _ in range(stops)]
    planned = _planned(random, town, depot, doors)
    at = float(random.uniform(-60, 60)), float(random.uniform(-55, 55))
    plan, doors_m = _plan(random, town, planned, at)
    driven = KINDS[kind](Streets(town, planned), random)
    driven_plan, stop_of = _to_drive(random, town, driven, plan, at)
    truth = drive(driven_plan, seed=seed, start_ms=START_MS + 1000 * BEFORE_S, every_s=1.0)
    came = np.array(
        [
            (stop, began, ended)
            for stop, began, ended in zip(stop_of, truth.arrived_ms, truth.departed_ms, strict=True)
            if stop >= 0
        ],
        np.int64,
    )
    along_m = along(truth.along_m, driven, plan, driven_plan.path_along_m)
    van = seen(truth, came, plan, doors_m)
    pings, _ = phone(van, seed=seed, driver_id=1, device_id=1, faults=SKIES[sky])
    if sky == "tunnels":
        pings = pings.rows_at(~_in_tunnel(random, truth)[_sample(pings, truth)])
    sample = _sample(pings, truth)
    left = when_left(truth.ms, along_m)
    grey = np.zeros(len(truth), np.bool_)
    for began_ms, back_ms in left:
        grey |= (truth.ms >= began_ms - GREY_MS) & (truth.ms < back_ms + GREY_MS)
    return Tour(
        kind=kind, sky=sky, plan=plan, pings=pings, along_m=along_m[sample],
        scored=(~np.isnan(along_m) & ~grey)[sample], came=came, left=left,
    )  # fmt: skip


def thinned(pings: Pings, every_s: int) -> Pings:
    """Keep what a phone would have told that sends so often."""
    return pings.rows_at(kept_by(pings, every_s))


def kept_by(pings: Pings, every_s: int) -> Bools:
    """Tell which pings a phone that sends so often would have sent."""
    kept: Bools = (pings.rows["recorded_ms"] - START_MS) // 1000 % every_s == 0
    return kept


def _planned(random: np.random.Generator, town: city.City, depot: int, doors: list[int]) -> Planned:
    """Order doors as planners do, always to the nearest one left but now and then not, and find the way."""
    left, order = list(doors), [depot]
    while left:
        left.sort(key=lambda door: town.far_m(order[-1], door))
        order.append(left.pop(int(random.random() < 0.12 and len(left) > 1)))
    path, stop_at = [depot], []
    for door in (*order[1:], depot):
        way = town.way(path[-1], door)
        assert way is not None, "a city where every corner can be reached"
        path += way[1:]
        stop_at.append(len(path) - 1)
    return Planned(path, stop_at[:-1])


def _plan(
    random: np.random.Generator, town: city.City, planned: Planned, at: tuple[float, float]
) -> tuple[Plan, Floats]:
    """Make the plan of a tour, and its doors, (s, 2) metres from where they are served."""
    lon, lat = plane.unproject(*np.array([town.xy_m[corner] for corner in planned.path]).T, *at)
    along_m = lines.along_m(lon, lat)
    corners = np.array([town.xy_m[planned.path[stop]] for stop in planned.stop_at])
    angle, far_m = random.uniform(0, 2 * np.pi, len(corners)), random.uniform(4, 22, len(corners))
    doors_m = far_m[:, None] * np.column_stack((np.cos(angle), np.sin(angle)))
    stop_lon, stop_lat = plane.unproject(*(corners + doors_m).T, *at)
    count = len(corners)
    service_s = np.round(random.lognormal(np.log(90), 0.6, count))
    due_s = BEFORE_S + along_m[planned.stop_at] / 6.5 + np.cumsum(service_s) - service_s
    planned_ms = START_MS + np.rint(1000 * due_s).astype(np.int64)
    head = Head(
        route_id=1, version=1, order=(START_MS, "tour"), effective_ms=UNKNOWN_MS, driver_id=1,
        start_ms=START_MS, end_ms=int(planned_ms[-1]), return_to_depot=True,
    )  # fmt: skip
    stops = StopColumns(
        ids=np.arange(count) + 1, lon=stop_lon, lat=stop_lat, radius_m=random.uniform(30, 60, count),
        service_s=service_s, planned_ms=planned_ms,
        along_m=lines.place_stops(lon, lat, along_m, stop_lon, stop_lat, lines.drive_s(planned_ms, service_s)),
    )  # fmt: skip
    return prepare_plan(head, PathColumns(lon, lat, along_m), stops), doors_m


def _to_drive(
    random: np.random.Generator, town: city.City, driven: Driven, plan: Plan, at: tuple[float, float]
) -> tuple[Plan, list[int]]:
    """Make a plan of what is really driven, with halts; and say of its stops which of the tour each is, -1: none."""
    lon, lat = plane.unproject(*np.array([town.xy_m[corner] for corner in driven.way]).T, *at)
    along_m = lines.along_m(lon, lat)
    halts = np.flatnonzero(random.random(len(along_m) - 1) < HALT).tolist()
    stays = sorted([*driven.served, *((corner, -1) for corner in halts)])
    corners, stop_of = [corner for corner, _ in stays], [stop for _, stop in stays]
    service_s = np.array([plan.stops[stop, 4] if stop >= 0 else HALT_S for stop in stop_of])
    count = len(stays)
    head = Head(
        route_id=1, version=1, order=(START_MS, "driven"), effective_ms=UNKNOWN_MS, driver_id=1,
        start_ms=START_MS, end_ms=START_MS, return_to_depot=True,
    )  # fmt: skip
    stops = StopColumns(
        ids=np.arange(count) + 1, lon=lon[corners], lat=lat[corners], along_m=along_m[corners],
        radius_m=np.full(count, 40.0), service_s=service_s, planned_ms=np.full(count, UNKNOWN_MS),
    )  # fmt: skip
    return prepare_plan(head, PathColumns(lon, lat, along_m), stops), stop_of


def along(driven_m: Floats, driven: Driven, plan: Plan, corner_m: Floats) -> Floats:
    """Say where a van was along the planned path: where two corners in a row are two in a row of the path.

    Args:
        driven_m: (n,) how far it had driven.
        corner_m: of every corner of its way, how far along the way that is.
    """
    at = np.array(driven.at)
    segment = np.clip(np.searchsorted(corner_m, driven_m, "right") - 1, 0, len(at) - 2)
    follows = (at[:-1] >= 0) & (at[1:] == at[:-1] + 1)
    on_m = plan.path_along_m[np.maximum(at, 0)]
    along_m = np.where(follows[segment], on_m[segment] + driven_m - corner_m[segment], np.nan)
    nearest = np.where(corner_m[segment + 1] - driven_m < 1.0, segment + 1, segment)
    at_corner = (np.abs(corner_m[nearest] - driven_m) < 1.0) & (at[nearest] >= 0)
    return np.where(at_corner & np.isnan(along_m), on_m[nearest], along_m)


def seen(truth: Truth, came: Ints, plan: Plan, doors_m: Floats) -> Truth:
    """Let the driver walk to the door and back with the phone, while the van stands."""
    x_m, y_m = plane.project(truth.lon, truth.lat, plan.lon0, plan.lat0)
    for stop, began_ms, ended_ms in came:
        stays = np.flatnonzero((truth.ms >= began_ms) & (truth.ms <= ended_ms))
        walked_m = WALK_MPS * np.minimum(truth.ms[stays] - began_ms, ended_ms - truth.ms[stays]) / 1000
        part = np.minimum(walked_m / np.hypot(*doors_m[stop]), 1.0)
        x_m[stays] += part * doors_m[stop, 0]
        y_m[stays] += part * doors_m[stop, 1]
    lon, lat = plane.unproject(x_m, y_m, plan.lon0, plan.lat0)
    return replace(truth, lon=lon, lat=lat)


def _in_tunnel(random: np.random.Generator, truth: Truth) -> Bools:
    """Choose stretches of some hundred metres where no phone sees the sky."""
    hidden = np.zeros(len(truth), np.bool_)
    for begin_m in random.uniform(0, truth.along_m[-1], TUNNELS):
        past_m = begin_m + random.uniform(200, 600)
        hidden |= (truth.along_m > begin_m) & (truth.along_m < past_m) & ~truth.standing
    return hidden


def when_left(ms: Ints, along_m: Floats) -> Ints:
    """Find when a van left its path and was on it again, (d, 2) ms; not the last time, when it never was."""
    off = np.concatenate(([False], np.isnan(along_m), [False]))
    edges = np.flatnonzero(off[1:] != off[:-1]).reshape(-1, 2)
    return np.array([(ms[begin], ms[past]) for begin, past in edges if past < len(ms)], np.int64).reshape(-1, 2)


def _sample(pings: Pings, truth: Truth) -> Ints:
    """Find the samples of the truth that pings tell of."""
    return (pings.rows["recorded_ms"] - truth.ms[0]) // 1000
