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
    """A pause; `ended_at` is None while it lasts."""

    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftRow:
    """A shift; `id` is that of the event that began it, `ended_at` None while it lasts.

    `ended_by`: said; the next one; limit, of one that nobody ended; None while it lasts.
    """

    id: UUID
    started_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    breaks: Sequence[BreakRow]


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
    rows = await db.fetch(_SQL["shifts_of_driver"], driver_id, since, until, now, longest, LONGEST_BREAK)
    return [ShiftRow(**{**row, "breaks": [_break(one) for one in row["breaks"]]}) for row in rows]


def _break(one: dict[str, str | None]) -> BreakRow:
    started_at, ended_at = one["started_at"], one["ended_at"]
    assert started_at is not None
    return BreakRow(
        started_at=datetime.fromisoformat(started_at),
        ended_at=None if ended_at is None else datetime.fromisoformat(ended_at),
    )


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
