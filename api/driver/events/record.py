"""Keeping what a driver said: all of a batch in one transaction that holds the driver's lane.

The order is the trackers' (docs/explanation/tracker.md): lanes, then stops by id. So neither ever waits for the other
in a circle.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from api.driver.events.body import OF_A_STOP, Event, Refused
from api.driver.events.limits import over_limits
from api.driver.events.outcome import Lock, Meaning, Warned, meaning_of
from api.http import ids
from api.http.config import ApiConfig
from api.http.problem import Unavailable
from api.routes.pins import pin_of
from geo.times import time_of
from sql.account.accounts import read_instance
from sql.account.devices import DeviceRow
from sql.account.settings import read_settings
from sql.delivery import driver_events
from sql.delivery.driver_events import DriverEventRow, NewDriverEvent, Sort, SpokenStop
from sql.delivery.proofs import Naming, claim_uploads
from sql.delivery.stop_states import JudgedEvent, judge_route_starts, judge_shift_events
from sql.pool import Db, Pool
from sql.track.effects import hold_stops
from sql.track.lanes import lock_lanes
from work.feed.settle import settle

_SHIFTS = frozenset({"shift_started", "shift_ended", "break_started", "break_ended"})
_ATTEMPTS = 3

_GUESSES = 4
"""So many times REPARTO_MAX_WRONG_PINS of one PIN are compared: dating each before the last one gives no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What became of a batch.

    Attributes:
        refused: items that are not kept although they could be read, by their pointer.
        kept: every event of the batch that is there, by id.
        fresh: those that were not there before.
        differ: pointers of those that were there with another content.
        warnings: of fresh ones, by id.
        route_ids: routes that were spoken of.
    """

    refused: dict[str, Refused]
    kept: dict[UUID, DriverEventRow]
    fresh: set[UUID]
    differ: set[str]
    warnings: dict[UUID, list[Warned]]
    route_ids: set[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _About:
    """What an event is about: a stop, a route that it names, or nothing but the driver."""

    event: Event
    stop: SpokenStop | None
    route_id: int | None

    @property
    def sort(self) -> Sort:
        day = time_of(self.event.occurred_ms).date()
        return Sort(day=day, type=self.event.body.type, stop_id=None if self.stop is None else self.stop.id)


async def record(pool: Pool, device: DeviceRow, events: Sequence[Event], config: ApiConfig) -> Recorded:
    """Keep events of a driver's device; after the return they are on disk.

    Raises:
        Unavailable: other drivers were given the same stops again and again meanwhile.
    """
    who = {"account_id": device.account_id, "driver_id": device.driver_id}
    stop_ids = {stop_id for event in events if (stop_id := _stop_id(event)) is not None}
    for _ in range(_ATTEMPTS):
        async with pool.acquire() as db, db.transaction():
            lanes = {device.lane, *await driver_events.lanes_to_hold(db, **who, stop_ids=stop_ids)}
            await lock_lanes(db, lanes)
            if lanes.issuperset(await driver_events.lanes_to_hold(db, **who, stop_ids=stop_ids)):
                return await _record(db, device, events, stop_ids, config)
    raise Unavailable("The routes of these stops are being changed; nothing was kept. Please try again.")


def _stop_id(event: Event) -> int | None:
    """Give the stop that an event names; None when it names none, or what can be none."""
    if event.body.stop_id is None or event.body.type not in OF_A_STOP | {"note"}:
        return None
    return ids.number_of(ids.STOP, event.body.stop_id)


async def _record(
    db: Db, device: DeviceRow, events: Sequence[Event], stop_ids: set[int], config: ApiConfig
) -> Recorded:
    who = {"account_id": device.account_id, "driver_id": device.driver_id}
    stops = await driver_events.stops_to_speak_of(db, **who, stop_ids=stop_ids)
    if stops:
        await hold_stops(db, sorted(stops))
        stops = await driver_events.stops_to_speak_of(db, **who, stop_ids=stop_ids)
    before = await driver_events.driver_events_by_id(
        db, driver_id=device.driver_id, ids={event.body.id for event in events}
    )
    about, refused = await _look_up(db, device, events, stops)
    fresh: dict[UUID, _About] = {}
    for one in about:
        if one.event.body.id not in before:
            fresh.setdefault(one.event.body.id, one)
    over = await _over_limits(db, device, _in_order(fresh.values()), config)
    too_many = [one.event for one in about if one.event.body.id in over]
    refused |= {event.at: Refused(id=event.id, why="too-many", at=event.at) for event in too_many}
    about = [one for one in about if one.event.body.id not in over]
    in_order = _in_order(one for event_id, one in fresh.items() if event_id not in over)
    meanings = await _meanings(db, device, in_order, config)
    await driver_events.put_driver_events(
        db,
        **who,
        lane=device.lane,
        device_id=device.id,
        events=[_row(one, meanings[one.event.body.id]) for one in in_order],
    )
    warnings = {event_id: list(meaning.warnings) for event_id, meaning in meanings.items()}
    for event_id, strange in (await _claim_proofs(db, device, in_order, meanings)).items():
        warnings[event_id] += strange
    others = await _judge_others(db, device, in_order)
    await settle(
        db,
        sorted({one.stop.id for one in in_order if one.stop is not None}),
        most_wrong_pins=config.max_wrong_pins,
        also=others,
    )
    kept = await driver_events.driver_events_by_id(
        db, driver_id=device.driver_id, ids={one.event.body.id for one in about}
    )
    touched = {one.route_id for one in in_order} | {one.route_id for one in others}
    again = [one for one in about if fresh.get(one.event.body.id) is not one]
    return Recorded(
        refused=refused,
        kept=kept,
        fresh={one.event.body.id for one in in_order},
        differ={one.event.at for one in again if not _same(one, kept)},
        warnings=warnings,
        route_ids={route_id for route_id in touched if route_id is not None},
    )


def _in_order(about: Iterable[_About]) -> list[_About]:
    return sorted(about, key=lambda one: (one.event.occurred_ms, one.event.body.id))


async def _over_limits(db: Db, device: DeviceRow, in_order: Sequence[_About], config: ApiConfig) -> set[UUID]:
    if not in_order:
        return set()
    sorts = {one.event.body.id: one.sort for one in in_order}
    span = {"first": in_order[0].sort.day, "last": in_order[-1].sort.day}
    said = await driver_events.said_on_days(db, driver_id=device.driver_id, **span)
    return over_limits(sorts, said, config)


async def _look_up(
    db: Db, device: DeviceRow, events: Sequence[Event], stops: Mapping[int, SpokenStop]
) -> tuple[list[_About], dict[str, Refused]]:
    """Find what events are about; what is not the driver's is unknown, whether it exists or not."""
    named = [event.body.route_id for event in events if event.body.type == "route_started" and event.body.route_id]
    routes = await driver_events.routes_to_speak_of(
        db,
        account_id=device.account_id,
        driver_id=device.driver_id,
        ids=[number for name in named if (number := ids.number_of(ids.ROUTE, name)) is not None],
        external_ids=named,
    )
    about, refused = [], {}
    for event in events:
        body = event.body
        stop = route_id = None
        if body.stop_id is not None and body.type in OF_A_STOP | {"note"}:
            stop = stops.get(_stop_id(event) or 0)
            if stop is None:
                refused[event.at] = Refused(id=event.id, why="unknown-stop", at=f"{event.at}/stop_id")
                continue
            route_id = stop.route_id
        elif body.type == "route_started" and body.route_id is not None:
            route_id = routes.get(ids.number_of(ids.ROUTE, body.route_id) or body.route_id)
            if route_id is None:
                refused[event.at] = Refused(id=event.id, why="unknown-route", at=f"{event.at}/route_id")
                continue
        about.append(_About(event=event, stop=stop, route_id=route_id))
    return about, refused


