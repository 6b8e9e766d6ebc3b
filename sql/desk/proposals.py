"""How days that are under way should go on, as people look at it: what was asked for, whom it concerns, by name."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedProposal:
    """What somebody asked for.

    Attributes:
        depot: what it is called.
        until: it can be made to count until then; None: nothing is proposed, or not yet.
    """

    id: int
    state: str
    because: str
    depot: str
    created_at: datetime
    until: datetime | None


async def proposals_of_days(
    db: Db | Pool, account_id: int, days: Collection[date], *, at_most: int
) -> list[AskedProposal]:
    """Read what was asked for of some days, the newest first."""
    rows = await db.fetch(_SQL["proposals_of_days"], account_id, list(days), at_most)
    return [AskedProposal(**row) for row in rows]


async def undecided_proposals(db: Db | Pool, account_id: int, days: Collection[date], *, now: datetime) -> int:
    """Count the proposals of some days that nobody accepted or dropped, and that can still count."""
    return int(await db.fetchval(_SQL["undecided_proposals"], account_id, list(days), now))


async def people_of_stops(db: Db | Pool, account_id: int, stop_ids: Sequence[int]) -> dict[int, str]:
    """Read to whom stops are, by stop."""
    return {row["id"]: row["name"] for row in await db.fetch(_SQL["people_of_stops"], account_id, stop_ids)}


async def people_of_orders(db: Db | Pool, account_id: int, names: Sequence[str]) -> dict[str, str]:
    """Read for whom orders are, by external id."""
    rows = await db.fetch(_SQL["people_of_orders"], account_id, names)
    return {row["external_id"]: row["name"] for row in rows}


async def called_tours(db: Db | Pool, account_id: int, route_ids: Sequence[int]) -> dict[int, str]:
    """Read what tours are called, with who drives them."""
    return {row["id"]: row["called"] for row in await db.fetch(_SQL["called_tours"], account_id, route_ids)}
