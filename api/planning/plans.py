"""Plans: asked for, watched, changed by hand, cancelled."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Literal, cast

import msgspec
from aiohttp import web
from msgspec import Struct

from api.http import ids
from api.http.app_keys import POOL
from api.http.auth import caller_of
from api.http.ids import id_in_path
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.problem import Conflict, FieldError, NotFound
from api.http.read.bodies import read_body, refuse
from api.http.times import out_of_range
from api.planning.body import Move, PlanBody, PlanChange
from api.routes.view import Window
from geo.tours.check import check
from geo.tours.insertion import cheapest
from geo.tours.problem import VanTour
from sql.planning import plans
from sql.planning.day import DriverTime, drivers_of_routes, routes_meanwhile
from sql.planning.orders import find_orders
from sql.planning.plans import TourPlanRow
from sql.planning.resources import find_resource, resources_named, shifts_of_day
from sql.pool import Db, Pool
from work.planning.assemble import KeptProblem, reasons, told, tours_of, unpack

operations = Operations("planning")

MOST_NAMED = 20
"""Of what is wrong with one request, or changed meanwhile."""

State = Literal["queued", "running", "done", "failed", "cancelled", "published"]


class PlanMade(Struct, frozen=True, kw_only=True):
    """A plan that is being made."""

    id: str


class PlanCost(Struct, frozen=True, kw_only=True):
    """What a plan takes; `amount` in the currency of the vehicles' costs."""

    km: float
    minutes: float
    vehicles: int
    amount: float


class PlannedVisit(Struct, frozen=True, kw_only=True):
    """An order on a tour: the van is there, begins, leaves.

    Of a day that is planned again: `fixed` ones stay as they are; where `loads` are named, parcels of these orders are
    taken aboard, and `order` is what the stop is called: its external id, also where it is of no order.
    """

    order: str
    arrive_at: datetime
    begin_at: datetime
    depart_at: datetime
    fixed: bool = False
    loads: list[str] | None = None


class PlannedBreak(Struct, frozen=True, kw_only=True):
    """A rest."""

    start_at: datetime
    end_at: datetime


class PlannedTour(Struct, frozen=True, kw_only=True):
    """What one vehicle does on one shift; `route` once it is published.

    `also_on`: other open routes that its driver has at that time, by hand or of an earlier plan, as it is now. No plan
    looks at them: whoever publishes it knows whether the driver can do both.

    Of a day that is planned again, `shift` and `vehicle` are null for a route that was given by hand.
    """

    shift: str | None
    vehicle: str | None
    driver: str | None
    start_at: datetime
    end_at: datetime
    km: float
    breaks: list[PlannedBreak]
    stops: list[PlannedVisit]
    route: str | None = None
    also_on: list[str] = msgspec.field(default_factory=list)


class WouldHelp(Struct, frozen=True, kw_only=True):
    """What would bring an order onto a tour: if it could come at any time, if there were one more van."""

    any_time: bool
    one_more_van: bool


class Unplanned(Struct, frozen=True, kw_only=True):
    """An order on no tour, and why."""

    order: str
    why: str
    would_help: WouldHelp


class Affected(Struct, frozen=True, kw_only=True):
    """What a proposal means for a recipient.

    `before` and `after`: when the service would begin if the day went on as it is, and when it would now; null: nobody
    would come. `from_…` and `to_…`: who was to come, and who comes; the route where there is one already. `promise`:
    whether the window that was promised is kept, `saved` (it would be missed), `broken` (it would be kept) or missed
    either way; null where none was promised.
    """

    order: str
    stop: str | None
    what: Literal["added", "moved", "earlier", "later", "cancelled", "stays", "unplanned", "same"]
    from_shift: str | None
    to_shift: str | None
    from_route: str | None = None
    to_route: str | None = None
    before: datetime | None
    after: datetime | None
    window: Window | None
    promise: Literal["kept", "saved", "broken", "missed"] | None


