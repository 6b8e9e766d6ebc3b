"""Slots: times with a number of places, and who has one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sql.pool import Db, Pool
from sql.portal.stops import PortalStop
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotPlan:
    """A slot as its company put it; `most_load` in parcels, None: any."""

    zone: str
    start_at: datetime
    end_at: datetime
    cut_off: datetime
    most_stops: int
    most_load: float | None
    express: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotRow(SlotPlan):
    """A slot, and how many have a place."""

    id: int
    booked: int
    held: int
    load: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldSlot(SlotPlan):
    """A slot that nobody else takes a place in until the transaction ends."""

    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeSlot:
    """A slot with a place left; `feature`: GeoJSON of its zone, None: it has none and is everywhere."""

    id: int
    start_at: datetime
    end_at: datetime
    express: bool
    feature: dict[str, Any] | None


async def put_slot(db: Db | Pool, account_id: int, plan: SlotPlan) -> int:
    """Make a slot; return its id."""
    made: int = await db.fetchval(
        _SQL["put_slot"],
        account_id,
        plan.zone,
        plan.start_at,
        plan.end_at,
        plan.cut_off,
        plan.most_stops,
        plan.most_load,
        plan.express,
    )
    return made


async def page_of_slots(
    db: Db | Pool,
    account_id: int,
    *,
    slot_id: int | None = None,
    ids: Sequence[int] | None = None,
    ends_after: datetime | None = None,
    after: tuple[datetime, int] | None = None,
    limit: int = 1,
) -> list[SlotRow]:
    """Read a page of slots in the order of their start; None asks for any."""
    start_at, last = after or (None, None)
    rows = await db.fetch(_SQL["page_of_slots"], account_id, slot_id, ends_after, start_at, last, limit, ids)
    return [SlotRow(**row) for row in rows]


async def hold_slot(db: Db, *, account_id: int, slot_id: int) -> HeldSlot | None:
    """Hold a slot until the transaction ends; None: the account has none such."""
    row = await db.fetchrow(_SQL["hold_slot"], account_id, slot_id)
    return None if row is None else HeldSlot(**row)


async def take_place(db: Db, slot: HeldSlot, stop_id: int, *, held_s: float | None) -> bool:
    """Take a place in a slot that is held; False when there is none left for this stop.

    Args:
        held_s: for so long, and what the stop has booked stays; None: for good, and what it had elsewhere is free.
    """
    taken = await db.fetchrow(_SQL["taken_by_others"], slot.id, stop_id)
    own: float = await db.fetchval(_SQL["load_of_stop"], stop_id)
    assert taken is not None
    if taken["stops"] >= slot.most_stops or (slot.most_load is not None and taken["load"] + own > slot.most_load):
        return False
    await db.execute(_SQL["forget_places"], stop_id, slot.id, held_s is None)
    await db.execute(_SQL["put_place"], stop_id, slot.id, own, held_s)
    return True


async def change_slot(db: Db, slot_id: int, *, cut_off: datetime, most_stops: int, most_load: float | None) -> None:
    """Change a slot that is held."""
    await db.execute(_SQL["change_slot"], slot_id, cut_off, most_stops, most_load)


async def slots_for_stop(db: Db | Pool, account_id: int, stop_id: int, now: datetime) -> list[FreeSlot]:
    """Read the slots that have a place left for a stop, wherever it is; 0: for one that is not there yet."""
    return [FreeSlot(**row) for row in await db.fetch(_SQL["slots_for_stop"], account_id, stop_id, now)]


async def hand_back_order(db: Db, stop: PortalStop, *, on: date, start: datetime, end: datetime) -> None:
    """Leave what a stop was for as an order that is to be planned on a day, within its slot."""
    windows = [{"start": start.isoformat(), "end": end.isoformat()}]
    await db.execute(_SQL["hand_back_order"], stop.account_id, stop.id, on, windows)
