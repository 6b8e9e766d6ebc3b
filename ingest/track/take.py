"""One take of the tracker: blocks of locked lanes become pings, tracks and what follows, all in one transaction.

The order of the steps is design, each an answer to a failure that was seen; docs/explanation/tracker.md tells them, and
docs/explanation/way-of-a-ping.md shows them with the file of each.
"""

from collections.abc import Sequence

from ingest.drivers.cache import TrackCache
from ingest.track.again import go_back, read_again
from ingest.track.batch import Again, Batch, Known, Sent, Step
from ingest.track.fold import fold
from ingest.track.held import hold_back
from ingest.track.judge import judge, set_aside
from ingest.track.sent import without_repeats
from ingest.track.store import note_late, store_late, store_waiting
from ingest.track.tell import choose_told, show, tell_etas, tell_feed
from ingest.track.write import write
from sql.pool import Connection
from sql.track.folds import drivers_behind

STEPS: tuple[Step, ...] = (
    hold_back,
    without_repeats,
    store_late,
    note_late,
    store_waiting,
    go_back,
    read_again,
    fold,
    set_aside,
    judge,
    choose_told,
    tell_feed,
    show,
    tell_etas,
    write,
)
"""What happens to a batch, in this order."""


def named(step: Step) -> str:
    """Give the name of a step, also of one with other arguments."""
    return str(getattr(step, "__name__", None) or getattr(getattr(step, "func", None), "__name__", ""))


async def take(
    db: Connection, lanes: Sequence[int], sent: Sent, cache: TrackCache, known: Known, steps: Sequence[Step] = STEPS
) -> Batch:
    """Store pings, fold what can be folded, write what follows. Inside a transaction that holds the lanes.

    Returns:
        The batch as it is once the transaction has committed.
    """
    batch = await _begin(db, lanes, sent, cache, known)
    for step in steps:
        batch = await step(db, batch)
    return batch


async def _begin(db: Connection, lanes: Sequence[int], sent: Sent, cache: TrackCache, known: Known) -> Batch:
    every_s = known.config.rerun_every_s
    due = await drivers_behind(db, lanes, rerun_every_s=every_s, at_most=known.limits.behind)
    lane_of = dict(zip(sent.pings.rows["driver_id"].tolist(), sent.lanes.tolist(), strict=True)) | due
    drivers, progress, shown = await cache.read(db, lane_of, rerun_every_s=every_s)
    return Batch(
        known=known, drivers=drivers, progress=progress, sent=sent, shown=shown, again=Again.none(len(drivers))
    )
