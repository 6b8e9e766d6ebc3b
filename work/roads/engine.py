"""Roads over an engine: what is asked becomes questions that it can take, its answers become what was asked for."""

import logging
from collections.abc import Iterator
from math import dist
from typing import Literal, Protocol

import numpy as np
from msgspec import Struct

from geo.pings import Floats
from geo.shape.plane import in_space
from work.roads.answer import RoadAnswer, read_lines, read_path, read_table
from work.roads.protocol import Matched, NoWay, RoadPath, RoadsAway, Trace

log = logging.getLogger(__name__)

APART_M = 15.0
"""Of a trace so much is left out: a phone that stands tells a matcher nothing, and one fix in 15 m every corner."""

TABLE_AT_ONCE = 100
"""Places from, and places to, in one question: Valhalla takes some seconds for as many."""

UNKNOWN_ACCURACY_M = 10.0
BEST_ACCURACY_M, WORST_ACCURACY_M = 5.0, 50.0
"""A fix is held for at least, and at most, so wrong; both engines look for roads within a few times that."""


class Question(Struct, frozen=True, kw_only=True):
    """What one call asks. Columns of one length, degrees; a match has whole Unix seconds and metres too;
    of a table, which of the places are driven from and to."""

    what: Literal["route", "match", "table"]
    lon: list[float]
    lat: list[float]
    time_s: list[int] = []
    accuracy_m: list[float] = []
    sources: list[int] = []
    destinations: list[int] = []


class Asked(Protocol):
    """Something that answers questions.

    Attributes:
        at_most: places in one question.
    """

    at_most: int

    async def ask(self, question: Question) -> RoadAnswer:
        """Answer one question, "no" included.

        Raises:
            RoadsAway: it cannot.
        """


class EngineRoads:
    """The roads that an engine knows."""

    def __init__(self, engine: Asked) -> None:
        self._engine = engine

    async def route(self, places: Floats) -> RoadPath:
        """Find the way through places; see `Roads`."""
        lon, lat = places.T.tolist()
        answers = [
            await self._engine.ask(Question(what="route", lon=lon[piece], lat=lat[piece]))
            for piece in pieces(len(lon), self._engine.at_most)
        ]
        try:
            return read_path(answers, legs=len(lon) - 1)
        except ValueError as error:
            raise RoadsAway(f"the engine's answer makes no sense: {error}") from error

    async def table(self, places: Floats) -> tuple[Floats, Floats] | None:
        """Tell how far every place is from every other; see `Roads`."""
        count, most = len(places), min(self._engine.at_most // 2, TABLE_AT_ONCE)
        metres, seconds = np.full((2, count, count), np.nan)
        parts = [slice(start, min(start + most, count)) for start in range(0, count, most)]
        try:
            for from_part in parts:
                for to_part in parts:
                    block = await self._engine.ask(_table(places[from_part], places[to_part]))
                    metres[from_part, to_part], seconds[from_part, to_part] = read_table(block)
        except (RoadsAway, NoWay, ValueError) as error:
            log.warning("drives are straight lines: %s", error)
            return None
        return metres, seconds

    async def match(self, trace: Trace) -> Matched:
        """Find the roads that a trace was driven on; see `Roads`."""
        thin = thinned(trace)
        accuracy_m = np.nan_to_num(thin.accuracy_m, nan=UNKNOWN_ACCURACY_M).clip(BEST_ACCURACY_M, WORST_ACCURACY_M)
        lon, lat, time_s = thin.lon.tolist(), thin.lat.tolist(), thin.time_s.astype(np.int64).tolist()
        answers = [
            await self._engine.ask(
                Question(
                    what="match",
                    lon=lon[piece],
                    lat=lat[piece],
                    time_s=time_s[piece],
                    accuracy_m=accuracy_m[piece].tolist(),
                )
            )
            for piece in pieces(len(lon), self._engine.at_most)
        ]
        try:
            return read_lines(answers)
        except ValueError as error:
            raise RoadsAway(f"the engine's answer makes no sense: {error}") from error


def _table(sources: Floats, destinations: Floats) -> Question:
    lon, lat = np.concatenate((sources, destinations)).T.tolist()
    first = len(sources)
    return Question(
        what="table", lon=lon, lat=lat, sources=list(range(first)), destinations=list(range(first, len(lon)))
    )


def pieces(count: int, at_most: int) -> Iterator[slice]:
    """Cut a row of places into pieces of two or more, each beginning with the last place of the one before."""
    for start in range(0, max(count - 1, 1), at_most - 1):
        yield slice(start, start + at_most)


def thinned(trace: Trace) -> Trace:
    """Leave out what is within APART_M of the fix kept before; the first and the last one stay."""
    space = in_space(trace.lon, trace.lat).tolist()
    kept = [0]
    for row in range(1, len(space) - 1):
        if dist(space[row], space[kept[-1]]) >= APART_M:
            kept.append(row)
    kept.append(len(space) - 1)
    return Trace(lon=trace.lon[kept], lat=trace.lat[kept], time_s=trace.time_s[kept], accuracy_m=trace.accuracy_m[kept])
