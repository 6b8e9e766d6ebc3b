"""A day is planned again while it goes on: asked for here, proposed as a plan, told to nobody before that counts."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web

from api.http import ids
from api.http.app_keys import POOL
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.problem import FieldError
from api.http.read.bodies import read_body, refuse
from api.http.refs import ref_of
from api.http.times import out_of_range
from api.planning.body import ReplanBody
from api.planning.plans import PlanMade
from sql.delivery.routes import find_route
from sql.planning.day import days_of_routes, depots_of_days
from sql.planning.orders import find_orders
from sql.planning.plans import create_plan
from sql.planning.resources import find_resource
from sql.pool import Pool

operations = Operations("planning")


@operations.operation("POST", "/v1/plans/replan", who=Who.DISPATCHER, body=ReplanBody, answer=PlanMade, status=202)
async def post_replan(request: web.Request) -> web.Response:
    """Have a better way found for a day that goes on: for some of its vans, or all.

    What is done, begun, aboard, or comes within the freeze time stays. Ready orders come onto tours, parcels of vans
    that are out are fetched, delays count. Ask `GET /v1/plans/{plan}`: its `proposal` says what it means for each
    recipient. `POST /v1/plans/{plan}/publish` makes it count; nobody hears of it before.
    """
    account_id, pool = caller_of(request).account_id, request.app[POOL]
    body = await read_body(request, ReplanBody)
    refuse(list(out_of_range(("/date", body.date))))
    refuse(_halves(body))
    named = [] if body.routes is None else await _routes(pool, account_id, body.routes, "/routes/{}")
    out = await _routes(pool, account_id, [one.route for one in body.out], "/out/{}/route")
    if body.routes is not None and (far := [row for row, route in enumerate(out) if route not in named]):
        refuse([FieldError(at=f"/out/{row}/route", why="is not one of the routes") for row in far])
    await _require_orders(pool, account_id, body)
    on, depot = await _day(pool, account_id, body, [*named, *out])
    asked: dict[str, Any] = msgspec.to_builtins(body)
    asked["routes"] = None if body.routes is None else named
    asked["out"] = [{**one, "route": route} for one, route in zip(asked["out"], out, strict=True)]
    plan_id = await create_plan(pool, account_id=account_id, on=on, depot=depot, asked=asked)
    return answer(request, PlanMade(id=ids.shown(ids.PLAN, plan_id)), status=202)


def _halves(body: ReplanBody) -> list[FieldError]:
    return [
        FieldError(at=f"/out/{row}/lat", why="comes with lon, or neither does")
        for row, one in enumerate(body.out)
        if (one.lat is None) != (one.lon is None)
    ]


async def _routes(pool: Pool, account_id: int, names: Sequence[str], at: str) -> list[int]:
    """Find routes by either id."""
    found: list[int] = []
    errors = []
    for row, name in enumerate(names):
        ref = ref_of(ids.ROUTE, name)
        head = None
        if ref is not None:
            head = await find_route(pool, account_id=account_id, route_id=ref.id, external_id=ref.external_id)
        if head is None:
            errors.append(FieldError(at=at.format(row), why=f"there is no route {name!r}"))
        elif head.status not in ("planned", "started"):
            errors.append(FieldError(at=at.format(row), why=f"is over: the route is {head.status}"))
        else:
            found.append(head.id)
    refuse(errors)
    return found


async def _require_orders(pool: Pool, account_id: int, body: ReplanBody) -> None:
    names = [(f"/cancel/{row}", name) for row, name in enumerate(body.cancel)]
    names += [(f"/orders/{row}", name) for row, name in enumerate(body.orders or ())]
    known = {order.external_id for order in await find_orders(pool, account_id, [name for _, name in names])}
    refuse([FieldError(at=at, why=f"there is no order {name!r}") for at, name in names if name not in known])


async def _day(pool: Pool, account_id: int, body: ReplanBody, routes: Sequence[int]) -> tuple[date, str]:
    """Tell which day and depot is meant: that of the routes, or what is named, or the only one of today."""
    of_routes = await days_of_routes(pool, account_id=account_id, route_ids=routes)
    strange = [route for route in routes if route not in of_routes]
    if strange:
        names = ", ".join(ids.shown(ids.ROUTE, route) for route in strange)
        refuse([FieldError(at="/routes", why=f"no plan made {names}: only routes of plans can be planned again")])
    days = set(of_routes.values()) or set(await _of_today(pool, account_id, body.date))
    if body.depot is not None:
        days = {day for day in days if day[1] == body.depot}
    if body.date is not None:
        days = {day for day in days if day[0] == body.date}
    if len(days) > 1:
        words = ", ".join(f"{depot} on {on}" for on, depot in sorted(days))
        refuse([FieldError(at="/depot", why=f"is needed: which one of {words}?")])
    if not days:
        refuse([FieldError(at="/date", why="no plan of such a day and depot was published")])
    return days.pop()


async def _of_today(pool: Pool, account_id: int, on: date | None) -> list[tuple[date, str]]:
    """List the depots that have tours on a day; with None on the day that it is now at each of them."""
    if on is not None:
        return await depots_of_days(pool, account_id=account_id, days=[on])
    now = pool.clock.now()
    days = [now.date() + timedelta(days=shift) for shift in (-1, 0, 1)]
    found = []
    for day, name in await depots_of_days(pool, account_id=account_id, days=days):
        depot = await find_resource(pool, account_id=account_id, kind="depot", external_id=name)
        if depot is not None and now.astimezone(ZoneInfo(depot.body["timezone"])).date() == day:
            found.append((day, name))
    return found
