"""What the fold judged of pings: written with the new ones, and where it is another thing than before."""

import numpy as np

from geo.fold.fold import Facts
from geo.pings import Bools, Rows
from ingest.track.batch import Batch
from ingest.track.isolate import ping_that_broke_the_fold
from sql.inbox.quarantine import put_quarantined
from sql.pings.pings import copy_pings, judge_pings, remove_ping
from sql.pool import Connection


async def set_aside(db: Connection, batch: Batch) -> Batch:
    """Put pings that break the fold where an operator sees them."""
    bad, drivers = batch.the_folded().bad, batch.drivers
    if len(bad):
        rows = bad.pings.rows
        accounts = drivers.accounts[drivers.index_of(rows["driver_id"])].tolist()
        await put_quarantined(
            db, [ping_that_broke_the_fold(row, account) for row, account in zip(rows, accounts, strict=True)]
        )
        for i in np.flatnonzero(batch.the_folded().bad_stored):
            await remove_ping(db, rows[i])
    return batch


async def judge(db: Connection, batch: Batch) -> Batch:
    """Store the new pings with their judgements, and write those of stored ones that are judged otherwise now."""
    folded = batch.the_folded()
    pings, stored = folded.sent.pings, folded.stored
    judged, earlier = with_second_thoughts(pings.rows, folded.facts)
    if (~stored).any():
        await copy_pings(db, pings.rows_at(~stored), judged[~stored])
    other = stored & ~(folded.was["was_judged"] & _same(folded.was["judged"], judged))
    if other.any():
        await judge_pings(db, pings.rows[other], judged[other])
    if len(earlier):
        await judge_pings(db, earlier, earlier["judged"])
    return batch


def with_second_thoughts(rows: Rows, facts: Facts) -> tuple[Rows, Rows]:
    """Apply what later pings changed about earlier ones; give back those that are not among these.

    Args:
        rows: (n,) of dtype `PING`, those that were folded.
        facts: of them.

    Returns:
        (n,) of dtype `JUDGED`, and (k,) of dtype `REJUDGED`, the last thought of each fix.
    """
    if not len(facts.rejudged):
        return facts.judged, facts.rejudged
    key = ("device_id", "recorded_ms", "lat_e6", "lon_e6")
    place = {tuple(row): i for i, row in enumerate(zip(*(rows[name].tolist() for name in key), strict=True))}
    judged = facts.judged.copy()
    elsewhere = {}
    for i, again in enumerate(facts.rejudged):
        fix = tuple(again[name].item() for name in key)
        if fix in place:
            judged[place[fix]] = again["judged"]
        else:
            elsewhere[fix] = i
    return judged, facts.rejudged[list(elsewhere.values())]


def _same(a: Rows, b: Rows) -> Bools:
    same = np.ones(len(a), bool)
    for name in a.dtype.names or ():
        same &= (a[name] == b[name]) | ((a[name] != a[name]) & (b[name] != b[name]))
    return same