class RuleJudgement(Struct, frozen=True, kw_only=True):
    """What the account's rule did: accepted a proposal, or left it to a person, and `why`."""

    accepted: bool
    why: str | None


class Proposal(Struct, frozen=True, kw_only=True):
    """How a day should go on, against how it would. Published it counts; nobody hears of it before.

    `as_of`: the day as it was then; `until`: it can be published until then, if nothing else changed. `minutes`, `km`:
    of all vans, how much more (or less, below 0) than `before`. `recipients`: those for whom something changes.
    `rule`: of the account's `accept_proposals`; null while it was not asked, or there is none.
    """

    because: str
    as_of: datetime
    until: datetime
    before: PlanCost
    minutes: float
    km: float
    windows_saved: int
    windows_broken: int
    recipients: list[Affected]
    rule: RuleJudgement | None = None


class TourPlan(Struct, frozen=True, kw_only=True):
    """A plan. `progress` is from 0 to 1; `why` says why it failed; tours are there once it is done.

    `proposal`: of a day that is planned again while it goes on; its tours and cost are what is left of the day.
    """

    id: str
    state: State
    date: date
    depot: str
    objective: str
    progress: float
    version: int
    why: str | None
    cost: PlanCost | None
    tours: list[PlannedTour]
    unplanned: list[Unplanned]
    proposal: Proposal | None = None


@operations.operation("POST", "/v1/plans", who=Who.DISPATCHER, body=PlanBody, answer=PlanMade, status=202)
async def post_plan(request: web.Request) -> web.Response:
    """Have tours found for the orders of a day and depot.

    It takes seconds to minutes: ask `GET /v1/plans/{plan}`. Nothing is told to anybody before it is published.
    """
    account_id, pool = caller_of(request).account_id, request.app[POOL]
    body = await read_body(request, PlanBody)
    refuse(list(out_of_range(("/date", body.date))))
    if await find_resource(pool, account_id=account_id, kind="depot", external_id=body.depot) is None:
        refuse([FieldError(at="/depot", why=f"there is no depot {body.depot!r}")])
    await _require_known(pool, account_id, body)
    asked: dict[str, Any] = msgspec.to_builtins(body)
    plan_id = await plans.create_plan(pool, account_id=account_id, on=body.date, depot=body.depot, asked=asked)
    return answer(request, PlanMade(id=ids.shown(ids.PLAN, plan_id)), status=202)


async def _require_known(pool: Pool, account_id: int, body: PlanBody) -> None:
    """Refuse orders that there are not, and shifts that are of another day or depot."""
    orders = {one.external_id for one in await find_orders(pool, account_id, body.orders or ())}
    shifts = {
        one.external_id for one in await shifts_of_day(pool, account_id=account_id, on=body.date, depot=body.depot)
    }
    errors = [
        FieldError(at=f"/orders/{row}", why=f"there is no order {name!r}")
        for row, name in enumerate(body.orders or ())
        if name not in orders
    ]
    errors += [
        FieldError(at=f"/shifts/{row}", why=f"there is no shift {name!r} on that day from that depot")
        for row, name in enumerate(body.shifts or ())
        if name not in shifts
    ]
    refuse(errors[:MOST_NAMED])


@operations.operation("GET", "/v1/plans/{plan}", who=Who.VIEWER, answer=TourPlan)
async def get_plan(request: web.Request) -> web.Response:
    """Read a plan: how far it is, its tours, what is on none of them and why."""
    row = await plans.find_plan(
        request.app[POOL], account_id=caller_of(request).account_id, plan_id=id_in_path(request, "plan", ids.PLAN)
    )
    if row is None:
        raise NotFound("There is no plan of this id.")
    return answer(request, await shown(request.app[POOL], row))


