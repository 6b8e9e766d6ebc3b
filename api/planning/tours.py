"""A plan becomes routes: all of them in one transaction, through the same writing as `PUT /v1/routes/{route}`."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from api.http import ids
from api.http.problem import Conflict
from api.http.refs import Ref, driver_named
from api.planning.body import OrderBody
from api.planning.plans import drivers_of
from api.routes.body import DepotBody, RouteBody, StopBody, WindowBody
from api.routes.plan import check_plan, make_plan
from api.routes.roads import RouteTools, path_on_roads
from api.routes.write import hold_route, put_plan
from sql.account.drivers import DriverRow
from sql.account.settings import AccountSettings, read_settings
from sql.delivery import routes
from sql.delivery.routes import RoutePlan
from sql.planning import plans
from sql.planning.orders import OrderRow, assign_orders, find_orders
from sql.planning.plans import TourPlanRow
from sql.pool import Db, Pool
from sql.track.lanes import lock_lanes
from sql.track.live import tell_live
from work.planning.so_far import depot_of_day
from work.planning.words import DepotWords

AFTER_END = timedelta(hours=1)
"""A route may end so much later than its tour: a day that runs late is still driven on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Route:
    """A route to write."""

    name: str
    shift: str
    driver: DriverRow | None
    plan: RoutePlan
    orders: list[str]


async def publish_tours(tools: RouteTools, row: TourPlanRow) -> TourPlanRow:
    """Make routes of a plan that is done, with its orders, in one transaction; see `publish_plan`."""
    pool, made = tools.pool, await _routes(tools, row)
    async with pool.acquire() as db, db.transaction():
        held = await hold_unchanged(db, row)
        written = await _write(tools, db, row.account_id, made)
        await assign_free(db, row, [(order, written[one.name]) for one in made for order in one.orders])
        names = {one.shift: ids.shown(ids.ROUTE, written[one.name]) for one in made}
        tours = [{**tour, "route": names[tour["shift"]]} for tour in held["tours"]]
        await plans.change_plan(db, row.id, state="published", result={**held, "tours": tours})
        after = await plans.hold_plan(db, account_id=row.account_id, plan_id=row.id)
    assert after is not None
    await tell_live(pool, [(row.account_id, 0, route_id) for route_id in written.values()])
    return after


async def hold_unchanged(db: Db, row: TourPlanRow) -> dict[str, Any]:
    """Hold a plan that is about to be published; give its tours. Raises Conflict when it is another one by now."""
    held = await plans.hold_plan(db, account_id=row.account_id, plan_id=row.id)
    if held is None or held.result is None or held.state != "done":
        raise Conflict("Only a plan that is done can be published.")
    if held.version != row.version:
        raise Conflict("The plan was changed a moment ago. Look at it again, then publish it.")
    return held.result


async def assign_free(db: Db, row: TourPlanRow, routes_of: Sequence[tuple[str, int]]) -> None:
    """Note the routes of a plan at their orders; raise Conflict where one is not free any more."""
    free = await assign_orders(db, row.account_id, row.id, routes_of)
    gone = sorted({order for order, _ in routes_of} - free)
    if gone:
        raise Conflict(f"These orders are not free any more: {', '.join(gone[:10])}. Plan again.")


async def _write(tools: RouteTools, db: Db, account_id: int, made: list[_Route]) -> dict[str, int]:
    """Write routes; give their ids by external id."""
    for one in made:  # all routes before any lane, in one order: two who publish cannot wait for each other
        await routes.lock_route(db, account_id=account_id, external_id=one.name)
    await lock_lanes(db, sorted({one.driver.lane for one in made if one.driver}))
    written = {}
    for one in made:
        head = await hold_route(db, account_id=account_id, ref=Ref(external_id=one.name), driver=one.driver)
        put = await put_plan(
            db,
            account_id=account_id,
            external_id=one.name,
            head=head,
            driver=one.driver,
            plan=one.plan,
            most_wrong_pins=tools.config.max_wrong_pins,
        )
        written[one.name] = put.route_id
    return written


