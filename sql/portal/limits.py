"""How often a link, or an address of the network, did something: counted for all processes together."""

from dataclasses import dataclass

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How often so far in the window that ends in `left_s`."""

    times: int
    left_s: float


async def count(db: Db | Pool, who: bytes, what: str, *, window_s: float) -> Count:
    """Count one more; give how often it is by now."""
    row = await db.fetchrow(_SQL["count"], who, what, window_s)
    assert row is not None
    return Count(times=row["times"], left_s=row["left_s"])


async def forget(db: Db | Pool, who: bytes, what: str) -> None:
    """Begin anew with the next of them."""
    await db.execute(_SQL["forget"], who, what)
