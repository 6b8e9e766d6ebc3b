"""A made-up tour over the street grid of a made-up city."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from geo.pings import Floats
from geo.shape import lines, plane
from geo.simulate.numbers import BLOCK_M

_Spot = tuple[float, float]
"""Blocks east and north of the corner where the grid begins: whole numbers are streets, two of them a corner."""


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

    corners: list[_Spot] = [(float(depot[0]), float(depot[1]))]
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


def _sweep(doors: Floats, depot: Floats) -> list[int]:
    """Order doors as a driver would: always to the nearest one left."""
    left, order, at = list(range(len(doors))), [], depot
    while left:
        nearest = min(left, key=lambda row: float(np.abs(doors[row] - at).sum()))
        left.remove(nearest)
        order.append(nearest)
        at = doors[nearest]
    return order


def _served_at(doors: Floats, corners: list[_Spot]) -> list[int]:
    """Find the corner at which each door is served: none before the door before."""
    served: list[int] = []
    for door in doors:
        served.append(corners.index((float(door[0]), float(door[1])), served[-1] if served else 0))
    return served


def _along_streets(a: _Spot, b: _Spot, x_first: bool) -> list[_Spot]:
    """Go from a to b along the streets, both of them on a street; gives every corner after a, b last."""
    way: list[_Spot] = []
    at = a
    for axis in (0, 1):
        if _is_between(at, axis) and not _in_one_block(at, b, axis):
            at = _corner_towards(at, b, axis)
            way.append(at)
    last_corner = b
    for axis in (0, 1):
        if _is_between(b, axis) and (way or not _in_one_block(at, b, axis)):
            last_corner = _corner_towards(last_corner, at, axis)
    for axis in (0, 1) if x_first else (1, 0):
        way += _corners(at, last_corner, axis)
        at = way[-1] if way else a
    return way if at == b else [*way, b]


def _is_between(spot: _Spot, axis: int) -> bool:
    """Tell whether a spot lies between two corners along an axis."""
    return spot[axis] != round(spot[axis])


def _in_one_block(a: _Spot, b: _Spot, axis: int) -> bool:
    """Tell whether two spots lie on one street between the same two corners."""
    return a[1 - axis] == b[1 - axis] and int(a[axis]) == int(b[axis])


def _corner_towards(spot: _Spot, other: _Spot, axis: int) -> _Spot:
    """Give the corner of a spot's block that is nearer to another spot along an axis."""
    return _moved(spot, axis, float(np.floor(spot[axis]) if other[axis] < spot[axis] else np.ceil(spot[axis])))


def _corners(at: _Spot, goal: _Spot, axis: int) -> Iterator[_Spot]:
    """Go straight from a corner until the goal is less than a block away along an axis; gives every corner after it."""
    step = 1.0 if goal[axis] > at[axis] else -1.0
    while abs(goal[axis] - at[axis]) >= 1 and not _is_between(at, axis):
        at = _moved(at, axis, at[axis] + step)
        yield at


def _moved(spot: _Spot, axis: int, to: float) -> _Spot:
    return (to, spot[1]) if axis == 0 else (spot[0], to)


def _place(grid_m: Floats, blocks: int, turn: float, lon: float, lat: float) -> tuple[Floats, Floats]:
    """Put metres of the grid on the map, its middle at a place."""
    x_m, y_m = (grid_m - blocks * BLOCK_M / 2).T
    cos, sin = np.cos(turn), np.sin(turn)
    out_lon, out_lat = plane.unproject(x_m * cos - y_m * sin, x_m * sin + y_m * cos, lon, lat)
    return np.round(out_lon, 6), np.round(out_lat, 6)
