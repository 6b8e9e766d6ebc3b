"""A day is planned again while it goes on: asked for here, proposed as a plan, told to nobody before that counts."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

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
from api.planning.which_day import DayAsked, day_asked
from sql.delivery.routes import TO_DRIVE, find_route
from sql.delivery.stops import route_of_stop
from sql.planning.day import stops_called, tours_of_day
from sql.planning.orders import find_orders
from sql.planning.plans import create_plan
from sql.pool import Pool

operations = Operations("planning")


@operations.operation("POST", "/v1/plans/replan", who=Who.DISPATCHER, body=ReplanBody, answer=PlanMade, status=202)
async def post_replan(request: web.Request) -> web.Response:
    """Have a better way found for a day that goes on: for some of its vans, or all, whoever made their routes.

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
    day = await day_asked(pool, account_id, body, [*named, *out])
    asked: dict[str, Any] = msgspec.to_builtins(body)
    asked |= await _cancelled(pool, account_id, body, day, [*named, *out])
    asked["place"] = None if day.is_known else msgspec.to_builtins(day.words)
    asked["routes"] = None if body.routes is None else named
    asked["out"] = [{**one, "route": route} for one, route in zip(asked["out"], out, strict=True)]
    plan_id = await create_plan(pool, account_id=account_id, on=day.on, depot=day.depot, asked=asked)
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
        elif head.status not in TO_DRIVE:
            errors.append(FieldError(at=at.format(row), why=f"is over: the route is {head.status}"))
        else:
            found.append(head.id)
    refuse(errors)
    return found


async def _cancelled(
    pool: Pool, account_id: int, body: ReplanBody, day: DayAsked, named: Sequence[int]
) -> dict[str, list[Any]]:
    """Tell orders that are not wanted any more from stops of routes that were given by hand; refuse what is neither."""
    near = (day.words.lat, day.words.lon)
    tours = await tours_of_day(pool, account_id=account_id, on=day.on, depot=day.depot, near=near, named=named)
    route_ids = [tour.route_id for tour in tours if body.routes is None or tour.route_id in named]
    wanted = body.orders or ()
    orders = {one.external_id for one in await find_orders(pool, account_id, [*body.cancel, *wanted])}
    unknown = [(row, name) for row, name in enumerate(wanted) if name not in orders]
    refuse([FieldError(at=f"/orders/{row}", why=f"there is no order {name!r}") for row, name in unknown])
    rest = {row: name for row, name in enumerate(body.cancel) if name not in orders}
    stops = await _stops_meant(pool, account_id, route_ids, rest)
    return {"cancel": [name for name in body.cancel if name in orders], "cancel_stops": stops}


async def _stops_meant(pool: Pool, account_id: int, route_ids: Sequence[int], names: Mapping[int, str]) -> list[int]:
    """Find stops of routes by either id; `names` by their places in the body."""
    called: defaultdict[str, list[int]] = defaultdict(list)
    for stop_id, name in await stops_called(pool, route_ids=route_ids, names=list(names.values())):
        called[name].append(stop_id)
    for number in filter(None, (ids.number_of(ids.STOP, name) for name in names.values())):
        if await route_of_stop(pool, account_id=account_id, stop_id=number) in route_ids:
            called[ids.shown(ids.STOP, number)].append(number)
    errors = []
    for row, name in names.items():
        if not called[name]:
            errors.append(FieldError(at=f"/cancel/{row}", why=f"there is no order and no stop {name!r}"))
        elif len(called[name]) > 1 and ids.number_of(ids.STOP, name) is None:
            why = f"{len(called[name])} routes have {name!r}: name the stop's id"
            errors.append(FieldError(at=f"/cancel/{row}", why=why))
    refuse(errors)
    return sorted({called[name][0] for name in names.values()})
