"""Shifts: when drivers worked and paused, as they said, and what became of stops meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


LONGEST_BREAK = timedelta(hours=2)
"""A break that nobody ended lasted no longer. Between shifts of the law's longest break and a lunch forgotten until the
evening lies much room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakRow:
    """A pause; `id` is that of the event that began it, `ended_at` None while it lasts.

    `ended_by`: said; next, another one or a shift; shift, the end of it; word, anything else of a tour or a stop;
    visit, as pings show; limit; None while it lasts.
    """

    id: UUID
    started_at: datetime
    ended_at: datetime | None
    ended_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftRow:
    """A shift; `id` is that of the event that began it, `ended_at` None while it lasts.

    `ended_by`: said; the next one; limit, of one that nobody ended; None while it lasts. `limit_at`: when it is over if
    nobody says more.
    """

    id: UUID
    started_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    limit_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverToLookAt:
    """A driver whose shifts or breaks may be over, or not any more."""

    id: int
    account_id: int
    lane: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpellNews:
    """What was said or seen of a driver's work, from the first time to the last.

    Attributes:
        of_spells: it was said of shifts or breaks themselves.
    """

    driver_id: int
    first_ms: int
    last_ms: int
    of_spells: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftOutcome:
    """What became of one stop in a shift; `outcome` as the event's."""

    shift_id: UUID
    type: str
    outcome: dict[str, Any]


async def shifts_of_driver(
    db: Db | Pool, *, driver_id: int, since: datetime, until: datetime, now: datetime, longest: timedelta
) -> list[ShiftRow]:
    """Read the shifts that touch a span, in order.

    Args:
        longest: how long a shift lasted at most that nobody ended, but for what was done in it.
    """
    rows = await db.fetch(_SQL["shifts_of_driver"], driver_id, since, until, now, longest)
    return [ShiftRow(**row) for row in rows]


async def breaks_of_driver(
    db: Db | Pool, *, driver_id: int, since: datetime, until: datetime, now: datetime
) -> list[BreakRow]:
    """Read the breaks that began in a span, in order."""
    rows = await db.fetch(_SQL["breaks_of_driver"], driver_id, since, until, now, LONGEST_BREAK)
    return [BreakRow(**row) for row in rows]


async def look_at_shifts(db: Db, heard: Sequence[SpellNews]) -> None:
    """Have the job of closing look at the shifts and breaks of drivers of whom something was said or seen."""
    columns = ([getattr(one, name) for one in heard] for name in ("driver_id", "first_ms", "last_ms", "of_spells"))
    await db.execute(_SQL["look_at_shifts"], *columns, LONGEST_BREAK)


async def drivers_to_look_at(db: Db | Pool, *, now: datetime, at_most: int) -> list[DriverToLookAt]:
    """Find drivers who are due to be looked at, those waiting longest first."""
    return [DriverToLookAt(**row) for row in await db.fetch(_SQL["drivers_to_look_at"], now, at_most)]


async def looks_from(db: Db, *, driver_id: int, now: datetime) -> datetime | None:
    """Tell from when on a driver's shifts are to be looked at; None: nothing is due. The caller holds their lane."""
    from_at: datetime | None = await db.fetchval(_SQL["looks_from"], driver_id, now)
    return from_at


async def looked_at_shifts(db: Db, *, driver_id: int, again_at: datetime | None) -> None:
    """Note that a driver's shifts were looked at, and when they are to be again; None: when something is said."""
    await db.execute(_SQL["looked_at_shifts"], driver_id, again_at)


async def ends_told(db: Db, *, driver_id: int, since: datetime) -> set[UUID]:
    """Name the facts that told of ends of a driver's shifts and breaks."""
    return {row["fact_id"] for row in await db.fetch(_SQL["ends_told"], driver_id, since)}


async def outcomes_of_shifts(db: Db | Pool, *, driver_id: int, shifts: Sequence[ShiftRow]) -> list[ShiftOutcome]:
    """Read what became of stops in shifts, and stood at the end of each."""
    rows = await db.fetch(
        _SQL["outcomes_of_shifts"],
        driver_id,
        [shift.id for shift in shifts],
        [shift.started_at for shift in shifts],
        [shift.ended_at for shift in shifts],
    )
    return [ShiftOutcome(**row) for row in rows]
