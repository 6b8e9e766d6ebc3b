"""Devices: the credentials of phones, made, listed and ended."""

from datetime import datetime
from typing import Annotated, Literal, cast

from aiohttp import web
from msgspec import Meta, Struct

from api.fleet.enrolment import App, Setup, setup_of
from api.http import ids
from api.http.app_keys import POOL
from api.http.auth import INGEST_TOKEN_PREFIX, TOKEN_PREFIX, caller_of, hash_of, new_secret
from api.http.host import public_url
from api.http.known.devices import DEVICES
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.problem import NotFound
from api.http.read.bodies import read_body
from api.http.refs import driver_in_path
from sql.account import devices
from sql.track.lanes import lock_lanes
from work.feed.settle import settle_phone

operations = Operations("devices")


class NewDevice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A phone to let in. Without an `app` it is one made for Reparto, which may also read the driver's tour."""

    label: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    app: App = "native"


class Device(Struct, frozen=True, kw_only=True):
    """A device that works; its secrets are not kept. `browser`: of a driver who [signs in](people.md#drivers)."""

    id: str
    label: str | None
    app: App | Literal["browser"]
    created_at: datetime


class DeviceList(Struct, frozen=True, kw_only=True):
    """A driver's devices that work, all on one page."""

    devices: list[Device]
    next: str | None = None


class DeviceMade(Struct, frozen=True, kw_only=True):
    """A new device. The secrets are shown only this once.

    `token` (Bearer only) opens the driver's API and sends pings; null for apps that can only send. `ingest_token` sends
    pings and reads nothing.
    """

    id: str
    label: str | None
    app: App
    token: str | None
    ingest_token: str
    setup: Setup


@operations.operation(
    "POST", "/v1/drivers/{driver}/devices", who=Who.DISPATCHER, body=NewDevice, answer=DeviceMade, status=201
)
async def post_device(request: web.Request) -> web.Response:
    """Let a driver's phone in.

    The answer holds its secrets and how to set the phone up. Whoever loses them makes another device.
    """
    driver = await driver_in_path(request)
    new = await read_body(request, NewDevice)
    token = new_secret(TOKEN_PREFIX) if new.app == "native" else None
    ingest_token = new_secret(INGEST_TOKEN_PREFIX)
    number = await devices.create_device(
        request.app[POOL],
        account_id=driver.account_id,
        driver_id=driver.id,
        label=new.label,
        app=new.app,
        token_hash=hash_of(token) if token else None,
        ingest_token_hash=hash_of(ingest_token),
    )
    if number is None:
        raise NotFound("There is no driver of this id.")
    device_id = ids.shown(ids.DEVICE, number)
    setup = setup_of(
        new.app,
        public_url=public_url(request),
        device_id=device_id,
        token=token,
        ingest_token=ingest_token,
        locale=driver.locale,
    )
    made = DeviceMade(id=device_id, label=new.label, app=new.app, token=token, ingest_token=ingest_token, setup=setup)
    return answer(request, made, status=201, headers={"Cache-Control": "no-store"})


@operations.operation("GET", "/v1/drivers/{driver}/devices", who=Who.VIEWER, answer=DeviceList)
async def list_devices(request: web.Request) -> web.Response:
    """List a driver's devices that work."""
    driver = await driver_in_path(request)
    rows = await devices.list_devices(request.app[POOL], account_id=driver.account_id, driver_id=driver.id)
    shown = [
        Device(
            id=ids.shown(ids.DEVICE, row.id),
            label=row.label,
            app=cast(App | Literal["browser"], row.app),
            created_at=row.created_at,
        )
        for row in rows
    ]
    return answer(request, DeviceList(devices=shown))


@operations.operation("DELETE", "/v1/devices/{device}", who=Who.DISPATCHER, status=204)
async def delete_device(request: web.Request) -> web.Response:
    """Shut a phone out, at once."""
    number = ids.id_in_path(request, "device", ids.DEVICE)
    account_id = caller_of(request).account_id
    async with request.app[POOL].acquire() as db, db.transaction():
        lane = await devices.lane_of_device(db, account_id=account_id, device_id=number)
        if lane is not None:
            await lock_lanes(db, [lane])
        ended = None if lane is None else await devices.revoke_device(db, account_id=account_id, device_id=number)
        if ended is None:
            raise NotFound("There is no device of this id that works.")
        await settle_phone(db, ended, account_id)
    request.app[DEVICES].forget(number)
    return web.Response(status=204)
