"""Heartbeats: the last message of each driver's phones that had no place in it."""

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


async def keep_heartbeat(
    db: Db | Pool, driver_id: int, *, received_ms: int, battery: float | None
) -> tuple[int, int, int] | None:
    """Remember that a driver's phone lives.

    Args:
        received_ms: our clock.
        battery: 0 to 1; None: it did not say.

    Returns:
        Account, driver and route (0: none), to be told to those who listen; None when the driver is shown nowhere.
    """
    row = await db.fetchrow(_SQL["keep_heartbeat"], driver_id, received_ms, battery)
    return None if row is None else (row["account_id"], row["driver_id"], row["route_id"])
