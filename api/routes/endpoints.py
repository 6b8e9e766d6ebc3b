"""Routes: put, read, given to a driver, taken away."""

from datetime import date
from typing import cast, get_args

import msgspec
from aiohttp import web
from msgspec import Struct

from api.http import ids
from api.http.app_keys import CONFIG, POOL, now_of
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.paging import PAGING, Id, Micros, cursor_in, cut, limit_in, micros_of, time_of
from api.http.problem import Conflict, FieldError, NotFound
from api.http.read.bodies import read_body, refuse
from api.http.refs import driver_named, ref_in_path
from api.http.versions import IF_MATCH, MADE, check_if_match, etag
from api.routes.body import RouteBody
from api.routes.eta import view_of
from api.routes.roads import drafted, tools_of
from api.routes.view import PathSource, Route, RouteList, RouteStatus, item_of, link_of, route_of
from api.routes.write import give_to, hold_route, put_plan, take_away, take_from_driver
from sql.account.accounts import read_instance
from sql.account.drivers import DriverRow
from sql.delivery import routes
from sql.delivery.plans import read_path
from sql.delivery.routes import RouteHead
from sql.delivery.stops import stops_of_route
from sql.eta.eta import eta_of_route, eta_stops
from sql.pool import Db
from sql.track.live import tell_live

operations = Operations("routes")


class StopPut(Struct, frozen=True, kw_only=True):
    """A stop that was put. `along_m` is its place along the path in metres; `tracking_url` null: its link was ended."""

    id: str
    external_id: str
    along_m: float
    tracking_url: str | None


class RoutePut(Struct, frozen=True, kw_only=True):
    """A route that was put.

    `path_source` is `given`, or `road` or `straight` where the path was made: along roads, or as lines through depot
    and stops. `warnings` name what was kept as it came but looks like a mistake, and why there is no way along roads.
    """

    id: str
    external_id: str
    version: int
    driver: str | None
    path_source: PathSource
    length_m: float
    stops: list[StopPut]
    warnings: list[FieldError] = []


