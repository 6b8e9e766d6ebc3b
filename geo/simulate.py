"""Made-up cities, tours, drives and phones: pure and seeded, for demos, load and tests.

`street_grid_tour` makes a tour, `drive` drives it (the truth), `phone` reports it as a phone would: noisy, late, twice
or never.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.pings import Floats, Ints, Pings
from geo.plan.plans import Plan
from geo.shape import lines, plane

BLOCK_M = 110.0
"""Between two streets of a made-up city."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tour:
    """A made-up tour over a street grid, in the columns that `geo.plan.plans.prepare_plan` takes.

    Attributes:
        depot_lon, depot_lat: where it begins and ends, degrees.
        path_lon, path_lat, path_along_m: (v,) along the streets, out and back.
        stop_lon, stop_lat: (s,) doors, some metres from the street, in the order of the tour.
        stop_along_m: (s,) where the path serves them.
        stop_service_s: (s,) planned.
        stop_arrival_s: (s,) planned, seconds after the start.
        duration_s: planned, of the whole tour.
    """

    depot_lon: float
    depot_lat: float
    path_lon: Floats
    path_lat: Floats
    path_along_m: Floats
    stop_lon: Floats
    stop_lat: Floats
    stop_along_m: Floats
    stop_service_s: Floats
    stop_arrival_s: Floats
    duration_s: float


