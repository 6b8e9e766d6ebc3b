"""Drivers who do not keep to their tours: what each drives, and which of it is on the plan's path."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from tests.tours.city import City, Way


@dataclass(frozen=True, slots=True, eq=False)
class Planned:
    """A tour as it is planned, by corners.

    Attributes:
        path: the corners along it.
        stop_at: of every stop, its place in the path; before them the start (0), after them the end.
    """

    path: Way
    stop_at: list[int]

    @property
    def places(self) -> list[int]:
        """Give the start, every stop and the end: places in the path."""
        return [0, *self.stop_at, len(self.path) - 1]


@dataclass(slots=True, eq=False)
class Driven:
    """What a driver drove.

    Attributes:
        way: the corners.
        at: of each its place in the planned path; -1 off it.
        served: (place in the way, stop) in order.
    """

    way: Way
    at: list[int]
    served: list[tuple[int, int]] = field(default_factory=list)

    def on(self, way: Way, at: list[int]) -> None:
        """Drive on along a way that begins where this one ends."""
        if self.at[-1] < 0:
            self.at[-1] = at[0]
        self.way += way[1:]
        self.at += at[1:]

    def serve(self, stop: int) -> None:
        """Serve a stop at the last corner."""
        self.served.append((len(self.way) - 1, stop))


@dataclass(frozen=True, slots=True, eq=False)
class Streets:
    """The ways that a driver takes, in a city and along a plan."""

    city: City
    planned: Planned

    def follow(self, driven: Driven, start: int, end: int) -> None:
        """Drive the planned path from one of its places to a later one."""
        driven.on(self.planned.path[start : end + 1], list(range(start, end + 1)))

    def cross(self, driven: Driven, start: int, end: int, closed: frozenset[tuple[int, int]] = frozenset()) -> None:
        """Drive the quickest way from one place of the path to another; where it is the path itself it is on it."""
        path = self.planned.path
        way = self.city.way(path[start], path[end], closed) or self.city.way(path[start], path[end])
        assert way is not None, "a city where every corner can be reached"
        at = [-1] * len(way)
        for k in range(len(way)):
            if start + k >= len(path) or way[k] != path[start + k]:
                break
            at[k] = start + k
        for k in range(len(way)):
            if end - k < 0 or way[-1 - k] != path[end - k]:
                break
            at[-1 - k] = end - k
        driven.on(way, at)


def _legs(streets: Streets, random: np.random.Generator, leave: Callable[[Driven, int], int]) -> Driven:
    """Drive a tour leg by leg, and leave it now and then.

    Args:
        leave: leaves the tour at a leg, at `Planned.places` of that number; gives the leg that is driven next.
    """
    planned = streets.planned
    driven = Driven([planned.path[0]], [0])
    leg, until = 0, int(random.integers(2, 5))
    while leg < len(planned.stop_at) + 1:
        if leg >= until and leg + 4 <= len(planned.stop_at):
            leg = leave(driven, leg)
            until = leg + int(random.integers(3, 7))
            continue
        streets.follow(driven, planned.places[leg], planned.places[leg + 1])
        if leg < len(planned.stop_at):
            driven.serve(leg)
        leg += 1
    return driven


def as_planned(streets: Streets, random: np.random.Generator) -> Driven:
    """Drive the tour as it is planned."""
    planned = streets.planned
    driven = Driven([planned.path[0]], [0])
    for leg, end in enumerate(planned.places[1:]):
        streets.follow(driven, planned.places[leg], end)
        if leg < len(planned.stop_at):
            driven.serve(leg)
    return driven


def skips(streets: Streets, random: np.random.Generator) -> Driven:
    """Leave out one or two stops."""
    places = streets.planned.places

    def leave(driven: Driven, leg: int) -> int:
        to = leg + int(random.integers(1, 3))
        streets.cross(driven, places[leg], places[to + 1])
        driven.serve(to)
        return to + 1

    return _legs(streets, random, leave)


def swaps(streets: Streets, random: np.random.Generator) -> Driven:
    """Serve a stop before the one that is planned before it."""
    places = streets.planned.places

    def leave(driven: Driven, leg: int) -> int:
        at = leg
        for to in (leg + 1, leg):
            streets.cross(driven, places[at], places[to + 1])
            driven.serve(to)
            at = to + 1
        streets.cross(driven, places[at], places[leg + 3])
        driven.serve(leg + 2)
        return leg + 3

    return _legs(streets, random, leave)


def comes_back(streets: Streets, random: np.random.Generator) -> Driven:
    """Go back to a stop of before, and then on."""
    places = streets.planned.places

    def leave(driven: Driven, leg: int) -> int:
        again = max(leg - int(random.integers(2, 5)), 0)
        streets.cross(driven, places[leg], places[again + 1])
        driven.serve(again)
        streets.cross(driven, places[again + 1], places[leg + 1])
        driven.serve(leg)
        return leg + 1

    return _legs(streets, random, leave)


def goes_round(streets: Streets, random: np.random.Generator) -> Driven:
    """Find streets of the path closed, and go round them."""
    path, places = streets.planned.path, streets.planned.places

    def leave(driven: Driven, leg: int) -> int:
        start, end = places[leg], places[leg + 1]
        shut = start + (end - start) // 3
        streets_shut = zip(path[shut : shut + 3], path[shut + 1 : shut + 4], strict=False)
        closed = frozenset(pair for a, b in streets_shut for pair in ((a, b), (b, a)))
        streets.cross(driven, start, end, closed)
        driven.serve(leg)
        return leg + 1

    return _legs(streets, random, leave)


def along_later(streets: Streets, random: np.random.Generator) -> Driven:
    """Make a detour along streets that the path comes to later, and come back to where it was left."""
    path, places = streets.planned.path, streets.planned.places

    def leave(driven: Driven, leg: int) -> int:
        later = min(places[leg + 1] + int(random.integers(10, 50)), len(path) - 8)
        there = later + int(random.integers(3, 7))
        if later <= places[leg + 1]:
            streets.follow(driven, places[leg], places[leg + 1])
        else:
            begun = len(driven.way)
            streets.cross(driven, places[leg], later)
            streets.follow(driven, later, there)
            streets.cross(driven, there, places[leg + 1])
            _off(driven, begun, places[leg], places[leg + 1])
        driven.serve(leg)
        return leg + 1

    return _legs(streets, random, leave)


def _off(driven: Driven, begun: int, start: int, end: int) -> None:
    """Count what was driven since `begun` as off the path, but for places between those of the leg itself."""
    driven.at[begun:] = [at if start <= at <= end else -1 for at in driven.at[begun:]]


def backwards(streets: Streets, random: np.random.Generator) -> Driven:
    """Drive the tour the other way round."""
    planned = streets.planned
    driven = Driven([planned.path[0]], [0])
    order = [0, *reversed(planned.stop_at), len(planned.path) - 1]
    for k, (start, end) in enumerate(pairwise(order)):
        streets.cross(driven, start, end)
        if k < len(planned.stop_at):
            driven.serve(len(planned.stop_at) - 1 - k)
    driven.at[1:] = [-1] * (len(driven.at) - 1)
    return driven


KINDS: dict[str, Callable[[Streets, np.random.Generator], Driven]] = {
    "as planned": as_planned,
    "skips stops": skips,
    "swaps stops": swaps,
    "comes back": comes_back,
    "goes round": goes_round,
    "along later": along_later,
    "backwards": backwards,
}
"""Kinds of drivers."""