class Assignment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is to drive a route: the external id of a driver, or null for nobody."""

    driver: str | None


@operations.operation(
    "PUT",
    "/v1/routes/{route}",
    who=Who.DISPATCHER,
    body=RouteBody,
    answer=RoutePut,
    also=MADE,
    headers=(IF_MATCH,),
)
async def put_route(request: web.Request) -> web.Response:
    """Import a route, or replace it by its external id.

    The same body again changes nothing. Another one makes the next version, in force from now on; stops are told apart
    by their external id, and those that are there keep their id, what happened at them and their tracking link.
    `If-Match` with the version you know (`ETag`) keeps you from overwriting somebody else's edit. 201 when it is new.
    """
    account_id = caller_of(request).account_id
    pool = request.app[POOL]
    ref = ref_in_path(request, "route", ids.ROUTE)
    body = await read_body(request, RouteBody)
    draft, driver = await drafted(tools_of(request), account_id, ref, body)
    async with pool.acquire() as db, db.transaction():
        head = await hold_route(db, account_id=account_id, ref=ref, driver=driver)
        check_if_match(request, head.version if head else None)
        if head is None and ref.external_id is None:
            raise NotFound("There is no route of this id; a new one is put under its external id.")
        external_id = head.external_id if head else ref.external_id
        assert external_id is not None
        written = await put_plan(
            db,
            account_id=account_id,
            external_id=external_id,
            head=head,
            driver=driver,
            plan=draft.plan,
            most_wrong_pins=request.app[CONFIG].max_wrong_pins,
        )
        shown = await _put_answer(request, db, written.route_id, draft.warnings)
    await tell_live(pool, [(account_id, 0, written.route_id)])
    return answer(request, shown, status=201 if written.created else 200, headers=etag(written.version))


@operations.operation(
    "POST",
    "/v1/routes/{route}/assign",
    who=Who.DISPATCHER,
    body=Assignment,
    answer=RoutePut,
    headers=(IF_MATCH,),
)
async def assign_route(request: web.Request) -> web.Response:
    """Give a route to a driver, to another driver, or to nobody.

    Pings from now on count for the new driver, those recorded before for the old one, whenever they come in. Where
    nobody had it yet, the new driver has it since ever: the morning counts too.
    """
    account_id = caller_of(request).account_id
    pool = request.app[POOL]
    assignment = await read_body(request, Assignment)
    driver = await driver_named(pool, account_id, assignment.driver)
    if driver is None and assignment.driver is not None:
        refuse([FieldError(at="/driver", why=f"there is no driver {assignment.driver!r}")])
    async with pool.acquire() as db, db.transaction():
        head = await _held(request, db, driver)
        if head.status == "cancelled":
            raise Conflict("This route was cancelled; nobody can drive it any more.")
        if driver is None:
            version = await take_from_driver(db, account_id=account_id, head=head)
        else:
            most_wrong_pins = request.app[CONFIG].max_wrong_pins
            version = await give_to(
                db, account_id=account_id, head=head, driver=driver, most_wrong_pins=most_wrong_pins
            )
        shown = await _put_answer(request, db, head.id, [])
    await tell_live(pool, [(account_id, 0, head.id)])
    return answer(request, shown, headers=etag(version))


@operations.operation("DELETE", "/v1/routes/{route}", who=Who.DISPATCHER, status=204, headers=(IF_MATCH,))
async def delete_route(request: web.Request) -> web.Response:
    """Take a route away.

    One that never started is gone; one that did is kept as cancelled. Either way nobody drives it from now on, and the
    tracking links of its stops end.
    """
    account_id = caller_of(request).account_id
    pool = request.app[POOL]
    async with pool.acquire() as db, db.transaction():
        head = await _held(request, db, None)
        await take_away(db, account_id=account_id, head=head)
    await tell_live(pool, [(account_id, 0, head.id)])
    return web.Response(status=204)


@operations.operation(
    "GET",
    "/v1/routes",
    who=Who.VIEWER,
    answer=RouteList,
    query=(
        Parameter(name="date", description="Only of this day.", schema={"type": "string", "format": "date"}),
        Parameter(name="driver", description="Only of this driver, by external id or id."),
        Parameter(
            name="status",
            description="Only those in this state.",
            schema={"type": "string", "enum": [*get_args(RouteStatus)]},
        ),
        *PAGING,
    ),
)
async def list_routes(request: web.Request) -> web.Response:
    """List routes, the latest start first."""
    account_id = caller_of(request).account_id
    pool = request.app[POOL]
    limit = limit_in(request)
    last: tuple[int, int] | None = cursor_in(request, tuple[Micros, Id])
    on, status, name = _date_in(request), _status_in(request), request.query.get("driver")
    driver = await driver_named(pool, account_id, name)
    if name and driver is None:
        refuse([FieldError(at="driver", why="there is no such driver")])
    rows = await routes.list_routes(
        pool,
        account_id=account_id,
        on=on,
        driver_id=driver.id if driver else None,
        status=status,
        before=(time_of(last[0]), last[1]) if last else None,
        limit=limit + 1,
    )
    page, more = cut(rows, limit, lambda row: (micros_of(row.start_at), row.id))
    return answer(request, RouteList(routes=[item_of(row) for row in page], next=more))


@operations.operation("GET", "/v1/routes/{route}", who=Who.VIEWER, answer=Route)
async def get_route(request: web.Request) -> web.Response:
    """Read a route: what is planned, how far it is, the state of every stop and when the van is expected there."""
    account_id = caller_of(request).account_id
    ref = ref_in_path(request, "route", ids.ROUTE)
    async with request.app[POOL].acquire() as db, db.transaction(isolation="repeatable_read", readonly=True):
        head = await routes.find_route(db, account_id=account_id, route_id=ref.id, external_id=ref.external_id)
        if head is None:
            raise NotFound("There is no route of this id.")
        eta = await eta_of_route(db, account_id, route_id=head.id)
        assert eta is not None
        shown = route_of(
            request,
            await routes.show_route(db, head.id),
            await stops_of_route(db, head.id),
            await read_path(db, route_id=head.id, version=head.version),
            view_of(eta, await eta_stops(db, (*eta.stop_ids, *eta.behind_ids)), now_of(request)),
            secret=(await read_instance(db)).secret,
        )
    return answer(request, shown, headers=etag(head.version))


async def _held(request: web.Request, db: Db, driver: DriverRow | None) -> RouteHead:
    """Hold the route in the path for a write; 404 when there is none, 412 when it is not at the version meant."""
    ref = ref_in_path(request, "route", ids.ROUTE)
    head = await hold_route(db, account_id=caller_of(request).account_id, ref=ref, driver=driver)
    if head is None:
        raise NotFound("There is no route of this id.")
    check_if_match(request, head.version)
    return head


async def _put_answer(request: web.Request, db: Db, route_id: int, warnings: list[FieldError]) -> RoutePut:
    row = await routes.show_route(db, route_id)
    secret = (await read_instance(db)).secret
    return RoutePut(
        id=ids.shown(ids.ROUTE, row.id),
        external_id=row.external_id,
        version=row.version,
        driver=row.driver_external_id,
        path_source=cast(PathSource, row.path_source),
        length_m=row.length_m,
        stops=[
            StopPut(
                id=ids.shown(ids.STOP, stop.id),
                external_id=stop.plan.external_id,
                along_m=stop.plan.along_m,
                tracking_url=link_of(request, secret, stop),
            )
            for stop in await stops_of_route(db, route_id)
            if not stop.removed
        ],
        warnings=warnings,
    )


def _date_in(request: web.Request) -> date | None:
    text = request.query.get("date")
    if not text:
        return None
    try:
        return msgspec.convert(text, date)
    except msgspec.ValidationError:
        refuse([FieldError(at="date", why="must be a day like 2026-03-02")])
        raise


def _status_in(request: web.Request) -> str | None:
    text = request.query.get("status")
    if text and text not in get_args(RouteStatus):
        refuse([FieldError(at="status", why=f"must be one of {', '.join(get_args(RouteStatus))}")])
    return text or None
