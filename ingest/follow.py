"""What follows from folding: the feed of facts, visits, the status of stops and routes, live positions and ETAs."""

from collections.abc import Sequence

import numpy as np

from geo import eta
from geo.pings import UNKNOWN_MS, Ints, Rows
from geo.plans import FOREVER_MS, Timeline
from ingest import facts
from ingest.cache import Drivers
from sql import effects
from sql.effects import RouteEta
from sql.facts import LATE_AFTER_S, Revision, Stretch, known_facts, move_facts, put_revisions
from sql.pool import Db

ETA_MOVED_MS = 10_000
"""An ETA that moved less is not written again,"""

ETA_AGE_MS = 20_000
"""unless the one shown rests on a ping so much older."""


async def follow(
    db: Db,
    drivers: Drivers,
    timelines: Sequence[Timeline],
    touched: Ints,
    happened: Rows,
    stretches: Sequence[Stretch],
) -> None:
    """Write what follows for the drivers that were folded.

    Args:
        timelines: of all `drivers`.
        touched: their entries in `drivers`.
        happened: of dtype `geo.track.HAPPENED`; its tracks are entries of `drivers`.
        stretches: what was folded again.
    """
    await _write_facts(db, drivers, happened, stretches)
    await effects.move_live_positions(
        db, drivers.lanes[touched], drivers.accounts[touched], drivers.tracks[touched], drivers.settled[touched]
    )
    moved = [one for i, one in _etas(drivers, timelines, touched) if _is_news(drivers, i, one)]
    if moved:
        await effects.put_etas(db, moved)


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
    tours = {fact.route_id for fact in changed if fact.type in ("route.started", "route.completed") and fact.route_id}
    if tours:
        await effects.settle_routes(db, sorted(tours))


def _etas(drivers: Drivers, timelines: Sequence[Timeline], touched: Ints) -> list[tuple[int, RouteEta]]:
    tracks = drivers.tracks[touched]
    found = eta.estimate(tracks, [timelines[i] for i in touched.tolist()])
    rows, first = np.unique(found.track, return_index=True)
    etas = []
    for row, begin, end in zip(rows.tolist(), first, np.append(first, len(found.track))[1:], strict=True):
        part = slice(begin, end)
        track = tracks[row]
        etas.append(
            (
                int(touched[row]),
                RouteEta(
                    route_id=int(track["route_id"]),
                    version=int(track["route_version"]),
                    as_of_ms=int(track["recorded_ms"]),
                    stop_ids=found.stop_id[part],
                    expected_ms=found.expected_ms[part],
                    low_ms=found.low_ms[part],
                    high_ms=found.high_ms[part],
                    remaining_m=found.remaining_m[part],
                ),
            )
        )
    return etas


def _is_news(drivers: Drivers, i: int, now: RouteEta) -> bool:
    """Tell whether an ETA is worth writing; remembers it if so. One in the middle of a re-run waits for its end."""
    shown = drivers.etas[i]
    if not drivers.settled[i] and (shown is None or now.as_of_ms < shown.as_of_ms):
        return False
    if (
        shown is not None
        and (shown.route_id, shown.version) == (now.route_id, now.version)
        and abs(now.as_of_ms - shown.as_of_ms) < ETA_AGE_MS
        and np.array_equal(shown.stop_ids, now.stop_ids)
        and (np.abs(shown.expected_ms - now.expected_ms) < ETA_MOVED_MS).all()
    ):
        return False
    drivers.etas[i] = now
    return True


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
