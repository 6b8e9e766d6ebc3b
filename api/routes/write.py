"""Writing routes: what a tracker may be reading at the same moment.

Every write goes the same way: hold the route, then the lanes of the drivers it leaves and comes to, then write a new
version that is in force from now on (the first one, and the first one that names a driver, since ever), then tell the
tracker whose plan is another one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import compress
from typing import Any

import numpy as np

from api.http.auth import hash_of
from api.http.problem import Conflict
from api.http.refs import Ref
from api.routes.links import token_of
from geo.plan.numbers import EARLY_MS
from geo.shape.lines import place_stops
from geo.times import SINCE_EVER
from sql.account.accounts import read_instance
from sql.account.drivers import DriverRow, find_driver
from sql.delivery import plans, routes, stops
from sql.delivery.routes import RouteHead, RoutePlan
from sql.delivery.stop_states import judge_starts_of_route
from sql.delivery.stops import NewStop, StopPlan, StopRow
from sql.eta.eta import forget_eta
from sql.pings.working import tours_changed
from sql.planning.orders import free_orders
from sql.pool import Db
from sql.track.folds import plan_changed
from sql.track.lanes import lock_lanes
from work.addresses.parking import with_spots
from work.feed.settle import settle
from work.messages.planned import note_plan

_EARLY = timedelta(milliseconds=EARLY_MS)


async def hold_route(db: Db, *, account_id: int, ref: Ref, driver: DriverRow | None) -> RouteHead | None:
    """Hold a route, the lanes of all drivers who ever had it and of the one it may go to, until the transaction ends.

    Returns:
        The route as it is now; None when there is none.

    Raises:
        Conflict: the driver it may go to was deleted a moment ago.
    """
    external_id = ref.external_id
    if external_id is None:
        known = await routes.find_route(db, account_id=account_id, route_id=ref.id, external_id=None)
        if known is None:
            return None
        external_id = known.external_id
    await routes.lock_route(db, account_id=account_id, external_id=external_id)
    before = await routes.find_route(db, account_id=account_id, route_id=None, external_id=external_id)
    lanes = [] if before is None else await routes.lanes_of_route(db, before.id)
    await lock_lanes(db, [*lanes, driver.lane] if driver else lanes)
    # before the lanes were held, one of the drivers may have been deleted, and so have lost the route
    if driver and not await find_driver(db, account_id=account_id, driver_id=driver.id, external_id=None):
        raise Conflict(f"The driver {driver.external_id!r} was deleted a moment ago.")
    return await routes.find_route(db, account_id=account_id, route_id=None, external_id=external_id)


async def hold_all(db: Db, account_id: int, named: Sequence[tuple[str, int | None, DriverRow | None]]) -> None:
    """Hold several routes, then all their lanes, in one order: two who do that cannot wait for each other.

    Args:
        named: external id of each, its id if it is there, and the driver it may go to.
    """
    lanes = [driver.lane for _, _, driver in named if driver]
    for name, route_id, _ in sorted(named, key=lambda one: one[0]):
        await routes.lock_route(db, account_id=account_id, external_id=name)
        if route_id is not None:
            lanes += await routes.lanes_of_route(db, route_id)
    await lock_lanes(db, sorted(set(lanes)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a PUT left: `version` is the one in force."""

    route_id: int
    version: int
    created: bool


