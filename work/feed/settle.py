"""Settling: the state of stops and routes follows what was said of them and what was seen there.

Two ways lead here: facts that the tracker found, and what drivers and dispatchers say. Both end in the same two calls.
"""

from collections.abc import Iterable, Sequence

from geo.fold.claims import ENDS, KINDS, TAKE_UP
from geo.times import time_of
from sql.account.devices import EndedDevice
from sql.account.shifts import SpellNews, look_at_shifts
from sql.delivery import stop_states
from sql.delivery.closing import left_stops, look_at_routes, look_at_routes_of_driver
from sql.delivery.stop_states import JudgedEvent, judge_route_ends, judge_stop_events, settle_stops
from sql.eta.learning import note_visits
from sql.eta.told import settle_told
from sql.feed.facts import LATE_AFTER_S, Revision, known_facts, put_revisions
from sql.pings.held import shifts_changed
from sql.pool import Db
from sql.track.folds import claims_changed, plan_changed
from sql.track.visits import put_arrivals, put_departures, remove_visits
from work.feed.entries import (
    anew,
    departure_of,
    entry_of_driver,
    entry_of_left_open,
    entry_of_phone,
    fact_id_of,
    name_of_left_open,
    taken_back,
)
from work.feed.types import ARRIVALS, DEPARTURES, OF_A_TOUR, SAID
from work.messages.notices import note_facts

SHIFTS = frozenset({"shift_started", "shift_ended"})
"""Events that say which places of a driver are kept."""

SPELLS = SHIFTS | {"break_started", "break_ended"}


async def settle_facts(db: Db, changed: Sequence[Revision]) -> None:
    """Make visits, stops and routes say what facts say now. Inside a transaction that holds their drivers' lanes.

    Args:
        changed: revisions just written, no fact twice.
    """
    arrivals = [fact for fact in changed if fact.type in ARRIVALS]
    departures = [fact for fact in changed if fact.type in DEPARTURES]
    await _put_visits(db, arrivals, departures)
    stops = sorted({fact.stop_id for fact in arrivals + departures if fact.stop_id is not None})
    if stops:
        await settle_stops(db, stops)
        await tell_left_open(db, stops)
        await settle_told(db, stops)
        await _note_visits(db, departures)
    await _look_at_spells(
        db, [(one.driver_id, one.occurred_ms, False) for one in arrivals if one.stop_id and one.driver_id]
    )
    tours = {fact.route_id for fact in changed if fact.type in OF_A_TOUR and fact.route_id}
    if tours:
        await settle_routes(db, sorted(tours))


async def settle(
    db: Db,
    stop_ids: Sequence[int],
    *,
    most_wrong_pins: int,
    also: Sequence[JudgedEvent] = (),
    ended: Iterable[tuple[int | None, int]] = (),
) -> None:
    """Judge everything said of stops anew, and write what follows from what is judged otherwise.

    Inside a transaction that holds the lanes of all drivers who ever had these stops.

    Args:
        also: judged otherwise, and about no stop.
        ended: (driver, route) of whose ends something was said, or may mean another thing; None: whoever said it.
    """
    changed = list(also)
    if stop_ids:
        ordered = sorted(stop_ids)
        changed += await judge_stop_events(db, ordered, most_wrong_pins=most_wrong_pins)
        await settle_stops(db, ordered)
        await tell_left_open(db, ordered)
    again = {(one.driver_id, one.route_id) for one in changed if one.type in TAKE_UP and one.route_id is not None}
    if spoken := {*ended, *again}:
        changed += await judge_route_ends(db, spoken)
    turned = [one for one in changed if one.effective != one.was_effective]
    await _tell_feed(db, [one for one in turned if one.type in SAID])
    await _tell_trackers(db, [one for one in turned if one.type in KINDS])
    await _tell_shifts(db, [one for one in turned if one.type in SHIFTS])
    await _let_spells_end(db, turned)
    await _settle_tours(db, turned)


async def tell_left_open(db: Db, stop_ids: Sequence[int], *, of_closed: bool = True) -> None:
    """Make the feed say which stops are left open. The caller holds the stops.

    Args:
        of_closed: no other stop may be or have been left open than those of closed routes.
    """
    stops = {name_of_left_open(stop): stop for stop in await left_stops(db, stop_ids, of_closed=of_closed)}
    if not stops:
        return
    known = await known_facts(db, list(stops), [])
    entries = [entry_of_left_open(stop, known.get(name)) for name, stop in stops.items()]
    if news := [entry for entry in entries if entry is not None]:
        await put_revisions(db, news, late_after_s=LATE_AFTER_S)


