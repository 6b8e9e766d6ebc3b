"""What follows when a driver or a dispatcher says something: what is in force, stops, the feed, the fold."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID

from geo.fold.claims import KINDS
from geo.times import time_of
from sql.delivery.stop_states import JudgedEvent, judge_stop_events
from sql.feed.facts import LATE_AFTER_S, Revision, known_facts, put_revisions
from sql.pool import Db
from sql.track.effects import settle_routes, settle_stops
from sql.track.folds import claims_changed
from sql.track.held import shifts_changed
from work.messages.notices import note_facts

FACTS = {kind: f"stop.{kind}" for kind in ("completed", "partially_completed", "failed", "skipped", "reopened")}
"""Events that the feed tells of, and what it calls them."""

SHIFTS = frozenset({"shift_started", "shift_ended"})
"""Events that say which places of a driver are kept."""


async def settle(db: Db, stop_ids: Sequence[int], *, most_wrong_pins: int, also: Sequence[JudgedEvent] = ()) -> None:
    """Judge everything said of stops anew, and write what follows from what is judged otherwise.

    Inside a transaction that holds the lanes of all drivers who ever had these stops.

    Args:
        also: judged otherwise, and about no stop.
    """
    changed = list(also)
    if stop_ids:
        ordered = sorted(stop_ids)
        changed += await judge_stop_events(db, ordered, most_wrong_pins=most_wrong_pins)
        await settle_stops(db, ordered)
    turned = [one for one in changed if one.effective != one.was_effective]
    await _tell_feed(db, [one for one in turned if one.type in FACTS])
    await _tell_trackers(db, [one for one in turned if one.type in KINDS])
    await _tell_shifts(db, [one for one in turned if one.type in SHIFTS])
    reopened = {one.route_id for one in turned if one.type == "reopened" and one.route_id is not None}
    if reopened:
        await settle_routes(db, sorted(reopened))


async def _tell_feed(db: Db, turned: Sequence[JudgedEvent]) -> None:
    if not turned:
        return
    known = await known_facts(db, [fact_id_of(one) for one in turned], [])
    turned = sorted(turned, key=lambda one: (one.occurred_ms, one.id))
    told = [_revision(one, known.get(fact_id_of(one))) for one in turned]
    await put_revisions(db, told, late_after_s=LATE_AFTER_S)
    await note_facts(db, told, now=datetime.now(UTC))


def fact_id_of(event: JudgedEvent) -> UUID:
    """Name the fact that an event tells; ids of events are the phone's, and only its driver's."""
    text = f"{FACTS[event.type]}:{event.driver_id}:{event.id}"
    return UUID(bytes=blake2b(text.encode(), digest_size=16).digest())


def _revision(event: JudgedEvent, before: Revision | None) -> Revision:
    return Revision(
        fact_id=fact_id_of(event),
        revision=1 if before is None else before.revision + 1,
        state="asserted" if event.effective else "retracted",
        type=FACTS[event.type],
        occurred_ms=event.occurred_ms,
        folded_ms=None,
        lane=event.lane,
        account_id=event.account_id,
        driver_id=event.driver_id,
        route_id=event.route_id,
        route_version=None,
        stop_id=event.stop_id,
        geofence_id=None,
        visit_id=None,
        data=_told(event),
    )


def _told(event: JudgedEvent) -> dict[str, Any]:
    """What a shop needs to know; scans are told as what was missing or unknown, proofs have their own routes."""
    said = {name: value for name, value in event.data.items() if name not in ("barcodes", "parcels", "cash", "proofs")}
    place = {} if event.lat is None else {"lat": event.lat, "lon": event.lon}
    return {"event_id": str(event.id), **said, **event.outcome, **place}


async def _tell_trackers(db: Db, turned: Iterable[JudgedEvent]) -> None:
    of: dict[tuple[int, int, int], list[int]] = {}
    for one in turned:
        of.setdefault((one.lane, one.driver_id, one.account_id), []).append(one.occurred_ms)
    for (lane, driver_id, account_id), times_ms in sorted(of.items()):
        await claims_changed(
            db,
            lane=lane,
            driver_id=driver_id,
            account_id=account_id,
            from_at=time_of(min(times_ms)),
            until_at=time_of(max(times_ms)),
        )


async def _tell_shifts(db: Db, turned: Iterable[JudgedEvent]) -> None:
    first_ms: dict[tuple[int, int, int], int] = {}
    for one in turned:
        who = (one.lane, one.driver_id, one.account_id)
        first_ms[who] = min(first_ms.get(who, one.occurred_ms), one.occurred_ms)
    for (lane, driver_id, account_id), from_ms in sorted(first_ms.items()):
        await shifts_changed(db, lane=lane, driver_id=driver_id, account_id=account_id, from_at=time_of(from_ms))
