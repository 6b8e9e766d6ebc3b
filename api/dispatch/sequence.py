"""A tour in another order: what that costs is told before, and it counts only for who saw the tour as it is."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from api.dispatch.under_way import (
    TourUnderWay,
    arrivals,
    late_s,
    named_stops,
    place_of_van,
    plan_of_tour,
    require_same,
    tour_under_way,
)
from api.http import ids
from api.http.app_keys import CONFIG, POOL, now_of
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.problem import Conflict, FieldError
from api.http.read.bodies import read_body, refuse
from api.http.refs import Ref, ref_in_path
from api.http.trail import note
from api.http.versions import IF_MATCH, check_if_match, etag
from api.planning.stops import body_of_stop
from api.routes.write import hold_route, put_plan
from sql.delivery.stops import StopRow
from sql.track.live import tell_live

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
    cost = await _reckoned(request, tour, order)
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
    order = _ordered(tour, body.stops)
    cost = await _reckoned(request, tour, order)
    then = [
        body_of_stop(stop.plan, one.arrival if stop.plan.planned_arrival else None)
        for stop, one in zip(order, cost.stops, strict=True)
    ]
    plan = await plan_of_tour(request, account_id, tour, then, end_at=tour.plan.end_at)
    async with pool.acquire() as db, db.transaction():
        head = await hold_route(db, account_id=account_id, ref=Ref(id=tour.head.id), driver=tour.driver)
        if head is not None:
            check_if_match(request, head.version)
        await require_same(db, tour, head)
        written = await put_plan(
            db,
            account_id=account_id,
            external_id=tour.head.external_id,
            head=head,
            driver=tour.driver,
            plan=plan,
            most_wrong_pins=request.app[CONFIG].max_wrong_pins,
        )
        await note(request, db, before={"version": tour.head.version}, after={"version": written.version})
    await tell_live(pool, [(account_id, 0, tour.head.id)])
    cost = msgspec.structs.replace(cost, version=written.version)
    return answer(request, cost, headers=etag(written.version))


async def _tour(request: web.Request) -> TourUnderWay:
    ref, account_id = ref_in_path(request, "route", ids.ROUTE), caller_of(request).account_id
    async with request.app[POOL].acquire() as db, db.transaction(isolation="repeatable_read", readonly=True):
        tour = await tour_under_way(db, account_id, ref)
    if not tour.ahead:
        raise Conflict("The van came to all stops of this route.")
    return tour


def _ordered(tour: TourUnderWay, names: Sequence[str]) -> list[StopRow]:
    """Put the stops ahead in an order; refuse one that is not of exactly them."""
    known = named_stops(tour)
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


async def _reckoned(request: web.Request, tour: TourUnderWay, order: Sequence[StopRow]) -> SequenceCost:
    now = now_of(request)
    place = await place_of_van(request.app[POOL], caller_of(request).account_id, tour)
    then: dict[int, tuple[datetime, float]] = {}
    was: dict[int, tuple[datetime, float]] = {}
    done_at = []
    for stops, found in ((order, then), (tour.ahead, was)):
        bodies = [body_of_stop(stop.plan, None) for stop in stops]
        times, end = arrivals(tour.plan, bodies, place, now)
        done_at.append(end)
        found.update({stop.id: (at, late_s(body, at)) for stop, body, at in zip(stops, bodies, times, strict=True)})
    shown = [
        SequencedStop(
            stop_id=ids.shown(ids.STOP, stop.id),
            arrival=then[stop.id][0],
            was=was[stop.id][0],
            late_s=then[stop.id][1],
            was_late_s=was[stop.id][1],
        )
        for stop in order
    ]
    return SequenceCost(
        version=tour.head.version,
        extra_s=(done_at[0] - done_at[1]).total_seconds(),
        late=sum(one.late_s > 0 for one in shown),
        was_late=sum(one.was_late_s > 0 for one in shown),
        stops=shown,
    )
