"""A tour in another order: what that costs is told before, and it counts only for who saw the tour as it is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated

import msgspec
import numpy as np
from aiohttp import web
from msgspec import Meta, Struct

from api.http import ids
from api.http.app_keys import CONFIG, POOL, now_of
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.problem import Conflict, FieldError, NotFound
from api.http.read.bodies import read_body, refuse
from api.http.refs import Ref, ref_in_path
from api.http.trail import note
from api.http.versions import IF_MATCH, check_if_match, etag
from api.planning.stops import body_of_stop
from api.planning.tours import route_plan, tools_of
from api.routes.body import DepotBody, RouteBody
from api.routes.write import hold_route, put_plan
from geo.tours.matrix import straight
from sql.account.drivers import find_driver
from sql.account.settings import read_settings
from sql.delivery import routes
from sql.delivery.routes import RouteHead, RoutePlan
from sql.delivery.stops import StopPlan, StopRow, stops_of_route
from sql.pool import Pool
from sql.track.live import live_of_drivers, tell_live
from work.planning.so_far import is_touched

operations = Operations("routes")


class NewSequence(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The stops that the van has not come to yet, all of them, by id, in the order that is meant."""

    stops: Annotated[list[Annotated[str, Meta(max_length=40)]], Meta(min_length=1, max_length=2_000)]


class SequencedStop(Struct, frozen=True, kw_only=True):
    """When a van may come to a stop in the order that was asked about, and in the one in force.

    `late_s`: how long after the end of its window; 0 within it, and where nothing was promised.
    """

    stop_id: str
    arrival: datetime
    was: datetime
    late_s: float
    was_late_s: float


class SequenceCost(Struct, frozen=True, kw_only=True):
    """What another order costs, reckoned for both alike: straight lines at a town's pace, from where the van is.

    Attributes:
        version: of the route that it was reckoned of, for `If-Match`.
        extra_s: how much later the last stop is done; negative earlier.
        late, was_late: stops that are come to after their window.
    """

    version: int
    extra_s: float
    late: int
    was_late: int
    stops: list[SequencedStop]


@operations.operation(
    "GET",
    "/v1/routes/{route}/sequence",
    who=Who.DISPATCHER,
    answer=SequenceCost,
    query=(Parameter(name="stops", description="Ids of the stops ahead in another order, separated by commas."),),
)
async def get_sequence(request: web.Request) -> web.Response:
    """Reckon what another order of the stops ahead costs, in minutes and windows; changes nothing."""
    tour = await _tour(request)
    names = request.query.get("stops", "")
    order = _ordered(tour, names.split(",") if names else [ids.shown(ids.STOP, stop.id) for stop in tour.ahead])
    now = now_of(request)
    place = await _place(request.app[POOL], caller_of(request).account_id, tour)
    cost = _cost(tour, order, place, now)
    return answer(request, cost, headers=etag(tour.head.version))


@operations.operation(
    "PUT",
    "/v1/routes/{route}/sequence",
    who=Who.DISPATCHER,
    body=NewSequence,
    answer=SequenceCost,
    headers=(IF_MATCH,),
)
async def put_sequence(request: web.Request) -> web.Response:
    """Bring the stops ahead into another order: the next version of the route, along another path.

    What the van came to already goes before them. Arrivals that were planned are planned anew, in the new order.
    `If-Match` with the version that was looked at keeps two dispatchers from undoing each other's work.
    """
    body, pool, account_id = await read_body(request, NewSequence), request.app[POOL], caller_of(request).account_id
    tour = await _tour(request)
    check_if_match(request, tour.head.version)
    order, now = _ordered(tour, body.stops), now_of(request)
    place = await _place(pool, account_id, tour)
    cost = _cost(tour, order, place, now)
    then = {stop.id: one.arrival for stop, one in zip(order, cost.stops, strict=True)}
    driver_id = tour.head.driver_id
    driver = (
        await find_driver(pool, account_id=account_id, driver_id=driver_id, external_id=None) if driver_id else None
    )
    plan = await route_plan(tools_of(request), _body(tour, order, then), driver, await read_settings(pool, account_id))
    plan = replace(plan, wait_for_window=tour.plan.wait_for_window, times_learned=tour.plan.times_learned)
    async with pool.acquire() as db, db.transaction():
        head = await hold_route(db, account_id=account_id, ref=Ref(id=tour.head.id), driver=driver)
        if head is None:
            raise NotFound("There is no route of this id.")
        check_if_match(request, head.version)
        if (head.version, head.driver_id) != (tour.head.version, driver_id):
            raise Conflict("The route was changed a moment ago. Read it again, then repeat your change.")
        if {stop.id for stop in await stops_of_route(db, head.id) if _is_ahead(stop)} != {stop.id for stop in order}:
            raise Conflict("The van has come to a stop meanwhile. Read the route again, then repeat your change.")
        written = await put_plan(
            db,
            account_id=account_id,
            external_id=head.external_id,
            head=head,
            driver=driver,
            plan=plan,
            most_wrong_pins=request.app[CONFIG].max_wrong_pins,
        )
        await note(request, db, before={"version": head.version}, after={"version": written.version})
    await tell_live(pool, [(account_id, 0, head.id)])
    cost = msgspec.structs.replace(cost, version=written.version)
    return answer(request, cost, headers=etag(written.version))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tour:
    """A route as it is; `come_to` and `ahead`: its stops, those that the van was at and those it was not, in order."""

    head: RouteHead
    plan: RoutePlan
    come_to: list[StopRow]
    ahead: list[StopRow]


