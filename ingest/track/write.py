"""What a take leaves of each driver's fold, for the next one to go on from."""

from dataclasses import replace

import numpy as np

from geo.fold.fold import records_of, stored
from geo.plan.plans import FOREVER_MS
from ingest.track.batch import Batch
from sql.pool import Connection
from sql.track.folds import TrackWrite, put_checkpoints, write_tracks


async def write(db: Connection, batch: Batch) -> Batch:
    """Write tracks, and checkpoints of those who have come far enough since the last one."""
    drivers, progress = batch.drivers, batch.progress
    states = [stored(record) for record in records_of(progress.tracks)]
    at_ms, unmarked = progress.tracks["at_ms"], progress.unmarked.copy()
    mark = np.flatnonzero(unmarked >= batch.known.limits.steps)
    if len(mark):
        lanes, ids = drivers.lanes[mark].tolist(), drivers.ids[mark].tolist()
        await put_checkpoints(db, lanes, ids, at_ms[mark].tolist(), [states[i] for i in mark])
        unmarked[mark] = 0
    await write_tracks(
        db,
        [
            TrackWrite(
                lane=row.lane,
                driver_id=row.driver_id,
                version=row.version,
                state=state,
                folded_ms=int(at_ms[i]),
                head_ms=int(progress.head_ms[i]),
                stored_ms=int(progress.stored_ms[i]),
                rerun_from_ms=None if progress.rerun_from_ms[i] == FOREVER_MS else int(progress.rerun_from_ms[i]),
                rerun_began=bool(progress.began[i]),
                unmarked=int(unmarked[i]),
            )
            for i, (row, state) in enumerate(zip(drivers.rows, states, strict=True))
        ],
    )
    return replace(batch, progress=replace(progress, unmarked=unmarked))
