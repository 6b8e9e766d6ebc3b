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
    for table in ("rating", "recipient_change", "recipient_wish", "recipient_limit", "visit", "driver_event"):
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
        "form-too-late": State(make=at_the_door, path="/instructions"),
    }
)


async def bring(tour: Tour, state: State) -> None:
    """Bring a tour into a state."""
    now = datetime.now(UTC)
    await anew(tour, now)
    await state.make(tour, now)
    await tour.tell()
