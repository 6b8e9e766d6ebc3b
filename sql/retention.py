"""Forgetting what has become useless; pings go by the day, in sql/partitions.py."""

from datetime import datetime

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load("retention")


async def drop_quarantined(db: Db | Pool, before: datetime, *, at_most: int) -> int:
    """Forget the oldest of what was received before a time and could not be used; return how many."""
    return len(await db.fetch(_SQL["drop_quarantined"], before, at_most))


async def drop_detours(db: Db | Pool, before: datetime, *, at_most: int) -> int:
    """Forget the oldest of the detours that ended before a time; return how many."""
    return len(await db.fetch(_SQL["drop_detours"], before, at_most))


async def drop_checkpoints(db: Db | Pool, oldest_ping: datetime, *, at_most: int) -> int:
    """Forget checkpoints that no ping from `oldest_ping` on can need; return how many."""
    return len(await db.fetch(_SQL["drop_checkpoints"], oldest_ping, at_most))
