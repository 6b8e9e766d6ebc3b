"""Keeping what a driver said: all of a batch in one transaction that holds the driver's lane.

The order is the trackers' (docs/explanation/tracker.md): lanes, then stops by id. So neither ever waits for the other
in a circle. Each event is an `EventCase`, which steps find out more of: known, looked up, allowed, judged, written.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from api.driver.events.body import OF_A_ROUTE, OF_A_STOP, Event, RefusedEvent
from api.driver.events.case import Cases, EventCase, new_of
from api.driver.events.handed import Warned
from api.driver.events.limits import over_limits
from api.driver.events.outcome import Lock, meaning_of
from api.driver.events.refused import quarantined
from api.http import ids
from api.http.config import ApiConfig
from api.http.shares.rates import ENTRY_BYTES
from api.proofs.claims import Naming, claim_uploads
from api.routes.lanes import held_lanes
from api.routes.pins import pin_of
from sql.account.accounts import read_instance
from sql.account.devices import DeviceRow
from sql.account.settings import read_settings
from sql.account.shifts import LONGEST_BREAK
from sql.delivery import driver_events
from sql.delivery.driver_events import NewDriverEvent, SpokenStop
from sql.delivery.stop_states import JudgedEvent, hold_stops, judge_route_starts, judge_shift_events
from sql.inbox.quarantine import put_quarantined
from sql.pool import Db, Pool
from sql.track.live import tell_live
from work.feed.closing import SAME_SHIFT_S
from work.feed.settle import settle

_SHIFTS = frozenset({"shift_started", "shift_ended", "break_started", "break_ended"})

_GUESSES = 4
"""So many times REPARTO_MAX_WRONG_PINS of one PIN are compared: dating each before the last one gives no more."""


async def record(
    pool: Pool,
    device: DeviceRow,
    items: Sequence[Event | RefusedEvent],
    config: ApiConfig,
    *,
    now: datetime,
    spend: Callable[[int], None],
    keeps_refused: bool = True,
) -> Cases:
    """Keep events of a driver's device, and in the quarantine what can be none; after the return they are on disk.

    Whoever looks at the driver's routes is told by the same commit, so that nobody is left with what was there before.

    Args:
        items: in the batch's order.
        now: when they came.
        spend: told how many bytes of the quarantine it takes; what it raises keeps everything from being kept.
        keeps_refused: False: what can be no event is in quarantine already.

    Raises:
        Unavailable: other drivers were given the same stops again and again meanwhile.
    """
    events = [item for item in items if isinstance(item, Event)]
    stop_ids = {stop_id for event in events if (stop_id := _stop_id(event)) is not None}
    who = {"account_id": device.account_id, "driver_id": device.driver_id}

    async def lanes_of(db: Db) -> set[int]:
        return {device.lane, *await driver_events.lanes_to_hold(db, **who, stop_ids=stop_ids)} if events else set()

    async with held_lanes(pool, lanes_of) as db:
        cases = await _kept(db, device, events, config) if events else {}
        found = [cases[item.at].refused if isinstance(item, Event) else item for item in items]
        unusable = [refused for refused in found if refused is not None]
        if unusable and keeps_refused:
            entries = quarantined(device, unusable, received_at=now, max_bytes=2 * config.max_event_data_bytes)
            spend(sum(ENTRY_BYTES + len(entry.body) for entry in entries))
            await put_quarantined(db, entries)
    return cases


async def _kept(db: Db, device: DeviceRow, events: Sequence[Event], config: ApiConfig) -> Cases:
    cases = await _known(db, device, events)
    cases = await _looked_up(db, device, cases)
    cases = await _allowed(db, device, cases, config)
    cases = await _judged(db, device, cases, config)
    return await _written(db, device, cases, config)


async def _known(db: Db, device: DeviceRow, events: Sequence[Event]) -> Cases:
    """Find what is kept already."""
    rows = await driver_events.driver_events_by_id(
        db, driver_id=device.driver_id, ids={event.body.id for event in events}
    )
    return {event.at: EventCase(event=event, row=rows.get(event.body.id)) for event in events}


async def _looked_up(db: Db, device: DeviceRow, cases: Cases) -> Cases:
    """Find what events are about, and hold the stops; what is not the driver's is unknown, whether it exists or not."""
    who = {"account_id": device.account_id, "driver_id": device.driver_id}
    stop_ids = {stop_id for case in cases.values() if (stop_id := _stop_id(case.event)) is not None}
    stops = await driver_events.stops_to_speak_of(db, **who, stop_ids=stop_ids)
    if stops:
        await hold_stops(db, sorted(stops))
        stops = await driver_events.stops_to_speak_of(db, **who, stop_ids=stop_ids)
    named = [name for case in cases.values() if (name := _route_named(case.event)) is not None]
    numbers = [number for name in named if (number := ids.number_of(ids.ROUTE, name)) is not None]
    routes = await driver_events.routes_to_speak_of(db, **who, ids=numbers, external_ids=named)
    found = {at: _about(case, stops, routes) for at, case in cases.items()}
    first: dict[object, str] = {}
    for at, case in found.items():
        if case.refused is None and case.row is None:
            first.setdefault(case.event.body.id, at)
    return {at: replace(case, is_new=first.get(case.event.body.id) == at) for at, case in found.items()}


