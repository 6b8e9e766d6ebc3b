"""Shifts: when a driver worked, and what there is to settle at the end: stops, parcels, money."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, cast
from uuid import UUID

from aiohttp import web
from msgspec import Struct

from api.http.app_keys import POOL, now_of
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.problem import FieldError, Invalid
from api.http.refs import driver_in_path
from api.http.times import time_in
from sql.account.shifts import (
    BreakRow,
    ShiftOutcome,
    ShiftRow,
    breaks_of_driver,
    outcomes_of_shifts,
    shifts_of_driver,
)

operations = Operations("drivers")

LONGEST_SHIFT: web.AppKey[timedelta] = web.AppKey("longest_shift", timedelta)
"""How long a shift that nobody ended lasted at most (REPARTO_LONGEST_SHIFT_HOURS)."""

USUALLY, LONGEST = timedelta(days=7), timedelta(days=92)
"""How long a span is that is not given, and how long one may be."""


class Break(Struct, frozen=True, kw_only=True):
    """A pause; `ended_at` is null while it lasts."""

    started_at: datetime
    ended_at: datetime | None


class CashSettled(Struct, frozen=True, kw_only=True):
    """Money of one currency; null where neither plan nor driver named one.

    Attributes:
        due: at the stops that were completed, in whole or in part.
        difference: collected − due; negative: something is missing.
        by_method: what was collected, by how it was paid.
    """

    currency: str | None
    due: float
    collected: float
    difference: float
    by_method: dict[str, float]


class Settlement(Struct, frozen=True, kw_only=True):
    """What there is to settle: stops by what became of them, parcels by what became of them, money by currency.

    Stops that were reopened in the same shift do not count.
    """

    stops: dict[str, int]
    parcels: dict[str, int]
    cash: list[CashSettled]


class Shift(Struct, frozen=True, kw_only=True):
    """A shift; `ended_at` is null while it lasts, `id` that of the event that began it.

    `ended_by` says how it is known that it is over: it was said, the next one began, or by the limit: nobody ended it.
    """

    id: UUID
    started_at: datetime
    ended_at: datetime | None
    ended_by: Literal["said", "next", "limit"] | None
    breaks: list[Break]
    settlement: Settlement


class ShiftList(Struct, frozen=True, kw_only=True):
    """A driver's shifts in order."""

    shifts: list[Shift]


@operations.operation(
    "GET",
    "/v1/drivers/{driver}/shifts",
    who=Who.VIEWER,
    answer=ShiftList,
    query=(
        Parameter(name="from", description="Shifts that last longer than this; else a week before `to`."),
        Parameter(name="to", description="Shifts that begin before this; else now."),
    ),
)
async def get_shifts(request: web.Request) -> web.Response:
    """Read when a driver worked, and what there is to settle of each shift.

    By what the driver's app said; an event that comes late may still change it.
    """
    driver = await driver_in_path(request)
    now = now_of(request)
    until = time_in(request, "to") or now
    since = time_in(request, "from") or until - USUALLY
    if not timedelta(0) <= until - since <= LONGEST:
        why = f"must be at most {LONGEST.days} days before `to`"
        raise Invalid("The span is not usable.", errors=[FieldError(at="from", why=why)])
    pool = request.app[POOL]
    shifts = await shifts_of_driver(
        pool, driver_id=driver.id, since=since, until=until, now=now, longest=request.app[LONGEST_SHIFT]
    )
    first_at = shifts[0].started_at if shifts else until
    pauses = await breaks_of_driver(pool, driver_id=driver.id, since=first_at, until=max(until, now), now=now)
    outcomes: defaultdict[UUID, list[ShiftOutcome]] = defaultdict(list)
    for outcome in await outcomes_of_shifts(pool, driver_id=driver.id, shifts=shifts):
        outcomes[outcome.shift_id].append(outcome)
    shown = [
        Shift(
            id=shift.id,
            started_at=shift.started_at,
            ended_at=shift.ended_at,
            ended_by=cast(Literal["said", "next", "limit"] | None, shift.ended_by),
            breaks=[Break(started_at=one.started_at, ended_at=one.ended_at) for one in pauses if _is_in(one, shift)],
            settlement=settlement_of(outcomes[shift.id]),
        )
        for shift in shifts
    ]
    return answer(request, ShiftList(shifts=shown))


def _is_in(pause: BreakRow, shift: ShiftRow) -> bool:
    return shift.started_at <= pause.started_at and (shift.ended_at is None or pause.started_at < shift.ended_at)


def settlement_of(outcomes: Iterable[ShiftOutcome]) -> Settlement:
    """Add up what became of stops."""
    stops: Counter[str] = Counter()
    parcels: Counter[str] = Counter()
    due: defaultdict[str | None, Decimal] = defaultdict(Decimal)
    paid: defaultdict[str | None, defaultdict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for one in outcomes:
        stops[one.type] += 1
        for parcel in one.outcome.get("parcels", []):
            parcels[parcel["outcome"]] += parcel["quantity"]
        if (cash := one.outcome.get("cash")) is not None:
            due[cash["currency"]] += Decimal(str(cash["due"]))
            if cash["method"] is not None:
                paid[cash["currency"]][cash["method"]] += Decimal(str(cash["amount"]))
    return Settlement(
        stops=dict(stops),
        parcels=dict(parcels),
        cash=[_settled(currency, due[currency], paid[currency]) for currency in sorted(due, key=str)],
    )


def _settled(currency: str | None, due: Decimal, by_method: dict[str, Decimal]) -> CashSettled:
    collected = sum(by_method.values(), Decimal(0))
    return CashSettled(
        currency=currency,
        due=float(due),
        collected=float(collected),
        difference=float(collected - due),
        by_method={method: float(amount) for method, amount in by_method.items()},
    )
