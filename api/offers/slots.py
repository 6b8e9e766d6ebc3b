"""Slots as a company offers them: zone, times, how many places, until when they can be chosen."""

from datetime import UTC, datetime
from typing import Annotated

from aiohttp import web
from msgspec import UNSET, Meta, Struct, UnsetType

from api.http import ids
from api.http.app_keys import POOL
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.paging import PAGING, Id, Micros, cursor_in, cut, limit_in, micros_of, time_of
from api.http.problem import FieldError, NotFound
from api.http.read.bodies import read_body, refuse
from api.http.times import out_of_range
from api.routes.body import Line, Time
from sql.portal import slots
from sql.portal.slots import SlotPlan, SlotRow

operations = Operations("recipients")

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
    """A slot; `booked` and `held` of its places are taken, held ones for ten minutes; `load` is what those bring."""

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
    query=(*PAGING, Parameter(name="all", description="1: those that are over too.")),
)
async def list_slots(request: web.Request) -> web.Response:
    """List slots that are not over, with how many places of each are taken."""
    last, limit = cursor_in(request, tuple[Micros, Id]), limit_in(request)
    rows = await slots.page_of_slots(
        request.app[POOL],
        caller_of(request).account_id,
        ends_after=None if request.query.get("all") == "1" else datetime.now(UTC),
        after=(time_of(last[0]), last[1]) if last else None,
        limit=limit + 1,
    )
    page, following = cut(rows, limit, lambda row: (micros_of(row.start_at), row.id))
    return answer(request, SlotPage(slots=[_shown(row) for row in page], next=following))


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


def _shown(row: SlotRow) -> SlotView:
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
    )
