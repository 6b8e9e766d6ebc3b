"""Stops of one tour go to another, some or all that are left: what that costs both is told before it counts."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from api.dispatch.cost import MoveCost, ReckonedMove, reckoned
from api.dispatch.under_way import TourUnderWay, named_stops, place_of_van, plan_of_tour, require_same, tour_under_way
from api.http import ids
from api.http.app_keys import CONFIG, POOL, now_of
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.problem import FieldError, PreconditionFailed
from api.http.read.bodies import read_body, refuse
from api.http.refs import ref_in_path, ref_of
from api.http.trail import note
from api.http.versions import IF_MATCH, check_if_match, etag
from api.planning.tours import AFTER_END
from api.routes.write import hold_all, put_plan, take_away
from sql.delivery import stops as stored
from sql.delivery.routes import RouteHead, RoutePlan, find_route
from sql.delivery.stops import StopRow
from sql.planning.day import move_orders
from sql.pool import Db
from sql.track.live import tell_live

operations = Operations("routes")

MOST = 500

_MOVABLE = ("delivery", "pickup")
"""Breaks belong to who drives, loading to the van, returns are aboard."""


class StopsMove(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which stops ahead go where, by id.

    Attributes:
        to: the route that they come to, by either id.
        to_version: of that route, as it was looked at; 412 if it is another one by now.
    """

    stops: Annotated[list[Annotated[str, Meta(max_length=40)]], Meta(min_length=1, max_length=MOST)]
    to: Annotated[str, Meta(min_length=1, max_length=200)]
    to_version: int | None = None


@operations.operation(
    "GET",
    "/v1/routes/{route}/moves",
    who=Who.DISPATCHER,
    answer=MoveCost,
    query=(
        Parameter(name="stops", description="Ids of stops ahead, separated by commas."),
        Parameter(name="to", description="The route that they come to, by either id."),
    ),
)
async def get_moves(request: web.Request) -> web.Response:
    """Reckon what it costs both tours when stops go from one to the other; changes nothing."""
    names = request.query.get("stops", "")
    move = await _move(request, names.split(",") if names else [], request.query.get("to", ""))
    return answer(request, move.cost, headers=etag(move.tour.head.version))


@operations.operation(
    "POST", "/v1/routes/{route}/moves", who=Who.DISPATCHER, body=StopsMove, answer=MoveCost, headers=(IF_MATCH,)
)
async def post_moves(request: web.Request) -> web.Response:
    """Move stops ahead to another tour: the next version of both routes, or nothing is changed.

    Each is put where least becomes late, and then where that tour ends soonest. What is aboard of a van that has left
    is fetched there first, at a stop of its own. Links, wishes and orders go with the stops. A route that keeps no stop
    is taken away. `If-Match` and `to_version` keep two dispatchers from undoing each other's work.
    """
    body, account_id = await read_body(request, StopsMove), caller_of(request).account_id
    move = await _move(request, body.stops, body.to)
    _require_versions(request, body, move.tour.head.version, move.to.head.version)
    plan, to_plan = await _plans(request, account_id, move)
    pool, tours = request.app[POOL], (move.tour, move.to)
    async with pool.acquire() as db, db.transaction():
        await hold_all(db, account_id, [(one.head.external_id, one.head.id, one.driver) for one in tours])
        head, to_head = [await _now(db, account_id, one) for one in tours]
        if head is not None and to_head is not None:
            _require_versions(request, body, head.version, to_head.version)
        await require_same(db, move.tour, head)
        await require_same(db, move.to, to_head)
        to_version = await _put(request, db, account_id, move.to, to_plan)  # first: links lead to what is there
        version = await _put(request, db, account_id, move.tour, plan)
        await _follow(db, account_id, move)
        before = {"version": move.tour.head.version, "to_version": move.to.head.version}
        after = {"to": move.cost.comes_to.route_id, "stops": [one.stop_id for one in move.cost.stops]}
        await note(request, db, before=before, after={**after, "version": version, "to_version": to_version})
    await tell_live(pool, [(account_id, 0, one.head.id) for one in tours])
    cost = msgspec.structs.replace(
        move.cost,
        leaves=msgspec.structs.replace(move.cost.leaves, version=version),
        comes_to=msgspec.structs.replace(move.cost.comes_to, version=to_version),
    )
    return answer(request, cost, headers=etag(version))


