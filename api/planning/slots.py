"""What can still be promised: slots in which one more order can really be driven."""

import asyncio
from datetime import datetime, timedelta

from aiohttp import web
from msgspec import Struct

from api.http.app_keys import POOL
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.problem import FieldError
from api.http.read.bodies import refuse
from api.http.read.numbers import number_in
from api.planning.days import day_in
from work.planning.assemble import LOAD_UNIT, UNIT
from work.planning.tentative import AskedVisit, TentativeDay, days_of, promised

operations = Operations("planning")

SLOT_S = 2 * 3600
"""How long an offered slot is; they begin with the first shift of the day."""

MOST_SLOTS = 24


class Slot(Struct, frozen=True, kw_only=True):
    """A time that can be promised; `extra_km` and `extra_minutes` of driving, `extra_cost` as vehicles cost."""

    start: datetime
    end: datetime
    expected: datetime
    extra_km: float
    extra_minutes: float
    extra_cost: float


class SlotList(Struct, frozen=True, kw_only=True):
    """Slots of a day, in order; empty where nothing more fits, or no van is planned for the day.

    `planned`: a plan is done; else they are held against the day's shifts and what has to be done in them.
    """

    slots: list[Slot]
    planned: bool


_NUMBER = {"type": "number"}


@operations.operation(
    "GET",
    "/v1/places/slots",
    who=Who.VIEWER,
    answer=SlotList,
    query=(
        Parameter(name="lat", description="WGS 84 degrees.", schema=_NUMBER),
        Parameter(name="lon", description="WGS 84 degrees.", schema=_NUMBER),
        Parameter(name="date", description="The day.", schema={"type": "string", "format": "date"}),
        Parameter(name="depot", description="External id of the depot that serves the place."),
        Parameter(name="service_s", description="Time at the door; 120 unless given.", schema=_NUMBER),
        Parameter(
            name="load", description="Of the first dimension of vehicles' capacity; 0 unless given.", schema=_NUMBER
        ),
    ),
)
async def get_slots(request: web.Request) -> web.Response:
    """Tell when one more order at a place could come.

    Each slot was driven by the checker: with the order in it, every window and every shift still holds of the day's
    last plan and of what has to be done that day besides. Vans that have no tour yet count too.
    """
    account_id = caller_of(request).account_id
    lat, lon = number_in(request, "lat", -90, 90), number_in(request, "lon", -180, 180)
    service_s = number_in(request, "service_s", 0, 86_400, default=120.0)
    load = number_in(request, "load", 0, 1e9, default=0.0)
    on, depot = day_in(request), request.query.get("depot", "")
    if on is None:
        refuse([FieldError(at="date", why="is missing")])
        raise AssertionError
    day = await days_of(request.app[POOL]).day(request.app[POOL], account_id=account_id, on=on, depot=depot)
    if day is None:
        return answer(request, SlotList(slots=[], planned=False))
    visit = AskedVisit(lon=lon, lat=lat, service_s=round(service_s), load=round(load * LOAD_UNIT))
    slots = await asyncio.to_thread(_slots, day, visit)
    return answer(request, SlotList(slots=slots, planned=day.begins.plan_id is not None))


def _slots(day: TentativeDay, visit: AskedVisit) -> list[Slot]:
    shifts = [vehicle.shift for vehicle in day.problem.vehicles]
    first_s, last_s = min(start for start, _ in shifts), max(end for _, end in shifts)
    windows = [(start_s, min(start_s + SLOT_S, last_s)) for start_s in range(first_s, last_s, SLOT_S)[:MOST_SLOTS]]
    origin = day.labels.origin
    return [
        Slot(
            start=origin + timedelta(seconds=start_s),
            end=origin + timedelta(seconds=end_s),
            expected=origin + timedelta(seconds=found.begin_s),
            extra_km=round(found.extra_m / 1000, 2),
            extra_minutes=round(found.extra_s / 60, 1),
            extra_cost=round(found.extra / UNIT, 2),
        )
        for (start_s, end_s), found in zip(windows, promised(day, visit, windows), strict=True)
        if found is not None
    ]
