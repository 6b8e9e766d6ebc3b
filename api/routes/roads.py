"""A path for a route that brings none: along roads, or straight where there is no way to know them."""

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from api.http.problem import FieldError
from api.routes.body import RouteBody
from api.routes.path import RoutePath, road_path
from api.routes.plan import places_of
from sql.delivery.routes import RoutePlan
from work.roads.protocol import NoWay, RoadPath, Roads, RoadsAway

log = logging.getLogger(__name__)


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
