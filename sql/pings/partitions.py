"""Partitions of `ping`, one a UTC day: made ahead, dropped whole by retention."""

from datetime import date

from sql import locks
from sql.pool import Db
from sql.queries import load

_SQL = load(__name__)

_LONGEST_S = 86_400.0


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


async def tighten_key(db: Db, *, row_bytes: float, least_bytes: int) -> str | None:
    """Write one key anew of which much is empty, of a day that is over, beside its writers and readers.

    Not to be called inside a transaction; what is set on the connection is its pool's to reset.

    Args:
        row_bytes: more than this a row is too much.
        least_bytes: a smaller key is left alone.

    Returns:
        Its name; None: there is none, or another process is at it.
    """
    if not await db.fetchval(_SQL["try_hold_keys"], locks.KEYS):
        return None
    try:
        await db.execute(_SQL["wait_long"])
        for half_made in await db.fetch(_SQL["half_made_keys"]):
            await db.execute(f"DROP INDEX CONCURRENTLY {half_made['relname']}", timeout=_LONGEST_S)
        loose: str | None = await db.fetchval(_SQL["loose_key"], row_bytes, least_bytes)
        if loose is not None:
            await db.execute(f"REINDEX INDEX CONCURRENTLY {loose}", timeout=_LONGEST_S)
        return loose
    finally:
        await db.execute(_SQL["let_keys_go"], locks.KEYS)
