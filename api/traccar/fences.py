"""Geofences as Traccar's clients read them."""

from aiohttp import web

from api.http.app_keys import POOL
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Who
from api.traccar.area import area_of
from api.traccar.login import authorize_traccar
from api.traccar.shapes import TraccarGeofence
from sql.account.geofences import GeofenceRow, list_geofences

operations = Operations("traccar", find=authorize_traccar)

MOST_FENCES = 10_000
"""In one answer, of the oldest: Traccar's clients ask for no pages."""


@operations.operation("GET", "/api/geofences", who=Who.VIEWER, answer=list[TraccarGeofence])
async def get_traccar_geofences(request: web.Request) -> web.Response:
    """List the geofences in force. Each is there for all drivers."""
    account_id = caller_of(request).account_id
    rows = await list_geofences(request.app[POOL], account_id=account_id, after=0, limit=MOST_FENCES)
    return answer(request, [_shown(row) for row in rows])


def _shown(row: GeofenceRow) -> TraccarGeofence:
    is_corridor = row.feature["geometry"]["type"] == "LineString"
    return TraccarGeofence(
        id=row.id,
        name=row.name or row.external_id,
        area=area_of(row.feature),
        attributes={"polylineDistance": row.feature["properties"]["buffer_m"]} if is_corridor else {},
    )
