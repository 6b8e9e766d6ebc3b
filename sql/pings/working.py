"""When drivers have tours: what accounts keep whose `location_policy` is `working`."""

from collections.abc import Sequence

import numpy as np

from geo.pings import Rows
from sql.pings.held import REACH_MS, SPELL
from sql.pool import Db
from sql.queries import load

_SQL = load(__name__)


async def accounts_of_working(db: Db, account_ids: Sequence[int]) -> set[int]:
    """Tell which accounts keep what was recorded while somebody works."""
    return {row["id"] for row in await db.fetch(_SQL["accounts_of_working"], account_ids)}


async def tours_of_drivers(
    db: Db, driver_ids: Sequence[int], since_ms: Sequence[int], *, early_ms: int, late_ms: int
) -> Rows:
    """Read the hours of drivers' tours: (n,) of dtype `SPELL`, in no order; they may overlap.

    Args:
        since_ms: for each driver; tours that were over before may be left out.
        early_ms, late_ms: so long before its start and after its end a tour may be driven.
    """
    rows = await db.fetch(_SQL["tours_of_drivers"], driver_ids, since_ms, early_ms, late_ms)
    return np.array([tuple(row) for row in rows], SPELL)


async def tours_changed(db: Db, *, lane: int, driver_id: int, account_id: int, route_id: int) -> None:
    """Tell the tracker that a driver's tours are others, from a day before this one. The caller holds the lane.

    Nothing happens where the account keeps by something else than tours.
    """
    await db.execute(_SQL["tours_changed"], lane, driver_id, account_id, route_id, REACH_MS)
