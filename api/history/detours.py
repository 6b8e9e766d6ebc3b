"""Detours: where drivers drove between leaving a route and coming back."""

from datetime import datetime
from typing import Literal, cast

import msgspec
from aiohttp import web

from api.http.ids import DRIVER, shown
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.refs import of_route_in_path
from sql.delivery.detours import detours_of_route
from work.roads.protocol import Source

operations = Operations("detours")


class MultiLineString(msgspec.Struct, frozen=True, kw_only=True):
    """GeoJSON; more than one line where the way tears."""

    type: Literal["MultiLineString"]
    coordinates: list[list[tuple[float, float]]]


class DetourView(msgspec.Struct, frozen=True, kw_only=True):
    """One detour. `source`: road, or straight lines from ping to ping where no roads are known."""

    driver_id: str
    from_at: datetime
    to_at: datetime
    source: Source
    length_m: float
    path: MultiLineString


class DetourList(msgspec.Struct, frozen=True, kw_only=True):
    """The detours from a route in the order of time."""

    detours: list[DetourView]


@operations.operation("GET", "/v1/routes/{route}/detours", who=Who.VIEWER, answer=DetourList)
async def get_detours(request: web.Request) -> web.Response:
    """Read where drivers drove between leaving a route and coming back.

    A detour is here soon after the driver came back; what comes late from the phone changes it or takes it away.
    """
    views = [
        DetourView(
            driver_id=shown(DRIVER, detour.driver_id),
            from_at=detour.from_at,
            to_at=detour.to_at,
            source=cast(Source, detour.source),
            length_m=round(detour.length_m, 1),
            path=MultiLineString(type="MultiLineString", coordinates=[list(line) for line in detour.path]),
        )
        for detour in await of_route_in_path(request, detours_of_route)
    ]
    return answer(request, DetourList(detours=views))