async def _meanings(db: Db, device: DeviceRow, in_order: Sequence[_About], config: ApiConfig) -> dict[UUID, Meaning]:
    settings = await read_settings(db, device.account_id)
    reasons = {reason.code: reason.text for reason in settings.failure_reasons}
    secret = (await read_instance(db)).secret
    wrong = {one.stop.id: one.stop.wrong_pins for one in in_order if one.stop is not None}
    meanings: dict[UUID, Meaning] = {}
    for one in in_order:
        lock = None
        if one.stop is not None and "pin" in one.stop.proof:
            lock = Lock(
                pin=pin_of(secret, one.stop.id, one.stop.pin_generation),
                wrong=wrong[one.stop.id],
                most_wrong=_GUESSES * config.max_wrong_pins,
            )
        meaning = meanings[one.event.body.id] = meaning_of(one.event, one.stop, lock, reasons)
        if one.stop is not None and meaning.flaw == "wrong-pin":
            wrong[one.stop.id] += 1
    return meanings


def _row(one: _About, meaning: Meaning) -> NewDriverEvent:
    body = one.event.body
    return NewDriverEvent(
        id=body.id,
        type=body.type,
        route_id=one.route_id,
        stop_id=None if one.stop is None else one.stop.id,
        occurred_ms=one.event.occurred_ms,
        lat=body.lat,
        lon=body.lon,
        data=meaning.data,
        outcome=meaning.outcome,
        flaw=meaning.flaw,
        pin_generation=meaning.pin_generation,
        manifest_version=body.manifest_version,
    )


