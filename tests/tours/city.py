"""Made-up cities: random planar graphs with one-ways, dead ends, doubled streets and a ring road."""

import heapq
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Self

import numpy as np
import shapely

from geo.pings import Floats

BLOCK_M = 130.0
"""Between two corners, about."""

LONGEST_M = 260.0
"""No street leads farther without a corner."""

KEPT = 0.35
"""Part of the sides of a triangulation that are streets, beside those without which a corner would be cut off."""

ONE_WAY, DOUBLED = 0.2, 0.06
"""Parts of the streets that lead one way, and that have a carriageway for each direction."""

APART_M = 8.0
"""Each carriageway from the middle of its street."""

RING_SPEED = 1.8
"""A ring road is so much faster than a street."""

Way = list[int]
"""Corners in the order in which they are driven."""


@dataclass(slots=True, eq=False)
class City:
    """Corners, and from each the streets that lead on.

    Attributes:
        xy_m: of every corner, metres east and north of the middle.
        streets: by corner, the corners next to it and how long it takes, in metres of ordinary street.
    """

    xy_m: list[tuple[float, float]]
    streets: list[dict[int, float]] = field(default_factory=list)

    def far_m(self, a: int, b: int) -> float:
        """Measure how far two corners are apart, straight."""
        return float(np.hypot(*np.subtract(self.xy_m[a], self.xy_m[b])))

    def corner(self, xy_m: tuple[float, float]) -> int:
        """Add a corner that no street leads to."""
        self.xy_m.append(xy_m)
        self.streets.append({})
        return len(self.xy_m) - 1

    def lead(self, a: int, b: int, speed: float = 1.0) -> None:
        """Let a street lead from a to b."""
        self.streets[a][b] = self.far_m(a, b) / speed

    def way(self, a: int, b: int, closed: frozenset[tuple[int, int]] = frozenset()) -> Way | None:
        """Find the quickest way, both ends with it; None: there is none.

        Args:
            closed: (from, to) of streets that cannot be driven.
        """
        came: dict[int, int] = {}
        best, queue = {a: 0.0}, [(0.0, a)]
        while queue:
            so_far, at = heapq.heappop(queue)
            if at == b:
                way = [b]
                while way[-1] != a:
                    way.append(came[way[-1]])
                return way[::-1]
            if so_far > best[at]:
                continue
            for to, takes in self.streets[at].items():
                if (at, to) not in closed and so_far + takes < best.get(to, np.inf):
                    best[to], came[to] = so_far + takes, at
                    heapq.heappush(queue, (so_far + takes, to))
        return None

    def copy(self) -> Self:
        """Make a city to add doors to."""
        return type(self)(list(self.xy_m), [dict(streets) for streets in self.streets])

    def door(
        self, random: np.random.Generator, middle: tuple[float, float], reach_m: float, least_m: float = 40
    ) -> int:
        """Add a corner where a stop is served, in some street within reach of a place.

        Args:
            least_m: no street is shorter between two corners.
        """
        near = np.flatnonzero(np.hypot(*(np.array(self.xy_m) - middle).T) < reach_m).tolist()
        ends = [(a, b) for a in near for b in self.streets[a] if self.far_m(a, b) > least_m]
        a, b = ends[int(random.integers(len(ends)))]
        part = random.uniform(0.25, 0.75)
        at = self.corner(tuple((1 - part) * np.array(self.xy_m[a]) + part * np.array(self.xy_m[b])))
        for one, other in ((a, b), (b, a)):
            if other in self.streets[one]:
                takes = self.streets[one].pop(other)
                share = self.far_m(one, at) / self.far_m(one, other)
                self.streets[one][at], self.streets[at][other] = share * takes, (1 - share) * takes
        return at


def made(random: np.random.Generator, blocks: int = 14) -> City:
    """Make a city of about so many blocks each way, every corner of which can be reached from every other."""
    grid = np.stack(np.meshgrid(np.arange(blocks), np.arange(blocks)), -1).reshape(-1, 2) - (blocks - 1) / 2
    xy_m = BLOCK_M * (grid + random.uniform(-0.33, 0.33, grid.shape))
    city = City([(float(x), float(y)) for x, y in xy_m], [{} for _ in xy_m])
    for a, b in _kept(random, xy_m):
        city.lead(a, b)
        city.lead(b, a)
    _ring(city, blocks)
    _narrow(random, city)
    return city


def _kept(random: np.random.Generator, xy_m: Floats) -> list[tuple[int, int]]:
    """Choose the streets among the sides of a triangulation: those that join what was apart, and some of the others."""
    number = {(x, y): i for i, (x, y) in enumerate(xy_m.tolist())}
    triangles = shapely.delaunay_triangles(shapely.MultiPoint(xy_m)).geoms
    found = {
        (min(a, b), max(a, b))
        for triangle in triangles
        for a, b in pairwise(number[corner] for corner in triangle.exterior.coords)
    }
    sides = [side for side in sorted(found) if np.hypot(*(xy_m[side[0]] - xy_m[side[1]])) < LONGEST_M]
    joined = list(range(len(xy_m)))

    def head(at: int) -> int:
        while joined[at] != at:
            at = joined[at]
        return at

    kept = []
    for k in random.permutation(len(sides)).tolist():
        a, b = (head(end) for end in sides[k])
        if a != b or random.random() < KEPT:
            joined[a] = b
            kept.append(sides[k])
    return kept


def _ring(city: City, blocks: int) -> None:
    """Put a ring road around, with twelve ways in."""
    radius_m = 0.62 * blocks * BLOCK_M
    inner = len(city.xy_m)
    ring = [
        city.corner((float(radius_m * np.cos(angle)), float(radius_m * np.sin(angle))))
        for angle in np.linspace(0, 2 * np.pi, 48, endpoint=False)
    ]
    for a, b in pairwise([*ring, ring[0]]):
        city.lead(a, b, RING_SPEED)
        city.lead(b, a, RING_SPEED)
    for at in ring[::4]:
        nearest = min(range(inner), key=lambda other: city.far_m(at, other))
        city.lead(at, nearest)
        city.lead(nearest, at)


def _narrow(random: np.random.Generator, city: City) -> None:
    """Let some streets lead one way, where there is another way back, and have others a carriageway each way."""
    for a, b in [(a, b) for a, streets in enumerate(city.streets) for b in streets if a < b]:
        draw = random.random()
        if draw < ONE_WAY:
            back = city.streets[b].pop(a)
            if city.way(b, a) is None:
                city.streets[b][a] = back
        elif draw < ONE_WAY + DOUBLED and city.far_m(a, b) > 60:
            middle, along = np.add(city.xy_m[a], city.xy_m[b]) / 2, np.subtract(city.xy_m[b], city.xy_m[a])
            right = APART_M * np.array([along[1], -along[0]]) / np.hypot(*along)
            for one, other, side in ((a, b, right), (b, a, -right)):
                del city.streets[one][other]
                at = city.corner(tuple((middle + side).tolist()))
                city.lead(one, at)
                city.lead(at, other)
