"""Claims: what drivers said and their history rests on, as the tracker folds it."""

from collections.abc import Sequence

from geo.fold.claims import KINDS
from geo.plan.plans import Claim
from sql.pool import Db
from sql.queries import load

_SQL = load(__name__)


async def claims_of_drivers(db: Db, driver_ids: Sequence[int], since_ms: Sequence[int]) -> dict[int, list[Claim]]:
    """Read each driver's claims in force, in order.

    Args:
        since_ms: for each driver, leave out what happened before.
    """
    found: dict[int, list[Claim]] = {driver_id: [] for driver_id in driver_ids}
    for row in await db.fetch(_SQL["claims_of_drivers"], driver_ids, since_ms, KINDS):
        found[row["driver_id"]].append(
            Claim(
                at_ms=row["at_ms"],
                id=row["id"],
                kind=row["kind"],
                route_id=row["route_id"],
                stop_id=row["stop_id"] or 0,
                lat=row["lat"],
                lon=row["lon"],
            )
        )
    return found


async def first_claims(db: Db, driver_ids: Sequence[int], *, since_ms: int) -> dict[int, int]:
    """Tell when each driver's first claim in force happened, in epoch milliseconds; drivers without one are missing."""
    return {row["driver_id"]: row["at_ms"] for row in await db.fetch(_SQL["first_claims"], driver_ids, since_ms, KINDS)}
