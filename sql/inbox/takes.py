"""Taking blocks from the inbox, exactly once. The order of the calls is ingest/track/tracker.py's."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sql.arrays import array_text
from sql.pool import Db
from sql.queries import load

_SQL = load(__name__)


class Block(NamedTuple):
    """One row of the inbox; fields in the order of the query."""

    lane: int
    id: int
    received_at: datetime
    body: bytes


async def plan_once(db: Db) -> None:
    """Let a tracker's connection plan each statement only once, and by key."""
    await db.execute(_SQL["plan_once"])


async def waiting_lanes(
    db: Db, after: Mapping[int, int], *, rerun_every_s: float, attempts: int, rest_s: float
) -> list[int]:
    """Find lanes with something to do.

    Args:
        after: of each lane asked about, the highest block id that was taken long ago; 0 at the start.
        rerun_every_s: a driver folded again within so many seconds is not due for it.
        attempts, rest_s: a lane tried so often without a commit is left alone for so many seconds.
    """
    asked = array_text(list(after)), array_text(list(after.values()))
    rows = await db.fetch(_SQL["waiting_lanes"], *asked, rerun_every_s, attempts, rest_s)
    return [row["lane"] for row in rows]


async def suspect_lanes(db: Db, lanes: Sequence[int], *, attempts: int) -> list[int]:
    """Find those of locked lanes that were tried so often since a take of theirs last committed."""
    return [row["lane"] for row in await db.fetch(_SQL["suspect_lanes"], lanes, attempts)]


async def count_attempts(db: Db, lanes: Sequence[int]) -> dict[int, int]:
    """Remember that lanes are being taken; return how often since a take of theirs last committed. Outside the take."""
    return {row["lane"]: row["attempts"] for row in await db.fetch(_SQL["count_attempts"], lanes)}


async def forget_attempts(db: Db, lanes: Sequence[int]) -> None:
    """Note, inside the take, that it commits."""
    await db.execute(_SQL["forget_attempts"], lanes)


async def take_back_attempts(db: Db, lanes: Sequence[int]) -> None:
    """Note that an attempt ended for a reason that is in no block."""
    if lanes:
        await db.execute(_SQL["take_back_attempts"], lanes)


async def pop_blocks(db: Db, after: Mapping[int, int], lanes: Sequence[int], *, pings: int, blocks: int) -> list[Block]:
    """Take the oldest blocks of locked lanes: about `pings` pings and at most `blocks` blocks of each, in order."""
    held = array_text(lanes), array_text([after[lane] for lane in lanes])
    rows = await db.fetch(_SQL["pop_blocks"], *held, pings, blocks)
    return sorted(Block(*row) for row in rows)
