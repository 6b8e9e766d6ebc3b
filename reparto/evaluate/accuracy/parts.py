"""Which part of an ETA's error is the start, the drives, the services and detours."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from geo.eta.score import BUCKETS_MIN, bucket_name, bucket_of
from geo.numbers import START_M
from geo.pings import UNKNOWN_MS, Floats, Ints
from geo.plan.facts import FactType
from reparto.evaluate.accuracy.compare import ALL, LEAST_LEAD_S, reached
from reparto.evaluate.accuracy.tours import Tours
from reparto.evaluate.answers.backtest import EtaAnswer, FoldedTour, ask, fold

PARTS = ("start", "drive", "service", "detour")
"""Columns of `Apart.parts_s`."""

LEFT_M = 50.0
"""A van that is seen so much farther along its path than where it stood has left for its tour."""

_Spans = Sequence[tuple[int, int]]
"""Times from and until, epoch milliseconds, ascending and apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Apart:
    """Errors of ETAs that have come true, taken apart; positive: it was told to take longer than it took.

    Attributes:
        lead_s: (n,) from the question until the van came.
        parts_s: (n, 4) as in PARTS; they add up to the error.
    """

    lead_s: Floats
    parts_s: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class PartsLine:
    """One line of the table; minutes.

    Attributes:
        lead: its name.
        mae_min: the mean error.
        share_min: what each of PARTS has of it; they add up to it. Below 0: it made good what others did wrong.
        alone_min: how far off each was by itself, in the mean.
        bias_min: the mean of each; positive: told too long.
    """

    lead: str
    n: int
    mae_min: float
    share_min: Sequence[float]
    alone_min: Sequence[float]
    bias_min: Sequence[float]


@dataclass(frozen=True, slots=True, eq=False)
class _Came:
    """What really became of a tour.

    Attributes:
        came_ms: (s,) when the van came to each stop, UNKNOWN_MS where it never did.
        left_ms: when it left for its tour; UNKNOWN_MS where that was not seen.
        stood: when it was at stops that have planned service.
        off: when it was off its path.
        off_stood: both.
        off_m: where along the path it was before and after each of `off`; infinite where it never came back.
    """

    came_ms: Ints
    left_ms: int
    stood: _Spans
    off: _Spans
    off_stood: _Spans
    off_m: Sequence[tuple[float, float]]


def apart(tours: Tours) -> Apart:
    """Ask every tour as `compare` does, and take the errors of what was told apart.

    What it took is read off the fold of all pings: the *start* is the wait until the van left; *service* the time at
    stops that have planned service; *detour* the time off the path elsewhere, against what was told for the stretch of
    path that was left out meanwhile (by metres). *Drive* is all the rest: the roads, stops that nobody saw, and how
    much of a delay was expected to be made up.
    """
    folded, states = fold(tours.pings, tours.timelines)
    came = [_came(tour, stored_ms) for tour, stored_ms in zip(folded, tours.came_ms, strict=True)]
    lead_s, parts_s = [np.zeros(0)], [np.zeros((0, len(PARTS)))]
    for answer in ask(folded, states, tours.timelines):
        came_ms = came[answer.tour].came_ms[answer.row]
        known = (came_ms != UNKNOWN_MS) & (came_ms - answer.at_ms > 1000 * LEAST_LEAD_S)
        if known.any():
            lead_s.append((came_ms[known] - answer.at_ms) / 1000)
            parts_s.append(_taken_apart(answer.only(known), folded[answer.tour], came[answer.tour]))
    return Apart(np.concatenate(lead_s), np.concatenate(parts_s))


def parts_lines(found: Apart) -> Iterator[PartsLine]:
    """Make the table: by bucket of leads, at the end all of them."""
    bucket = bucket_of(found.lead_s)
    for one in (*range(len(BUCKETS_MIN)), ALL):
        mine_min = found.parts_s[(bucket == one) | (one == ALL)] / 60
        if len(mine_min):
            error_min = mine_min.sum(axis=1)
            yield PartsLine(
                lead="all" if one == ALL else bucket_name(one),
                n=len(mine_min),
                mae_min=float(np.abs(error_min).mean()),
                share_min=(np.sign(error_min)[:, None] * mine_min).mean(axis=0).tolist(),
                alone_min=np.abs(mine_min).mean(axis=0).tolist(),
                bias_min=mine_min.mean(axis=0).tolist(),
            )


