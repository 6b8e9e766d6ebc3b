"""Slots as a company offers them: zone, times, how many places, until when they can be chosen."""

import math
from datetime import datetime
from typing import Annotated

from aiohttp import web
from msgspec import UNSET, Meta, Struct, UnsetType

from api.http import ids
from api.http.app_keys import POOL, now_of
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.paging import PAGING, Id, Micros, cursor_in, cut, limit_in, micros_of, time_of
from api.http.problem import FieldError, NotFound
from api.http.read.bodies import read_body, refuse
from api.http.read.numbers import number_in
from api.http.times import out_of_range
from api.offers.drivable import Drive, drivable
from api.offers.zones import lies_in
from api.routes.body import Line, Time
from sql.portal import slots
from sql.portal.slots import FreeSlot, SlotPlan, SlotRow
from work.planning.assemble import LOAD_UNIT
from work.planning.tentative import AskedVisit

operations = Operations("recipients")

_NUMBER = {"type": "number"}

Places = Annotated[int, Meta(ge=0, le=100_000)]
Load = Annotated[float, Meta(ge=0, le=1e9)]


class Capacity(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many stops, and how many parcels at all; null: any."""

    stops: Places
    load: Load | None = None


class SlotBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A time that recipients may choose.

    `zone`: the external id of a geofence, and only stops inside it are offered the slot; the name of none: all are.
    `cut_off`: nobody chooses it from then on; else from its start on. `express` is for those who show it.
    """

    zone: Line
    start: Time
    end: Time
    capacity: Capacity
    cut_off: Time | None = None
    express: bool = False


class SlotChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of a slot is to be another one. Fewer places than are taken take none away: nobody chooses it any more."""

    capacity: Capacity | UnsetType = UNSET
    cut_off: Time | UnsetType = UNSET


class SlotView(Struct, frozen=True, kw_only=True):
    """A slot; `booked` and `held` of its places are taken, held ones for ten minutes; `load` is what those bring.

    `expected` is when a visit would begin that was asked about; `extra_km` and `extra_minutes` of driving, `extra_cost`
    as vehicles cost, are what it adds.
    """

    id: str
    zone: str
    start: datetime
    end: datetime
    capacity: Capacity
    cut_off: datetime
    express: bool
    booked: int
    held: int
    load: float
    expected: datetime | None = None
    extra_km: float | None = None
    extra_minutes: float | None = None
    extra_cost: float | None = None


class SlotPage(Struct, frozen=True, kw_only=True):
    """Slots in the order of their start."""

    slots: list[SlotView]
    next: str | None


@operations.operation("POST", "/v1/slots", who=Who.DISPATCHER, body=SlotBody, answer=SlotView, status=201)
async def post_slot(request: web.Request) -> web.Response:
    """Offer a slot. Sundays are days like others; an express slot is one with a late cut-off."""
    body = await read_body(request, SlotBody)
    times = (("/start", body.start), ("/end", body.end), ("/cut_off", body.cut_off))
    refuse(list(out_of_range(*times)))
    if body.end <= body.start:
        refuse([FieldError(at="/end", why="is not after the start")])
    plan = SlotPlan(
        zone=body.zone,
        start_at=body.start,
        end_at=body.end,
        cut_off=_before(body.cut_off or body.start, body.end),
        most_stops=body.capacity.stops,
        most_load=body.capacity.load,
        express=body.express,
    )
    account_id = caller_of(request).account_id
    slot_id = await slots.put_slot(request.app[POOL], account_id, plan)
    (row,) = await slots.page_of_slots(request.app[POOL], account_id, slot_id=slot_id)
    return answer(request, _shown(row), status=201)


@operations.operation(
    "GET",
    "/v1/slots",
    who=Who.VIEWER,
    answer=SlotPage,
    query=(
        *PAGING,
        Parameter(name="all", description="1: those that are over too."),
        Parameter(name="place", description="lat,lon in WGS 84 degrees: only what can be promised there, on one page."),
        Parameter(name="service_s", description="With `place`: time at the door; 120 unless given.", schema=_NUMBER),
        Parameter(
            name="load",
            description="With `place`: of the first dimension of vehicles' capacity; 0 unless given.",
            schema=_NUMBER,
        ),
    ),
)
async def list_slots(request: web.Request) -> web.Response:
    """List slots that are not over, with how many places of each are taken.

    With `place` only those that can be chosen now, have a place left, whose zone it lies in, and in which a visit there
    can really be driven: inserted into the tours of the day where it costs least, every window and shift still holds.
    `expected` and what it adds are null where no van is planned for the day yet.
    """
    if request.query.get("place"):
        return await _list_for_place(request)
    last, limit = cursor_in(request, tuple[Micros, Id]), limit_in(request)
    rows = await slots.page_of_slots(
        request.app[POOL],
        caller_of(request).account_id,
        ends_after=None if request.query.get("all") == "1" else now_of(request),
        after=(time_of(last[0]), last[1]) if last else None,
        limit=limit + 1,
    )
    page, following = cut(rows, limit, lambda row: (micros_of(row.start_at), row.id))
    return answer(request, SlotPage(slots=[_shown(row) for row in page], next=following))


async def _list_for_place(request: web.Request) -> web.Response:
    account_id, pool, now = caller_of(request).account_id, request.app[POOL], now_of(request)
    lat, lon = _place_in(request)
    visit = AskedVisit(
        lon=lon,
        lat=lat,
        service_s=round(number_in(request, "service_s", 0, 86_400, default=120.0)),
        load=round(number_in(request, "load", 0, 1e9, default=0.0) * LOAD_UNIT),
    )
    offered = [one for one in await slots.slots_for_stop(pool, account_id, 0, now) if _lies_there(one, lat, lon)]
    drives = {slot.id: drive for slot, drive in await drivable(pool, account_id, visit, offered)}
    rows = await slots.page_of_slots(pool, account_id, ids=list(drives), limit=len(drives))
    return answer(request, SlotPage(slots=[_shown(row, drives[row.id]) for row in rows], next=None))


def _place_in(request: web.Request) -> tuple[float, float]:
    parts = request.query["place"].split(",")
    try:
        lat, lon = (float(part) for part in parts)
    except ValueError:
        lat = lon = math.nan
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        refuse([FieldError(at="place", why="must be lat,lon in degrees, like 6.2442,-75.569")])
    return lat, lon


def _lies_there(slot: FreeSlot, lat: float, lon: float) -> bool:
    return slot.feature is None or lies_in(slot.feature, lon, lat)


@operations.operation("PATCH", "/v1/slots/{slot}", who=Who.DISPATCHER, body=SlotChange, answer=SlotView)
async def patch_slot(request: web.Request) -> web.Response:
    """Change how many places a slot has, or until when it can be chosen. Whoever has a place keeps it."""
    slot_id, account_id = ids.id_in_path(request, "slot", ids.SLOT), caller_of(request).account_id
    body = await read_body(request, SlotChange)
    if body.cut_off is not UNSET:
        refuse(list(out_of_range(("/cut_off", body.cut_off))))
    async with request.app[POOL].acquire() as db, db.transaction():
        held = await slots.hold_slot(db, account_id=account_id, slot_id=slot_id)
        if held is None:
            raise NotFound("There is no slot of this id.")
        capacity = Capacity(stops=held.most_stops, load=held.most_load) if body.capacity is UNSET else body.capacity
        cut_off = held.cut_off if body.cut_off is UNSET else _before(body.cut_off, held.end_at)
        await slots.change_slot(db, slot_id, cut_off=cut_off, most_stops=capacity.stops, most_load=capacity.load)
        (row,) = await slots.page_of_slots(db, account_id, slot_id=slot_id)
    return answer(request, _shown(row))


def _before(cut_off: datetime, end: datetime) -> datetime:
    if cut_off > end:
        refuse([FieldError(at="/cut_off", why="is after the end of the slot")])
    return cut_off


def _shown(row: SlotRow, drive: Drive | None = None) -> SlotView:
    return SlotView(
        id=ids.shown(ids.SLOT, row.id),
        zone=row.zone,
        start=row.start_at,
        end=row.end_at,
        capacity=Capacity(stops=row.most_stops, load=row.most_load),
        cut_off=row.cut_off,
        express=row.express,
        booked=row.booked,
        held=row.held,
        load=row.load,
        expected=drive.expected if drive else None,
        extra_km=round(drive.extra_m / 1000, 2) if drive else None,
        extra_minutes=round(drive.extra_s / 60, 1) if drive else None,
        extra_cost=drive.extra_cost if drive else None,
    )
