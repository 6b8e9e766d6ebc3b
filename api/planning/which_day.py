"""Which day and depot is meant by whoever plans one again: of routes that plans made, and of those given by hand."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import msgspec

from api.http import ids
from api.http.problem import FieldError
from api.http.read.bodies import refuse
from api.planning.body import ReplanBody
from api.planning.orders import depots_of
from sql.planning.day import SAME_DEPOT_DEG, DayOfRoute, days_of_routes, depots_of_days, routes_by_hand
from sql.planning.resources import Resource, find_resource
from sql.pool import Pool
from work.planning.words import DepotWords


@dataclass(frozen=True, slots=True, kw_only=True)
class DayAsked:
    """A day of a depot.

    Attributes:
        depot: its external id; of a place that is no depot of the account, `/` and where it is: no external id has one.
        words: what is known of it.
        is_known: it is one of the account's depots.
    """

    on: date
    depot: str
    words: DepotWords
    is_known: bool


async def day_asked(pool: Pool, account_id: int, body: ReplanBody, routes: Sequence[int]) -> DayAsked:
    """Tell which day and depot is meant: that of the routes, or what is named, or the only one of today.

    Args:
        routes: that are named.

    Raises:
        Invalid: there is none, or there are several.
    """
    if routes:
        depots = await depots_of(pool, account_id)
        of_routes = await days_of_routes(pool, account_id=account_id, route_ids=routes)
        days = _days(of_routes, depots) or await _named(pool, account_id, body, of_routes)
    else:
        days = await days_to_plan_again(pool, account_id, body.date)
    if body.depot is not None:
        days = [day for day in days if body.depot in (day.depot, day.words.name)]
    if body.date is not None:
        days = [day for day in days if day.on == body.date]
    if len(days) > 1:
        words = ", ".join(sorted(f"{day.depot if day.is_known else day.words.name} on {day.on}" for day in days))
        refuse([FieldError(at="/depot", why=f"is needed: which one of {words}?")])
    if not days:
        refuse([FieldError(at="/date", why="no route of such a day and depot is still to be driven")])
    return days[0]


def _days(of_routes: Iterable[DayOfRoute], depots: Sequence[Resource]) -> list[DayAsked]:
    """Give the days of routes, each once; those that do not say where they start have none of their own."""
    found: list[DayAsked] = []
    for route in of_routes:
        day = _day(route, depots)
        if day is not None and not any(_same(day, other) for other in found):
            found.append(day)
    return found


def _day(route: DayOfRoute, depots: Sequence[Resource]) -> DayAsked | None:
    for depot in depots:
        words = msgspec.convert(depot.body, DepotWords)
        if route.depot == depot.external_id or (
            route.depot is None
            and route.lat is not None
            and route.lon is not None
            and _near(words, route.lat, route.lon)
        ):
            return DayAsked(on=route.date, depot=depot.external_id, words=words, is_known=True)
    if route.lat is None or route.lon is None:
        return None
    where = f"{route.lat:.5f},{route.lon:.5f}"
    words = DepotWords(name=route.name or where, lat=route.lat, lon=route.lon, timezone=route.timezone)
    return DayAsked(on=route.date, depot=f"/{where}", words=words, is_known=False)


def _near(words: DepotWords, lat: float, lon: float) -> bool:
    return abs(words.lat - lat) <= SAME_DEPOT_DEG[0] and abs(words.lon - lon) <= SAME_DEPOT_DEG[1]


def _same(one: DayAsked, other: DayAsked) -> bool:
    if one.on != other.on:
        return False
    if one.is_known or other.is_known:
        return one.depot == other.depot
    return _near(one.words, other.words.lat, other.words.lon)


async def _named(pool: Pool, account_id: int, body: ReplanBody, of_routes: Sequence[DayOfRoute]) -> list[DayAsked]:
    """Give the days of routes that do not say where they start, at the depot that is named."""
    if body.depot is None:
        names = ", ".join(ids.shown(ids.ROUTE, route.route_id) for route in of_routes)
        refuse([FieldError(at="/depot", why=f"is needed: {names} does not say where it starts")])
    depot = await find_resource(pool, account_id=account_id, kind="depot", external_id=body.depot or "")
    if depot is None:
        return []
    words = msgspec.convert(depot.body, DepotWords)
    days = {route.date for route in of_routes}
    return [DayAsked(on=on, depot=depot.external_id, words=words, is_known=True) for on in sorted(days)]


async def day_of_route(pool: Pool, account_id: int, route_id: int) -> DayAsked | None:
    """Tell which day and depot a route is of; None: it does not say where it starts."""
    of_routes = await days_of_routes(pool, account_id=account_id, route_ids=[route_id])
    return next(iter(_days(of_routes, await depots_of(pool, account_id))), None)


async def days_to_plan_again(pool: Pool, account_id: int, on: date | None = None) -> list[DayAsked]:
    """List the depots that have tours on a day; with None on the day that it is now at each of them."""
    depots, now = await depots_of(pool, account_id), pool.clock.now()
    days = [now.date() + timedelta(days=shift) for shift in (-1, 0, 1)] if on is None else [on]
    by_name = {depot.external_id: msgspec.convert(depot.body, DepotWords) for depot in depots}
    found = [
        DayAsked(on=day, depot=name, words=by_name[name], is_known=True)
        for day, name in await depots_of_days(pool, account_id=account_id, days=days)
        if name in by_name
    ]
    by_hand = await routes_by_hand(pool, account_id=account_id, days=days)
    for day in _days(await days_of_routes(pool, account_id=account_id, route_ids=by_hand), depots):
        if not any(_same(day, other) for other in found):
            found.append(day)
    return [day for day in found if on is not None or now.astimezone(ZoneInfo(day.words.timezone)).date() == day.on]
