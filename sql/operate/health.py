"""How far behind the database's own queues are; cheap enough to be asked every few seconds."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from sql.migrate import applied
from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)

ANSWERS_WITHIN_S = 5.0
"""A database that takes longer than this for nothing at all is away."""

_BLOCKS = 20_000
_TRACKS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits to be tracked.

    Attributes:
        pings: on disk, acknowledged, not yet taken by a tracker.
        oldest: when the oldest of them came; None when there are none.
        unsettled_tracks: drivers of whom something stored waits to be folded.
        unfolded_s: the longest stretch of recorded time that waits to be folded, seconds, at most a day.
    """

    pings: int
    oldest: datetime | None
    unsettled_tracks: int
    unfolded_s: float


async def alive(db: Db | Pool) -> None:
    """Return when the database answers."""
    await db.fetchval(_SQL["alive"], timeout=ANSWERS_WITHIN_S)


async def schema_version(pool: Pool) -> int:
    """Tell the number of the last migration applied; 0 for an empty database.

    Raises:
        one of `sql.pool.DATABASE_AWAY`: it does not answer in time.
    """
    async with asyncio.timeout(ANSWERS_WITHIN_S), pool.acquire() as connection:
        return await applied(connection)


async def read_backlog(db: Db | Pool) -> Backlog:
    """Measure the queues; beyond some thousands of blocks or tracks the numbers are lower bounds."""
    inbox = await db.fetchrow(_SQL["inbox_depth"], _BLOCKS)
    track = await db.fetchrow(_SQL["unsettled"], _TRACKS)
    assert inbox is not None
    assert track is not None
    return Backlog(
        pings=inbox["pings"],
        oldest=inbox["oldest"],
        unsettled_tracks=track["tracks"],
        unfolded_s=max(0.0, track["stretch_s"] or 0.0),
    )
