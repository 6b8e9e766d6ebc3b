"""Live positions as people read them: the newest believed ping of each driver."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)

LIVE_CHANNEL = "reparto_live"
"""Channel on which trackers tell who moved: `account:driver:route` triples, separated by spaces; route 0 is none.

Driver 0 tells of the route itself; driver and route 0 of the account's settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePosition:
    """Where a driver is.

    Attributes:
        recorded_at: by the phone's clock.
        lat_e6, lon_e6: the phone's own place, degrees times a million.
        on_route: None when the driver is on no route.
        along_m: metres along the route's path; None when not on it.
        delay_s: behind the plan, negative ahead; None where the plan has no times.
        silent: on a route, but not heard of for too long.
    """

    driver_id: int
    route_id: int | None
    recorded_at: datetime
    lat_e6: int
    lon_e6: int
    speed_mps: float | None
    heading_deg: float | None
    along_m: float | None
    on_route: bool | None
    next_stop_id: int | None
    delay_s: float | None
    battery: float | None
    silent: bool


async def live_of_account(db: Db | Pool, account_id: int) -> dict[int, LivePosition]:
    """Read where all of an account's drivers are, by driver."""
    rows = await db.fetch(_SQL["live_of_account"], account_id)
    return {row["driver_id"]: LivePosition(**row) for row in rows}


async def live_of_drivers(db: Db | Pool, account_id: int, driver_ids: Collection[int]) -> dict[int, LivePosition]:
    """Read where some of an account's drivers are; those that were never seen, or are deleted, are left out."""
    rows = await db.fetch(_SQL["live_of_drivers"], account_id, list(driver_ids))
    return {row["driver_id"]: LivePosition(**row) for row in rows}
