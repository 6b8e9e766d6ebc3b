"""A day that is under way: the routes that plans became, and orders that go from one of them to another."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TourOfDay:
    """A route that a plan became; `driver` is the external id of who drives it, `shift` the one it was planned for."""

    route_id: int
    external_id: str
    version: int
    status: str
    driver_id: int | None
    driver: str | None
    start_at: datetime
    end_at: datetime
    shift: str


async def tours_of_day(db: Db | Pool, *, account_id: int, on: date, depot: str) -> list[TourOfDay]:
    """Read the routes of a day and depot that are not over; by id."""
    return [TourOfDay(**row) for row in await db.fetch(_SQL["tours_of_day"], account_id, on, depot)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TourAsDriven:
    """What a shift's van has on its route, in turn, stops that are no orders too; `goes_on`: it can take more."""

    shift: str
    orders: list[str]
    goes_on: bool


async def driven_tours(db: Db | Pool, *, account_id: int, on: date, depot: str) -> list[TourAsDriven]:
    """Read the tours of a day's published plans as they are driven."""
    return [TourAsDriven(**row) for row in await db.fetch(_SQL["driven_tours"], account_id, on, depot)]


async def days_of_routes(db: Db | Pool, *, account_id: int, route_ids: Sequence[int]) -> dict[int, tuple[date, str]]:
    """Tell for which day and depot routes were planned; those that no plan made are left out."""
    rows = await db.fetch(_SQL["days_of_routes"], account_id, list(route_ids))
    return {row["route_id"]: (row["date"], row["depot"]) for row in rows}


async def depots_of_days(db: Db | Pool, *, account_id: int, days: Sequence[date]) -> list[tuple[date, str]]:
    """List the depots whose plans became routes on some days."""
    rows = await db.fetch(_SQL["depots_of_days"], account_id, list(days))
    return [(row["date"], row["depot"]) for row in rows]


async def breaks_begun(db: Db | Pool, since: Sequence[tuple[int, datetime]]) -> dict[int, int]:
    """Count the breaks that drivers began since a time of each."""
    drivers, times = [driver_id for driver_id, _ in since], [at for _, at in since]
    return {row["driver_id"]: row["breaks"] for row in await db.fetch(_SQL["breaks_begun"], drivers, times)}


async def move_orders(db: Db, account_id: int, plan_id: int | None, moves: Sequence[tuple[str, int, int]]) -> None:
    """Note that orders went from one route to another: external id, from, to; `plan_id` None: by hand."""
    await db.execute(_SQL["move_orders"], account_id, plan_id, *_columns(moves, 3))


async def end_orders(db: Db, account_id: int, names: Sequence[str]) -> None:
    """Cancel orders, also those that are on a route."""
    await db.execute(_SQL["end_orders"], account_id, list(names))


async def move_wishes(db: Db, moves: Sequence[tuple[int, int, int]]) -> None:
    """Have what recipients said of stops count for the stops that their orders are now: stop, stop now, its route."""
    await db.execute(_SQL["move_wishes"], *_columns(moves, 3))
    await db.execute(_SQL["move_subscriptions"], *_columns(moves, 2))


def _columns(rows: Sequence[tuple[object, ...]], count: int) -> list[list[object]]:
    return [[row[column] for row in rows] for column in range(count)]
