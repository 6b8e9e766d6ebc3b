"""What the board shows of a day: how its stops go, first tries, and what is open."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardStop:
    """A stop as the board draws it; `came_at` None: nobody was there yet; `expected` None: no ETA is known."""

    route_id: int
    status: str
    window_end: datetime | None
    planned_arrival: datetime | None
    came_at: datetime | None
    expected: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstTries:
    """First tries that are over, and how many of them succeeded."""

    ended: int
    succeeded: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenProblems:
    """How much is open; `critical` are among `alerts`."""

    alerts: int
    critical: int
    tickets: int
    proposals: int


async def board_stops(db: Db | Pool, account_id: int, route_ids: Sequence[int]) -> list[BoardStop]:
    """Read the stops of tours, in their order."""
    return [BoardStop(**row) for row in await db.fetch(_SQL["board_stops"], account_id, route_ids)]


async def first_tries(db: Db | Pool, account_id: int, route_ids: Sequence[int]) -> FirstTries:
    """Count the first tries of tours."""
    row = await db.fetchrow(_SQL["first_tries"], account_id, route_ids)
    assert row is not None
    return FirstTries(**row)


async def open_problems(db: Db | Pool, account_id: int) -> OpenProblems:
    """Count what is open."""
    row = await db.fetchrow(_SQL["open_problems"], account_id)
    assert row is not None
    return OpenProblems(**row)