def street_grid_tour(
    lon: float, lat: float, *, seed: int, stops: int = 30, blocks: int = 20, speed_mps: float = 6.5
) -> Tour:
    """Make a tour over a street grid around a place.

    Args:
        lon, lat: middle of the city, degrees.
        seed: the same seed makes the same tour.
        stops: how many, at least 1.
        blocks: width and height of the city in blocks.
        speed_mps: planned mean speed between stops.

    Raises:
        ValueError: no stop, or a city without streets.
    """
    if stops < 1 or blocks < 2:
        raise ValueError("a tour needs a stop and a city of at least 2 blocks")
    random = np.random.default_rng(seed)
    turn = np.radians(random.uniform(5, 40))  # the grid lies askew, as grids do
    depot = np.array([0, int(random.integers(0, blocks + 1))])
    # a district of the city, its doors sorted by a sweep from street to street
    middle = random.uniform(0.3, 0.9, 2) * blocks
    reach = max(blocks / 4, np.sqrt(stops))
    doors = np.clip(middle + random.uniform(-reach, reach, (stops, 2)), 0.2, blocks - 0.2)
    on_avenue = random.random(stops) < 0.5
    street = np.rint(doors[np.arange(stops), on_avenue.astype(int)])
    doors[np.arange(stops), on_avenue.astype(int)] = street  # each door lies on a street, between two corners
    doors = doors[_sweep(doors, depot.astype(float))]

    corners: list[tuple[float, float]] = [(float(depot[0]), float(depot[1]))]
    for door in doors:
        corners += _along_streets(corners[-1], (float(door[0]), float(door[1])), bool(random.random() < 0.5))
    corners += _along_streets(corners[-1], (float(depot[0]), float(depot[1])), bool(random.random() < 0.5))
    grid = np.array(corners) * BLOCK_M
    moved = np.r_[True, (np.diff(grid, axis=0) != 0).any(axis=1)]
    served_at = np.array(_served_at(doors, corners))
    path_lon, path_lat = _place(grid[moved], blocks, turn, lon, lat)
    along = lines.along_m(path_lon, path_lat)
    stop_along = along[np.cumsum(moved)[served_at] - 1]

    kerb = random.uniform(6, 14, stops) * random.choice([-1, 1], stops)
    across = np.where(
        np.abs(doors - np.rint(doors)).argmax(axis=1) == 0, 1, 0
    )  # a door on a street stands off across it
    yard = doors * BLOCK_M
    yard[np.arange(stops), across] += kerb
    stop_lon, stop_lat = _place(yard, blocks, turn, lon, lat)
    service = np.round(random.uniform(60, 240, stops))
    arrival = stop_along / speed_mps + np.cumsum(service) - service
    return Tour(
        depot_lon=float(path_lon[0]),
        depot_lat=float(path_lat[0]),
        path_lon=path_lon,
        path_lat=path_lat,
        path_along_m=along,
        stop_lon=stop_lon,
        stop_lat=stop_lat,
        stop_along_m=stop_along,
        stop_service_s=service,
        stop_arrival_s=arrival,
        duration_s=float(along[-1] / speed_mps + service.sum()),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drive:
    """What really happened, sampled.

    Attributes:
        ms: (n,) epoch milliseconds, evenly spaced.
        lon, lat: (n,) where the van was, degrees.
        along_m: (n,) along the plan's path.
        speed_mps, heading_deg: (n,) of the van; the heading stays as it was while it stands.
        standing: (n,) bool: at a stop.
        arrived_ms, departed_ms: (s,) of each stop of the plan.
    """

    ms: Ints
    lon: Floats
    lat: Floats
    along_m: Floats
    speed_mps: Floats
    heading_deg: Floats
    standing: NDArray[np.bool_]
    arrived_ms: Ints
    departed_ms: Ints

    def __len__(self) -> int:
        return len(self.ms)


def drive(
    plan: Plan, *, seed: int, start_ms: int, every_s: float = 5.0, speed_mps: float = 9.0, service: float = 1.0
) -> Drive:
    """Drive a plan from its first to its last metre.

    The van speeds up and brakes for its stops, its pace between them varies, and so does its service.

    Args:
        plan: what to drive.
        seed: the same seed drives the same.
        start_ms: when it leaves.
        every_s: sampling, seconds.
        speed_mps: cruising speed in the mean.
        service: factor on the planned service of the stops.
    """
    random = np.random.default_rng(seed)
    at_m, planned_s = plan.stops[:, 3], np.maximum(plan.stops[:, 4], 20.0)
    stays_s = planned_s * service * random.lognormal(0, 0.3, len(at_m))
    # knots of (seconds, metres): each leg speeds up, cruises and brakes; each stay adds time and no metres
    seconds, metres = [0.0], [0.0]
    arrived, departed = np.zeros(len(at_m)), np.zeros(len(at_m))
    for stop in range(len(at_m) + 1):
        goal_m = float(at_m[stop]) if stop < len(at_m) else plan.length_m
        leg_m = goal_m - metres[-1]
        if leg_m > 0:
            pace = speed_mps * random.lognormal(0, 0.15)
            ramp_m = min(leg_m / 2, pace * pace / 2.4)  # at 1.2 m/s²
            ramp_s = 2 * ramp_m / min(pace, np.sqrt(2.4 * ramp_m))
            begin_m = metres[-1]
            for part in (0.25, 0.5, 0.75, 1.0):
                seconds.append(seconds[-1] + ramp_s * (np.sqrt(part) - np.sqrt(part - 0.25)))
                metres.append(begin_m + ramp_m * part)
            if leg_m > 2 * ramp_m:
                seconds.append(seconds[-1] + (leg_m - 2 * ramp_m) / pace)
                metres.append(goal_m - ramp_m)
            for part in (0.75, 0.5, 0.25, 0.0):
                seconds.append(seconds[-1] + ramp_s * (np.sqrt(part + 0.25) - np.sqrt(part)))
                metres.append(goal_m - ramp_m * part)
        if stop < len(at_m):
            arrived[stop] = seconds[-1]
            seconds.append(seconds[-1] + stays_s[stop])
            metres.append(metres[-1])
            departed[stop] = seconds[-1]

    times = np.arange(0, seconds[-1] + every_s, every_s)
    along = np.interp(times, seconds, metres)
    step_s = 0.5
    speed = (np.interp(times + step_s, seconds, metres) - np.interp(times - step_s, seconds, metres)) / (2 * step_s)
    x_m, y_m = plane.project(plan.path_lon, plan.path_lat, plan.lon0, plan.lat0)
    vx, vy = np.interp(along, plan.path_along_m, x_m), np.interp(along, plan.path_along_m, y_m)
    lon, lat = plane.unproject(vx, vy, plan.lon0, plan.lat0)
    segment = np.clip(np.searchsorted(plan.path_along_m, along, "right") - 1, 0, len(plan.segments) - 1)
    heading = np.degrees(np.arctan2(plan.segments[segment, 2], plan.segments[segment, 3])) % 360
    return Drive(
        ms=start_ms + np.rint(times * 1000).astype(np.int64),
        lon=lon,
        lat=lat,
        along_m=along,
        speed_mps=speed,
        heading_deg=heading,
        standing=speed < 0.05,
        arrived_ms=start_ms + np.rint(arrived * 1000).astype(np.int64),
        departed_ms=start_ms + np.rint(departed * 1000).astype(np.int64),
    )


def phone(
    truth: Drive, *, seed: int, driver_id: int = 0, device_id: int = 0, noise_m: float = 6.0,
    canyons_per_h: float = 1.5, outliers: float = 0.004, gaps_per_h: float = 0.5, lost: float = 0.02,
    repeated: float = 0.01, late: float = 0.02, mute: bool = False,
) -> tuple[Pings, Ints]:  # fmt: skip
    """Report a drive as a phone would.

    Args:
        truth: the drive.
        seed: the same seed reports the same.
        driver_id, device_id: written into the pings.
        noise_m: standard deviation of the error that drifts over half a minute.
        canyons_per_h: bursts of 30 to 80 m error that last one to three minutes.
        outliers: share of single fixes 150 to 600 m away, half of them claiming to be good.
        gaps_per_h: times without any fix, one to four minutes.
        lost, repeated, late: share of fixes never sent, sent twice, sent 10 to 300 s later.
        mute: the phone tells neither speed nor heading.

    Returns:
        Pings in the order in which they are sent, and (n,) when each is sent, ms, never decreasing; `received_ms` is
        that time.
    """
    random = np.random.default_rng(seed)
    n = len(truth)
    every_s = float(np.diff(truth.ms[:2])[0]) / 1000 if n > 1 else 1.0
    hours = n * every_s / 3600
    error, accuracy = _drift(random, n, every_s, noise_m), np.full(n, max(noise_m, 3.0))
    for begin, past in _bursts(random, n, every_s, canyons_per_h * hours, 60, 180):
        size = random.uniform(30, 80)
        error[begin:past] += random.normal(0, 1, 2) * size / 2 + _drift(random, past - begin, every_s, size / 2)
        accuracy[begin:past] = size * random.uniform(0.5, 1.2)
    wild = random.random(n) < outliers
    angle, far = random.uniform(0, 2 * np.pi, n), random.uniform(150, 600, n)
    error[wild] += np.column_stack((np.cos(angle), np.sin(angle)))[wild] * far[wild, None]
    accuracy = np.where(wild & (random.random(n) < 0.5), far, accuracy * random.uniform(0.7, 1.5, n))
    kept = random.random(n) >= lost
    for begin, past in _bursts(random, n, every_s, gaps_per_h * hours, 60, 240):
        kept[begin:past] = False
    kept[:1] = True

    lon, lat = plane.unproject(error[:, 0], error[:, 1], truth.lon, truth.lat)
    pings = Pings.empty(n)
    rows = pings.rows
    rows["driver_id"], rows["device_id"], rows["recorded_ms"] = driver_id, device_id, truth.ms
    rows["lat_e6"], rows["lon_e6"] = np.rint(lat * 1e6).astype(np.int32), np.rint(lon * 1e6).astype(np.int32)
    rows["accuracy_m"] = np.round(accuracy, 1)
    rows["battery"] = np.round(np.linspace(0.95, max(0.95 - 0.08 * hours, 0.1), n), 2)
    if not mute:
        speed = np.maximum(truth.speed_mps + random.normal(0, 0.4, n), 0)
        rows["speed_mps"] = np.round(np.where(truth.standing, np.minimum(speed, 0.4), speed), 1)
        rows["heading_deg"] = np.round((truth.heading_deg + random.normal(0, 8, n)) % 360, 0) % 360
    delay_s = random.uniform(0.2, 1.5, n) + np.where(random.random(n) < late, random.uniform(10, 300, n), 0)
    sent = truth.ms + np.rint(delay_s * 1000).astype(np.int64)
    again = np.flatnonzero(kept & (random.random(n) < repeated))
    which = np.concatenate((np.flatnonzero(kept), again))
    when = np.concatenate((sent[kept], sent[again] + random.integers(500, 60_000, len(again))))
    order = np.argsort(when, kind="stable")
    told = pings.rows_at(which[order])
    told.rows["received_ms"] = when[order]
    return told, when[order]


def _drift(random: np.random.Generator, n: int, every_s: float, size_m: float, memory_s: float = 30.0) -> Floats:
    """Make an error that forgets itself over `memory_s`: (n, 2) metres, of standard deviation `size_m`."""
    keep = float(np.exp(-every_s / memory_s))
    shocks = random.normal(0, size_m, (n, 2))
    shocks[1:] *= np.sqrt(1 - keep * keep)
    for k in range(1, n):
        shocks[k] += keep * shocks[k - 1]
    return shocks


def _bursts(
    random: np.random.Generator, n: int, every_s: float, mean: float, least_s: float, most_s: float
) -> list[tuple[int, int]]:
    begins = random.integers(0, max(n, 1), random.poisson(mean))
    return [(int(at), min(n, int(at + random.uniform(least_s, most_s) / every_s) + 1)) for at in begins]


def _sweep(doors: Floats, depot: Floats) -> list[int]:
    """Order doors as a driver would: always to the nearest one left."""
    left, order, at = list(range(len(doors))), [], depot
    while left:
        nearest = min(left, key=lambda row: float(np.abs(doors[row] - at).sum()))
        left.remove(nearest)
        order.append(nearest)
        at = doors[nearest]
    return order


def _served_at(doors: Floats, corners: list[tuple[float, float]]) -> list[int]:
    """Find the corner at which each door is served: none before the door before."""
    served: list[int] = []
    for door in doors:
        served.append(corners.index((float(door[0]), float(door[1])), served[-1] if served else 0))
    return served


def _along_streets(a: tuple[float, float], b: tuple[float, float], x_first: bool) -> list[tuple[float, float]]:
    """Go from a to b along the streets, both of them on a street; gives every corner after a, b last."""
    way: list[tuple[float, float]] = []
    at = a
    # leave a's street at the corner nearer to b
    for axis in (0, 1):
        if at[axis] != round(at[axis]) and (at[1 - axis] != b[1 - axis] or int(at[axis]) != int(b[axis])):
            corner = [at[0], at[1]]
            corner[axis] = float(np.floor(at[axis]) if b[axis] < at[axis] else np.ceil(at[axis]))
            at = (corner[0], corner[1])
            way.append(at)
    # reach the corner of b's street nearer to here
    goal = [b[0], b[1]]
    for axis in (0, 1):
        if b[axis] != round(b[axis]) and not (
            way == [] and at[1 - axis] == b[1 - axis] and int(at[axis]) == int(b[axis])
        ):
            goal[axis] = float(np.floor(b[axis]) if at[axis] < b[axis] else np.ceil(b[axis]))
    for axis in (0, 1) if x_first else (1, 0):
        step = 1.0 if goal[axis] > at[axis] else -1.0
        while abs(goal[axis] - at[axis]) >= 1 and at[axis] == round(at[axis]):
            to = [at[0], at[1]]
            to[axis] = at[axis] + step
            at = (to[0], to[1])
            way.append(at)
    if at != b:
        way.append(b)
    return way


def _place(grid_m: Floats, blocks: int, turn: float, lon: float, lat: float) -> tuple[Floats, Floats]:
    """Put metres of the grid on the map, its middle at a place."""
    x_m, y_m = (grid_m - blocks * BLOCK_M / 2).T
    cos, sin = np.cos(turn), np.sin(turn)
    out_lon, out_lat = plane.unproject(x_m * cos - y_m * sin, x_m * sin + y_m * cos, lon, lat)
    return np.round(out_lon, 6), np.round(out_lat, 6)
