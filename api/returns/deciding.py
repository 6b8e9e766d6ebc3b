"""What becomes of a return, and what follows: the order that fetches it, what the feed and the recipient hear.

Call what is here in one transaction that holds the return.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from api.http import ids
from api.http.problem import Conflict
from api.planning.body import OrderBody
from api.planning.orders import new_order
from api.routes.body import ParcelBody
from sql.planning.orders import cancel_order, put_orders
from sql.planning.resources import Resource
from sql.pool import Db
from sql.returns import returns
from sql.returns.returns import DeliveredStop, ReturnRow
from work.messages.notices import note_stops
from work.messages.rules.hours import zone_at
from work.tickets.facts import tell_return

FETCHED_WITHIN_DAYS = 7
"""From tomorrow on: what lies ready is fetched on one of the next tours."""

_OVER = frozenset({"failed", "skipped", "left_open", "removed"})
_MOVES: Mapping[str, frozenset[str]] = {
    "requested": frozenset({"approved", "rejected", "cancelled", "returned"}),
    "approved": frozenset({"approved", "rejected", "cancelled", "returned"}),
}
"""To which states a return can come, by its state; one that is closed stays so."""


class ReturnStateRefused(Conflict):
    """The return is in a state from which this cannot be."""

    type = "return-state"
    title = "The return is in another state"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is decided; `by`: recipient, company or policy; `words`: for the recipient, None: none."""

    state: str
    by: str
    words: str | None = None


async def decide(db: Db, row: ReturnRow, decision: Decision, depots: Sequence[Resource], *, now: datetime) -> None:
    """Bring a return to a state. The same once more changes nothing, but for a pickup that failed: it is made anew.

    Args:
        depots: of the account.

    Raises:
        ReturnStateRefused: from its state there is no way to that one, or the van is to fetch it already.
    """
    if row.state == decision.state and not (row.state == "approved" and _pickup_is_over(row)):
        return
    if decision.state not in _MOVES.get(row.state, ()):
        raise ReturnStateRefused(f"The return is {row.state}; it cannot become {decision.state} any more.")
    if decision.state == "approved":
        order = await _order(db, row, depots, now)
        await _move(db, row, decision, now)
        await tell_return(db, row, "return.approved", now=now, by=decision.by, order=order)
    elif decision.state == "rejected":
        await _take_back_order(db, row, decision)
        await _move(db, row, decision, now)
        await tell_return(db, row, "return.rejected", now=now, by=decision.by)
    else:
        await _take_back_order(db, row, decision)
        await _move(db, row, decision, now)
        await tell_return(db, row, "return.closed", now=now, by=decision.by, state=decision.state)


def code_of(return_id: int) -> str:
    """Give what stands on the label of a return, and what the driver scans."""
    return f"RE{return_id}"


async def _move(db: Db, row: ReturnRow, decision: Decision, now: datetime) -> None:
    await returns.move_return(db, row.id, state=decision.state, said=decision.words, now=now)
    if decision.by == "recipient":
        return
    shown = ids.shown(ids.RETURN, row.id)
    data = {"ticket": shown, "state": decision.state, "answer": decision.words or ""}
    await note_stops(
        db,
        "ticket",
        account_id=row.account_id,
        route_id=row.route_id,
        stop_ids=[row.stop_id],
        data={row.stop_id: data},
        now=now,
    )


def _pickup_is_over(row: ReturnRow) -> bool:
    """Tell whether nobody is going to fetch it, though it is approved."""
    return row.pickup_status in _OVER or (row.pickup_status is None and row.order_state in ("cancelled", None))


async def _order(db: Db, row: ReturnRow, depots: Sequence[Resource], now: datetime) -> str:
    """Make the order that fetches a return; give its external id."""
    stop = await returns.delivered_stop(db, account_id=row.account_id, stop_id=row.stop_id)
    if stop is None:
        raise ReturnStateRefused("Whom this was delivered to was forgotten; nobody can be sent there.")
    shown = ids.shown(ids.RETURN, row.id)
    name = f"return-{shown}" if row.pickups == 0 else f"return-{shown}-{row.pickups + 1}"
    order = new_order(name, _body(stop, row, now), list(depots))
    if name not in await put_orders(db, row.account_id, [order]):
        raise ReturnStateRefused(f"There is an order {name!r} on a route already; take it off there first.")
    await returns.note_pickup(db, row.id, name)
    return name


def _body(stop: DeliveredStop, row: ReturnRow, now: datetime) -> OrderBody:
    tomorrow = now.astimezone(ZoneInfo(zone_at(stop.lat, stop.lon, stop.timezone))).date() + timedelta(days=1)
    return OrderBody(
        kind="pickup",
        name=stop.name,
        address=stop.address,
        lat=stop.lat,
        lon=stop.lon,
        phone=stop.phone,
        email=stop.email,
        locale=stop.locale,
        load=stop.load,
        depot=stop.depot,
        earliest=tomorrow,
        latest=tomorrow + timedelta(days=FETCHED_WITHIN_DAYS - 1),
        parcels=[ParcelBody(barcode=code_of(row.id), description=stop.external_id[:200], quantity=1)],
        source="return",
    )


async def _take_back_order(db: Db, row: ReturnRow, decision: Decision) -> None:
    """Cancel the order that was to fetch it; one that is on a route stays unless it is over, and so does the return."""
    if row.order_name is None or _pickup_is_over(row) or row.pickup_status in ("completed", "partially_completed"):
        return
    if await cancel_order(db, row.account_id, row.order_name) or decision.state == "returned":
        return
    raise ReturnStateRefused("A van is on its way for it already: the pickup is on a route. Take it off there first.")