async def _let_spells_end(db: Db, turned: Sequence[JudgedEvent]) -> None:
    """Let what was said end shifts and breaks, or not any more."""
    said = [(one.driver_id, one.occurred_ms, one.type in SPELLS) for one in turned if one.type != "note"]
    await _look_at_spells(db, said)


async def _look_at_spells(db: Db, heard: Iterable[tuple[int, int, bool]]) -> None:
    """Let what was said and seen end shifts and breaks, or not any more.

    Args:
        heard: (driver, when, ms, whether it was said of shifts or breaks themselves).
    """
    of: dict[int, SpellNews] = {}
    for driver_id, at_ms, of_spells in heard:
        one = of.get(driver_id) or SpellNews(driver_id=driver_id, first_ms=at_ms, last_ms=at_ms, of_spells=False)
        of[driver_id] = SpellNews(
            driver_id=driver_id,
            first_ms=min(one.first_ms, at_ms),
            last_ms=max(one.last_ms, at_ms),
            of_spells=one.of_spells or of_spells,
        )
    if of:
        await look_at_shifts(db, list(of.values()))


async def settle_phone(db: Db, ended: EndedDevice, account_id: int) -> None:
    """Have history and the feed say that a phone was shut out. The caller holds the driver's lane."""
    who = {"lane": ended.lane, "driver_id": ended.driver_id, "account_id": account_id}
    await plan_changed(db, **who, effective_at=ended.ended_at)
    if not ended.was_heard:
        return
    entry = entry_of_phone(ended, account_id)
    news = anew(entry, (await known_facts(db, [entry.fact_id], [])).get(entry.fact_id))
    if news is not None:
        await put_revisions(db, [news], late_after_s=LATE_AFTER_S)


async def _settle_tours(db: Db, turned: Sequence[JudgedEvent]) -> None:
    """Let what was said open and close tours: by a stop that was reopened at once, else when they are looked at."""
    reopened = {one.route_id for one in turned if one.type == "reopened" and one.route_id is not None}
    if reopened:
        await settle_routes(db, sorted(reopened))
    spoken = {one.route_id for one in turned if one.type in KINDS and one.route_id is not None}
    if spoken:
        ended = {one.route_id for one in turned if one.type in ENDS and one.route_id is not None}
        await look_at_routes(db, sorted(spoken), ended=sorted(ended))
    first_ms: dict[int, int] = {}
    for one in turned:
        if one.type in SHIFTS:
            first_ms[one.driver_id] = min(first_ms.get(one.driver_id, one.occurred_ms), one.occurred_ms)
    for driver_id, from_ms in sorted(first_ms.items()):
        await look_at_routes_of_driver(db, driver_id=driver_id, from_ms=from_ms)


async def settle_routes(db: Db, route_ids: Sequence[int]) -> None:
    """Make routes say when they began and ended."""
    await stop_states.settle_routes(db, route_ids)


async def _put_visits(db: Db, arrivals: Sequence[Revision], departures: Sequence[Revision]) -> None:
    """Make visits begin and end as facts say; one whose arrival was taken back goes first, its row is free then."""
    gone = [fact for fact in arrivals if fact.state == "retracted"]
    here = [fact for fact in arrivals if fact.state != "retracted"]
    if gone:
        await _take_back_ends_by_silence(db, gone)
        await remove_visits(db, gone)
    if here:
        await put_arrivals(db, [(fact, departure_of(fact)) for fact in here])
    if departures:
        await put_departures(db, departures)


async def _take_back_ends_by_silence(db: Db, gone: Sequence[Revision]) -> None:
    """Take back with an arrival the end that silence gave its visit: no re-run comes to it."""
    ends = await known_facts(db, [departure_of(fact) for fact in gone], [])
    entries = [taken_back(end) for end in ends.values() if end.folded_ms is None and end.state != "retracted"]
    if entries:
        await put_revisions(db, entries, late_after_s=LATE_AFTER_S)


async def _note_visits(db: Db, departures: Sequence[Revision]) -> None:
    """Leave closed visits for `work` to learn from."""
    closed = {
        (fact.route_id, fact.driver_id, fact.account_id)
        for fact in departures
        if fact.route_id is not None
        and fact.driver_id is not None
        and fact.stop_id is not None
        and fact.state != "retracted"
    }
    if closed:
        await note_visits(db, closed)


async def _tell_feed(db: Db, turned: Sequence[JudgedEvent]) -> None:
    if not turned:
        return
    known = await known_facts(db, [fact_id_of(one) for one in turned], [])
    turned = sorted(turned, key=lambda one: (one.occurred_ms, one.id))
    entries = [entry_of_driver(one, known.get(fact_id_of(one))) for one in turned]
    await put_revisions(db, entries, late_after_s=LATE_AFTER_S)
    await note_facts(db, entries, now=db.clock.now())


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
