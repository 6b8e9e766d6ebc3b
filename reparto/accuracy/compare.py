"""Who would have told arrivals how well: the timetable, with the delay, our ETAs without and with what was learned."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np

from geo.eta_score import BUCKETS_MIN, Figures, bucket_name, bucket_of, figures
from geo.pings import UNKNOWN_MS, Bools, Floats, Ints
from reparto.accuracy.tours import Tours
from reparto.backtest import Answer, replay

SOURCES = ("timetable", "timetable and delay", "before learning", "today")
"""Who tells when vans come: the plan; the plan and the delay then; our ETAs without what was learned; with it."""

LEAST_LEAD_S = 30.0
"""A van that is nearly there needs no foretelling."""

ALL = -1
"""The bucket of all leads."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Told:
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

    def part(self, which: Bools) -> "Told":
        """Pick some."""
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        return Told(**{name: None if column is None else column[which] for name, column in columns.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the table; `bucket` ALL is all leads."""

    bucket: int
    source: str
    figures: Figures

    @property
    def lead(self) -> str:
        return "all" if self.bucket == ALL else bucket_name(self.bucket)


def compare(tours: Tours) -> dict[str, Told]:
    """Ask every source the same questions: about every stop ahead, every five minutes of each tour.

    Returns:
        By source, in their order; without those that could tell nothing.
    """
    today = _told(tours, list(replay(tours.pings, tours.timelines)), ("timetable", "timetable and delay", "today"))
    before = _told(tours, list(replay(tours.pings, tours.timelines, learning=False)), ("before learning",))
    found = today | before
    return {source: found[source] for source in SOURCES if source in found}


def _told(tours: Tours, answers: Sequence[Answer], sources: Sequence[str]) -> dict[str, Told]:
    columns: defaultdict[str, list[Floats]] = defaultdict(list)
    for answer in answers:
        came_ms = tours.came_ms[answer.tour][answer.row]
        asked = (came_ms != UNKNOWN_MS) & (came_ms - answer.at_ms > 1000 * LEAST_LEAD_S)
        due_ms = tours.timelines[answer.tour].plans[0].stop_due_ms[answer.row]
        said = {
            "asked": np.full(len(came_ms), answer.at_ms),
            "came": came_ms,
            "expected": answer.expected_ms,
            "low": answer.low_ms,
            "high": answer.high_ms,
            "timetable": due_ms,
            "timetable and delay": due_ms + 1000 * answer.delay_s,
        }
        for name, column in said.items():
            columns[name].append(column[asked].astype(np.float64))
    if not columns:
        return {}
    joined = {name: np.concatenate(parts) for name, parts in columns.items()}
    found = {}
    for source in sources:
        expected = joined.get(source, joined["expected"])
        known = ~np.isnan(expected)
        windows = source not in joined
        if known.any():
            found[source] = Told(
                asked_ms=joined["asked"][known],
                expected_ms=expected[known],
                came_ms=joined["came"][known],
                low_ms=joined["low"][known] if windows else None,
                high_ms=joined["high"][known] if windows else None,
            )
    return found


def lines_of(told: dict[str, Told]) -> Iterator[Line]:
    """Make the table: by bucket of leads, then source; at the end all leads."""
    for bucket in (*range(len(BUCKETS_MIN)), ALL):
        for source, said in told.items():
            which = np.ones(len(said.came_ms), bool) if bucket == ALL else said.bucket == bucket
            if which.any():
                part = said.part(which)
                found = figures(part.expected_ms, part.came_ms, part.low_ms, part.high_ms)
                yield Line(bucket=bucket, source=source, figures=found)
