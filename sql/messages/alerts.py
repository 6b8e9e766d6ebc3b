"""What people of the company are told: written when the feed is numbered, gone when it is told."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyAlert:
    """A fact that is to be told one way: email or service; `settings` are the account's, as they are stored."""

    fact_id: UUID
    way: str
    account_id: int
    attempts: int
    account_name: str
    settings: dict[str, Any]
    type: str
    occurred_at: datetime
    driver_id: int | None
    stop_id: int | None
    data: dict[str, Any]


async def lease_alerts(db: Db | Pool, *, now: datetime, until: datetime, at_most: int) -> list[CompanyAlert]:
    """Take alerts that are due; until the lease ends nobody else does."""
    return [CompanyAlert(**row) for row in await db.fetch(_SQL["lease_alerts"], now, until, at_most)]


async def alert_again(db: Db | Pool, alert: CompanyAlert, at: datetime) -> None:
    """Have an alert told later."""
    await db.execute(_SQL["alert_again"], alert.fact_id, alert.way, at)


async def end_alert(db: Db | Pool, alert: CompanyAlert) -> None:
    """Forget an alert: it was told, or never will be."""
    await db.execute(_SQL["end_alert"], alert.fact_id, alert.way)


async def drop_alerts(db: Db | Pool, before: datetime, *, at_most: int) -> int:
    """Forget the oldest alerts that have been due since before a time; return how many."""
    return len(await db.fetch(_SQL["drop_alerts"], before, at_most))