def _require_versions(request: web.Request, body: StopsMove, version: int, to_version: int) -> None:
    check_if_match(request, version)
    if body.to_version not in (None, to_version):
        raise PreconditionFailed(
            f"to_version names another version; version {to_version} is in force. Read it again, then repeat this."
        )


async def _move(request: web.Request, names: Sequence[str], to: str) -> ReckonedMove:
    pool, account_id, now = request.app[POOL], caller_of(request).account_id, now_of(request)
    ref, other = ref_in_path(request, "route", ids.ROUTE), ref_of(ids.ROUTE, to)
    if other is None:
        refuse([FieldError(at="/to", why="is no id of a route")])
    assert other is not None
    async with pool.acquire() as db, db.transaction(isolation="repeatable_read", readonly=True):
        tours = await tour_under_way(db, account_id, ref), await tour_under_way(db, account_id, other)
    moved = _chosen(*tours, names)
    places = await place_of_van(pool, account_id, tours[0]), await place_of_van(pool, account_id, tours[1])
    return await asyncio.to_thread(reckoned, tours, moved, places, now)


def _chosen(tour: TourUnderWay, to: TourUnderWay, names: Sequence[str]) -> list[StopRow]:
    """Find the stops that are meant, in their order; refuse what cannot go."""
    if tour.head.id == to.head.id:
        refuse([FieldError(at="/to", why="is the tour that they are on")])
    if not 1 <= len(names) <= MOST:
        refuse([FieldError(at="/stops", why=f"names at least one stop ahead, and at most {MOST}")])
    known = named_stops(tour)
    there = {stop.plan.external_id for stop in (*to.ahead, *to.come_to)}
    errors = []
    for row, name in enumerate(names):
        stop = known.get(name)
        if stop is None or name in names[:row]:
            errors.append(FieldError(at=f"/stops/{row}", why="is no stop ahead of the van, or named twice"))
        elif stop.plan.kind not in _MOVABLE:
            errors.append(FieldError(at=f"/stops/{row}", why=f"is a {stop.plan.kind}: it stays with its van"))
        elif stop.plan.external_id in there:
            errors.append(FieldError(at=f"/stops/{row}", why=f"{to.head.external_id} has {stop.plan.external_id} too"))
    refuse(errors)
    wanted = set(names)
    return [stop for name, stop in known.items() if name in wanted]


async def _plans(request: web.Request, account_id: int, move: ReckonedMove) -> tuple[RoutePlan | None, RoutePlan]:
    """Make the plans of both tours, outside of any transaction: roads may take their time. None: no stop is left."""
    tour, to = move.tour, move.to
    end_at = to.plan.end_at if move.done_at <= to.plan.end_at else move.done_at + AFTER_END
    to_plan = await plan_of_tour(request, account_id, to, move.grown, end_at=end_at)
    if not move.left and not tour.come_to:
        return None, to_plan
    return await plan_of_tour(request, account_id, tour, move.left, end_at=tour.plan.end_at), to_plan


async def _now(db: Db, account_id: int, tour: TourUnderWay) -> RouteHead | None:
    return await find_route(db, account_id=account_id, route_id=tour.head.id, external_id=None)


async def _put(request: web.Request, db: Db, account_id: int, tour: TourUnderWay, plan: RoutePlan | None) -> int:
    """Write a tour that is held; give the version that is then in force."""
    if plan is None:
        await stored.drop_other_stops(db, tour.head.id, [], account_id=account_id, forget=False)
        await take_away(db, account_id=account_id, head=tour.head)
        return tour.head.version
    written = await put_plan(
        db,
        account_id=account_id,
        external_id=tour.head.external_id,
        head=tour.head,
        driver=tour.driver,
        plan=plan,
        most_wrong_pins=request.app[CONFIG].max_wrong_pins,
    )
    return written.version


async def _follow(db: Db, account_id: int, move: ReckonedMove) -> None:
    """Let orders, and what recipients said of them, go where their stops went."""
    was, now = move.tour.head.id, move.to.head.id
    await move_orders(db, account_id, None, [(stop.plan.external_id, was, now) for stop in move.moved])
    there = {stop.plan.external_id: stop.id for stop in await stored.stops_of_route(db, now) if not stop.removed}
    known = [stop for stop in move.moved if stop.plan.external_id in there]
    await stored.move_said(db, [(stop.id, there[stop.plan.external_id]) for stop in known])
