"""What a dispatcher looks at beside how the stops of a tour are."""

from dataclasses import dataclass

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StopSigns:
    """Of a stop: kind and state of its newest message (None: none), stored proofs, open tickets, open proposals."""

    stop_id: int
    told: str | None
    told_state: str | None
    proofs: int
    tickets: int
    proposals: int


async def signs_of_stops(db: Db | Pool, account_id: int, route_id: int) -> dict[int, StopSigns]:
    """Read the signs of all stops of a tour, by stop."""
    return {row["stop_id"]: StopSigns(**row) for row in await db.fetch(_SQL["signs_of_stops"], account_id, route_id)}
