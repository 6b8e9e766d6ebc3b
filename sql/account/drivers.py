"""Drivers."""

from dataclasses import dataclass
from datetime import datetime

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverRow:
    """A driver who works."""

    id: int
    account_id: int
    lane: int
    external_id: str
    name: str
    phone: str | None
    locale: str | None
    created_at: datetime


async def create_driver(
    db: Db | Pool, *, account_id: int, external_id: str, name: str, phone: str | None, locale: str | None
) -> DriverRow | None:
    """Make a driver; None when the account has one of this external id."""
    row = await db.fetchrow(_SQL["create_driver"], account_id, external_id, name, phone, locale)
    return None if row is None else DriverRow(**row)


async def find_driver(
    db: Db | Pool, *, account_id: int, driver_id: int | None, external_id: str | None
) -> DriverRow | None:
    """Find a driver by either id; None when the account has none such."""
    row = await db.fetchrow(_SQL["find_driver"], account_id, driver_id, external_id)
    return None if row is None else DriverRow(**row)


async def find_any_driver(
    db: Db | Pool, account_id: int, *, driver_id: int | None, external_id: str | None
) -> int | None:
    """Find a driver by either id, one that was deleted too; None when the account never had one such."""
    found: int | None = await db.fetchval(_SQL["find_any_driver"], account_id, driver_id, external_id)
    return found


async def list_drivers(db: Db | Pool, *, account_id: int, after: int, limit: int) -> list[DriverRow]:
    """Read a page of an account's drivers, in the order they were made."""
    return [DriverRow(**row) for row in await db.fetch(_SQL["list_drivers"], account_id, after, limit)]


async def change_driver(db: Db | Pool, driver_id: int, change: dict[str, str | None]) -> DriverRow | None:
    """Change a driver's name, phone or locale, as far as named; None when somebody deleted the driver meanwhile."""
    row = await db.fetchrow(_SQL["change_driver"], driver_id, change)
    return None if row is None else DriverRow(**row)


async def delete_driver(db: Db, driver_id: int) -> None:
    """Take a driver out of the account; the caller holds the lane and has taken devices and routes away."""
    await db.execute(_SQL["delete_driver"], driver_id)