@operations.operation("DELETE", "/v1/plans/{plan}", who=Who.DISPATCHER, status=204)
async def delete_plan(request: web.Request) -> web.Response:
    """Cancel a plan: its search ends at once, and it cannot be published any more. Orders are as before."""
    account_id, plan_id = caller_of(request).account_id, id_in_path(request, "plan", ids.PLAN)
    if not await plans.cancel_plan(request.app[POOL], account_id=account_id, plan_id=plan_id):
        if await plans.find_plan(request.app[POOL], account_id=account_id, plan_id=plan_id) is None:
            raise NotFound("There is no plan of this id.")
        raise Conflict("This plan is over: it failed, was cancelled, or its routes are being driven.")
    return web.Response(status=204)


@operations.operation("PATCH", "/v1/plans/{plan}", who=Who.DISPATCHER, body=PlanChange, answer=TourPlan)
async def patch_plan(request: web.Request) -> web.Response:
    """Move orders by hand: to another tour, another place, or onto none.

    The checker times every tour again. What does not hold is named and nothing is changed.
    """
    account_id, plan_id = caller_of(request).account_id, id_in_path(request, "plan", ids.PLAN)
    change = await read_body(request, PlanChange)
    async with request.app[POOL].acquire() as db, db.transaction():
        row = await plans.hold_plan(db, account_id=account_id, plan_id=plan_id)
        if row is None:
            raise NotFound("There is no plan of this id.")
        if row.state != "done" or row.result is None:
            raise Conflict(f"Only a plan that is done can be changed; this one is {row.state}.")
        if "proposal" in row.result:
            raise Conflict("A proposal cannot be changed by hand. Ask for another one.")
        kept = unpack(await plans.problem_of_plan(db, plan_id))
        result = await asyncio.to_thread(_moved, kept, row.result, change.moves)
        await plans.change_plan(db, plan_id, state="done", result=result)
        row = await plans.hold_plan(db, account_id=account_id, plan_id=plan_id)
    assert row is not None
    return answer(request, await shown(request.app[POOL], row))


def _moved(kept: KeptProblem, result: dict[str, Any], moves: list[Move]) -> dict[str, Any]:
    job_of = {name: job for job, name in enumerate(kept.labels.orders)}
    vehicle_of = {name: row for row, name in enumerate(kept.labels.shifts)}
    tours = {tour.vehicle: tour for tour in tours_of(kept, result)}
    errors = []
    for index, move in enumerate(moves):
        if move.order not in job_of:
            errors.append(FieldError(at=f"/moves/{index}/order", why=f"there is no order {move.order!r} in this plan"))
        elif move.shift is not None and move.shift not in vehicle_of:
            errors.append(FieldError(at=f"/moves/{index}/shift", why=f"there is no shift {move.shift!r} in this plan"))
        else:
            vehicle = None if move.shift is None else vehicle_of[move.shift]
            if not _move(kept, tours, job_of[move.order], vehicle, move.at):
                why = "the order fits nowhere on that tour; name a place with `at` to see what does not hold"
                errors.append(FieldError(at=f"/moves/{index}", why=why))
    refuse(errors)
    judged = check(kept.problem, [tour for tour in tours.values() if tour.jobs])
    refuse([_field_error(kept, moves, wrong.why, wrong.job, wrong.by) for wrong in judged.wrong])
    others = [one for one in result["unplanned"] if one["order"] not in job_of]  # the planner was never asked of them
    return told(kept, judged, unplanned=[*reasons(kept, judged), *others])


def _move(kept: KeptProblem, tours: dict[int, VanTour], job: int, vehicle: int | None, at: int | None) -> bool:
    for row, tour in tours.items():
        if job in tour.jobs:
            place = tour.jobs.index(job)
            breaks = tuple(rest - (rest > place) for rest in tour.breaks)
            tours[row] = replace(tour, jobs=tuple(one for one in tour.jobs if one != job), breaks=breaks)
    if vehicle is None:
        return True
    there = tours.get(vehicle, VanTour(vehicle=vehicle, jobs=()))
    if at is not None:
        place = min(at, len(there.jobs))
        breaks = tuple(rest + (rest > place) for rest in there.breaks)
        tours[vehicle] = replace(there, jobs=(*there.jobs[:place], job, *there.jobs[place:]), breaks=breaks)
        return True
    found = cheapest(kept.problem, check(kept.problem, [there]).timed, job)
    if found is not None:
        tours[vehicle] = found.tour
    return found is not None


