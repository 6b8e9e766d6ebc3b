"""The fold: what was sent and what was read again, in one call."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from geo.fold.fold import advance
from geo.pings import UNKNOWN_MS, Bools, Ints, Pings, Rows, in_order
from geo.plan.plans import FOREVER_MS
from ingest.drivers.drivers import Drivers, Progress
from ingest.track.batch import Batch, Folded, Sent
from ingest.track.isolate import Advance, advance_what_can
from sql.pings.pings import STORED
from sql.pool import Connection


async def fold(db: Connection, batch: Batch, *, advance: Advance = advance) -> Batch:
    """Fold both kinds in one call; what breaks the fold is left out."""
    drivers, progress, again = batch.drivers, batch.progress, batch.again
    sent, stored, was = _joined(batch)
    since_ms = _since_ms(drivers, progress, again.begin_ms, sent.pings.rows)
    timelines = await batch.known.plans.timelines_of(db, drivers.rows, since_ms.tolist())
    moved, facts, bad = advance_what_can(progress.tracks, sent.pings, timelines, again.settles, advance)
    left_out, left_out_stored = sent.rows_at(bad), stored[bad]
    if len(bad):  # mostly there are none, and nothing is copied
        good = np.delete(np.arange(len(sent)), bad)
        sent, stored, was = sent.rows_at(good), stored[good], was[good]
    folded = np.bincount(drivers.index_of(sent.pings.rows["driver_id"]), minlength=len(drivers))
    touched = folded > 0
    touched[list(again.stretches)] = True
    head_ms = np.where(again.settles, np.maximum(progress.head_ms, moved["at_ms"]), progress.head_ms)
    return replace(
        batch.with_sent(Sent.none()),
        progress=replace(progress, tracks=moved, head_ms=head_ms, unmarked=progress.unmarked + folded),
        folded=Folded(
            sent=sent,
            stored=stored,
            was=was,
            facts=facts,
            touched=np.flatnonzero(touched),
            timelines=timelines,
            bad=left_out,
            bad_stored=left_out_stored,
        ),
    )


def _joined(batch: Batch) -> tuple[Sent, Bools, Rows]:
    """Put both kinds in the order of history; say which are stored, and what those were judged to be."""
    direct, again = batch.sent, batch.again
    if not len(again.sent):  # mostly: what was sent is in order already
        return direct, np.zeros(len(direct), np.bool_), np.zeros(len(direct), STORED)
    pings = Pings.concat([direct.pings, again.sent.pings])
    lanes = np.concatenate((direct.lanes, again.sent.lanes))
    was = np.concatenate((np.zeros(len(direct), STORED), again.was))
    order = in_order(pings.rows)
    return Sent(pings, lanes).rows_at(order), order >= len(direct), was[order]


def _since_ms(drivers: Drivers, progress: Progress, begin_ms: Mapping[int, int], rows: Rows) -> Ints:
    """Tell from when plans are needed: for the first input, and for what is shown, if nothing was believed since."""
    recorded_ms, at_ms = progress.tracks["recorded_ms"], progress.tracks["at_ms"]
    since_ms: Ints = np.where(recorded_ms == UNKNOWN_MS, at_ms, recorded_ms)
    since_ms[since_ms == UNKNOWN_MS] = FOREVER_MS
    for i, begin in begin_ms.items():
        since_ms[i] = begin
    np.minimum.at(since_ms, drivers.index_of(rows["driver_id"]), rows["recorded_ms"])
    return since_ms