async def _tour(request: web.Request) -> _Tour:
    ref = ref_in_path(request, "route", ids.ROUTE)
    account_id = caller_of(request).account_id
    async with request.app[POOL].acquire() as db, db.transaction(isolation="repeatable_read", readonly=True):
        head = await routes.find_route(db, account_id=account_id, route_id=ref.id, external_id=ref.external_id)
        if head is None:
            raise NotFound("There is no route of this id.")
        if head.status not in ("planned", "started"):
            raise Conflict(f"The tour is over: the route is {head.status}.")
        plan, stops = await routes.read_plan(db, head.id), await stops_of_route(db, head.id)
    there = [stop for stop in stops if not stop.removed]
    ahead = [stop for stop in there if _is_ahead(stop)]
    if not ahead:
        raise Conflict("The van came to all stops of this route.")
    return _Tour(head=head, plan=plan, come_to=[stop for stop in there if not _is_ahead(stop)], ahead=ahead)


def _is_ahead(stop: StopRow) -> bool:
    return not stop.removed and not is_touched(stop)


def _ordered(tour: _Tour, names: Sequence[str]) -> list[StopRow]:
    """Put the stops ahead in an order; refuse one that is not of exactly them."""
    known = {ids.shown(ids.STOP, stop.id): stop for stop in tour.ahead}
    errors = [
        FieldError(at=f"/stops/{row}", why="is no stop ahead of the van, or named twice")
        for row, name in enumerate(names)
        if name not in known or name in names[:row]
    ]
    missing = sorted(known.keys() - set(names))
    if missing:
        errors.append(FieldError(at="/stops", why=f"must name all stops ahead: {', '.join(missing[:10])} too"))
    refuse(errors)
    return [known[name] for name in names]


async def _place(pool: Pool, account_id: int, tour: _Tour) -> tuple[float, float]:
    """Say where the van sets out to the stops ahead: longitude and latitude, degrees."""
    driver_id = tour.head.driver_id
    if tour.head.status == "started" and driver_id is not None:
        live = (await live_of_drivers(pool, account_id, [driver_id])).get(driver_id)
        if live is not None and live.route_id == tour.head.id:
            return live.lon_e6 / 1e6, live.lat_e6 / 1e6
    last = tour.come_to[-1].plan if tour.come_to else tour.ahead[0].plan
    if not tour.come_to and tour.plan.depot_lon is not None and tour.plan.depot_lat is not None:
        return tour.plan.depot_lon, tour.plan.depot_lat
    return last.lon, last.lat


def _cost(tour: _Tour, order: Sequence[StopRow], place: tuple[float, float], now: datetime) -> SequenceCost:
    then, was = (_arrivals(tour, stops, place, now) for stops in (order, tour.ahead))
    shown = [
        SequencedStop(
            stop_id=ids.shown(ids.STOP, stop.id),
            arrival=then[stop.id],
            was=was[stop.id],
            late_s=_late_s(stop, then),
            was_late_s=_late_s(stop, was),
        )
        for stop in order
    ]
    return SequenceCost(
        version=tour.head.version,
        extra_s=(_done(order, then) - _done(tour.ahead, was)).total_seconds(),
        late=sum(one.late_s > 0 for one in shown),
        was_late=sum(one.was_late_s > 0 for one in shown),
        stops=shown,
    )


def _arrivals(tour: _Tour, stops: Sequence[StopRow], place: tuple[float, float], now: datetime) -> dict[int, datetime]:
    lon, lat = np.array([place, *((stop.plan.lon, stop.plan.lat) for stop in stops)]).T
    _, drive_s = straight(lon, lat)
    at, found = max(now, tour.plan.start_at), {}
    for row, stop in enumerate(stops):
        at += timedelta(seconds=int(drive_s[row, row + 1]))
        found[stop.id] = at
        at = _begin(tour, stop.plan, at) + timedelta(seconds=stop.plan.service_s)
    return found


def _begin(tour: _Tour, plan: StopPlan, at: datetime) -> datetime:
    return max(at, plan.window_start) if tour.plan.wait_for_window and plan.window_start else at


def _done(stops: Sequence[StopRow], arrivals: dict[int, datetime]) -> datetime:
    return arrivals[stops[-1].id] + timedelta(seconds=stops[-1].plan.service_s)


def _late_s(stop: StopRow, arrivals: dict[int, datetime]) -> float:
    end = stop.plan.window_end
    return 0.0 if end is None else max(0.0, (arrivals[stop.id] - end).total_seconds())


def _body(tour: _Tour, order: Sequence[StopRow], arrivals: dict[int, datetime]) -> RouteBody:
    """Write the tour as a body again, with its stops in another order."""
    plan = tour.plan
    depot = None
    if plan.depot_lat is not None and plan.depot_lon is not None:
        depot = DepotBody(lat=plan.depot_lat, lon=plan.depot_lon, name=plan.depot_name)
    return RouteBody(
        date=plan.date,
        timezone=plan.timezone,
        start_at=plan.start_at,
        end_at=plan.end_at,
        depot=depot,
        return_to_depot=plan.return_to_depot,
        stops=[
            *(body_of_stop(stop.plan, stop.plan.planned_arrival) for stop in tour.come_to),
            *(body_of_stop(stop.plan, arrivals[stop.id] if stop.plan.planned_arrival else None) for stop in order),
        ],
    )
