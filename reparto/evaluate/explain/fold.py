"""Today's fold over one day in small steps, so that what the track held on the way can be seen.

How a day is cut changes nothing of what comes out: the fold knows no batch border.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from geo.fold.fold import advance, fresh
from geo.pings import Floats, Rows
from geo.plan.facts import JUDGED, FactType
from geo.plan.plans import Timeline
from geo.trust.clean import names
from reparto.evaluate.explain.day import DRIVER, Day, DayVisit

_SAMPLED = ("along_m", "along_sd_m", "on_route_p", "delay_s", "next_stop_id")
"""What is read of the track after each step."""

LEAST_WEIGHT = 0.01
"""A hypothesis of less weight than this is not shown."""

STEPS = 3_000
"""A day of more pings than this is folded some at a time: a step costs about a millisecond."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """A fact.

    Attributes:
        stop: place in the tour; None: it is not about a stop.
        known_ms: recorded_ms of the ping that made it known, at or after `occurred_ms`.
        along_m: of that ping; NaN off the route.
    """

    type: FactType
    occurred_ms: int
    known_ms: int
    stop: int | None
    along_m: float
    offset_m: float
    lat: float
    lon: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySpell:
    """A time off the route; `to_ms` None: the day ended there. `known_ms`: of the ping that made it known."""

    from_ms: int
    known_ms: int
    to_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoldedDay:
    """What today's geo makes of a day.

    Attributes:
        judged: (n,) of dtype `JUDGED`: the last word on each ping.
        first_flags: what a ping was flagged with at first, by its row, where a later one changed that.
        held: columns (n,) of the track after each step, at its last ping; NaN elsewhere and where they are unknown.
        hypotheses: after each step, at its last ping, where along the path the van may be: (along_m, weight), the
            likeliest first; None elsewhere. What is missing to a sum of 1 is off the path.
    """

    judged: Rows
    first_flags: Mapping[int, list[str]]
    held: Mapping[str, Floats]
    hypotheses: Sequence[list[tuple[float, float]] | None]
    facts: Sequence[Happened]
    visits: Sequence[DayVisit]
    spells: Sequence[DaySpell]


def fold(day: Day) -> FoldedDay:
    """Fold a day from nothing."""
    rows = day.pings.rows
    row_of = {key: row for row, key in enumerate(_keys(rows))}
    tracks = fresh(np.array([DRIVER]))
    timelines = [Timeline(driver_id=DRIVER, plans=(day.plan,))]
    held = {name: np.full(len(rows), np.nan) for name in _SAMPLED}
    judged, first_flags, facts = np.zeros(len(rows), JUDGED), dict[int, list[str]](), list[Happened]()
    hypotheses: list[list[tuple[float, float]] | None] = [None] * len(rows)
    stride = -(-len(rows) // STEPS)
    for begin in range(0, len(rows), stride):
        step = slice(begin, begin + stride)
        tracks, found = advance(tracks, day.pings.rows_at(step), timelines)
        judged[step] = found.judged
        for again, key in zip(found.rejudged, _keys(found.rejudged), strict=True):
            first_flags.setdefault(row_of[key], names(int(judged["flags"][row_of[key]])))
            judged[row_of[key]] = again["judged"]
        last = min(begin + stride, len(rows)) - 1
        for name in _SAMPLED:
            held[name][last] = tracks[name][0]
        hypotheses[last] = _hypotheses(tracks["snap"]["on"][0])
        facts += [_fact(one) for one in found.happened]
    return FoldedDay(
        judged=judged,
        first_flags=first_flags,
        held=held,
        hypotheses=hypotheses,
        facts=facts,
        visits=_visits(facts),
        spells=_spells(facts),
    )


def _hypotheses(on: Rows) -> list[tuple[float, float]]:
    places = zip(on["along_m"].tolist(), on["weight"].tolist(), strict=True)
    return sorted((place for place in places if place[1] >= LEAST_WEIGHT), key=lambda place: -place[1])


def _keys(rows: Rows) -> list[tuple[int, int, int, int]]:
    columns = (rows[name].tolist() for name in ("device_id", "recorded_ms", "lat_e6", "lon_e6"))
    return list(zip(*columns, strict=True))


def _fact(happened: np.void) -> Happened:
    stop_id = int(happened["stop_id"])
    return Happened(
        type=FactType(int(happened["type"])),
        occurred_ms=int(happened["occurred_ms"]),
        known_ms=int(happened["folded_ms"]),
        stop=stop_id - 1 if stop_id else None,
        along_m=float(happened["along_m"]),
        offset_m=float(happened["offset_m"]),
        lat=int(happened["lat_e6"]) / 1e6,
        lon=int(happened["lon_e6"]) / 1e6,
    )


def _visits(facts: Sequence[Happened]) -> list[DayVisit]:
    """Pair arrivals with departures; a stop is left before it is come to again."""
    visits: list[DayVisit] = []
    open_at: dict[int, int] = {}
    for fact in facts:
        if fact.stop is None:
            continue
        if fact.type == FactType.STOP_ARRIVED:
            open_at[fact.stop] = len(visits)
            visits.append(DayVisit(stop=fact.stop, came_ms=fact.occurred_ms, left_ms=None))
        elif fact.type == FactType.STOP_DEPARTED and fact.stop in open_at:
            which = open_at.pop(fact.stop)
            visits[which] = DayVisit(stop=fact.stop, came_ms=visits[which].came_ms, left_ms=fact.occurred_ms)
    return visits


def _spells(facts: Sequence[Happened]) -> list[DaySpell]:
    spells: list[DaySpell] = []
    for fact in facts:
        if fact.type == FactType.ROUTE_OFF:
            spells.append(DaySpell(from_ms=fact.occurred_ms, known_ms=fact.known_ms, to_ms=None))
        elif fact.type == FactType.ROUTE_BACK and spells:
            last = spells[-1]
            spells[-1] = DaySpell(from_ms=last.from_ms, known_ms=last.known_ms, to_ms=fact.occurred_ms)
    return spells
