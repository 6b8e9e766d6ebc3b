"""A proposal counts: routes, orders, links and messages follow in one transaction, if the day is as it was."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from api.http import ids
from api.http.problem import Conflict, FieldError
from api.http.refs import Ref
from api.planning.plans import MOST_NAMED
from api.planning.stops import body_of_stop, loading_stop
from api.planning.tours import (
    AFTER_END,
    assign_free,
    depot_of_plan,
    hold_unchanged,
    route_plan,
    stop_of_order,
)
from api.routes.body import DepotBody, RouteBody, StopBody
from api.routes.roads import RouteTools
from api.routes.write import hold_all, hold_route, put_plan, take_away
from sql.account.drivers import DriverRow, find_driver
from sql.account.settings import AccountSettings, read_settings
from sql.delivery import routes, stops
from sql.delivery.routes import TO_DRIVE, RouteHead, RoutePlan
from sql.delivery.stops import StopRow
from sql.desk.audit import AuditDeed, write_entry
from sql.planning.day import end_orders, lead_links, links_of_stops, move_orders
from sql.planning.orders import OrderRow, find_orders
from sql.planning.plans import TourPlanRow, change_plan, hold_plan
from sql.planning.resources import resources_named
from sql.pool import Db, Pool
from sql.track.live import tell_live
from work.planning.proposal import order_digest
from work.planning.so_far import is_touched
from work.planning.words import DepotWords


@dataclass(frozen=True, slots=True, kw_only=True)
class _Day:
    """A day as it is now: the routes that a proposal changes and their stops, by route; orders by external id."""

    heads: Mapping[int, RouteHead]
    stops: Mapping[int, Sequence[StopRow]]
    orders: Mapping[str, OrderRow]

    def stop(self, route_id: int, stop_id: int) -> StopRow | None:
        """Find a stop of a route."""
        return next((stop for stop in self.stops.get(route_id, ()) if stop.id == stop_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tour:
    """A tour of a proposal as the route that it becomes; `plan` None: no stop is left of it."""

    told: Mapping[str, Any]
    name: str
    route_id: int | None
    driver: DriverRow | None
    plan: RoutePlan | None


async def accept_proposal(tools: RouteTools, row: TourPlanRow, *, deed: AuditDeed | None = None) -> TourPlanRow:
    """Make a proposal count; see `publish_plan`.

    Args:
        deed: goes into the audit log with it; None: whoever asked for it notes that.

    Raises:
        Conflict: the day went on otherwise; names what changed, and nothing is written.
    """
    pool = tools.pool
    result = row.result or {}
    day = await _read(pool, row)
    _require_same_day(result, day, pool.clock.now())
    depot, settings = await depot_of_plan(pool, row), await read_settings(pool, row.account_id)
    made = [
        await _prepared(tools, row, day, tour, depot, settings)
        for tour in _changed(result)
        if tour["stops"] or tour["route"]
    ]
    made.sort(key=lambda one: one.name)
    async with pool.acquire() as db, db.transaction():
        await hold_unchanged(db, row)
        await hold_all(db, row.account_id, [(one.name, one.route_id, one.driver) for one in made])
        _require_same_day(result, await _read(db, row), db.clock.now())
        links = await links_of_stops(db, _moving(made))
        written = {one.name: await _write(tools, db, row.account_id, one) for one in made}
        await _follow(db, row, made, written, links)
        names = {one.told["shift"]: ids.shown(ids.ROUTE, written[one.name]) for one in made if one.route_id is None}
        tours = [{**tour, "route": tour["route"] or names.get(tour["shift"])} for tour in result["tours"]]
        if deed is not None:
            await write_entry(db, deed)
        await change_plan(db, row.id, state="published", result={**result, "tours": tours})
        after = await hold_plan(db, account_id=row.account_id, plan_id=row.id)
    assert after is not None
    await tell_live(pool, [(row.account_id, 0, route_id) for route_id in written.values()])
    return after


def _moving(made: Sequence[_Tour]) -> list[int]:
    """List the stops that go to another route."""
    return [
        entry["stop"]
        for one in made
        for entry in one.told["stops"]
        if "stop" in entry and "loads" not in entry and entry["from"] != one.route_id
    ]


def _changed(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [tour for tour in result["tours"] if tour["changed"]]


def _route_of(tour: Mapping[str, Any]) -> int | None:
    return None if tour["route"] is None else ids.number_of(ids.ROUTE, tour["route"])


async def _read(db: Db | Pool, row: TourPlanRow) -> _Day:
    result = row.result or {}
    heads, of_route = {}, {}
    for tour in _changed(result):
        route_id = _route_of(tour)
        if route_id is None:
            continue
        head = await routes.find_route(db, account_id=row.account_id, route_id=route_id, external_id=None)
        if head is not None:
            heads[route_id], of_route[route_id] = head, await stops.stops_of_route(db, route_id)
    named = {stop["order"] for tour in _changed(result) for stop in tour["stops"]} | {*result["basis"]["cancelled"]}
    orders = await find_orders(db, row.account_id, sorted(named))
    return _Day(heads=heads, stops=of_route, orders={order.external_id: order for order in orders})


def _require_same_day(result: Mapping[str, Any], day: _Day, now: datetime) -> None:
    """Raise Conflict, naming what changed, where a proposal rests on what is not so any more."""
    until = datetime.fromisoformat(result["basis"]["until"])
    if now > until:
        raise Conflict(f"The proposal held until {until.isoformat(timespec='seconds')}; the day went on. Plan again.")
    errors = [*_other_routes(result, day), *_other_stops(result, day), *_other_orders(result, day)]
    if errors:
        raise Conflict("The day went on since this was proposed. Plan again.", errors=errors[:MOST_NAMED])


def _other_routes(result: Mapping[str, Any], day: _Day) -> Iterator[FieldError]:
    for place, tour in enumerate(result["tours"]):
        route_id = _route_of(tour) if tour["changed"] else None
        if route_id is None:
            continue
        head = day.heads.get(route_id)
        if head is None or head.status not in TO_DRIVE:
            yield FieldError(at=f"/tours/{place}", why=f"the route {tour['route']} is over")
        elif head.version != result["basis"]["routes"][str(route_id)]:
            yield FieldError(at=f"/tours/{place}", why=f"somebody changed the route {tour['route']}")
        elif head.status == "started" and not tour["is_loaded"]:
            yield FieldError(at=f"/tours/{place}", why=f"the van of {tour['route']} has left")


def _other_stops(result: Mapping[str, Any], day: _Day) -> Iterator[FieldError]:
    """Name stops that were touched out of the proposed turn, or are to be done and in no tour of it."""
    for place, tour in enumerate(result["tours"]):
        if tour["changed"]:
            yield from _out_of_turn(f"/tours/{place}/stops", tour, day)
    cancelled, gone = set(result["basis"]["cancelled"]), set(result["basis"]["cancelled_stops"])
    known = {entry["stop"] for tour in _changed(result) for entry in tour["stops"] if "stop" in entry}
    known |= gone.union(*(tour.get("stays", ()) for tour in _changed(result)))
    known |= {one["stop"] for one in result["unplanned"] if one.get("stop")}
    for route_id, of_route in day.stops.items():
        mine = [stop for stop in of_route if not stop.removed]
        yield from _begun("/cancel", [stop for stop in mine if stop.plan.external_id in cancelled or stop.id in gone])
        yield from _forgotten(ids.shown(ids.ROUTE, route_id), mine, known, cancelled)


def _begun(at: str, stops: Sequence[StopRow]) -> Iterator[FieldError]:
    for stop in stops:
        if is_touched(stop):
            yield FieldError(at=at, why=f"{stop.plan.external_id} was begun or done meanwhile")


def _forgotten(at: str, stops: Sequence[StopRow], known: set[int], cancelled: set[str]) -> Iterator[FieldError]:
    for stop in stops:
        name, loading = stop.plan.external_id, stop.plan.kind == "depot"
        if not is_touched(stop) and stop.id not in known and name not in cancelled and not loading:
            yield FieldError(at=at, why=f"{name} is to be done again")


def _out_of_turn(at: str, tour: Mapping[str, Any], day: _Day) -> Iterator[FieldError]:
    """Name stops of a tour that were touched though others before them were not, or on another route."""
    in_turn = True
    for row, entry in enumerate(tour["stops"]):
        stop = day.stop(entry["from"], entry["stop"]) if "stop" in entry else None
        if "stop" not in entry or (stop is not None and not is_touched(stop)):
            in_turn = False
        elif not in_turn or entry["from"] != _route_of(tour):
            yield FieldError(at=f"{at}/{row}", why=f"{entry['order']} was begun or done meanwhile")


_FREE = ("ready", "planned")
"""States of orders that are on no route."""


def _other_orders(result: Mapping[str, Any], day: _Day) -> Iterator[FieldError]:
    basis = result["basis"]["orders"]
    for place, tour in enumerate(result["tours"]):
        for row, entry in enumerate(tour["stops"]):
            if "stop" in entry or "loads" in entry:
                continue
            order = day.orders.get(entry["order"])
            if order is None or order.state not in _FREE or order_digest(order.body) != basis[entry["order"]]:
                why = f"the order {entry['order']} is not free any more, or another one"
                yield FieldError(at=f"/tours/{place}/stops/{row}", why=why)


async def _prepared(
    tools: RouteTools,
    row: TourPlanRow,
    day: _Day,
    tour: Mapping[str, Any],
    depot: DepotWords,
    settings: AccountSettings,
) -> _Tour:
    """Make the route of a tour, outside of any transaction: roads may take their time."""
    pool, route_id = tools.pool, _route_of(tour)
    head = None if route_id is None else day.heads[route_id]
    driver = await _driver(pool, row.account_id, head, tour["shift"])
    name = head.external_id if head else f"{ids.shown(ids.PLAN, row.id)}-{tour['shift']}"[:200]
    bodies = [*_behind(day, tour), *(_stop(day, entry) for entry in tour["stops"])]
    plan = None
    if bodies:
        was = None
        if head is not None:
            async with pool.acquire() as db:
                was = await routes.read_plan(db, head.id)
        body = _body(row, tour, bodies, depot, was)
        plan = await route_plan(tools, body, driver, settings)
    return _Tour(told=tour, name=name, route_id=route_id, driver=driver, plan=plan)


async def _driver(pool: Pool, account_id: int, head: RouteHead | None, shift: str) -> DriverRow | None:
    """Find who drives: whoever has the route; for a new one, whoever has the shift."""
    if head is not None:
        if head.driver_id is None:
            return None
        return await find_driver(pool, account_id=account_id, driver_id=head.driver_id, external_id=None)
    found = await resources_named(pool, account_id=account_id, kind="shift", names=[shift])
    name = found[shift].driver if shift in found else None
    if name is None:
        return None
    return await find_driver(pool, account_id=account_id, driver_id=None, external_id=name)


def _behind(day: _Day, tour: Mapping[str, Any]) -> Iterator[StopBody]:
    """Give the stops of a route that stay as they are: those that are done, and of a van that is out, what it has."""
    route_id = _route_of(tour)
    named = {entry["stop"] for entry in tour["stops"] if "stop" in entry}
    mine = [stop for stop in day.stops.get(route_id or 0, ()) if not stop.removed and stop.id not in named]
    for stop in sorted(mine, key=lambda one: not is_touched(one)):
        if is_touched(stop) or stop.id in tour.get("stays", ()):
            yield body_of_stop(stop.plan, stop.plan.planned_arrival)


def _stop(day: _Day, entry: Mapping[str, Any]) -> StopBody:
    if "loads" in entry:
        return loading_stop(entry)
    if "stop" not in entry:
        return stop_of_order(day.orders[entry["order"]], entry)
    stop = day.stop(entry["from"], entry["stop"])
    assert stop is not None  # _require_same_day
    body = body_of_stop(stop.plan, datetime.fromisoformat(entry["arrive_at"]))
    return msgspec.structs.replace(body, external_id=entry["order"])


def _body(
    row: TourPlanRow,
    tour: Mapping[str, Any],
    bodies: list[StopBody],
    depot: DepotWords,
    was: RoutePlan | None,
) -> RouteBody:
    start_at, end_at = (datetime.fromisoformat(tour[name]) for name in ("start_at", "end_at"))
    body = RouteBody(
        date=row.date,
        timezone=depot.timezone,
        start_at=start_at,
        end_at=max(end_at + AFTER_END, start_at + timedelta(minutes=1)),
        depot=DepotBody(lat=depot.lat, lon=depot.lon, name=depot.name),
        return_to_depot=tour["return_to_depot"],
        stops=bodies,
    )
    return body if was is None else _as_it_was(body, was, keeps_start=tour["is_loaded"] or "stays" in tour)


def _as_it_was(body: RouteBody, was: RoutePlan, *, keeps_start: bool) -> RouteBody:
    """Leave of a route that is there what no proposal changes: its day and depot, and hours that are long enough."""
    depot = None
    if was.depot_lat is not None and was.depot_lon is not None:
        depot = DepotBody(lat=was.depot_lat, lon=was.depot_lon, name=was.depot_name)
    return msgspec.structs.replace(
        body,
        date=was.date,
        timezone=was.timezone,
        start_at=was.start_at if keeps_start else body.start_at,
        end_at=max(body.end_at or was.end_at, was.end_at),
        depot=depot,
        return_to_depot=was.return_to_depot,
    )


async def _write(tools: RouteTools, db: Db, account_id: int, one: _Tour) -> int:
    head = await hold_route(db, account_id=account_id, ref=Ref(external_id=one.name), driver=one.driver)
    if one.plan is None:
        assert head is not None
        await stops.drop_other_stops(db, head.id, [], account_id=account_id, forget=False)
        await take_away(db, account_id=account_id, head=head)
        return head.id
    written = await put_plan(
        db,
        account_id=account_id,
        external_id=one.name,
        head=head,
        driver=one.driver,
        plan=one.plan,
        most_wrong_pins=tools.config.max_wrong_pins,
    )
    return written.route_id


async def _follow(
    db: Db, row: TourPlanRow, made: Sequence[_Tour], written: Mapping[str, int], links: Sequence[tuple[int, bytes]]
) -> None:
    """Let orders, links of stops, and what recipients said of them, go where their stops went."""
    new: list[tuple[str, int]] = []
    moved: list[tuple[str, int, int]] = []
    said: list[tuple[int, int]] = []
    for one in made:
        route_id = written[one.name]
        now = {stop.plan.external_id: stop.id for stop in await stops.stops_of_route(db, route_id)}
        for entry in one.told["stops"]:
            if "loads" in entry:
                continue
            if "stop" not in entry:
                new.append((entry["order"], route_id))
            elif entry["from"] != route_id:
                moved.append((entry["order"], entry["from"], route_id))
                if entry["order"] in now:  # else its recipient's slot lies outside of the tour
                    said.append((entry["stop"], now[entry["order"]]))
    await assign_free(db, row, new)
    await move_orders(db, row.account_id, row.id, moved)
    await stops.move_said(db, said)
    stop_now = dict(said)
    await lead_links(db, [(link, stop_now[was]) for was, link in links if was in stop_now])
    await end_orders(db, row.account_id, (row.result or {})["basis"]["cancelled"])
