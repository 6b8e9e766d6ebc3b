"""A day that is under way: the routes that plans became, and orders that go from one of them to another."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


SAME_DEPOT_DEG = (0.003, 0.0045)
"""Depots so near, some 300 m, are one: systems put them on the map each for itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TourOfDay:
    """A route of a day that is under way.

    Attributes:
        driver: external id of who drives it.
        shift: that a plan made it for; None: it was given by hand.
        from_depot: it says where it starts; else nobody knows where its parcels lie before that.
        lon, lat: where its path begins, degrees.
    """

    route_id: int
    external_id: str
    version: int
    status: str
    driver_id: int | None
    driver: str | None
    start_at: datetime
    end_at: datetime
    shift: str | None
    from_depot: bool
    return_to_depot: bool
    lon: float
    lat: float


async def tours_of_day(
    db: Db | Pool, *, account_id: int, on: date, depot: str, near: tuple[float, float], named: Sequence[int]
) -> list[TourOfDay]:
    """Read the routes of a day and depot that are not over; by id.

    Args:
        near: lat and lon of the depot: routes that were given by hand start there.
        named: routes that count though they say of no depot.
    """
    rows = await db.fetch(_SQL["tours_of_day"], account_id, on, depot, *near, *SAME_DEPOT_DEG, list(named))
    return [TourOfDay(**row) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class TourAsDriven:
    """What a shift's van has on its route, in turn, stops that are no orders too; `goes_on`: it can take more."""

    shift: str
    orders: list[str]
    goes_on: bool


async def driven_tours(db: Db | Pool, *, account_id: int, on: date, depot: str) -> list[TourAsDriven]:
    """Read the tours of a day's published plans as they are driven."""
    return [TourAsDriven(**row) for row in await db.fetch(_SQL["driven_tours"], account_id, on, depot)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOfRoute:
    """For which day and depot a route is.

    Attributes:
        depot: external id, of the plan that made it; None: it was given by hand.
        name, lat, lon: of the depot as the route has it, degrees; None where it has none.
    """

    route_id: int
    date: date
    depot: str | None
    timezone: str
    name: str | None
    lat: float | None
    lon: float | None


async def days_of_routes(db: Db | Pool, *, account_id: int, route_ids: Sequence[int]) -> list[DayOfRoute]:
    """Tell for which day and depot routes are."""
    return [DayOfRoute(**row) for row in await db.fetch(_SQL["days_of_routes"], account_id, list(route_ids))]


async def routes_by_hand(db: Db | Pool, *, account_id: int, days: Sequence[date]) -> list[int]:
    """List the routes of some days that no plan made, that say where they start and are not over."""
    return [row["id"] for row in await db.fetch(_SQL["routes_by_hand"], account_id, list(days))]


async def drivers_of_routes(db: Db | Pool, *, account_id: int, route_ids: Sequence[int]) -> dict[int, str]:
    """Tell who drives routes, by external id; those that nobody drives are left out."""
    rows = await db.fetch(_SQL["drivers_of_routes"], account_id, list(route_ids))
    return {row["route_id"]: row["driver"] for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverTime:
    """A time that somebody is asked for; `driver` by external id, None: nobody."""

    driver: str | None
    start_at: datetime
    end_at: datetime


async def routes_meanwhile(
    db: Db | Pool, *, account_id: int, times: Sequence[DriverTime], but: Sequence[int]
) -> list[list[int]]:
    """List the open routes that drivers have at some times, one list a time, by their start.

    Args:
        but: routes that do not count.
    """
    columns = ([getattr(one, name) for one in times] for name in DriverTime.__slots__)
    found: list[list[int]] = [[] for _ in times]
    for row in await db.fetch(_SQL["routes_meanwhile"], account_id, *columns, list(but)) if times else []:
        found[row["row"]].append(row["route_id"])
    return found


async def stops_called(db: Db | Pool, *, route_ids: Sequence[int], names: Sequence[str]) -> list[tuple[int, str]]:
    """Find stops of routes by their external ids; several routes may have one each: id, external id."""
    rows = await db.fetch(_SQL["stops_called"], list(route_ids), list(names))
    return [(row["id"], row["external_id"]) for row in rows]


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


async def links_of_stops(db: Db, stop_ids: Sequence[int]) -> list[tuple[int, bytes]]:
    """Read which tracking links lead to stops: stop, SHA-256 of the token. Those that were ended are left out."""
    return [(row["stop_id"], row["link_hash"]) for row in await db.fetch(_SQL["links_of_stops"], list(stop_ids))]


async def lead_links(db: Db, links: Sequence[tuple[bytes, int]]) -> None:
    """Have tracking links lead to other stops: SHA-256 of the token, stop."""
    await db.execute(_SQL["lead_links"], *_columns(links, 2))


def _columns(rows: Sequence[tuple[object, ...]], count: int) -> list[list[object]]:
    return [[row[column] for row in rows] for column in range(count)]
