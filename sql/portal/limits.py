"""How often a link, or an address of the network, did something: counted for all processes together."""

from collections.abc import Sequence
from dataclasses import dataclass

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How often so far in the window that ends in `left_s`."""

    times: int
    left_s: float


async def count(db: Db | Pool, who: Sequence[bytes], what: str, *, window_s: float) -> dict[bytes, Count]:
    """Count one more for each; give how often it is by now, by who."""
    rows = await db.fetch(_SQL["count"], who, what, window_s)
    return {row["who"]: Count(times=row["times"], left_s=row["left_s"]) for row in rows}
