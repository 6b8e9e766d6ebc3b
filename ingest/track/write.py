"""What a take leaves of each driver's fold, for the next one to go on from."""

from dataclasses import replace

import numpy as np

from geo.fold.fold import records_of, stored
from ingest.track.batch import Batch
from sql.pool import Connection
from sql.track.folds import TrackWrites, put_checkpoints, write_tracks


async def write(db: Connection, batch: Batch) -> Batch:
    """Write tracks, and checkpoints of those who have come far enough since the last one."""
    drivers, progress = batch.drivers, batch.progress
    records = records_of(progress.tracks)
    states = [stored(record) for record in records]
    at_ms, unmarked = progress.tracks["at_ms"], progress.unmarked.copy()
    mark = np.flatnonzero(unmarked >= batch.known.limits.steps)
    if len(mark):
        lanes, ids = drivers.lanes[mark].tolist(), drivers.ids[mark].tolist()
        await put_checkpoints(db, lanes, ids, at_ms[mark].tolist(), [states[i] for i in mark])
        unmarked[mark] = 0
    await write_tracks(
        db,
        TrackWrites(
            lane=drivers.lanes,
            driver_id=drivers.ids,
            version=[row.version for row in drivers.rows],
            state=states,
            folded_ms=at_ms,
            head_ms=progress.head_ms,
            stored_ms=progress.stored_ms,
            rerun_from_ms=progress.rerun_from_ms,
            rerun_began=progress.began,
            unmarked=unmarked,
        ),
    )
    return replace(batch, progress=replace(progress, unmarked=unmarked), records=records)
