"""What follows from folding: the feed of facts, visits, the status of stops and routes, live positions and ETAs."""

from collections.abc import Sequence

from geo.pings import UNKNOWN_MS, Ints, Rows
from geo.plan.plans import FOREVER_MS, Timeline
from ingest.config import IngestConfig
from ingest.drivers.cache import Drivers
from ingest.eta.tell import follow_etas
from sql.feed.facts import LATE_AFTER_S, Stretch, known_facts, move_facts, put_revisions
from sql.pool import Db
from sql.track.live import move_live_positions
from work.feed import entries as facts
from work.feed.settle import settle_facts


async def follow(
    db: Db,
    drivers: Drivers,
    timelines: Sequence[Timeline],
    touched: Ints,
    happened: Rows,
    stretches: Sequence[Stretch],
    config: IngestConfig,
) -> None:
    """Write what follows for the drivers that were folded.

    Args:
        timelines: of all `drivers`.
        touched: their entries in `drivers`.
        happened: of dtype `geo.fold.fold.HAPPENED`; its tracks are entries of `drivers`.
        stretches: what was folded again.
    """
    await _write_facts(db, drivers, happened, stretches)
    await move_live_positions(
        db, drivers.lanes[touched], drivers.accounts[touched], drivers.tracks[touched], drivers.settled[touched]
    )
    await follow_etas(db, drivers, timelines, touched, happened, config)


async def _write_facts(db: Db, drivers: Drivers, happened: Rows, stretches: Sequence[Stretch]) -> None:
    owners = {row.driver_id: facts.Owner(lane=row.lane, account_id=row.account_id) for row in drivers.rows}
    now = facts.entries_of_happened(happened, owners, drivers.ids.tolist())
    if not now and not stretches:
        return
    known = await known_facts(db, list(now), stretches)
    changed, moved = facts.compare(now, known, stretches)
    if moved:
        await move_facts(db, moved)
    if changed:
        await put_revisions(db, changed, late_after_s=LATE_AFTER_S)
        await settle_facts(db, changed)


def moved_triples(drivers: Drivers) -> list[tuple[int, int, int]]:
    """Say who moved, or may be shown nowhere now, for listeners: (account, driver, route or 0)."""
    seen = (drivers.tracks["recorded_ms"] != UNKNOWN_MS) | (drivers.shifts_from_ms != FOREVER_MS)
    return list(
        zip(
            drivers.accounts[seen].tolist(),
            drivers.ids[seen].tolist(),
            drivers.tracks["route_id"][seen].tolist(),
            strict=True,
        )
    )
