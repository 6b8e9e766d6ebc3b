"""How old the oldest of each class of data is, and how much is too old: what would be deleted, before it is."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TypeAlias

from sql.pings.partitions import partition_days
from sql.pool import Db
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Age:
    """What is too old of a class of data.

    Attributes:
        oldest: None when nothing is too old.
        things: how many, counted up to what was asked for; more may be passed over because something else needs them.
    """

    oldest: datetime | None
    things: int


AgeOf: TypeAlias = Callable[[Db, datetime, int], Awaitable[Age]]
"""Asks for the age of a class: what is older than a time, counted up to so many (1 or more)."""


async def age_of_pings(db: Db, before: datetime, at_most: int) -> Age:
    """Tell what is too old of pings; days are looked at in order, and empty ones are not there."""
    oldest = None
    for day in await partition_days(db):
        begin = datetime.combine(day, time(), UTC)
        if oldest is None and begin < before and await db.fetchval(_SQL["has_pings"], begin, begin + timedelta(days=1)):
            oldest = begin
    if oldest is None:
        return Age(oldest=None, things=0)
    return Age(oldest=oldest, things=await db.fetchval(_SQL["count_pings"], before, at_most))


def _asked(query: str) -> AgeOf:
    async def ask(db: Db, before: datetime, at_most: int) -> Age:
        row = await db.fetchrow(query, before, at_most)
        assert row is not None
        return Age(**row)

    return ask


age_of_tracks = _asked(_SQL["age_of_tracks"])
age_of_live = _asked(_SQL["age_of_live"])
age_of_places = _asked(_SQL["age_of_places"])
age_of_feed = _asked(_SQL["age_of_feed"])
age_of_visits = _asked(_SQL["age_of_visits"])
age_of_driver_events = _asked(_SQL["age_of_driver_events"])
age_of_proofs = _asked(_SQL["age_of_proofs"])
age_of_photos = _asked(_SQL["age_of_photos"])
age_of_recipients = _asked(_SQL["age_of_recipients"])
age_of_drivers = _asked(_SQL["age_of_drivers"])
age_of_routes = _asked(_SQL["age_of_routes"])
age_of_geofences = _asked(_SQL["age_of_geofences"])
age_of_manifests = _asked(_SQL["age_of_manifests"])
age_of_etas = _asked(_SQL["age_of_etas"])
age_of_quarantine = _asked(_SQL["age_of_quarantine"])
age_of_messages = _asked(_SQL["age_of_messages"])
age_of_deliveries = _asked(_SQL["age_of_deliveries"])
age_of_orders = _asked(_SQL["age_of_orders"])
age_of_addresses = _asked(_SQL["age_of_addresses"])
age_of_plans = _asked(_SQL["age_of_plans"])
age_of_audit = _asked(_SQL["age_of_audit"])