async def _routes(tools: RouteTools, row: TourPlanRow) -> list[_Route]:
    """Prepare the routes of a plan, outside of any transaction: roads may take their time."""
    assert row.result is not None
    pool, account_id = tools.pool, row.account_id
    words = await depot_of_plan(pool, row)
    settings = await read_settings(pool, account_id)
    names = [stop["order"] for tour in row.result["tours"] for stop in tour["stops"]]
    orders = {order.external_id: order for order in await find_orders(pool, account_id, names)}
    changed = sorted(name for name, order in orders.items() if order.state in ("received", "ready"))
    if changed:
        raise Conflict(f"These orders were changed since they were planned: {', '.join(changed[:10])}. Plan again.")
    drivers = await drivers_of(pool, row)
    made = []
    for tour in sorted(row.result["tours"], key=lambda one: str(one["shift"])):
        driver = await driver_named(pool, account_id, drivers.get(tour["shift"]))
        body = _body(row, tour, words, orders)
        plan = await route_plan(tools, body, driver, settings)
        made.append(
            _Route(
                name=f"{ids.shown(ids.PLAN, row.id)}-{tour['shift']}"[:200],
                shift=tour["shift"],
                driver=driver,
                plan=plan,
                orders=[stop["order"] for stop in tour["stops"]],
            )
        )
    return made


async def depot_of_plan(pool: Pool, row: TourPlanRow) -> DepotWords:
    """Read the depot of a plan; raise Conflict when it is gone."""
    words = await depot_of_day(pool, row)
    if words is None:
        raise Conflict(f"There is no depot {row.depot!r} any more.")
    return words


async def route_plan(
    tools: RouteTools, body: RouteBody, driver: DriverRow | None, settings: AccountSettings
) -> RoutePlan:
    """Make the plan of a route of its body, along roads where there are any."""
    driver_id = driver.id if driver else None
    path = await asyncio.to_thread(check_plan, body, driver_id=driver_id, config=tools.config)
    path, _ = await path_on_roads(
        tools.roads, body, straight=path, known=None, max_vertices=tools.config.max_path_vertices
    )
    draft = await asyncio.to_thread(make_plan, body, path, driver_id=driver_id, settings=settings)
    # its planner waits for windows, and knows what ETAs learned
    return replace(draft.plan, wait_for_window=True, times_learned=True)


def _body(
    row: TourPlanRow,
    tour: Mapping[str, Any],
    depot: DepotWords,
    orders: Mapping[str, OrderRow],
) -> RouteBody:
    missing = [stop["order"] for stop in tour["stops"] if stop["order"] not in orders]
    if missing:
        raise Conflict(f"There is no order {missing[0]!r} any more.")
    return RouteBody(
        date=row.date,
        timezone=depot.timezone,
        start_at=datetime.fromisoformat(tour["start_at"]),
        end_at=datetime.fromisoformat(tour["end_at"]) + AFTER_END,
        depot=DepotBody(lat=depot.lat, lon=depot.lon, name=depot.name),
        return_to_depot=tour.get("return_to_depot", True),
        stops=[stop_of_order(orders[stop["order"]], stop) for stop in tour["stops"]],
    )


def stop_of_order(order: OrderRow, stop: Mapping[str, Any]) -> StopBody:
    """Make the stop of an order that a plan reaches in time; raise Conflict when it can be none any more."""
    if "name" not in order.body:
        raise Conflict(f"Whom the order {order.external_id!r} was for was forgotten. Plan again.")
    body = msgspec.convert({name: value for name, value in order.body.items() if name != "doubt"}, OrderBody)
    if order.lat is None or order.lon is None:
        raise Conflict(f"The place of the order {order.external_id!r} is not known any more.")
    begin_at = datetime.fromisoformat(stop["begin_at"])
    promised = next((window for window in body.windows if window.start <= begin_at <= window.end), None)
    return StopBody(
        external_id=order.external_id,
        kind=body.kind,
        name=body.name,
        lat=order.lat,
        lon=order.lon,
        address=body.address,
        phone=body.phone,
        email=body.email,
        locale=body.locale,
        window=WindowBody(start=promised.start, end=promised.end) if promised else None,
        service_s=body.service_s,
        planned_arrival=datetime.fromisoformat(stop["arrive_at"]),
        instructions=body.instructions,
        parcels=body.parcels,
        cash_on_delivery=body.cash_on_delivery,
        proof=body.proof,
    )