def _about(case: EventCase, stops: Mapping[int, SpokenStop], routes: Mapping[int | str, int]) -> EventCase:
    event = case.event
    if _names_stop(event):
        stop = stops.get(_stop_id(event) or 0)
        if stop is None:
            return replace(case, refused=event.refuse("unknown-stop", "/stop_id"))
        return replace(case, stop=stop, route_id=stop.route_id)
    if (name := _route_named(event)) is not None:
        route_id = routes.get(ids.number_of(ids.ROUTE, name) or name)
        if route_id is None:
            return replace(case, refused=event.refuse("unknown-route", "/route_id"))
        return replace(case, route_id=route_id)
    return case


def _names_stop(event: Event) -> bool:
    return event.body.stop_id is not None and event.body.type in OF_A_STOP | {"note"}


def _stop_id(event: Event) -> int | None:
    """Give the stop that an event names; None when it names none, or what can be none."""
    return ids.number_of(ids.STOP, event.body.stop_id or "") if _names_stop(event) else None


def _route_named(event: Event) -> str | None:
    """Give the route that an event names, either id; None when it names none."""
    return event.body.route_id or None if event.body.type in OF_A_ROUTE else None


async def _allowed(db: Db, device: DeviceRow, cases: Cases, config: ApiConfig) -> Cases:
    """Refuse what is too much of a day."""
    new = new_of(cases)
    if not new:
        return cases
    said = await driver_events.said_on_days(db, driver_id=device.driver_id, first=new[0].day, last=new[-1].day)
    over = over_limits({case.event.body.id: case.sort for case in new}, said, config)
    return {
        at: replace(case, is_new=False, refused=case.event.refuse("too-many"))
        if case.event.body.id in over and case.refused is None
        else case
        for at, case in cases.items()
    }


async def _judged(db: Db, device: DeviceRow, cases: Cases, config: ApiConfig) -> Cases:
    """Tell what new events mean for their stops; each PIN guessed wrong counts for those after it."""
    settings = await read_settings(db, device.account_id)
    reasons = {reason.code: reason.text for reason in settings.failure_reasons}
    secret = (await read_instance(db)).secret
    judged = dict(cases)
    wrong = {case.stop.id: case.stop.wrong_pins for case in cases.values() if case.stop is not None}
    for case in new_of(cases):
        lock = None
        if case.stop is not None and "pin" in case.stop.proof:
            lock = Lock(
                pin=pin_of(secret, case.stop.id, case.stop.pin_generation),
                wrong=wrong[case.stop.id],
                most_wrong=_GUESSES * config.max_wrong_pins,
            )
        meaning = meaning_of(case.event, case.stop, lock, reasons)
        if case.stop is not None and meaning.flaw == "wrong-pin":
            wrong[case.stop.id] += 1
        judged[case.event.at] = replace(case, meaning=meaning, warnings=[*meaning.warnings, *_of_clock(case.event)])
    return judged


