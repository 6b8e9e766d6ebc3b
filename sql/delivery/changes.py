"""What was written lately: found by looking, so that nobody who answers from memory depends on being told."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that was written.

    Attributes:
        id: tells it from every other one; a change of a driver with several routes comes once for each.
        driver_id: whose it is; None: nobody's, or everybody's of the account where `route_id` is None too.
        route_id: of which route; None: of the driver, or of everything of the account.
    """

    id: int
    account_id: int
    driver_id: int | None
    route_id: int | None


async def changes_since(db: Db | Pool, seen: str | None) -> tuple[str, list[Change]]:
    """Read what was written since an earlier look.

    What was still being written then is told again by every look until it was over before one, so that nothing is
    missed: who looks passes over the ids that the look before gave.

    Args:
        seen: what the earlier look gave; None at the first, which gives no changes.

    Returns:
        What the next look needs, and the changes.
    """
    rows = await db.fetch(_SQL["changes_since"], seen)
    names = ("id", "account_id", "driver_id", "route_id")
    return rows[0]["seen"], [Change(**{name: row[name] for name in names}) for row in rows if row["id"] is not None]


async def moved_routes(
    db: Db | Pool, route_ids: Sequence[int], live_written: Sequence[int | None], eta_written: Sequence[int | None]
) -> list[int]:
    """Tell of which routes the van's place or the ETA is another than when they were read (`TrackedRoute`)."""
    rows = await db.fetch(_SQL["moved_routes"], route_ids, live_written, eta_written)
    return [row["route_id"] for row in rows]


async def moved_drivers(db: Db | Pool, account_ids: Collection[int], seen: str) -> list[tuple[int, int]]:
    """Tell which drivers' places or silence were written since an earlier look: (account, driver)."""
    rows = await db.fetch(_SQL["moved_drivers"], list(account_ids), seen)
    return [(row["account_id"], row["driver_id"]) for row in rows]


async def drop_changes(db: Db | Pool, before: datetime, *, at_most: int) -> int:
    """Forget what was written before; give how many rows."""
    return len(await db.fetch(_SQL["drop_changes"], before, at_most))
