"""Forgetting what has become useless; pings go by the day, in sql/track/partitions.py."""

from datetime import datetime

from sql.delivery.stop_states import hold_stops
from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


async def drop_quarantined(db: Db | Pool, before: datetime, *, at_most: int) -> int:
    """Forget the oldest of what was received before a time and could not be used; return how many."""
    return len(await db.fetch(_SQL["drop_quarantined"], before, at_most))


async def drop_detours(db: Db | Pool, before: datetime, *, at_most: int) -> int:
    """Forget the oldest of the detours that ended before a time; return how many."""
    return len(await db.fetch(_SQL["drop_detours"], before, at_most))


async def drop_driver_events(db: Db, before: datetime, stops_before: datetime, *, at_most: int) -> int:
    """Forget some of what drivers said, the oldest first; return how many events. Call it in a transaction.

    Of a stop all goes at once, when nothing was said of it from `stops_before` on and none of its proofs is kept; the
    stop stays as it was. Of shifts, breaks and starts of routes the last word in force before the limit stays.

    Args:
        before: no ping from so long ago may be folded again.
        stops_before: at or before it.
    """
    stop_ids = [row["stop_id"] for row in await db.fetch(_SQL["stops_to_forget"], stops_before, at_most)]
    await hold_stops(db, stop_ids)
    of_stops = await db.fetch(_SQL["drop_words_of_stops"], stop_ids, stops_before)
    await db.execute(_SQL["drop_unproven"], {row["stop_id"] for row in of_stops})
    return len(of_stops) + len(await db.fetch(_SQL["drop_other_words"], before, at_most))


async def drop_checkpoints(db: Db | Pool, oldest_ping: datetime, *, at_most: int) -> int:
    """Forget checkpoints that no ping from `oldest_ping` on can need; return how many."""
    return len(await db.fetch(_SQL["drop_checkpoints"], oldest_ping, at_most))