def _taken_apart(answer: EtaAnswer, tour: FoldedTour, came: _Came) -> Floats:
    """Take apart what was told at one moment of stops that the van came to; gives (k, 4)."""
    came_ms, as_of_ms = came.came_ms[answer.row], answer.as_of_ms
    told_s = (answer.expected_ms - as_of_ms) / 1000
    waits = answer.waits & (came.left_ms != UNKNOWN_MS)
    begin_ms = np.where(waits, np.clip(came.left_ms, as_of_ms, np.maximum(came_ms, as_of_ms)), as_of_ms)
    start_s = answer.start_s - (begin_ms - as_of_ms) / 1000
    service_s = answer.service_s - _within_s(came.stood, begin_ms, came_ms)
    off_s = _within_s(came.off, begin_ms, came_ms) - _within_s(came.off_stood, begin_ms, came_ms)
    stop_m = tour.plan.stops[answer.row, 3]
    left_m = stop_m - _seen_m(tour, as_of_ms)
    spared_m = np.zeros(len(stop_m))
    for (off_ms, back_ms), (from_m, back_m) in zip(came.off, came.off_m, strict=True):
        touches = (back_ms > begin_ms) & (off_ms < came_ms)
        until_m = np.where(back_ms <= came_ms, np.minimum(back_m, stop_m), stop_m)
        spared_m += np.where(touches, until_m - from_m, 0.0)
    drive_s = told_s - answer.start_s - answer.service_s
    spared_s = drive_s * np.where(left_m > 0, np.minimum(spared_m / np.maximum(left_m, 1.0), 1.0), 0.0)
    detour_s = spared_s - off_s
    error_s = told_s - (came_ms - as_of_ms) / 1000
    return np.column_stack((start_s, error_s - start_s - service_s - detour_s, service_s, detour_s))


def _came(tour: FoldedTour, stored_ms: Ints | None) -> _Came:
    last_ms = int(tour.ms[-1]) if len(tour.ms) else tour.first_ms
    stood = _spans(_stays(tour, last_ms))
    off: list[tuple[int, int]] = []
    off_m: list[tuple[float, float]] = []
    off_ms = UNKNOWN_MS
    for back, at_ms in (*tour.off, (True, np.iinfo(np.int64).max)):
        if not back:
            off_ms = at_ms
        elif off_ms != UNKNOWN_MS:
            after = int(tour.ms.searchsorted(at_ms))
            off.append((off_ms, at_ms))
            off_m.append((_seen_m(tour, off_ms), float(tour.along_m[after]) if after < len(tour.ms) else np.inf))
            off_ms = UNKNOWN_MS
    return _Came(
        came_ms=reached(tour) if stored_ms is None else stored_ms,
        left_ms=_left_ms(tour),
        stood=stood,
        off=off,
        off_stood=[(max(a[0], b[0]), min(a[1], b[1])) for a in off for b in stood if max(a[0], b[0]) < min(a[1], b[1])],
        off_m=off_m,
    )


def _left_ms(tour: FoldedTour) -> int:
    """Tell when the van left for its tour: when it was last seen where it stood before."""
    far = np.flatnonzero(tour.along_m >= START_M)
    before_m = tour.along_m[: far[0]] if len(far) else tour.along_m
    if not len(before_m):
        return UNKNOWN_MS
    return int(tour.ms[np.flatnonzero(before_m <= before_m.min() + LEFT_M)[-1]])


def _stays(tour: FoldedTour, last_ms: int) -> Iterator[tuple[int, int]]:
    """Tell from when until when the van was at each stop that has planned service."""
    since: dict[int, int] = {}
    for _, row, what, at_ms in tour.visits:
        if tour.plan.stops[row, 4] > 0:
            if what is FactType.STOP_ARRIVED:
                since[row] = at_ms
            elif row in since:
                yield since.pop(row), at_ms
    yield from ((at_ms, last_ms) for at_ms in since.values())


def _spans(some: Iterator[tuple[int, int]]) -> _Spans:
    """Put times in order, those that overlap together: one standing serves several stops."""
    spans: list[tuple[int, int]] = []
    for begin_ms, end_ms in sorted(some):
        if spans and begin_ms <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(spans[-1][1], end_ms)
        else:
            spans.append((begin_ms, end_ms))
    return spans


def _within_s(spans: _Spans, begin_ms: Ints, end_ms: Ints) -> Floats:
    """Tell how many seconds of some times lie between begins and ends."""
    found = np.zeros(len(begin_ms))
    for from_ms, until_ms in spans:
        found += np.maximum(np.minimum(until_ms, end_ms) - np.maximum(from_ms, begin_ms), 0) / 1000
    return found


def _seen_m(tour: FoldedTour, at_ms: int) -> float:
    """Tell where along its path the van was last seen by then; 0 before it was."""
    before = int(tour.ms.searchsorted(at_ms, "right"))
    return float(tour.along_m[before - 1]) if before else 0.0
