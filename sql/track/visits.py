"""Visits: arrival to departure at the stops of a route."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StopVisit:
    """A driver was at a stop. `departed_at` is None while they are there."""

    visit_id: UUID
    driver_id: int
    stop_id: int
    stop_external_id: str
    arrived_at: datetime
    departed_at: datetime | None
    source: str


async def visits_of_route(
    db: Db | Pool, account_id: int, *, route_id: int | None = None, external_id: str | None = None
) -> list[StopVisit] | None:
    """Read the visits of a route's stops by arrival; None when the account has no such route."""
    rows = await db.fetch(_SQL["visits_of_route"], account_id, route_id, external_id)
    if not rows:
        return None
    names = StopVisit.__dataclass_fields__
    return [StopVisit(**{name: row[name] for name in names}) for row in rows if row["visit_id"] is not None]
