"""Who would have told arrivals how well: the timetable, with the delay, our ETAs without and with what was learned."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from geo.eta.estimate import estimate
from geo.eta.model import passed
from geo.eta.score import BUCKETS_MIN, Figures, bucket_name, bucket_of, figures
from geo.pings import UNKNOWN_MS, Bools, Floats, Ints
from geo.plan.facts import FactType
from geo.plan.plans import places_in
from reparto.evaluate.accuracy.tours import Tours
from reparto.evaluate.answers.backtest import FoldedTour, ask, fold

SOURCES = ("timetable", "timetable and delay", "before learning", "today")
"""Who tells when vans come: the plan; the plan and the delay then; our ETAs without what was learned; with it."""

LEAST_LEAD_S = 30.0
"""A van that is nearly there needs no foretelling."""

ALL = -1
"""The bucket of all leads."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ToldAhead:
    """What one source told, and what came true; columns of one length, epoch milliseconds.

    Attributes:
        asked_ms: when it was asked; leads count from then until the van came.
        low_ms, high_ms: None where it gives no windows.
    """

    asked_ms: Floats
    expected_ms: Floats
    came_ms: Floats
    low_ms: Floats | None
    high_ms: Floats | None

    @property
    def bucket(self) -> Ints:
        return bucket_of((self.came_ms - self.asked_ms) / 1000)

    def part(self, which: Bools) -> "ToldAhead":
        """Pick some."""
        return ToldAhead(
            asked_ms=self.asked_ms[which],
            expected_ms=self.expected_ms[which],
            came_ms=self.came_ms[which],
            low_ms=None if self.low_ms is None else self.low_ms[which],
            high_ms=None if self.high_ms is None else self.high_ms[which],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the table; `bucket` ALL is all leads."""

    bucket: int
    source: str
    figures: Figures

    @property
    def lead(self) -> str:
        return "all" if self.bucket == ALL else bucket_name(self.bucket)


def compare(tours: Tours) -> dict[str, ToldAhead]:
    """Ask every source the same questions: about every stop ahead, every five minutes of each tour.

    Returns:
        By source, in their order; without those that could tell nothing.
    """
    folded, states = fold(tours.pings, tours.timelines)
    came_ms = [
        reached(tour) if stored_ms is None else stored_ms for tour, stored_ms in zip(folded, tours.came_ms, strict=True)
    ]
    plans = [timeline.plans[0] for timeline in tours.timelines]
    columns: dict[str, list[Floats]] = {source: [] for source in SOURCES}
    for at_ms, which, track in sorted(states, key=lambda state: state[:2]):  # as `ask` asks
        cold = estimate(track, [tours.timelines[which]])
        row = places_in(plans[which], cold.stop_id)
        due_ms = plans[which].stop_due_ms[row]
        asked = (at_ms, came_ms[which][row])
        columns["timetable"].append(_column(*asked, due_ms))
        columns["timetable and delay"].append(_column(*asked, due_ms + 1000 * float(track["delay_s"][0])))
        columns["before learning"].append(_column(*asked, cold.expected_ms, cold.low_ms, cold.high_ms))
    for answer in ask(folded, states, tours.timelines):
        asked = (answer.at_ms, came_ms[answer.tour][answer.row])
        columns["today"].append(_column(*asked, answer.expected_ms, answer.low_ms, answer.high_ms))
    told = {source: _told(parts) for source, parts in columns.items() if parts}
    return {source: said for source, said in told.items() if len(said.came_ms)}


def reached(tour: FoldedTour) -> Ints:
    """Tell when a van came to each stop: one without planned service is passed, the others are visited.

    Returns:
        (s,) epoch milliseconds; UNKNOWN_MS where it never did.
    """
    came_ms = passed(tour.plan, tour.ms, tour.along_m).copy()
    came_ms[tour.plan.stops[:, 4] > 0] = UNKNOWN_MS
    for _, row, what, at_ms in tour.visits:
        if what is FactType.STOP_ARRIVED and came_ms[row] == UNKNOWN_MS:
            came_ms[row] = at_ms
    return came_ms


def _column(
    at_ms: int, came_ms: Ints, expected_ms: ArrayLike, low_ms: ArrayLike = np.nan, high_ms: ArrayLike = np.nan
) -> Floats:
    """Put what was told of the stops ahead of one van into rows: asked, expected, came, low, high."""
    counts = (came_ms != UNKNOWN_MS) & (came_ms - at_ms > 1000 * LEAST_LEAD_S)
    columns = np.broadcast_arrays(at_ms, expected_ms, came_ms, low_ms, high_ms)
    rows: Floats = np.column_stack(columns).astype(np.float64)[counts]
    return rows


def _told(parts: Sequence[Floats]) -> ToldAhead:
    rows = np.concatenate(parts)
    asked_ms, expected_ms, came_ms, low_ms, high_ms = rows[~np.isnan(rows[:, 1])].T
    windows = not np.isnan(low_ms).any()
    return ToldAhead(
        asked_ms=asked_ms,
        expected_ms=expected_ms,
        came_ms=came_ms,
        low_ms=low_ms if windows else None,
        high_ms=high_ms if windows else None,
    )


def lines_of(told: dict[str, ToldAhead]) -> Iterator[Line]:
    """Make the table: by bucket of leads, then source; at the end all leads."""
    for bucket in (*range(len(BUCKETS_MIN)), ALL):
        for source, said in told.items():
            which = np.ones(len(said.came_ms), bool) if bucket == ALL else said.bucket == bucket
            if which.any():
                part = said.part(which)
                found = figures(part.expected_ms, part.came_ms, part.low_ms, part.high_ms)
                yield Line(bucket=bucket, source=source, figures=found)