_WORDS = {
    "late": "{order} would be served {minutes} min after its last window",
    "overloaded": "the vehicle would carry more than it can at {order}",
    "skill": "the vehicle cannot do what {order} needs",
    "order": "{order} would come before the pickup that it follows",
    "shift_end": "the tour would end {minutes} min after its shift",
    "too_long": "the tour would take {minutes} min more than allowed",
    "too_far": "the tour would be farther than the vehicle's range",
    "break": "there would be no break in time",
}


def _field_error(kept: KeptProblem, moves: list[Move], why: str, job: int | None, by: int) -> FieldError:
    name = "an order" if job is None else kept.labels.orders[job]
    index = next((row for row, move in enumerate(moves) if move.order == name), len(moves) - 1)
    text = _WORDS.get(why, "{order} would not be where it must be").format(order=name, minutes=max(1, round(by / 60)))
    return FieldError(at=f"/moves/{index}", why=text)


async def shown(db: Db | Pool, row: TourPlanRow) -> TourPlan:
    """Show a plan as it is, with the drivers that its shifts have now, and what else these have to drive."""
    result = row.result or {}
    drivers = await drivers_of(db, row)
    named = [{**tour, "driver": drivers.get(tour["shift"] or tour["route"])} for tour in result.get("tours", [])]
    tours = msgspec.convert(named, list[PlannedTour])
    also_on = await _also_on(db, row.account_id, tours)
    return TourPlan(
        id=ids.shown(ids.PLAN, row.id),
        state=cast(State, row.state),
        date=row.date,
        depot=(row.asked.get("place") or {}).get("name", row.depot),
        objective=row.asked.get("objective", "stable"),
        progress=round(row.progress, 3),
        version=row.version,
        why=row.why,
        cost=msgspec.convert(result["cost"], PlanCost) if "cost" in result else None,
        tours=[msgspec.structs.replace(tour, also_on=routes) for tour, routes in zip(tours, also_on, strict=True)],
        unplanned=msgspec.convert(result.get("unplanned", []), list[Unplanned]),
        proposal=msgspec.convert(result["proposal"], Proposal) if "proposal" in result else None,
    )


async def _also_on(db: Db | Pool, account_id: int, tours: Sequence[PlannedTour]) -> list[list[str]]:
    """List of each tour the other open routes that its driver has at that time."""
    own = [number for tour in tours if tour.route and (number := ids.number_of(ids.ROUTE, tour.route))]
    meant = [DriverTime(driver=tour.driver, start_at=tour.start_at, end_at=tour.end_at) for tour in tours]
    found = await routes_meanwhile(db, account_id=account_id, times=meant, but=own)
    return [[ids.shown(ids.ROUTE, route_id) for route_id in one] for one in found]


async def drivers_of(db: Db | Pool, row: TourPlanRow) -> dict[str, str | None]:
    """Read who drives the tours of a plan, by shift, else by route; plans do not name them themselves."""
    tours = (row.result or {}).get("tours", [])
    names = [tour["shift"] for tour in tours if tour["shift"] is not None]
    found = await resources_named(db, account_id=row.account_id, kind="shift", names=names)
    by_hand = [ids.number_of(ids.ROUTE, tour["route"]) for tour in tours if tour["shift"] is None]
    drivers = await drivers_of_routes(db, account_id=row.account_id, route_ids=[one for one in by_hand if one])
    of_routes = {ids.shown(ids.ROUTE, route_id): driver for route_id, driver in drivers.items()}
    return {name: shift.driver for name, shift in found.items()} | of_routes