async def put_plan(
    db: Db,
    *,
    account_id: int,
    external_id: str,
    head: RouteHead | None,
    driver: DriverRow | None,
    plan: RoutePlan,
    most_wrong_pins: int,
) -> Written:
    """Bring a held route to a plan; nothing happens when that is the plan in force.

    Args:
        most_wrong_pins: after which no other PIN of a stop counts.

    Raises:
        Conflict: the route was cancelled.
    """
    known = {stop.id: stop for stop in await stops.stops_of_route(db, head.id)} if head else {}
    plan = _as_recipients_say(plan, known.values())
    plan = replace(plan, stops=await with_spots(db, account_id, plan.stops, [stop.plan for stop in known.values()]))
    if head is None:
        route_id = await routes.create_route(db, account_id=account_id, external_id=external_id, plan=plan)
        version, at = 1, SINCE_EVER
    elif plan == await routes.read_plan(db, head.id):
        return Written(route_id=head.id, version=head.version, created=False)
    elif head.status == "cancelled":
        raise Conflict(f"The route {external_id!r} was cancelled. Put it under another external id.")
    else:
        route_id, version = head.id, head.version + 1
        at = await plans.next_plan_time(db, route_id, plan.driver_id)
    stop_ids, has_new_stops = await _put_stops(db, account_id, route_id, plan.stops)
    if has_new_stops and await stops.lead_on(db, account_id=account_id, route_id=route_id):
        plan = await _as_is_said_now(db, account_id, route_id, plan)
    if head is not None:
        if head.driver_id != plan.driver_id:
            await forget_eta(db, route_id)
        await routes.replace_route(db, route_id=route_id, version=version, plan=plan, has_new_stops=has_new_stops)
        not_yet_driven = head.status == "planned" and db.clock.now() < head.start_at - _EARLY
        await stops.drop_other_stops(db, route_id, stop_ids, account_id=account_id, forget=not_yet_driven)
    await plans.add_version(db, route_id=route_id, version=version, effective_at=at, plan=plan, stop_ids=stop_ids)
    await _judge_anew(db, route_id, most_wrong_pins=most_wrong_pins)
    await note_plan(
        db,
        account_id=account_id,
        route_id=route_id,
        is_started=head is not None and head.status == "started",
        before=known,
        after=list(zip(stop_ids, plan.stops, strict=True)),
        now=db.clock.now(),
    )
    await _tell_trackers(db, account_id, route_id, head, driver, _folded_from(at, plan.start_at))
    return Written(route_id=route_id, version=version, created=head is None)


def _as_recipients_say(plan: RoutePlan, known: Iterable[StopRow]) -> RoutePlan:
    """Leave what recipients changed as they said: a planner who puts the route again knows the old contact and time.

    A stop whose slot lies outside of the tour is not on it, unless none would be left.
    """
    said = {stop.plan.external_id: stop.wish for stop in known if stop.wish}
    stays = [_has_time_for(plan, said.get(stop.external_id)) for stop in plan.stops]
    if not any(stays):
        stays = [True] * len(stays)
    told = [_told(stop, said.get(stop.external_id)) for stop in plan.stops]
    left = list(compress(told, stays))
    if left == list(plan.stops):
        return plan
    moved = any((one.lat, one.lon) != (was.lat, was.lon) for one, was in zip(told, plan.stops, strict=True))
    if moved or not all(stays):  # how long it is from the one before is not known any more
        plan = replace(plan, stop_drive_s=[])
    return replace(plan, stops=_along_path(plan, left) if moved else left)


async def _as_is_said_now(db: Db, account_id: int, route_id: int, plan: RoutePlan) -> RoutePlan:
    """Bring a plan whose stops are written to what their recipients said while their orders were on another route."""
    known = await stops.stops_of_route(db, route_id)
    said = _as_recipients_say(plan, known)
    if said != plan:
        said = replace(said, stops=await with_spots(db, account_id, said.stops, [stop.plan for stop in known]))
        await _put_stops(db, account_id, route_id, said.stops)
    return said


def _along_path(plan: RoutePlan, planned: Sequence[StopPlan]) -> list[StopPlan]:
    """Find the places of stops along the path anew."""
    lon, lat = [stop.lon for stop in planned], [stop.lat for stop in planned]
    path_lon, path_lat = np.array(plan.path_lon), np.array(plan.path_lat)
    along_m = place_stops(path_lon, path_lat, np.array(plan.path_along_m), lon, lat)
    return [replace(stop, along_m=at_m) for stop, at_m in zip(planned, along_m.tolist(), strict=True)]


def _has_time_for(plan: RoutePlan, wish: Mapping[str, Any] | None) -> bool:
    slot = _slot_of(wish)
    return slot is None or (slot[0] < plan.end_at and slot[1] > plan.start_at)


def _told(stop: StopPlan, wish: Mapping[str, Any] | None) -> StopPlan:
    if wish is None:
        return stop
    start, end = _slot_of(wish) or (stop.window_start, stop.window_end)
    phone, email = wish["phone"] or stop.phone, wish["email"] or stop.email
    told = replace(stop, phone=phone, email=email, window_start=start, window_end=end)
    if wish["place_lat"] is None:
        return told
    return replace(told, address=wish["place_address"], lat=wish["place_lat"], lon=wish["place_lon"], geofence=None)


