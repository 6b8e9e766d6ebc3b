"""A tour under way: what its van came to, what is ahead, and when it comes there in one order or another."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from aiohttp import web

from api.http import ids
from api.http.app_keys import POOL
from api.http.problem import Conflict, NotFound
from api.http.refs import Ref
from api.planning.stops import body_of_stop
from api.planning.tours import route_plan
from api.routes.body import DepotBody, RouteBody, StopBody
from api.routes.roads import tools_of
from geo.tours.matrix import straight
from sql.account.drivers import DriverRow, find_driver
from sql.account.settings import read_settings
from sql.delivery import routes
from sql.delivery.routes import TO_DRIVE, RouteHead, RoutePlan
from sql.delivery.stops import StopRow, stops_of_route
from sql.pool import Db, Pool
from sql.track.live import live_of_drivers
from work.planning.so_far import is_touched


@dataclass(frozen=True, slots=True, kw_only=True)
class TourUnderWay:
    """A route as it is; `come_to` and `ahead`: its stops, those that the van was at and those it was not, in order."""

    head: RouteHead
    plan: RoutePlan
    driver: DriverRow | None
    come_to: Sequence[StopRow]
    ahead: Sequence[StopRow]

    def bodies_ahead(self) -> list[StopBody]:
        """Write the stops ahead as they are."""
        return [body_of_stop(stop.plan, stop.plan.planned_arrival) for stop in self.ahead]


async def tour_under_way(db: Db, account_id: int, ref: Ref) -> TourUnderWay:
    """Read a route that is not over.

    Raises:
        NotFound: there is none of this id.
        Conflict: it is over.
    """
    head = await routes.find_route(db, account_id=account_id, route_id=ref.id, external_id=ref.external_id)
    if head is None:
        raise NotFound("There is no route of this id.")
    if head.status not in TO_DRIVE:
        raise Conflict(f"The tour is over: the route is {head.status}.")
    driver = None
    if head.driver_id is not None:
        driver = await find_driver(db, account_id=account_id, driver_id=head.driver_id, external_id=None)
    there = [stop for stop in await stops_of_route(db, head.id) if not stop.removed]
    return TourUnderWay(
        head=head,
        plan=await routes.read_plan(db, head.id),
        driver=driver,
        come_to=[stop for stop in there if not is_ahead(stop)],
        ahead=[stop for stop in there if is_ahead(stop)],
    )


def is_ahead(stop: StopRow) -> bool:
    """Tell whether the van still comes to a stop."""
    return not stop.removed and not is_touched(stop)


async def place_of_van(pool: Pool, account_id: int, tour: TourUnderWay) -> tuple[float, float]:
    """Say where the van sets out to the stops ahead: longitude and latitude, degrees."""
    driver_id = tour.head.driver_id
    if tour.head.status == "started" and driver_id is not None:
        live = (await live_of_drivers(pool, account_id, [driver_id])).get(driver_id)
        if live is not None and live.route_id == tour.head.id:
            return live.lon_e6 / 1e6, live.lat_e6 / 1e6
    if not tour.come_to and tour.plan.depot_lon is not None and tour.plan.depot_lat is not None:
        return tour.plan.depot_lon, tour.plan.depot_lat
    last = (tour.come_to[-1] if tour.come_to else tour.ahead[0]).plan
    return last.lon, last.lat


def leaves_at(plan: RoutePlan, now: datetime) -> datetime:
    """Tell from when on the van can be on its way to the stops ahead."""
    return max(now, plan.start_at)


def arrivals(
    plan: RoutePlan, stops: Sequence[StopBody], place: tuple[float, float], now: datetime
) -> tuple[list[datetime], datetime]:
    """Reckon when a van comes to stops, and when it is done: straight lines at a town's pace, from a place."""
    at, found = leaves_at(plan, now), []
    if stops:
        lon, lat = np.array([place, *((stop.lon, stop.lat) for stop in stops)]).T
        _, drive_s = straight(lon, lat)
        for row, stop in enumerate(stops):
            at += timedelta(seconds=int(drive_s[row, row + 1]))
            found.append(at)
            if plan.wait_for_window and stop.window:
                at = max(at, stop.window.start)
            at += timedelta(seconds=stop.service_s or 0.0)
    return found, at


def late_s(stop: StopBody, arrival: datetime) -> float:
    """Tell how long after the end of its window a stop is come to, seconds; 0 where nothing was promised."""
    return max(0.0, (arrival - stop.window.end).total_seconds()) if stop.window else 0.0


async def plan_of_tour(
    request: web.Request, account_id: int, tour: TourUnderWay, ahead: Sequence[StopBody], *, end_at: datetime
) -> RoutePlan:
    """Make the plan of a tour with other stops ahead; what the van came to goes before them.

    Args:
        end_at: until when it may be driven.
    """
    plan = tour.plan
    depot = None
    if plan.depot_lat is not None and plan.depot_lon is not None:
        depot = DepotBody(lat=plan.depot_lat, lon=plan.depot_lon, name=plan.depot_name)
    body = RouteBody(
        date=plan.date,
        timezone=plan.timezone,
        start_at=plan.start_at,
        end_at=end_at,
        depot=depot,
        return_to_depot=plan.return_to_depot,
        stops=[*(body_of_stop(stop.plan, stop.plan.planned_arrival) for stop in tour.come_to), *ahead],
    )
    made = await route_plan(tools_of(request), body, tour.driver, await read_settings(request.app[POOL], account_id))
    return replace(made, wait_for_window=plan.wait_for_window, times_learned=plan.times_learned)


async def require_same(db: Db, tour: TourUnderWay, head: RouteHead | None) -> None:
    """Hold a tour that was read against how it is now that it is held.

    Raises:
        NotFound: it is gone.
        Conflict: somebody changed it, or its van came to a stop.
    """
    name = tour.head.external_id
    if head is None:
        raise NotFound(f"There is no route {name!r} any more.")
    if (head.version, head.driver_id, head.status) != (tour.head.version, tour.head.driver_id, tour.head.status):
        raise Conflict(f"The route {name!r} was changed a moment ago. Read it again, then repeat your change.")
    if {stop.id for stop in await stops_of_route(db, head.id) if is_ahead(stop)} != {stop.id for stop in tour.ahead}:
        raise Conflict(f"The van of {name!r} has come to a stop meanwhile. Read it again, then repeat your change.")


def named_stops(tour: TourUnderWay) -> dict[str, StopRow]:
    """Give the stops ahead by their ids."""
    return {ids.shown(ids.STOP, stop.id): stop for stop in tour.ahead}
