"""The inbox, as receivers see it: blocks go in. (Trackers take them out: sql/inbox/takes.py.)"""

from collections.abc import Sequence
from datetime import datetime

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


async def put_blocks(
    db: Db | Pool, *, received_at: datetime, lanes: Sequence[int], pings: Sequence[int], bodies: Sequence[bytes]
) -> None:
    """Keep blocks; durable when this returns, or, inside a transaction, when that has committed.

    Args:
        received_at: when the oldest ping in them came.
        lanes, pings, bodies: a lane, a number of pings and a body for each block (ingest/blocks.py).
    """
    await db.execute(_SQL["put_blocks"], received_at, lanes, pings, bodies)


async def depth(db: Db) -> int:
    """Estimate how many pings wait for the trackers; within a tenth or so when there are very many."""
    share: float = await db.fetchval(_SQL["share_to_sample"])
    sampled: int = await db.fetchval(_SQL["depth"], share)
    return round(sampled / share)
