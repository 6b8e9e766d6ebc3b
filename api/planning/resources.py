"""Vehicles, depots and shifts: put, read, taken away."""

import zoneinfo
from typing import Any, TypeVar

import msgspec
from aiohttp import web
from msgspec import Struct

from api.http.app_keys import POOL
from api.http.auth import caller_of
from api.http.ids import external_id_error, external_id_in_path
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.paging import PAGING, cursor_in, cut, limit_in
from api.http.problem import FieldError, NotFound
from api.http.read.bodies import read_body, refuse
from api.http.refs import driver_named
from api.http.times import out_of_range
from api.http.versions import MADE
from api.planning.body import PlanDepotBody, ShiftBody, VehicleBody
from api.planning.days import day_in
from sql.account.drivers import DriverRow
from sql.planning import resources
from sql.planning.resources import Kind, NewResource, Resource

operations = Operations("planning")

T = TypeVar("T")

_DAY = Parameter(name="date", description="Only of this day.", schema={"type": "string", "format": "date"})


class Vehicle(VehicleBody, frozen=True, kw_only=True):
    """A vehicle."""

    external_id: str


class PlanDepot(PlanDepotBody, frozen=True, kw_only=True):
    """A depot."""

    external_id: str


class PlannedShift(ShiftBody, frozen=True, kw_only=True):
    """A shift."""

    external_id: str


class VehicleList(Struct, frozen=True, kw_only=True):
    """A page of vehicles; `next` is the cursor of the next page, null on the last."""

    vehicles: list[Vehicle]
    next: str | None


class DepotList(Struct, frozen=True, kw_only=True):
    """A page of depots."""

    depots: list[PlanDepot]
    next: str | None


class PlannedShiftList(Struct, frozen=True, kw_only=True):
    """A page of shifts."""

    shifts: list[PlannedShift]
    next: str | None


@operations.operation("PUT", "/v1/vehicles/{vehicle}", who=Who.DISPATCHER, body=VehicleBody, answer=Vehicle, also=MADE)
async def put_vehicle(request: web.Request) -> web.Response:
    """Make a vehicle, or replace it by its external id. 201 when it is new."""
    body = await read_body(request, VehicleBody)
    return await _put(request, "vehicle", body, Vehicle)


@operations.operation("PUT", "/v1/depots/{depot}", who=Who.DISPATCHER, body=PlanDepotBody, answer=PlanDepot, also=MADE)
async def put_depot(request: web.Request) -> web.Response:
    """Make a depot, or replace it by its external id. 201 when it is new."""
    body = await read_body(request, PlanDepotBody)
    if body.timezone not in zoneinfo.available_timezones():
        refuse([FieldError(at="/timezone", why="is not a time zone of the IANA list, like America/Bogota")])
    if body.lat == body.lon == 0:
        refuse([FieldError(at="/lat", why="is 0 like /lon: a place in the sea that software makes up")])
    return await _put(request, "depot", body, PlanDepot)


@operations.operation("PUT", "/v1/shifts/{shift}", who=Who.DISPATCHER, body=ShiftBody, answer=PlannedShift, also=MADE)
async def put_shift(request: web.Request) -> web.Response:
    """Say who drives what when from where, or replace that by its external id. 201 when it is new."""
    body = await read_body(request, ShiftBody)
    account_id = caller_of(request).account_id
    pool = request.app[POOL]
    errors = list(out_of_range(("/date", body.date), ("/start_at", body.start_at), ("/end_at", body.end_at)))
    if body.end_at <= body.start_at:
        errors.append(FieldError(at="/end_at", why="is not after start_at"))
    named: list[tuple[Kind, str]] = [("vehicle", body.vehicle), ("depot", body.depot)]
    for kind, name in named:
        if await resources.find_resource(pool, account_id=account_id, kind=kind, external_id=name) is None:
            errors.append(FieldError(at=f"/{kind}", why=f"there is no {kind} {name!r}"))
    driver = await driver_named(pool, account_id, body.driver)
    if body.driver is not None and driver is None:
        errors.append(FieldError(at="/driver", why=f"there is no driver {body.driver!r}"))
    for row, rest in enumerate(body.breaks):
        if not body.start_at <= rest.earliest <= rest.latest <= body.end_at:
            errors.append(FieldError(at=f"/breaks/{row}", why="does not begin in the shift, earliest before latest"))
    refuse(errors)
    return await _put(request, "shift", body, PlannedShift, driver=driver)


