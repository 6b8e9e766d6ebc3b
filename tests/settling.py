"""Waiting until the product has done everything that follows from what it was sent."""

import asyncio

from sql.pool import Db, Pool

_FOLLOWED = (
    "SELECT NOT EXISTS (SELECT FROM inbox)"
    " AND NOT EXISTS (SELECT FROM track WHERE folded_until < head_at OR rerun_from IS NOT NULL)"
)
_NUMBERED = " AND NOT EXISTS (SELECT FROM event WHERE seq IS NULL)"


PATIENCE_S = 300.0
"""How long a test waits for what must come: no machine is so busy, only a test that hangs waits so long."""


async def settle(db: Db | Pool, *, numbered: bool = True) -> None:
    """Wait until nothing waits: inbox drained, every track at its head, and, where `work` runs, every event numbered.

    Raises:
        TimeoutError: that takes longer than `PATIENCE_S`.
    """
    asked = _FOLLOWED + (_NUMBERED if numbered else "")
    async with asyncio.timeout(PATIENCE_S):
        while not await db.fetchval(asked):
            await asyncio.sleep(0.05)
