"""Forgetting whom tours were for and who drove them, and tours; each a bounded number at a time, in a transaction."""

from datetime import datetime

from sql.pool import Db
from sql.queries import load

_SQL = load(__name__)


async def blank_recipients(db: Db, before: datetime, *, at_most: int) -> int:
    """Blank the people of routes that ended before a time; return of how many routes."""
    routes = [row["id"] for row in await db.fetch(_SQL["routes_with_people"], before, at_most)]
    blanks = (_SQL["blank_stops"], _SQL["blank_parcels"], _SQL["drop_wishes"], _SQL["blank_cases"])
    for blank in (*blanks, _SQL["people_are_gone"]):
        await db.execute(blank, routes)
    return len(routes)


async def blank_drivers(db: Db, before: datetime, *, at_most: int) -> int:
    """Blank drivers that were deleted before a time; return how many."""
    drivers = [row["id"] for row in await db.fetch(_SQL["blank_drivers"], before, at_most)]
    await db.execute(_SQL["blank_devices"], drivers)
    return len(drivers)


async def drop_routes(db: Db, before: datetime, *, at_most: int) -> int:
    """Forget routes that ended before a time and of which nothing else is kept; return how many."""
    routes = [row["id"] for row in await db.fetch(_SQL["old_routes"], before, at_most)]
    await db.execute(_SQL["drop_of_routes"], routes)
    await db.execute(_SQL["drop_routes"], routes)
    return len(routes)
