"""A path for a route that brings none, along roads or straight, and with it the plan that a body asks for."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from aiohttp import web

from api.http.app_keys import CONFIG, POOL, ROADS
from api.http.config import ApiConfig
from api.http.problem import FieldError
from api.http.refs import Ref, driver_named
from api.routes.body import RouteBody
from api.routes.path import RoutePath, road_path
from api.routes.plan import Draft, check_plan, make_plan, places_of
from sql.account.drivers import DriverRow
from sql.account.settings import read_settings
from sql.delivery import routes
from sql.delivery.routes import RoutePlan
from sql.pool import Pool
from work.roads.protocol import NoWay, RoadPath, Roads, RoadsAway

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteTools:
    """What routes are written with, whoever has them written: a request, an import, a rule of the account."""

    pool: Pool
    roads: Roads
    config: ApiConfig


def tools_of(request: web.Request) -> RouteTools:
    """Give those of an application."""
    return RouteTools(pool=request.app[POOL], roads=request.app[ROADS], config=request.app[CONFIG])


async def drafted(tools: RouteTools, account_id: int, ref: Ref, body: RouteBody) -> tuple[Draft, DriverRow | None]:
    """Make the plan that a body asks for, outside of any transaction: roads may take their time.

    Returns:
        The plan, and who is to drive it; None: nobody yet.

    Raises:
        Invalid: names every mistake of the body.
    """
    driver = await driver_named(tools.pool, account_id, body.driver)
    settings = await read_settings(tools.pool, account_id)
    driver_id, most = driver.id if driver else None, tools.config.max_path_vertices
    path = await asyncio.to_thread(check_plan, body, driver_id=driver_id, config=tools.config)
    warnings: list[FieldError] = []
    if body.path is None:
        known = await _plan_in_force(tools.pool, account_id, ref)
        path, warnings = await path_on_roads(tools.roads, body, straight=path, known=known, max_vertices=most)
    draft = await asyncio.to_thread(make_plan, body, path, driver_id=driver_id, settings=settings)
    return replace(draft, warnings=[*warnings, *draft.warnings]), driver


async def _plan_in_force(pool: Pool, account_id: int, ref: Ref) -> RoutePlan | None:
    async with pool.acquire() as db:
        head = await routes.find_route(db, account_id=account_id, route_id=ref.id, external_id=ref.external_id)
        return await routes.read_plan(db, head.id) if head else None


async def path_on_roads(
    roads: Roads, body: RouteBody, *, straight: RoutePath, known: RoutePlan | None, max_vertices: int
) -> tuple[RoutePath, list[FieldError]]:
    """Lead a path through the places of a body.

    What was found once for the same places stays: the same body again changes nothing, whatever the roads say by then.

    Args:
        straight: the straight lines through them, which it is if there is no way.
        known: the plan in force of this route.

    Returns:
        The path, and why it is straight although roads were asked for.
    """
    places = places_of(body)
    if known is not None and known.path_source == "road" and places == _places(known):
        return _path(known), []
    if len(straight.lon) < 2:
        return straight, []  # all of them are one
    try:
        found = await roads.route(np.array(places))
        if found.source == "straight":
            return straight, []
        path = road_path(found.lon, found.lat, max_vertices=max_vertices)
        return replace(path, stop_drive_s=_stop_drive_s(found, body)), []
    except NoWay as error:
        at, why = _at(error.place, body), str(error)
    except RoadsAway as error:
        log.warning("a route gets straight lines: %s", error)
        at, why = "/path", str(error)
    except ValueError as error:
        at, why = "/path", str(error)
    return straight, [FieldError(at=at, why=f"straight lines were drawn: {why}")]


def _places(plan: RoutePlan) -> Sequence[tuple[float, float]]:
    depot = [] if plan.depot_lon is None or plan.depot_lat is None else [(plan.depot_lon, plan.depot_lat)]
    stops = [(stop.lon, stop.lat) for stop in plan.stops]
    return [*depot, *stops, *(depot if plan.return_to_depot else [])]


def _path(plan: RoutePlan) -> RoutePath:
    lon, lat, along_m = (np.array(column) for column in (plan.path_lon, plan.path_lat, plan.path_along_m))
    return RoutePath(lon=lon, lat=lat, along_m=along_m, source="road", stop_drive_s=plan.stop_drive_s)


def _stop_drive_s(found: RoadPath, body: RouteBody) -> Sequence[float]:
    """Tell how long the driving to each stop takes; a way without a depot begins at the first stop."""
    if found.leg_durations_s is None:
        return ()
    legs: list[float] = found.leg_durations_s.tolist()
    return ([] if body.depot else [0.0]) + legs[: len(body.stops) - (body.depot is None)]


def _at(place: int | None, body: RouteBody) -> str:
    """Name a place by its JSON pointer in the body."""
    stop = -1 if place is None else place - (body.depot is not None)
    if 0 <= stop < len(body.stops):
        return f"/stops/{stop}"
    return "/path" if place is None else "/depot"