async def _written(db: Db, device: DeviceRow, cases: Cases, config: ApiConfig) -> Cases:
    """Write what is new and all that follows from it, and read what is in force then."""
    new = new_of(cases)
    await driver_events.put_driver_events(
        db,
        account_id=device.account_id,
        driver_id=device.driver_id,
        lane=device.lane,
        device_id=device.id,
        events=[_row(case) for case in new],
    )
    cases = {**cases, **await _claimed(db, device, new)}
    others = await _judge_others(db, device, new)
    stop_ids = sorted({case.stop.id for case in new if case.stop is not None})
    ended = {
        (device.driver_id, case.route_id)
        for case in new
        if case.event.body.type == "route_ended" and case.route_id is not None
    }
    await settle(db, stop_ids, most_wrong_pins=config.max_wrong_pins, also=others, ended=ended)
    if new:
        await _tell(db, device, [*(case.route_id for case in new), *(one.route_id for one in others)])
    wanted = {case.event.body.id for case in cases.values() if case.refused is None}
    rows = await driver_events.driver_events_by_id(db, driver_id=device.driver_id, ids=wanted)
    return {at: replace(case, row=rows.get(case.event.body.id)) for at, case in cases.items()}


def _of_clock(event: Event) -> list[Warned]:
    """Say that the phone's clock was wrong, and by how many seconds."""
    return [Warned(why="clock-corrected", what=[f"{event.ahead_ms / 1000:+.0f} s"])] if event.ahead_ms else []


def _row(case: EventCase) -> NewDriverEvent:
    body, meaning = case.event.body, case.meaning
    assert meaning is not None
    return NewDriverEvent(
        id=body.id,
        type=body.type,
        route_id=case.route_id,
        stop_id=None if case.stop is None else case.stop.id,
        occurred_ms=case.event.occurred_ms,
        lat=body.lat,
        lon=body.lon,
        data=meaning.data,
        outcome=meaning.outcome | ({"clock_ahead_s": round(case.event.ahead_ms / 1000)} if case.event.ahead_ms else {}),
        flaw=meaning.flaw,
        pin_generation=meaning.pin_generation,
        manifest_version=body.manifest_version,
    )


async def _claimed(db: Db, device: DeviceRow, new: Sequence[EventCase]) -> Cases:
    """Tie the uploads that events name to them; also one that has no effect is evidence of what was done."""
    naming = [
        (case, case.stop.id, proofs)
        for case in new
        if case.stop is not None and case.meaning is not None and (proofs := case.meaning.data.get("proofs"))
    ]
    if not naming:
        return {}
    claims = await claim_uploads(
        db,
        account_id=device.account_id,
        driver_id=device.driver_id,
        device_id=device.id,
        namings=[
            Naming(
                event_id=case.event.body.id,
                stop_id=stop_id,
                occurred_ms=case.event.occurred_ms,
                lat=case.event.body.lat,
                lon=case.event.body.lon,
                proofs=proofs,
            )
            for case, stop_id, proofs in naming
        ],
    )
    claimed = {}
    for (case, _, _), of_one in zip(naming, claims, strict=True):
        refused = [claim for claim in of_one if claim.state == "refused"]
        strange = [Warned(why=f"proof-{claim.why}", what=[claim.upload_id]) for claim in refused]
        claimed[case.event.at] = replace(case, warnings=[*case.warnings, *strange])
    return claimed


async def _judge_others(db: Db, device: DeviceRow, new: Sequence[EventCase]) -> list[JudgedEvent]:
    """Judge shifts, breaks and starts of routes from the first that is new on; what is said of stops ends breaks."""
    judged: list[JudgedEvent] = []
    judge_shifts = partial(judge_shift_events, same_shift_s=SAME_SHIFT_S, same_break_s=LONGEST_BREAK.total_seconds())
    for types, judge in ((_SHIFTS | OF_A_STOP, judge_shifts), ({"route_started"}, judge_route_starts)):
        times_ms = [case.event.occurred_ms for case in new if case.event.body.type in types]
        if times_ms:
            judged += await judge(db, driver_id=device.driver_id, from_ms=min(times_ms))
    return judged


async def _tell(db: Db, device: DeviceRow, route_ids: Iterable[int | None]) -> None:
    """Wake who looks at the routes that were spoken of, with the commit."""
    routes = {route_id for route_id in route_ids if route_id is not None} or {0}
    await tell_live(db, [(device.account_id, device.driver_id, route_id) for route_id in sorted(routes)])
