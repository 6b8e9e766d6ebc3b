"""Every state of the page of a link, as rows of a tour: for pictures of each, and for what must hold in all of them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from tests.api.tour_rows import Tour

Making = Callable[[Tour, datetime], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class State:
    """How a state comes to be, and where it is looked at.

    Attributes:
        place: of the stop in the tour.
        path: of the page, behind the link; with `typed` its form is sent, too.
    """

    make: Making
    place: int = 0
    path: str = ""
    typed: Mapping[str, str] | None = None


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


async def anew(tour: Tour, now: datetime) -> None:
    """Four stops, the van 150 m on its way to the first, twelve minutes from it and from each to the next."""
    for table in (
        "ticket_entry",
        "ticket",
        "return_request",
        "rating",
        "recipient_change",
        "recipient_wish",
        "recipient_limit",
        "visit",
        "driver_event",
    ):
        await tour.pool.execute(f"DELETE FROM {table}")
    for place in range(4):
        await tour.change_stop(
            place, status="pending", arrived_at=None, departed_at=None, outcome_at=None, link_revoked_at=None,
            window_start=None, window_end=None, cash_amount=None, cash_currency=None, proof=[],
        )  # fmt: skip
    await tour.change_route(status="started", started_at=now - minutes(30), finished_at=None)
    await tour.see_van(150, at=now, heading_deg=17.0)
    await tour.expect({n: now + minutes(12 * (n + 1)) for n in range(4)}, as_of=now)


async def booked(tour: Tour, now: datetime) -> None:
    await tour.change_route(status="planned", started_at=None)
    await tour.pool.execute("DELETE FROM route_eta")
    noon = now.replace(hour=17, minute=0, second=0, microsecond=0) + timedelta(days=1)
    await tour.change_stop(0, window_start=noon, window_end=noon + timedelta(hours=2))


async def planned(tour: Tour, now: datetime) -> None:
    await tour.change_route(status="planned", started_at=None)
    await tour.expect({n: now + minutes(150 + 12 * n) for n in range(4)}, as_of=now, either_way=minutes(45))


async def under_way(tour: Tour, now: datetime) -> None:
    await tour.expect({n: now + minutes(40 * (n + 1)) for n in range(4)}, as_of=now, either_way=minutes(20))


async def near(tour: Tour, now: datetime) -> None:
    pass


async def coming(tour: Tour, now: datetime) -> None:
    await tour.change_stop(0, proof=["pin"], cash_amount=139000, cash_currency="COP")
    await tour.change_stop(0, window_start=now, window_end=now + timedelta(hours=2))


async def silent(tour: Tour, now: datetime) -> None:
    await tour.see_van(150, at=now - minutes(8))
    await tour.expect({0: now + minutes(22)}, as_of=now - minutes(8))


async def at_the_door(tour: Tour, now: datetime) -> None:
    await tour.visit(0, now - minutes(1))


async def delivered(tour: Tour, now: datetime) -> None:
    await tour.visit(0, now - minutes(5), now - minutes(2))
    await tour.say("completed", at=now - minutes(2), place=0, data={"recipient": {"name": "Portería Central"}})
    await tour.change_stop(0, status="completed", outcome_at=now - minutes(2))


async def in_part(tour: Tour, now: datetime) -> None:
    await tour.visit(0, now - minutes(5), now - minutes(2))
    await tour.change_stop(0, status="partially_completed", outcome_at=now - minutes(2))


async def failed(tour: Tour, now: datetime) -> None:
    await tour.visit(0, now - minutes(5), now - minutes(2))
    await tour.change_stop(0, status="failed", outcome_at=now - minutes(2))


async def skipped(tour: Tour, now: datetime) -> None:
    await tour.change_stop(0, status="skipped", outcome_at=now - minutes(2))


async def left_open(tour: Tour, now: datetime) -> None:
    await tour.visit(0, now - minutes(50), now - minutes(45))


async def rated(tour: Tour, now: datetime) -> None:
    await delivered(tour, now)
    await tour.pool.execute(
        "INSERT INTO rating (stop_id, account_id, stars, reasons, rated_at) VALUES ($1, $2, 5, '{}', $3)",
        tour.stop_ids[0], tour.account_id, now,
    )  # fmt: skip


async def heard(tour: Tour, now: datetime) -> None:
    await tour.pool.execute(
        """INSERT INTO recipient_wish (stop_id, account_id, route_id, instructions, safe_place, door_lat, door_lon,
                                       door_m, said_at)
           VALUES ($1, $2, $3, 'Portón verde, timbre 3, segundo piso', 'Con el portero', 6.2, -75.5, 23.4, $4)""",
        tour.stop_ids[0], tour.account_id, tour.route_id, now,
    )  # fmt: skip


async def paid_at_the_door(tour: Tour, now: datetime) -> None:
    await tour.change_stop(0, cash_amount=139000, cash_currency="COP")


async def away(tour: Tour, now: datetime) -> None:
    await tour.pool.execute(
        "INSERT INTO recipient_wish (stop_id, account_id, route_id, away, said_at) VALUES ($1, $2, $3, true, $4)",
        tour.stop_ids[0], tour.account_id, tour.route_id, now,
    )  # fmt: skip


async def reported(tour: Tour, now: datetime) -> None:
    """A ticket that the company answered, and a return that is approved."""
    await delivered(tour, now)
    ticket = await tour.pool.fetchval(
        """INSERT INTO ticket (account_id, stop_id, kind, state, opened_by, opened_at, updated_at)
           VALUES ($1, $2, 'damaged', 'waiting_for_you', 'recipient', $3, $3) RETURNING id""",
        tour.account_id, tour.stop_ids[0], now,
    )  # fmt: skip
    for by, words in (("recipient", "Llegó con la caja rota y sin la factura."), ("company", "¿Y lo de adentro?")):
        await tour.pool.execute(
            """INSERT INTO ticket_entry (ticket_id, said_by, state, words, internal, photo_ids, made_at)
               VALUES ($1, $2, 'open', $3, false, '{}', $4)""",
            ticket, by, words, now,
        )  # fmt: skip
    await tour.pool.execute(
        """INSERT INTO return_request (account_id, stop_id, asked_by, reason, state, photo_ids, asked_at,
                                       updated_at)
           VALUES ($1, $2, 'recipient', 'damaged', 'approved', '{}', $3, $3)""",
        tour.account_id, tour.stop_ids[0], now,
    )  # fmt: skip


async def choices(tour: Tour, now: datetime) -> None:
    """Slots and pick-up points to choose from."""
    for table in ("slot", "pickup_point"):
        await tour.pool.execute(f"DELETE FROM {table}")
    for hours in (20, 24, 44):
        at = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=hours)
        await tour.pool.execute(
            """INSERT INTO slot (account_id, zone, start_at, end_at, cut_off, most_stops, express)
               VALUES ($1, 'centro', $2, $3, $2, 5, false)""",
            tour.account_id, at, at + timedelta(hours=2),
        )  # fmt: skip
    for name, address, lat in (("Kiosco Prado", "Cl. 52 # 44-10", 6.2487), ("Droguería Sol", "Cra. 64C # 78", 6.2790)):
        await tour.pool.execute(
            """INSERT INTO pickup_point (account_id, external_id, name, address, lat, lon, opening_hours, enabled)
               VALUES ($1, $2, $2, $3, $4, -75.5655, 'lun a sáb, 8 a 20', true)""",
            tour.account_id, name, address, lat,
        )  # fmt: skip


async def cancelled(tour: Tour, now: datetime) -> None:
    await tour.change_route(status="cancelled")


async def revoked(tour: Tour, now: datetime) -> None:
    await tour.change_stop(0, link_revoked_at=now)


async def long_over(tour: Tour, now: datetime) -> None:
    yesterday = now - timedelta(hours=30)
    await tour.change_stop(0, status="completed", arrived_at=yesterday, departed_at=yesterday, outcome_at=yesterday)


STATES: Mapping[str, State] = MappingProxyType(
    {
        "booked": State(make=booked),
        "planned": State(make=planned),
        "under-way": State(make=under_way, place=3),
        "near": State(make=near, place=1),
        "next": State(make=coming),
        "silent": State(make=silent),
        "at-the-door": State(make=at_the_door),
        "delivered": State(make=delivered),
        "in-part": State(make=in_part),
        "failed": State(make=failed),
        "skipped": State(make=skipped),
        "left-open": State(make=left_open),
        "rated": State(make=rated),
        "heard": State(make=heard),
        "away": State(make=away),
        "reported": State(make=reported),
        "closed": State(make=paid_at_the_door),
        "cancelled": State(make=cancelled),
        "revoked": State(make=revoked),
        "over": State(make=long_over),
        "form-instructions": State(make=near, path="/instructions"),
        "form-instructions-error": State(make=near, path="/instructions", typed={}),
        "form-safe-place": State(make=near, path="/safe-place"),
        "form-safe-place-error": State(make=near, path="/safe-place", typed={}),
        "form-safe-place-closed": State(make=paid_at_the_door, path="/safe-place"),
        "form-pin-drop": State(make=near, path="/pin-drop"),
        "form-pin-drop-error": State(make=near, path="/pin-drop", typed={}),
        "form-rating": State(make=delivered, path="/rating"),
        "form-rating-error": State(make=delivered, path="/rating", typed={}),
        "form-rating-early": State(make=near, path="/rating"),
        "form-rating-again": State(make=rated, path="/rating"),
        "form-away": State(make=near, path="/away"),
        "form-slot": State(make=choices, path="/slot"),
        "form-neighbour": State(make=near, path="/neighbour"),
        "form-contact": State(make=near, path="/contact"),
        "form-address": State(make=near, path="/address"),
        "form-pickup-point": State(make=choices, path="/pickup-point"),
        "form-problem": State(make=delivered, path="/problem"),
        "form-problem-error": State(make=delivered, path="/problem", typed={}),
        "form-return": State(make=delivered, path="/return"),
        "widget": State(make=coming, path="/widget"),
        "form-too-late": State(make=at_the_door, path="/instructions"),
    }
)


async def bring(tour: Tour, state: State) -> None:
    """Bring a tour into a state."""
    now = datetime.now(UTC)
    await anew(tour, now)
    await state.make(tour, now)
    await tour.tell()
