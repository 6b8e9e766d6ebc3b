"""What shows how a stop was served, beside its proofs: visits, and what the PIN at the door was."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedStop:
    """How a stop was served.

    Attributes:
        lat, lon: where its door is: as its recipient says, else where the planner has it.
        door_by: recipient or planner.
        asks_pin: it was to be handed over for a PIN.
        pin_held: the word that ended it gave a PIN, and that was right.
    """

    lat: float
    lon: float
    door_by: str
    asks_pin: bool
    pin_held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitSeen:
    """When the van was at a stop; `departed_at` None: it is there."""

    arrived_at: datetime
    departed_at: datetime | None
    source: str


async def served_stop(db: Db | Pool, *, account_id: int, stop_id: int) -> ServedStop | None:
    """Read how a stop was served; None: the account has no such stop."""
    row = await db.fetchrow(_SQL["served_stop"], account_id, stop_id)
    return None if row is None else ServedStop(**row)


async def visits_of_stop(db: Db | Pool, *, account_id: int, stop_id: int) -> Sequence[VisitSeen]:
    """Read when the van was at a stop, in order."""
    return [VisitSeen(**row) for row in await db.fetch(_SQL["visits_of_stop"], account_id, stop_id)]


@dataclass(frozen=True, slots=True, kw_only=True)
class StopPlace:
    """Where a stop is: degrees, and the time zone of its route."""

    lat: float
    lon: float
    timezone: str


async def find_place(db: Db, *, account_id: int, stop_id: int, hold: bool) -> StopPlace | None:
    """Read where a stop is; None: the account has no such stop.

    Args:
        hold: nobody else changes the stop until the transaction ends.
    """
    query = _SQL["hold_place"] if hold else _SQL["find_place"]
    row = await db.fetchrow(query, account_id, stop_id)
    return None if row is None else StopPlace(**row)
