"""What goes through the steps of a take: frozen, so that what a step changes is what it gives back.

A step is `step(db, batch) -> batch`. What is known when the take begins never changes; how far drivers have come
(`progress`) is said anew by those steps that move it, and their tracks by two of them: by going back and by the fold.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self, TypeAlias

import numpy as np

from geo.fold import fold
from geo.pings import Bools, Ints, Pings, Rows
from geo.plan.plans import Timeline
from ingest.config import IngestConfig
from ingest.drivers.drivers import Drivers, Progress
from ingest.drivers.models import ModelCache
from ingest.drivers.plans import PlanCache
from ingest.drivers.shown import Shown
from sql.feed.facts import Stretch
from sql.pings.pings import STORED
from sql.pool import Connection
from sql.track.reruns import Rerun

MOST_STEPS = 256
"""Pings folded of one driver in one take, and pings between two checkpoints, about."""

MOST_BEHIND = 32
"""Drivers of one take who fold stored pings again; those whose new pings follow on are not counted."""

MOST_PARTS = 256
"""Takes whose facts are told together, at most: more than a day of pings. When a long history is folded again, no take
has to compare all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one take does; not for operators, who could not tell what is better."""

    steps: int = MOST_STEPS
    behind: int = MOST_BEHIND
    parts: int = MOST_PARTS


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Known:
    """What a tracker knows before it takes.

    Attributes:
        now: by our clock, once for the whole take.
    """

    config: IngestConfig
    limits: Limits
    plans: PlanCache
    models: ModelCache
    now: datetime


@dataclass(frozen=True, slots=True, eq=False)
class Sent:
    """Pings, each with its driver's lane: first as they came out of blocks, in that order."""

    pings: Pings
    lanes: Ints

    def __len__(self) -> int:
        return len(self.pings)

    def rows_at(self, which: Bools | Ints) -> Self:
        """Pick some."""
        return type(self)(self.pings.rows_at(which), self.lanes[which])

    @classmethod
    def none(cls) -> Self:
        """No pings at all."""
        return cls(Pings.empty(), np.zeros(0, np.int64))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Late:
    """What the referee found of pings that may be there already.

    Attributes:
        may_be_there: (n,) which of the pings sent were asked about.
        driver_ids, recorded_ms: (k,) those that history may judge otherwise now: new ones, and copies that tell more.
    """

    may_be_there: Bools
    driver_ids: Ints
    recorded_ms: Ints

    @classmethod
    def none(cls) -> Self:
        """Nothing was asked about."""
        return cls(may_be_there=np.zeros(0, bool), driver_ids=np.zeros(0, np.int64), recorded_ms=np.zeros(0, np.int64))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Behind:
    """Who folds stored pings in this take; entries in the drivers, ascending.

    Attributes:
        back: those of them who have gone back to an earlier place now.
        under_way: re-runs that earlier takes began.
    """

    entries: Ints
    back: Ints
    under_way: Mapping[int, Rerun]

    @classmethod
    def none(cls) -> Self:
        """Nobody does."""
        return cls(entries=np.zeros(0, np.int64), back=np.zeros(0, np.int64), under_way={})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Again:
    """What is folded of those who are behind.

    Attributes:
        sent: stored pings.
        was: (n,) of dtype `sql.pings.pings.STORED`, what they were judged to be.
        stretches: by entry in the drivers, what is about to be folded.
        begin_ms: by entry, of those who are folded from the start: when their first input was; missing without any.
        reruns: by entry, of those who have been here before.
        settles: (m,) of whom nothing but claims comes after.
    """

    sent: Sent
    was: Rows
    stretches: Mapping[int, Stretch]
    begin_ms: Mapping[int, int]
    reruns: Mapping[int, Rerun]
    settles: Bools

    @classmethod
    def none(cls, drivers: int) -> Self:
        """Nothing is."""
        return cls(
            sent=Sent.none(),
            was=np.zeros(0, STORED),
            stretches={},
            begin_ms={},
            reruns={},
            settles=np.zeros(drivers, bool),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Folded:
    """What the fold made of the pings sent and of those read again.

    Attributes:
        sent: those that could be folded, in the order of history.
        stored: (n,) which of them are stored already.
        was: (n,) of dtype `STORED`, what those were judged to be.
        facts: of `sent`.
        touched: entries of the drivers who were folded, ascending.
        timelines: of all drivers.
        bad, bad_stored: those that could not be folded.
    """

    sent: Sent
    stored: Bools
    was: Rows
    facts: fold.Facts
    touched: Ints
    timelines: Sequence[Timeline]
    bad: Sent
    bad_stored: Bools


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """A take under way.

    Attributes:
        known, drivers: as they were when it began.
        progress: how far drivers have come by now.
        sent: pings that came and that no step has stored yet.
        folded: None until the fold.
        happened: of dtype `geo.fold.fold.HAPPENED`, what may be told now; its tracks are entries of the drivers.
        stretches: what was folded again and may be told now.
        shown: by driver, what others were told of their ETAs.
        records: by driver, the track as it was written, as `geo.fold.fold.records_of` gives it; empty until then.
    """

    known: Known
    drivers: Drivers
    progress: Progress
    sent: Sent
    shown: Sequence[Shown]
    again: Again
    late: Late = field(default_factory=Late.none)
    behind: Behind = field(default_factory=Behind.none)
    folded: Folded | None = None
    happened: Rows = field(default_factory=lambda: np.zeros(0, fold.HAPPENED))
    stretches: Sequence[Stretch] = ()
    records: Sequence[bytes] = ()

    def with_sent(self, sent: Sent) -> Self:
        """Go on with other pings."""
        return replace(self, sent=sent)

    def the_folded(self) -> Folded:
        """Give what the fold made: for the steps after it."""
        assert self.folded is not None, "this step comes after the fold"
        return self.folded


Step: TypeAlias = Callable[[Connection, Batch], Awaitable[Batch]]
