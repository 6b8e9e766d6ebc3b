"""Another time: a slot that the company offers, chosen by link and code."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from msgspec import Struct

from api.http import ids
from api.http.app_keys import CONFIG, POOL, now_of
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.problem import Conflict, FieldError, Problem
from api.http.read.bodies import read_body, refuse
from api.portal.change import ChangeAccepted, Changing, changing, linked_stop
from api.portal.offers import free_slots, slots_with_place
from api.portal.step_up import CODE, StepUpNeeded, stepped_up
from api.routes.write import put_plan
from sql.delivery import routes
from sql.portal import slots, stops
from sql.portal.slots import HeldSlot

operations = Operations("tracking")

HELD_S = 600.0
"""So long a place waits for its code."""


class SlotChoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of the slots that `options` names."""

    slot_id: str


class NothingFree(Conflict):
    """Others were faster, or it is too late for this one."""

    type = "slot-taken"
    title = "This slot has no place left"


_NOTHING = "This slot has no place left for this delivery. Look at what is offered now."


@operations.operation(
    "POST", "/v1/track/{token}/slot", who=Who.ANYONE, body=SlotChoice, answer=ChangeAccepted, headers=(CODE,)
)
async def post_slot_choice(request: web.Request) -> web.Response:
    """Choose another time. Needs a code; asked without one, a place is held for ten minutes.

    A time on the same tour is its new window. Another day takes the stop off the tour, and it waits to be planned for
    its slot. The place that was chosen before is free.
    """
    try:
        await stepped_up(request, "slot")
    except StepUpNeeded:
        await _hold(request)
        raise
    slot_id = await _slot_in(request)
    now = now_of(request)
    if slot_id not in {one.id for one in await free_slots(request.app[POOL], await linked_stop(request, now), now)}:
        raise NothingFree(_NOTHING)
    async with changing(request, "slot", plans=True) as it:
        slot = await _taken(it, slot_id, held_s=None)
        change_id = await _rescheduled(request, it, slot)
    return answer(request, ChangeAccepted(id=change_id, change="slot", state="applied", driver_told=True))


async def _slot_in(request: web.Request) -> int:
    body = await read_body(request, SlotChoice)
    number = ids.number_of(ids.SLOT, body.slot_id)
    if number is None:
        refuse([FieldError(at="/slot_id", why="must be the id of a slot, like sl_7")])
        raise AssertionError
    return number


async def _hold(request: web.Request) -> None:
    """Hold a place for whoever fetches their code; where none is left, they hear of it when they come back."""
    try:
        slot_id = await _slot_in(request)
    except Problem:
        return
    async with changing(request, "slot", plans=True) as it:
        await _place(it, slot_id, held_s=HELD_S)


async def _taken(it: Changing, slot_id: int, *, held_s: float | None) -> HeldSlot:
    slot = await _place(it, slot_id, held_s=held_s)
    if slot is None:
        raise NothingFree(_NOTHING)
    return slot


async def _place(it: Changing, slot_id: int, *, held_s: float | None) -> HeldSlot | None:
    """Take a place, if the stop is offered the slot and one is left."""
    slot = await slots.hold_slot(it.db, account_id=it.stop.account_id, slot_id=slot_id)
    if slot is None or slot_id not in {one.id for one in await slots_with_place(it.db, it.stop, it.now)}:
        return None
    return slot if await slots.take_place(it.db, slot, it.stop.id, held_s=held_s) else None


async def _rescheduled(request: web.Request, it: Changing, slot: HeldSlot) -> str:
    before = await stops.find_wish(it.db, it.stop.id)
    wish = replace(
        before, slot_start=slot.start_at, slot_end=slot.end_at, said_at=it.now, last_change="slot", away=False
    )
    await stops.put_wish(it.db, it.stop, wish)
    assert it.head is not None
    plan = await routes.read_plan(it.db, it.head.id)
    await put_plan(
        it.db,
        account_id=it.stop.account_id,
        external_id=it.head.external_id,
        head=it.head,
        driver=None,
        plan=plan,
        most_wrong_pins=request.app[CONFIG].max_wrong_pins,
    )
    after = await stops.find_stop_by_id(it.db, it.stop.id)
    if after.removed:
        on = slot.start_at.astimezone(ZoneInfo(plan.timezone)).date()
        await stops.put_window(it.db, after, slot.start_at, slot.end_at)
        await slots.hand_back_order(it.db, after, on=on, start=slot.start_at, end=slot.end_at)
        await it.warn()
    told = {"slot_id": ids.shown(ids.SLOT, slot.id), **_times(slot.start_at, slot.end_at), "taken_off": after.removed}
    was = _times(before.slot_start or it.stop.window_start, before.slot_end or it.stop.window_end)
    return await it.note("stop.rescheduled", was=was, is_now=_times(slot.start_at, slot.end_at), told=told)


def _times(start: datetime | None, end: datetime | None) -> dict[str, Any]:
    return {"start": start.isoformat() if start else None, "end": end.isoformat() if end else None}
