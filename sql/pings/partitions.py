"""Partitions of `ping`, one a UTC day: made ahead, dropped whole by retention."""

from datetime import date

from sql import locks
from sql.pool import Db
from sql.queries import load

_SQL = load(__name__)


async def ensure_partitions(db: Db, first: date, last: date) -> None:
    """Make the partitions of these days that are missing. Readers and writers of other days are not held up."""
    async with db.transaction():
        await db.execute(_SQL["hold_partitions"], locks.PARTITIONS)
        await db.execute(_SQL["make_partitions"], first, last)


async def partition_days(db: Db) -> list[date]:
    """List the days that have a partition, oldest first."""
    return [row["day"] for row in await db.fetch(_SQL["partition_days"])]


async def drop_partitions_before(db: Db, day: date) -> list[date]:
    """Drop the pings of all days before `day`; return those days. Not to be called inside a transaction."""
    dropped = []
    for old, is_half_detached in await db.fetch(_SQL["partition_days"]):
        if old < day:
            name = f"ping_{old:%Y%m%d}"
            how = "FINALIZE" if is_half_detached else "CONCURRENTLY"
            await db.execute(f"ALTER TABLE packed_ping DETACH PARTITION {name} {how}")
            await db.execute(f"DROP TABLE {name}")
            dropped.append(old)
    return dropped
