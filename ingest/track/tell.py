"""What others hear of a take: the feed, visits and states that follow from it, live positions, ETAs."""

from dataclasses import replace

import numpy as np

from geo.fold.fold import FactType
from geo.pings import UNKNOWN_MS, Ints, picked
from geo.plan.plans import FOREVER_MS
from ingest.eta.tell import follow_etas
from ingest.eta.vans import Vans
from ingest.track.batch import Batch
from ingest.track.reruns import tell_or_keep
from sql.feed.facts import LATE_AFTER_S, known_facts, move_facts, put_revisions
from sql.pool import Connection
from sql.track.live import move_live_positions
from work.feed.entries import Owner, compare, entries_of_happened
from work.feed.settle import settle_facts
from work.messages.notices import note_facts

_SEEN = (FactType.STOP_ARRIVED, FactType.STOP_DEPARTED, FactType.ROUTE_OFF, FactType.ROUTE_BACK)
"""What makes an ETA worth writing however little it moved: who looks at it sees the reason too."""


async def choose_told(db: Connection, batch: Batch) -> Batch:
    """Keep what happened in re-runs that are not over; go on with what may be told."""
    if not len(batch.the_folded().touched):
        return batch
    happened, stretches = await tell_or_keep(db, batch)
    return replace(batch, happened=happened, stretches=stretches)


async def tell_feed(db: Connection, batch: Batch) -> Batch:
    """Tell the feed which facts are new, other or taken back, and have visits, stops and routes follow."""
    drivers, stretches = batch.drivers, batch.stretches
    owners = {row.driver_id: Owner(lane=row.lane, account_id=row.account_id) for row in drivers.rows}
    now = entries_of_happened(batch.happened, owners, drivers.ids.tolist())
    if now or stretches:
        changed, moved = compare(now, await known_facts(db, list(now), stretches), stretches)
        if moved:
            await move_facts(db, moved)
        if changed:
            await put_revisions(db, changed, late_after_s=LATE_AFTER_S)
            await note_facts(db, changed, now=batch.known.now)
            await settle_facts(db, changed)
    return batch


async def show(db: Connection, batch: Batch) -> Batch:
    """Show drivers where their tracks say they are."""
    touched, drivers, progress = batch.the_folded().touched, batch.drivers, batch.progress
    if len(touched):
        await move_live_positions(db, drivers.lanes, drivers.accounts, progress.tracks, progress.caught_up, touched)
    return batch


async def tell_etas(db: Connection, batch: Batch) -> Batch:
    """Write ETAs that are news, and tell who must hear of one."""
    known, touched = batch.known, batch.the_folded().touched
    if not len(touched):
        return batch
    told = await follow_etas(db, _vans(batch, touched), known.models, known.config, known.now)
    shown = list(batch.shown)
    for i, one in zip(touched.tolist(), told, strict=True):
        shown[i] = one
    return replace(batch, shown=shown)


def _vans(batch: Batch, touched: Ints) -> Vans:
    drivers, entries = batch.drivers, touched.tolist()
    all_tracks = batch.progress.tracks
    tracks = all_tracks if len(touched) == len(drivers) else picked(all_tracks, touched)
    timelines = [batch.the_folded().timelines[i] for i in entries]
    on = zip(timelines, tracks["route_id"].tolist(), tracks["route_version"].tolist(), strict=True)
    seen = np.zeros(len(drivers), np.bool_)
    seen[batch.happened["track"][np.isin(batch.happened["type"], _SEEN)]] = True
    return Vans(
        lanes=drivers.lanes[touched],
        accounts=drivers.accounts[touched],
        tracks=tracks,
        timelines=timelines,
        plans=[timeline.plan(route_id, version) for timeline, route_id, version in on],
        caught_up=batch.progress.caught_up[touched],
        seen=seen[touched],
        shown=[batch.shown[i] for i in entries],
    )


def moved_triples(batch: Batch) -> list[tuple[int, int, int]]:
    """Say who moved, or may be shown nowhere now, for listeners: (account, driver, route or 0)."""
    drivers, tracks = batch.drivers, batch.progress.tracks
    seen = (tracks["recorded_ms"] != UNKNOWN_MS) | (drivers.shifts_from_ms != FOREVER_MS)
    return list(
        zip(
            drivers.accounts[seen].tolist(),
            drivers.ids[seen].tolist(),
            tracks["route_id"][seen].tolist(),
            strict=True,
        )
    )
