"""Drivers: who carries the phones."""

from datetime import datetime

import msgspec
from aiohttp import web
from msgspec import UNSET, Struct, UnsetType

from api.http import ids
from api.http.app_keys import POOL
from api.http.auth import caller_of
from api.http.ids import external_id_error
from api.http.known.devices import DEVICES
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.paging import PAGING, Id, cursor_in, cut, limit_in
from api.http.problem import Conflict, NotFound
from api.http.read.bodies import read_body, refuse
from api.http.refs import driver_in_path
from api.http.trail import note
from api.routes.body import Line, Locale, Phone
from api.routes.write import take_from_driver
from sql.account import devices, drivers
from sql.account.drivers import DriverRow
from sql.delivery import routes
from sql.desk import people
from sql.track.lanes import lock_lanes
from work.feed.settle import settle_phone

operations = Operations("drivers")


class NewDriver(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A driver to make."""

    external_id: str
    name: Line
    phone: Phone | None = None
    locale: Locale | None = None


class DriverChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change of a driver; what is left out stays."""

    name: Line | UnsetType = UNSET
    phone: Phone | UnsetType | None = UNSET
    locale: Locale | UnsetType | None = UNSET


class Driver(Struct, frozen=True, kw_only=True):
    """A driver."""

    id: str
    external_id: str
    name: str
    phone: str | None
    locale: str | None
    created_at: datetime


class DriverList(Struct, frozen=True, kw_only=True):
    """A page of drivers; `next` is the cursor of the next page, null on the last."""

    drivers: list[Driver]
    next: str | None


@operations.operation("POST", "/v1/drivers", who=Who.DISPATCHER, body=NewDriver, answer=Driver, status=201)
async def post_driver(request: web.Request) -> web.Response:
    """Make a driver."""
    new = await read_body(request, NewDriver)
    refuse([error for error in [external_id_error("/external_id", new.external_id)] if error])
    made = await drivers.create_driver(
        request.app[POOL],
        account_id=caller_of(request).account_id,
        external_id=new.external_id,
        name=new.name,
        phone=new.phone,
        locale=new.locale,
    )
    if made is None:
        raise Conflict(f"There is a driver {new.external_id!r} already.")
    return answer(request, _shown(made), status=201)


@operations.operation("GET", "/v1/drivers", who=Who.VIEWER, answer=DriverList, query=PAGING)
async def list_drivers(request: web.Request) -> web.Response:
    """List the drivers, in the order they were made."""
    limit = limit_in(request)
    after: tuple[int] = cursor_in(request, tuple[Id]) or (0,)
    account_id = caller_of(request).account_id
    rows = await drivers.list_drivers(request.app[POOL], account_id=account_id, after=after[0], limit=limit + 1)
    page, more = cut(rows, limit, lambda row: (row.id,))
    return answer(request, DriverList(drivers=[_shown(row) for row in page], next=more))


@operations.operation("GET", "/v1/drivers/{driver}", who=Who.VIEWER, answer=Driver)
async def get_driver(request: web.Request) -> web.Response:
    """Read a driver."""
    return answer(request, _shown(await driver_in_path(request)))


@operations.operation("PATCH", "/v1/drivers/{driver}", who=Who.DISPATCHER, body=DriverChange, answer=Driver)
async def patch_driver(request: web.Request) -> web.Response:
    """Change a driver's name, phone or language; null takes phone or language away."""
    change = await read_body(request, DriverChange)
    driver = await driver_in_path(request)
    changed = await drivers.change_driver(request.app[POOL], driver.id, msgspec.to_builtins(change))
    if changed is None:
        raise NotFound("There is no driver of this id.")
    return answer(request, _shown(changed))


@operations.operation("DELETE", "/v1/drivers/{driver}", who=Who.DISPATCHER, status=204)
async def delete_driver(request: web.Request) -> web.Response:
    """Take a driver out of the account.

    Their devices are shut out at once, whoever signs in as them is taken out, and nobody drives their routes that are
    planned or started until those are given to somebody else. What was recorded stays. The external id is free again.
    """
    await take_out(request, await driver_in_path(request))
    return web.Response(status=204)


async def take_out(request: web.Request, driver: DriverRow) -> None:
    """Take a driver out of the account, who may have been before."""
    account_id = driver.account_id
    async with request.app[POOL].acquire() as db, db.transaction():
        await lock_lanes(db, [driver.lane])
        for head in await routes.routes_to_drive(db, driver.id):
            await take_from_driver(db, account_id=account_id, head=head)
        phones = await devices.list_devices(db, account_id=account_id, driver_id=driver.id)
        for phone in phones:
            ended = await devices.revoke_device(db, account_id=account_id, device_id=phone.id)
            if ended is not None:
                await settle_phone(db, ended, account_id)
        if out := await people.drop_drivers(db, account_id, driver.id):
            await note(request, db, before={"users": [ids.shown(ids.USER, person_id) for person_id in out]})
        await drivers.delete_driver(db, driver.id)
    for phone in phones:
        request.app[DEVICES].forget(phone.id)


def _shown(row: DriverRow) -> Driver:
    return Driver(
        id=ids.shown(ids.DRIVER, row.id),
        external_id=row.external_id,
        name=row.name,
        phone=row.phone,
        locale=row.locale,
        created_at=row.created_at,
    )
