"""Holding the lanes of all whom a write concerns, although that may change until they are held."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

from api.http.problem import Unavailable
from sql.pool import Db, Pool
from sql.track.lanes import lock_lanes

_ATTEMPTS = 3
"""Each fails only if a route was given to somebody else within the milliseconds that it takes to hold lanes."""

LanesOf: TypeAlias = Callable[[Db], Awaitable[set[int]]]
"""Finds the lanes that a write concerns, as things are now."""


@asynccontextmanager
async def held_lanes(pool: Pool, lanes_of: LanesOf) -> AsyncIterator[Db]:
    """Begin a transaction that holds lanes until its end; what is written in it is committed by leaving the block.

    Who had which route is not known before it is read, and is sure only once the lanes are held: it is read again then,
    and all of it begun anew where there are lanes more.

    Raises:
        Unavailable: routes were given to others again and again meanwhile.
        asyncpg.LockNotAvailableError: a tracker held a lane for longer than the connection's lock_timeout.
    """
    for _ in range(_ATTEMPTS):
        async with pool.acquire() as db, db.transaction():
            lanes = await lanes_of(db)
            await lock_lanes(db, lanes)
            if lanes.issuperset(await lanes_of(db)):
                yield db
                return
    raise Unavailable("The routes of these stops are being changed; nothing was kept. Please try again.")
