"""What a tracker remembers between takes: tracks at the version it last wrote, plans, and what it showed of ETAs.

Everything here can be read again from the database, and is forgotten after any error: an outcome that is not known to
have committed is never built upon.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from geo.fold import fold
from geo.pings import UNKNOWN_MS, Ints
from geo.plan.plans import FOREVER_MS
from ingest.drivers.drivers import Drivers, Progress
from ingest.drivers.models import ModelCache
from ingest.drivers.plans import PlanCache
from ingest.drivers.recent import Recent
from ingest.drivers.shown import NOTHING_SHOWN, Shown
from sql.pool import Db
from sql.track.folds import TrackRow, ensure_tracks, read_tracks

_MOST_TRACKS = 100_000
"""About 200 MB."""


class _Known(NamedTuple):
    """A track at a version, as a record: to copy an array of one costs ten times that."""

    version: int
    record: bytes
    shown: Shown


class TrackCache:
    """Tracks and plans by driver; those that were used longest ago are forgotten first."""

    def __init__(self, *, most: int = _MOST_TRACKS) -> None:
        self.plans = PlanCache(most=most)
        self.models = ModelCache()
        self._known = Recent[_Known](most)

    def __contains__(self, driver_id: int) -> bool:
        """Tell whether a driver's track is remembered."""
        return driver_id in self._known

    def remember(self, drivers: Drivers, records: Sequence[bytes], shown: Sequence[Shown]) -> None:
        """Keep what a take wrote. Only after its commit.

        Args:
            records: of each track, as `geo.fold.fold.records_of` gives them.
        """
        taken = zip(drivers.rows, records, shown, strict=True)
        self._known.use({row.driver_id: _Known(row.version + 1, record, told) for row, record, told in taken})

    async def read(
        self, db: Db, lane_of: Mapping[int, int], *, rerun_every_s: float
    ) -> tuple[Drivers, Progress, list[Shown]]:
        """Read the drivers of a take, from here where the version agrees, else from the database.

        Args:
            lane_of: the lane of each driver wanted, one that the take holds.

        Returns:
            What stays, how far they have come, and what others were told of their ETAs.
        """
        ids = sorted(lane_of)
        versions = [known.version if (known := self._known.get(one)) else -1 for one in ids]
        lanes = [lane_of[one] for one in ids]
        rows = await read_tracks(db, lanes, ids, versions, rerun_every_s=rerun_every_s)
        if len(rows) < len(ids):
            missing = sorted(lane_of.keys() - {row.driver_id for row in rows})
            await ensure_tracks(db, [lane_of[one] for one in missing], missing)
            rows = await read_tracks(db, lanes, ids, versions, rerun_every_s=rerun_every_s)
        return self._assemble(rows)

    def _assemble(self, rows: list[TrackRow]) -> tuple[Drivers, Progress, list[Shown]]:
        columns = dict(zip(TrackRow._fields, zip(*rows, strict=True), strict=True)) if rows else {}

        def column(name: str) -> Ints:
            return np.array(columns.get(name, ()), np.int64)

        ids = column("driver_id")
        shown = [NOTHING_SHOWN] * len(rows)
        records, unknown = [b""] * len(rows), list[int]()
        rerun_from_ms = np.full(len(rows), FOREVER_MS, np.int64)
        may_rerun = np.array(columns.get("may_rerun", ()), bool)
        for i, row in enumerate(rows):
            if row.rerun_from_ms is not None:
                rerun_from_ms[i] = row.rerun_from_ms
            known = self._known.get(row.driver_id)
            if known is not None and known.version == row.version:
                records[i], shown[i] = known.record, known.shown
            else:
                unknown.append(i)
        tracks = fold.of_records(records)
        if unknown:
            tracks[unknown] = fold.fresh(ids[unknown])
        for i in unknown:
            stored = rows[i].state
            state = None if stored is None else fold.decode(stored)
            if state is not None:
                tracks[i] = state
            elif stored is not None:  # of an earlier release: fold everything again
                rerun_from_ms[i], may_rerun[i] = UNKNOWN_MS, True
        drivers = Drivers(
            rows=rows,
            ids=ids,
            lanes=column("lane"),
            accounts=column("account_id"),
            shift_only_ms=column("shift_only_ms"),
            shifts_from_ms=column("shifts_from_ms"),
        )
        progress = Progress(
            tracks=tracks,
            head_ms=column("head_ms"),
            stored_ms=column("stored_ms"),
            rerun_from_ms=rerun_from_ms,
            may_rerun=may_rerun,
            began=np.zeros(len(rows), bool),
            unmarked=column("unmarked"),
        )
        return drivers, progress, shown
