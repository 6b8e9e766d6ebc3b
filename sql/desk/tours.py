"""What a dispatcher looks at beside how the stops of a tour are, and what alerts are about."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sql.desk.alerts import DeskAlert
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


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedOn:
    """Of a stop that was taken off a tour: the stop that it is now, on which tour of whom.

    Attributes:
        driver: None: nobody drives that tour yet.
        is_to_fetch: its parcels are still where they were; that tour comes to fetch them.
    """

    now_id: int
    route: str
    driver: str | None
    is_to_fetch: bool


async def moved_on(db: Db | Pool, account_id: int, route_id: int) -> dict[int, MovedOn]:
    """Read where stops that were taken off a tour are by now, by stop; those that are nowhere are left out."""
    rows = await db.fetch(_SQL["moved_on"], account_id, route_id)
    return {row["stop_id"]: MovedOn(**{name: row[name] for name in MovedOn.__slots__}) for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPlace:
    """What an alert is about, by name; None: nothing of that kind, or it is gone."""

    order: str | None
    name: str | None = field(repr=False)
    route: str | None
    timezone: str | None
    driver: str | None


async def places_of_alerts(db: Db | Pool, account_id: int, alerts: Sequence[DeskAlert]) -> dict[int, AlertPlace]:
    """Read what alerts are about, by alert."""
    columns = zip(*((one.id, one.driver_id, one.route_id, one.stop_id) for one in alerts), strict=True)
    rows = await db.fetch(_SQL["places_of_alerts"], account_id, *columns) if alerts else []
    names = ("order", "name", "route", "timezone", "driver")
    return {row["id"]: AlertPlace(**{name: row[name] for name in names}) for row in rows}


async def usual_zone(db: Db | Pool, account_id: int) -> str:
    """Name the time zone of what belongs to no tour: that of the newest tour; UTC before there was any."""
    return await db.fetchval(_SQL["usual_zone"], account_id) or "UTC"


async def example_stop(pool: Pool, account_id: int) -> int | None:
    """Find a stop to look at something with; None: there was no tour yet."""
    stop_id: int | None = await pool.fetchval(_SQL["example_stop"], account_id)
    return stop_id
