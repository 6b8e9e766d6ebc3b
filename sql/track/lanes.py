"""Lanes: the unit of order and of locking. Whoever writes what a tracker reads holds the driver's lane."""

from collections.abc import Iterable

from sql import locks
from sql.pool import Db
from sql.queries import load

_SQL = load(__name__)


async def lock_lanes(db: Db, lanes: Iterable[int]) -> None:
    """Hold lanes until the transaction ends; the first statement of a write that the tracker reads.

    Raises:
        asyncpg.LockNotAvailableError: a tracker held one for longer than the connection's lock_timeout.
    """
    await db.execute(_SQL["lock_lanes"], locks.LANE_CLASS, sorted(set(lanes)))


async def lock_account(db: Db, account_id: int) -> None:
    """Hold an account and the lanes of its drivers until the transaction ends; before a write that all of them go by.

    Other accounts' drivers in those lanes wait as long; those in other lanes do not notice.

    Raises:
        asyncpg.LockNotAvailableError: as `lock_lanes`.
    """
    await db.execute(_SQL["lock_account"], locks.ACCOUNT_CLASS, account_id)
    await db.execute(_SQL["lock_lanes_of_account"], locks.LANE_CLASS, account_id)


async def try_lock_lanes(db: Db, lanes: Iterable[int]) -> list[int]:
    """Hold those lanes that nobody else holds, until the transaction ends; return them."""
    return [row["lane"] for row in await db.fetch(_SQL["try_lock_lanes"], locks.LANE_CLASS, list(lanes))]