@operations.operation("GET", "/v1/vehicles", who=Who.VIEWER, answer=VehicleList, query=PAGING)
async def list_vehicles(request: web.Request) -> web.Response:
    """List vehicles, by external id."""
    found, more = await _page(request, "vehicle", Vehicle)
    return answer(request, VehicleList(vehicles=found, next=more))


@operations.operation("GET", "/v1/depots", who=Who.VIEWER, answer=DepotList, query=PAGING)
async def list_depots(request: web.Request) -> web.Response:
    """List depots, by external id."""
    found, more = await _page(request, "depot", PlanDepot)
    return answer(request, DepotList(depots=found, next=more))


@operations.operation("GET", "/v1/shifts", who=Who.VIEWER, answer=PlannedShiftList, query=(_DAY, *PAGING))
async def list_shifts(request: web.Request) -> web.Response:
    """List shifts, by external id."""
    found, more = await _page(request, "shift", PlannedShift)
    return answer(request, PlannedShiftList(shifts=found, next=more))


@operations.operation("DELETE", "/v1/vehicles/{vehicle}", who=Who.DISPATCHER, status=204)
async def delete_vehicle(request: web.Request) -> web.Response:
    """Take a vehicle away; plans that were made stay."""
    return await _delete(request, "vehicle")


@operations.operation("DELETE", "/v1/depots/{depot}", who=Who.DISPATCHER, status=204)
async def delete_depot(request: web.Request) -> web.Response:
    """Take a depot away; plans that were made stay."""
    return await _delete(request, "depot")


@operations.operation("DELETE", "/v1/shifts/{shift}", who=Who.DISPATCHER, status=204)
async def delete_shift(request: web.Request) -> web.Response:
    """Take a shift away; plans that were made stay."""
    return await _delete(request, "shift")


async def _put(
    request: web.Request, kind: Kind, body: Struct, shown: type[T], *, driver: DriverRow | None = None
) -> web.Response:
    name = request.match_info[kind]
    refuse([error for error in [external_id_error(kind, name)] if error])
    kept: dict[str, Any] = msgspec.to_builtins(body)
    kept.pop("driver", None)  # only the id is kept: who is forgotten is not named here either
    new = NewResource(
        external_id=name,
        body=kept,
        on=getattr(body, "date", None),
        depot=getattr(body, "depot", None),
        driver_id=driver.id if driver else None,
    )
    created = await resources.put_resource(
        request.app[POOL], account_id=caller_of(request).account_id, kind=kind, new=new
    )
    row = Resource(external_id=name, body=kept, driver=driver.external_id if driver else None)
    return answer(request, _shown(row, shown), status=201 if created else 200)


async def _page(request: web.Request, kind: Kind, shown: type[T]) -> tuple[list[T], str | None]:
    limit = limit_in(request)
    after: tuple[str] = cursor_in(request, tuple[str]) or ("",)
    rows = await resources.list_resources(
        request.app[POOL],
        account_id=caller_of(request).account_id,
        kind=kind,
        after=after[0],
        on=day_in(request) if kind == "shift" else None,
        limit=limit + 1,
    )
    page, more = cut(rows, limit, lambda row: (row.external_id,))
    return [_shown(row, shown) for row in page], more


def _shown(row: Resource, shown: type[T]) -> T:
    driver = {} if row.driver is None else {"driver": row.driver}
    return msgspec.convert({**row.body, **driver, "external_id": row.external_id}, shown)


async def _delete(request: web.Request, kind: Kind) -> web.Response:
    gone = await resources.delete_resource(
        request.app[POOL],
        account_id=caller_of(request).account_id,
        kind=kind,
        external_id=external_id_in_path(request, kind),
    )
    if not gone:
        raise NotFound(f"There is no {kind} of this id.")
    return web.Response(status=204)