async def _claim_proofs(
    db: Db, device: DeviceRow, in_order: Sequence[_About], meanings: Mapping[UUID, Meaning]
) -> dict[UUID, list[Warned]]:
    """Tie the uploads that events name to them; also one that has no effect is evidence of what was done."""
    namings = [
        Naming(
            event_id=one.event.body.id,
            stop_id=one.stop.id,
            occurred_ms=one.event.occurred_ms,
            lat=one.event.body.lat,
            lon=one.event.body.lon,
            proofs=proofs,
        )
        for one in in_order
        if one.stop is not None and (proofs := meanings[one.event.body.id].data.get("proofs"))
    ]
    who = {"account_id": device.account_id, "driver_id": device.driver_id, "device_id": device.id}
    claims = await claim_uploads(db, **who, namings=namings) if namings else []
    return {
        naming.event_id: [
            Warned(why=f"proof-{claim.why}", what=[claim.upload_id]) for claim in of_one if claim.state == "refused"
        ]
        for naming, of_one in zip(namings, claims, strict=True)
    }


async def _judge_others(db: Db, device: DeviceRow, in_order: Sequence[_About]) -> list[JudgedEvent]:
    """Judge shifts, breaks and starts of routes from the first that is new on."""
    judged: list[JudgedEvent] = []
    for types, judge in ((_SHIFTS, judge_shift_events), ({"route_started"}, judge_route_starts)):
        times_ms = [one.event.occurred_ms for one in in_order if one.event.body.type in types]
        if times_ms:
            judged += await judge(db, driver_id=device.driver_id, from_ms=min(times_ms))
    return judged


def _same(one: _About, kept: Mapping[UUID, DriverEventRow]) -> bool:
    """Tell whether an event says what the one kept of its id says; of PINs nothing is known any more."""
    row, body = kept[one.event.body.id], one.event.body
    data = meaning_of(one.event, None, None, {}).data
    stop_id = None if one.stop is None else one.stop.id
    there = (row.type, row.stop_id, row.occurred_ms, row.lat, row.lon, row.data)
    is_route = body.type != "route_started" or body.route_id is None or one.route_id == row.route_id
    return is_route and there == (body.type, stop_id, one.event.occurred_ms, body.lat, body.lon, data)
