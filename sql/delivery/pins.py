"""Which of its PINs a stop has; the PINs themselves are derived (api/routes/pins.py)."""

from dataclasses import dataclass

from sql.pool import Db
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StopWithPin:
    """A stop whose PIN somebody replaces; `asks_pin`: it is among the proofs that it asks for."""

    route_id: int
    pin_generation: int
    asks_pin: bool


async def stop_with_pin(db: Db, *, account_id: int, stop_id: int) -> StopWithPin | None:
    """Read and hold a stop; None when the account has no such stop."""
    row = await db.fetchrow(_SQL["stop_with_pin"], account_id, stop_id)
    return None if row is None else StopWithPin(**row)


async def replace_pin(db: Db, *, stop_id: int, generation: int) -> None:
    """Put another PIN in the place of the one before."""
    await db.execute(_SQL["replace_pin"], stop_id, generation)
