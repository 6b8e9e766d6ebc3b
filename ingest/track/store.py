"""Stored before it is folded: what may be there already, past the referee, and what has to wait for its turn.

What follows straight on from all that is known of its driver is folded at once, and stored when it is judged.
"""

from dataclasses import replace

import numpy as np

from geo.pings import Bools, Ints
from geo.trust.clean import Flag
from ingest.track.batch import Batch, Late
from sql.pings.pings import add_late_pings, copy_pings, merge_pings
from sql.pool import Connection


async def store_late(db: Connection, batch: Batch) -> Batch:
    """Store pings that may be there already: the table says which of them are."""
    drivers, progress = batch.drivers, batch.progress
    rows = batch.sent.pings.rows
    of = drivers.index_of(rows["driver_id"])
    # what a driver said may be folded past the last ping: one between is late, though none newer is stored
    come_to_ms = np.maximum(progress.stored_ms, progress.tracks["at_ms"])
    may_be_there = (rows["recorded_ms"] <= come_to_ms[of]) | ((rows["flags"] & Flag.CLOCK_AHEAD) != 0)
    found = []
    if may_be_there.any():
        late = batch.sent.rows_at(may_be_there)
        added = await add_late_pings(db, late.pings)
        found = [row for row in added if not row["flags"] & Flag.CLOCK_AHEAD]
        if len(added) < len(late):
            found += await merge_pings(db, late.pings)
    return replace(
        batch,
        late=Late(
            may_be_there=may_be_there,
            driver_ids=np.array([row["driver_id"] for row in found], np.int64),
            recorded_ms=np.array([row["recorded_ms"] for row in found], np.int64),
        ),
    )


async def note_late(_: Connection, batch: Batch) -> Batch:
    """Ask for re-runs where a past ping is new or says another thing; one past the fold's place waits its turn."""
    late, progress = batch.late, batch.progress
    of = batch.drivers.index_of(late.driver_ids)
    rerun_from_ms, head_ms = progress.rerun_from_ms.copy(), progress.head_ms.copy()
    past = late.recorded_ms <= progress.tracks["at_ms"][of]
    np.minimum.at(rerun_from_ms, of[past], late.recorded_ms[past])
    np.maximum.at(head_ms, of, late.recorded_ms)
    return replace(batch, progress=replace(progress, rerun_from_ms=rerun_from_ms, head_ms=head_ms))


async def store_waiting(db: Connection, batch: Batch) -> Batch:
    """Store new pings of drivers who have others to fold first; what follows straight on goes on as `sent`."""
    sent, progress = batch.sent, batch.progress
    rows = sent.pings.rows
    of, recorded_ms = batch.drivers.index_of(rows["driver_id"]), rows["recorded_ms"]
    new = ~batch.late.may_be_there
    straight_on = new & progress.caught_up[of]
    straight_on &= first_steps(of, recorded_ms, straight_on, batch.known.limits.steps)
    waiting = sent.rows_at(new & ~straight_on)
    if len(waiting):
        await copy_pings(db, waiting.pings, None)
    foldable = (rows["flags"] & Flag.CLOCK_AHEAD) == 0
    stored_ms, head_ms = progress.stored_ms.copy(), progress.head_ms.copy()
    np.maximum.at(stored_ms, of, recorded_ms)
    np.maximum.at(head_ms, of[foldable], recorded_ms[foldable])
    return replace(
        batch.with_sent(sent.rows_at(straight_on)), progress=replace(progress, stored_ms=stored_ms, head_ms=head_ms)
    )


def first_steps(of: Ints, recorded_ms: Ints, wanted: Bools, at_most: int) -> Bools:
    """Mark the first wanted pings of each driver, never only a part of those of one millisecond.

    Args:
        of: (n,) whose each is, ascending.
        recorded_ms: (n,) ascending for each driver.
        wanted: (n,).
        at_most: of each driver, at least 1.
    """
    marked = np.zeros(len(of), bool)
    places = np.flatnonzero(wanted)
    rank = np.arange(len(places)) - np.searchsorted(of[places], of[places], "left")
    marked[places[rank < at_most]] = True
    for over in places[rank == at_most]:
        begin, end = np.searchsorted(of, of[over], "left"), np.searchsorted(of, of[over], "right")
        marked[begin + np.searchsorted(recorded_ms[begin:end], recorded_ms[over], "left") : end] = False
    return marked