def _slot_of(wish: Mapping[str, Any] | None) -> tuple[datetime, datetime] | None:
    """Read the slot that a recipient chose; None: they did not."""
    if wish is None or wish["slot_start"] is None:
        return None
    return datetime.fromisoformat(wish["slot_start"]), datetime.fromisoformat(wish["slot_end"])


async def _put_stops(db: Db, account_id: int, route_id: int, planned: Sequence[StopPlan]) -> tuple[list[int], bool]:
    """Write the stops of a tour; return their ids, and whether any of them is new."""
    known = {stop.plan.external_id: stop.id for stop in await stops.stops_of_route(db, route_id)}
    fresh = iter(await stops.new_stop_ids(db, sum(stop.external_id not in known for stop in planned)))
    stop_ids = [known[stop.external_id] if stop.external_id in known else next(fresh) for stop in planned]
    secret = (await read_instance(db)).secret
    new = [
        NewStop(id=stop_id, plan=stop, link_hash=hash_of(token_of(secret, stop_id, 0)))
        for stop_id, stop in zip(stop_ids, planned, strict=True)
    ]
    await stops.put_stops(db, account_id=account_id, route_id=route_id, stops=new)
    return stop_ids, not known.keys() >= {stop.external_id for stop in planned}


async def give_to(db: Db, *, account_id: int, head: RouteHead, driver: DriverRow, most_wrong_pins: int) -> int:
    """Give a held route to another driver; return the version that is then in force.

    What that driver said of it and its stops before counts now, if nobody else had them then.

    Args:
        most_wrong_pins: after which no other PIN of a stop counts.
    """
    version = await _move(db, account_id=account_id, head=head, driver=driver)
    if version != head.version:
        await _judge_anew(db, head.id, most_wrong_pins=most_wrong_pins)
    return version


async def _judge_anew(db: Db, route_id: int, *, most_wrong_pins: int) -> None:
    """Judge what was said of a route and its stops: it may mean another thing under the version just written."""
    stop_ids = await stops.stop_ids_of_route(db, route_id)
    starts = await judge_starts_of_route(db, route_id)
    await settle(db, stop_ids, most_wrong_pins=most_wrong_pins, also=starts, ended=[(None, route_id)])


async def take_from_driver(db: Db, *, account_id: int, head: RouteHead) -> int:
    """Give a route whose driver's lane is held to nobody; return the version that is then in force."""
    return await _move(db, account_id=account_id, head=head, driver=None)


async def _move(db: Db, *, account_id: int, head: RouteHead, driver: DriverRow | None) -> int:
    driver_id = driver.id if driver else None
    if head.driver_id == driver_id:
        return head.version
    version, at = head.version + 1, await plans.next_plan_time(db, head.id, driver_id)
    await forget_eta(db, head.id)
    await routes.move_to_driver(db, route_id=head.id, version=version, driver_id=driver_id)
    await plans.copy_version(db, route_id=head.id, version=version, effective_at=at, driver_id=driver_id)
    await _tell_trackers(db, account_id, head.id, head, driver, _folded_from(at, head.start_at))
    return version


def _folded_from(effective_at: datetime, start_at: datetime) -> datetime:
    """Give the earliest time that a version changes: nothing recorded before a route's hours can be on it."""
    return max(effective_at, start_at - _EARLY) if effective_at == SINCE_EVER else effective_at


async def take_away(db: Db, *, account_id: int, head: RouteHead) -> None:
    """End a held route: one that never started is gone, one that did is cancelled. Nobody drives or follows it.

    Orders of it that are not done are to be planned again.
    """
    await take_from_driver(db, account_id=account_id, head=head)
    await free_orders(db, head.id)
    await routes.end_route(db, head.id)
    await stops.revoke_links_of_route(db, head.id)


async def _tell_trackers(
    db: Db, account_id: int, route_id: int, head: RouteHead | None, driver: DriverRow | None, at: datetime
) -> None:
    concerned = {}
    if head is not None and head.driver_id is not None and head.lane is not None:
        concerned[head.driver_id] = head.lane
    if driver is not None:
        concerned[driver.id] = driver.lane
    for driver_id, lane in concerned.items():
        await plan_changed(db, lane=lane, driver_id=driver_id, account_id=account_id, effective_at=at)
        await tours_changed(db, lane=lane, driver_id=driver_id, account_id=account_id, route_id=route_id)
