"""What a tracker remembers between takes: tracks at the version it last wrote, plans, and what it showed of ETAs.

Everything here can be read again from the database, and is forgotten after any error: an outcome that is not known to
have committed is never built upon.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geo.fold import fold
from geo.pings import UNKNOWN_MS, Bools, Ints, Rows
from geo.plan.plans import FOREVER_MS
from ingest.drivers.models import ModelCache
from ingest.drivers.plans import PlanCache
from ingest.drivers.shown import Shown
from sql.pool import Db
from sql.track.folds import TrackRow, ensure_tracks, read_tracks

_MOST_TRACKS = 100_000
"""About 100 MB; a tracker that has met more drivers starts anew."""


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    version: int
    track: np.void
    shown: Shown


@dataclass(slots=True, eq=False)
class Drivers:
    """The drivers of one take, by driver_id ascending; every array has one entry a driver. Changed as the take goes on.

    Attributes:
        tracks: of dtype `geo.fold.fold.TRACK`, copies.
        head_ms: the time of the last ping or claim to fold.
        stored_ms: the greatest recorded_ms stored.
        rerun_from_ms: fold again from here; FOREVER_MS when nobody asks.
        may_rerun: the last re-run is long enough ago.
        began: a re-run began in this take.
        unmarked: pings folded since the last checkpoint.
        shift_only_ms, shifts_from_ms: as in `sql.track.folds.TrackRow`.
        shown: what others were told of their ETAs.
        models: what their accounts learned of ETAs.
    """

    rows: list[TrackRow]
    shown: list[Shown]
    models: ModelCache
    tracks: Rows
    ids: Ints
    lanes: Ints
    accounts: Ints
    head_ms: Ints
    stored_ms: Ints
    rerun_from_ms: Ints
    may_rerun: Bools
    began: Bools
    unmarked: Ints
    shift_only_ms: Ints
    shifts_from_ms: Ints

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def settled(self) -> Bools:
        """Drivers of whom nothing waits to be folded."""
        settled: Bools = (self.tracks["at_ms"] >= self.head_ms) & (self.rerun_from_ms == FOREVER_MS)
        return settled

    @property
    def goes_back(self) -> Bools:
        """Drivers who fold again from an earlier place now; who may not yet folds on meanwhile."""
        goes_back: Bools = (self.rerun_from_ms != FOREVER_MS) & self.may_rerun
        return goes_back

    def index_of(self, driver_ids: Ints) -> Ints:
        """Find the entries of drivers that are all here."""
        return np.searchsorted(self.ids, driver_ids)


class TrackCache:
    """Tracks and plans by driver."""

    def __init__(self) -> None:
        self.plans = PlanCache()
        self.models = ModelCache()
        self._known: dict[int, _Known] = {}

    def clear(self) -> None:
        """Forget everything."""
        self.plans.clear()
        self._known.clear()

    def remember(self, drivers: Drivers) -> None:
        """Keep what a take wrote. Only after its commit."""
        if len(self._known) > _MOST_TRACKS:
            self._known.clear()
        for row, track, shown in zip(drivers.rows, drivers.tracks, drivers.shown, strict=True):
            self._known[row.driver_id] = _Known(row.version + 1, track.copy(), shown)

    async def read(self, db: Db, lanes: Sequence[int], lane_of: dict[int, int], *, rerun_every_s: float) -> Drivers:
        """Read the drivers of a take, from here where the version agrees, else from the database.

        Args:
            lanes: those that the take holds.
            lane_of: the lane of each driver wanted.
        """
        ids = sorted(lane_of)
        versions = [known.version if (known := self._known.get(one)) else -1 for one in ids]
        rows = await read_tracks(db, lanes, ids, versions, rerun_every_s=rerun_every_s)
        if len(rows) < len(ids):
            missing = sorted(lane_of.keys() - {row.driver_id for row in rows})
            await ensure_tracks(db, [lane_of[one] for one in missing], missing)
            rows = await read_tracks(db, lanes, ids, versions, rerun_every_s=rerun_every_s)
        return self._assemble(rows)

    def _assemble(self, rows: list[TrackRow]) -> Drivers:
        ids = np.array([row.driver_id for row in rows], np.int64)
        tracks = fold.fresh(ids)
        shown = [Shown() for _ in rows]
        rerun_from_ms = np.full(len(rows), FOREVER_MS, np.int64)
        may_rerun = np.array([row.may_rerun for row in rows], bool)
        for i, row in enumerate(rows):
            if row.rerun_from_ms is not None:
                rerun_from_ms[i] = row.rerun_from_ms
            known = self._known.get(row.driver_id)
            if known is not None and known.version == row.version:
                tracks[i], shown[i] = known.track, known.shown
            elif row.state is not None:
                state = fold.decode(row.state)
                if state is None:  # of an earlier release: fold everything again
                    rerun_from_ms[i], may_rerun[i] = UNKNOWN_MS, True
                else:
                    tracks[i] = state
        return Drivers(
            rows=rows,
            shown=shown,
            models=self.models,
            tracks=tracks,
            ids=ids,
            lanes=np.array([row.lane for row in rows], np.int64),
            accounts=np.array([row.account_id for row in rows], np.int64),
            head_ms=np.array([row.head_ms for row in rows], np.int64),
            stored_ms=np.array([row.stored_ms for row in rows], np.int64),
            rerun_from_ms=rerun_from_ms,
            may_rerun=may_rerun,
            began=np.zeros(len(rows), bool),
            unmarked=np.array([row.unmarked for row in rows], np.int64),
            shift_only_ms=np.array([row.shift_only_ms for row in rows], np.int64),
            shifts_from_ms=np.array([row.shifts_from_ms for row in rows], np.int64),
        )
