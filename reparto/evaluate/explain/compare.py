"""Where what is stored of a day and what today's geo says of it differ."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from geo.pings import Bools
from geo.trust.clean import names
from reparto.evaluate.explain.day import Day, DayVisit, StoredPings
from reparto.evaluate.explain.fold import FoldedDay

SAME_M = 1.0
SAME_MS = 1_000
"""What is nearer than this is the same: stored figures are rounded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something that is stored otherwise than today's geo says, from when to when, in words."""

    from_ms: int
    to_ms: int
    what: str


def compare(day: Day, folded: FoldedDay) -> tuple[Bools, list[Difference]]:
    """Compare the fold with what is stored.

    Returns:
        (n,) which pings differ, and the differences in the order of time; none where nothing is stored.
    """
    if day.stored is None:
        return np.zeros(len(day.pings), np.bool_), []
    differs, found = _pings(day, day.stored, folded)
    if day.stored_visits is not None:
        found += _visits(day, folded.visits, day.stored_visits)
    return differs, sorted(found, key=lambda one: (one.from_ms, one.to_ms))


def _pings(day: Day, stored: StoredPings, folded: FoldedDay) -> tuple[Bools, list[Difference]]:
    today = folded.judged
    apart_m = np.abs(today["along_m"] - stored.along_m)
    flags = [set(names(int(now))) != set(then) for now, then in zip(today["flags"], stored.flags, strict=True)]
    kinds = {
        "believed": stored.judged & (today["believed"] != stored.believed),
        "on_route": stored.judged & (today["on_route"] != stored.on_route),
        "flags": stored.judged & np.array(flags, np.bool_),
        "along_m": stored.judged & (apart_m > SAME_M),  # NaN on one side is told by on_route
    }
    differs = np.logical_or.reduce(list(kinds.values()))
    at_ms = day.pings.rows["recorded_ms"]
    found = []
    for differing, run in groupby(range(len(differs)), key=lambda row: bool(differs[row])):
        if not differing:
            continue
        rows = np.array(list(run))
        words = [name for name, where in kinds.items() if where[rows].any()]
        if words[-1] == "along_m":
            words[-1] = f"along_m by up to {np.nanmax(apart_m[rows]):,.0f} m"
        pings = "1 ping" if len(rows) == 1 else f"{len(rows)} pings"
        found.append(
            Difference(from_ms=int(at_ms[rows[0]]), to_ms=int(at_ms[rows[-1]]), what=f"{pings}: {', '.join(words)}")
        )
    return differs, found


def _visits(day: Day, today: Sequence[DayVisit], stored: Sequence[DayVisit]) -> list[Difference]:
    """Compare the n-th visit of each stop with the n-th that is stored."""
    found = []
    ours, theirs = _by_stop(today), _by_stop(stored)
    for stop in sorted(ours.keys() | theirs.keys()):
        name = day.stops[stop].name
        for now, then in _side_by_side(ours[stop], theirs[stop]):
            if now is None and then is not None:
                what = f"stop {name}: a visit is stored, today's geo finds none"
            elif then is None:
                what = f"stop {name}: today's geo finds a visit, none is stored"
            elif now is not None and (apart := _apart(now, then)):
                what = f"stop {name}: {apart}"
            else:
                continue
            one = now or then
            assert one is not None
            found.append(Difference(from_ms=one.came_ms, to_ms=one.left_ms or one.came_ms, what=what))
    return found


def _by_stop(visits: Sequence[DayVisit]) -> defaultdict[int, list[DayVisit]]:
    by_stop: defaultdict[int, list[DayVisit]] = defaultdict(list)
    for visit in visits:
        by_stop[visit.stop].append(visit)
    return by_stop


def _side_by_side(now: Sequence[DayVisit], then: Sequence[DayVisit]) -> list[tuple[DayVisit | None, DayVisit | None]]:
    count = max(len(now), len(then))
    pad: list[DayVisit | None] = [None] * count
    return list(zip(([*now, *pad])[:count], ([*then, *pad])[:count], strict=True))


def _apart(now: DayVisit, then: DayVisit) -> str:
    """Say how a visit differs from the one that is stored; empty when it does not."""
    words = []
    if abs(now.came_ms - then.came_ms) > SAME_MS:
        words.append(f"arrival {(now.came_ms - then.came_ms) / 1000:+.0f} s")
    if (now.left_ms is None) != (then.left_ms is None):
        words.append("departed only in what is stored" if now.left_ms is None else "departed only today")
    elif now.left_ms is not None and then.left_ms is not None and abs(now.left_ms - then.left_ms) > SAME_MS:
        words.append(f"departure {(now.left_ms - then.left_ms) / 1000:+.0f} s")
    return ", ".join(words)
