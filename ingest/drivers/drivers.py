"""The drivers of one take: what was read of them, which stays, and how far they have come, which each step says anew.

All columns are read-only: a step that would change one in its place fails.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from geo.pings import Bools, Ints, Rows
from geo.plan.plans import FOREVER_MS
from sql.track.folds import TrackRow


def _seal(columns: object) -> None:
    for field in fields(columns):  # type: ignore[arg-type]
        column = getattr(columns, field.name)
        if isinstance(column, np.ndarray):
            column.setflags(write=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drivers:
    """What was read of the drivers of a take, by driver_id ascending; every column has one entry a driver.

    Attributes:
        shift_only_ms, shifts_from_ms: as in `sql.track.folds.TrackRow`.
    """

    rows: Sequence[TrackRow]
    ids: Ints
    lanes: Ints
    accounts: Ints
    shift_only_ms: Ints
    shifts_from_ms: Ints

    def __post_init__(self) -> None:
        _seal(self)

    def __len__(self) -> int:
        return len(self.rows)

    def index_of(self, driver_ids: Ints) -> Ints:
        """Find the entries of drivers that are all here."""
        return np.searchsorted(self.ids, driver_ids)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Progress:
    """How far the fold of each driver of a take has come, and how far it has to come.

    Attributes:
        tracks: of dtype `geo.fold.fold.TRACK`.
        head_ms: the time of the last ping or claim to fold.
        stored_ms: the greatest recorded_ms stored.
        rerun_from_ms: fold again from here; FOREVER_MS when nobody asks.
        may_rerun: the last re-run is long enough ago.
        began: a re-run began in this take.
        unmarked: pings folded since the last checkpoint.
    """

    tracks: Rows
    head_ms: Ints
    stored_ms: Ints
    rerun_from_ms: Ints
    may_rerun: Bools
    began: Bools
    unmarked: Ints

    def __post_init__(self) -> None:
        _seal(self)

    @property
    def caught_up(self) -> Bools:
        """Drivers of whom nothing waits to be folded."""
        caught_up: Bools = (self.tracks["at_ms"] >= self.head_ms) & (self.rerun_from_ms == FOREVER_MS)
        return caught_up

    @property
    def goes_back(self) -> Bools:
        """Drivers who fold again from an earlier place now; who may not yet folds on meanwhile."""
        goes_back: Bools = (self.rerun_from_ms != FOREVER_MS) & self.may_rerun
        return goes_back
