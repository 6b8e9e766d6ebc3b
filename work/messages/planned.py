"""What a planner's edit means for recipients: a stop that is new was booked, one that moved has changed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sql.delivery.stops import StopPlan, StopRow
from sql.pool import Db
from work.messages.notices import note_stops

_PLACE_DEG = 0.0005  # about 50 m: a pin set right is no other place


async def note_plan(
    db: Db,
    *,
    account_id: int,
    route_id: int,
    is_started: bool,
    before: Mapping[int, StopRow],
    after: Sequence[tuple[int, StopPlan]],
    now: datetime,
) -> None:
    """Leave notices for the stops that a plan brings or changes; call it in the transaction that writes the plan.

    Args:
        before: the stops that the route had, by id; after: those it has.
    """
    new = [stop_id for stop_id, _ in after if stop_id not in before or before[stop_id].removed]
    changed: dict[int, dict[str, Any]] = {}
    for stop_id, plan in after:
        was = before.get(stop_id)
        if was is not None and not was.removed and was.status == "pending" and _is_other(was.plan, plan):
            changed[stop_id] = _old_contact(was.plan, plan)
    kinds = {"booked": (new, {}), "changed": (list(changed), changed)}
    if is_started:
        kinds |= {"departed_depot": (new, {}), "pin": (new, {})}
    for kind, (stop_ids, data) in kinds.items():
        await note_stops(db, kind, account_id=account_id, route_id=route_id, stop_ids=stop_ids, data=data, now=now)


def _is_other(was: StopPlan, plan: StopPlan) -> bool:
    """Tell whether the place, the promised window or the contact is another one."""
    same = (was.phone, was.email, was.window_start, was.window_end) == (
        plan.phone,
        plan.email,
        plan.window_start,
        plan.window_end,
    )
    return not same or abs(was.lat - plan.lat) > _PLACE_DEG or abs(was.lon - plan.lon) > _PLACE_DEG


def _old_contact(was: StopPlan, plan: StopPlan) -> dict[str, Any]:
    if (was.phone, was.email) == (plan.phone, plan.email):
        return {}
    return {"old_contact": {"phone": was.phone, "email": was.email}}
