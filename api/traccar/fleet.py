"""Drivers as Traccar's devices, and where they are or were as its positions."""

import asyncio
from datetime import datetime, timedelta

import msgspec
from aiohttp import web

from api.history.track import PINGS_TO_THINGS
from api.http.app_keys import CONFIG, POOL
from api.http.auth import caller_of
from api.http.media import JSON
from api.http.operation import Operations, Parameter, Who
from api.http.problem import FieldError, Invalid, NotFound
from api.stream.hub import HUB
from api.traccar.login import authorize_traccar
from api.traccar.query import number_parameter, numbers_in, period, period_in
from api.traccar.shapes import TraccarDevice, TraccarPosition
from api.traccar.vans import TraccarFleets, devices, positions
from api.traccar.words import positions_of, time_text
from sql.account.drivers import find_driver
from sql.pings.trace import read_track

operations = Operations("traccar", find=authorize_traccar)

LONGEST = timedelta(days=31)
"""Of a track."""


@operations.operation(
    "GET",
    "/api/devices",
    who=Who.VIEWER,
    answer=list[TraccarDevice],
    media=(JSON,),
    query=(
        number_parameter("id", "Only these, by the numbers of drivers; may be given again."),
        Parameter(name="uniqueId", description="Only these, by external ids; may be given again."),
    ),
    polled=True,
)
async def get_traccar_devices(request: web.Request) -> web.Response:
    """List the drivers, as Traccar's devices."""
    numbers, names = numbers_in(request, "id"), frozenset(request.query.getall("uniqueId", []))
    fleet = await request.app[HUB].part(TraccarFleets).read(caller_of(request).account_id)
    vans = [
        van
        for number, van in fleet.vans.items()
        if (numbers is None and not names) or number in (numbers or ()) or van.driver.external_id in names
    ]
    return web.Response(body=devices(vans), content_type=JSON)


@operations.operation(
    "GET",
    "/api/positions",
    who=Who.VIEWER,
    answer=list[TraccarPosition],
    media=(JSON,),
    query=(
        number_parameter("id", "Only these, of those that are the newest of a driver; may be given again."),
        number_parameter("deviceId", "Of this driver alone; with `from` and `to` their track."),
        *period(LONGEST),
    ),
    polled=True,
)
async def get_traccar_positions(request: web.Request) -> web.Response:
    """Read where the drivers are, or the track of one.

    A track is in the order of time, without what does not count. One of more than 10 000 pings is refused, and the
    answer says until when to ask.
    """
    ids, drivers, stretch = numbers_in(request, "id"), numbers_in(request, "deviceId"), period_in(request, LONGEST)
    if ids is None and stretch is not None:
        return await _track(request, drivers, *stretch)
    fleet = await request.app[HUB].part(TraccarFleets).read(caller_of(request).account_id)
    vans = [
        van
        for number, van in fleet.vans.items()
        if (ids is None or van.position_id in ids) and (drivers is None or number in drivers)
    ]
    return web.Response(body=positions(vans), content_type=JSON)


async def _track(
    request: web.Request, drivers: frozenset[int] | None, since: datetime, until: datetime
) -> web.Response:
    pool, most = request.app[POOL], request.app[CONFIG].max_page * PINGS_TO_THINGS
    if drivers is None or len(drivers) != 1:
        raise Invalid("A track is of one driver.", errors=[FieldError(at="deviceId", why="must name one")])
    (driver_id,) = drivers
    if await find_driver(pool, account_id=caller_of(request).account_id, driver_id=driver_id, external_id=None) is None:
        raise NotFound("There is no device of this id.")
    pings = await read_track(pool, [driver_id], since=since, until=until, limit=most + 1)
    if len(pings) > most:
        why = f"must be no later than {time_text(pings[most]['recorded_at'])}: until there are {most} pings already"
        raise Invalid("These are too many pings for one answer.", errors=[FieldError(at="to", why=why)])
    # tens of milliseconds when there are many: others are served meanwhile
    body = await asyncio.to_thread(lambda: msgspec.json.encode(positions_of(driver_id, pings)))
    return web.Response(body=body, content_type=JSON)
