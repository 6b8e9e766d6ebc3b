"""Visits: when the van came to a route's stops and left them."""

from datetime import datetime

import msgspec
from aiohttp import web

from api.http.ids import DRIVER, STOP, shown
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.refs import of_route_in_path
from sql.track.visits import visits_of_route

operations = Operations("visits")


class VisitView(msgspec.Struct, frozen=True, kw_only=True):
    """One visit of a stop.

    `departed_at` is null while the van is there. `source`: auto (by pings) or driver. `certainty`, 0 to 1, is how
    likely the van really was there; 1 where the driver says so, null where an earlier release did not say. `on_foot_m`
    is how far the driver went from the van, null where fewer than three fixes say so.
    """

    stop_id: str
    stop_external_id: str
    driver_id: str
    arrived_at: datetime
    departed_at: datetime | None
    source: str
    certainty: float | None
    on_foot_m: float | None


class VisitList(msgspec.Struct, frozen=True, kw_only=True):
    """The visits of a route in the order of arrival."""

    visits: list[VisitView]


@operations.operation("GET", "/v1/routes/{route}/visits", who=Who.VIEWER, answer=VisitList)
async def get_visits(request: web.Request) -> web.Response:
    """Read when the van came to a route's stops and left them.

    A stop that was visited twice is there twice.
    """
    shown_visits = [
        VisitView(
            stop_id=shown(STOP, visit.stop_id),
            stop_external_id=visit.stop_external_id,
            driver_id=shown(DRIVER, visit.driver_id),
            arrived_at=visit.arrived_at,
            departed_at=visit.departed_at,
            source=visit.source,
            certainty=visit.certainty,
            on_foot_m=None if visit.on_foot_m is None else round(visit.on_foot_m, 1),
        )
        for visit in await of_route_in_path(request, visits_of_route)
    ]
    return answer(request, VisitList(visits=shown_visits))
