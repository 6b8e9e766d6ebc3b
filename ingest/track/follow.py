"""What follows from folding: the feed of facts, visits, the status of stops and routes, live positions and ETAs."""

from collections.abc import Sequence
from datetime import UTC, datetime

from geo.pings import UNKNOWN_MS, Ints, Rows
from geo.plan.plans import FOREVER_MS, Timeline
from ingest.config import IngestConfig
from ingest.drivers.cache import Drivers
from ingest.eta.tell import follow_etas
from sql.eta.learning import note_visits
from sql.eta.told import settle_told
from sql.feed.facts import LATE_AFTER_S, Revision, Stretch, known_facts, move_facts, put_revisions
from sql.pool import Db
from sql.track import effects
from work.feed import entries as facts
from work.messages.notices import note_facts


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
    await effects.move_live_positions(
        db, drivers.lanes[touched], drivers.accounts[touched], drivers.tracks[touched], drivers.settled[touched]
    )
    await follow_etas(db, drivers, timelines, touched, happened, config)


async def _write_facts(db: Db, drivers: Drivers, happened: Rows, stretches: Sequence[Stretch]) -> None:
    owners = {row.driver_id: facts.Owner(lane=row.lane, account_id=row.account_id) for row in drivers.rows}
    now = facts.revise(happened, owners, drivers.ids.tolist())
    if not now and not stretches:
        return
    known = await known_facts(db, list(now), stretches)
    changed, moved = facts.compare(now, known, stretches)
    if moved:
        await move_facts(db, moved)
    if changed:
        await put_revisions(db, changed, late_after_s=LATE_AFTER_S)
        await note_facts(db, changed, now=datetime.now(UTC))
        await _settle(db, changed)


async def _settle(db: Db, changed: Sequence[Revision]) -> None:
    """Make visits, stops and routes say what the facts say now."""
    arrivals = [fact for fact in changed if fact.type in ("stop.arrived", "geofence.entered")]
    departures = [fact for fact in changed if fact.type in ("stop.departed", "geofence.exited")]
    gone = [fact for fact in arrivals if fact.state == "retracted"]
    here = [fact for fact in arrivals if fact.state != "retracted"]
    if gone:
        await effects.remove_visits(db, gone)
    if here:
        await effects.put_arrivals(db, [(fact, facts.departure_of(fact)) for fact in here])
    if departures:
        await effects.put_departures(db, departures)
    stops = sorted({fact.stop_id for fact in arrivals + departures if fact.stop_id is not None})
    if stops:
        await effects.settle_stops(db, stops)
        await settle_told(db, stops)
        await _note_visits(db, departures)
    tours = {fact.route_id for fact in changed if fact.type in ("route.started", "route.completed") and fact.route_id}
    if tours:
        await effects.settle_routes(db, sorted(tours))


async def _note_visits(db: Db, departures: Sequence[Revision]) -> None:
    """Leave closed visits for `work` to learn from."""
    closed = {
        (fact.route_id, fact.driver_id, fact.account_id)
        for fact in departures
        if fact.route_id is not None and fact.stop_id is not None and fact.state != "retracted"
    }
    if closed:
        await note_visits(db, closed)


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
