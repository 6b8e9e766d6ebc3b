"""Geofences, drawn on a map or typed: seen and changed by dispatchers."""

from collections.abc import Mapping

from aiohttp import web

from api.desk.pages import LANG
from api.desk_page.ground import ground_of
from api.desk_page.settings.frame import ALSO, MOST_SHOWN, NOT_DISPATCHERS, settings_page
from api.desk_page.shown import Looker, for_people
from api.http import ids
from api.http.app_keys import CONFIG, POOL
from api.http.operation import Operations, Who
from api.pages.catalog import desk_texts
from sql.account.geofences import GeofenceRow, list_geofences

operations = Operations("desk")

KINDS = ("area", "circle", "corridor")

_SAID = (
    *("new", "how", *(f"how_{kind}" for kind in KINDS), "how_held"),
    *("reach_circle", "reach_corridor", "unreadable", "taken", "drop"),
)
"""What the page's script says."""


@operations.operation("GET", "/desk/settings/fences", who=Who.ANYONE, query=(LANG,), media=("text/html",), also=ALSO)
@for_people(but=NOT_DISPATCHERS)
async def get_fences_page(request: web.Request, looker: Looker) -> web.Response:
    """Show the geofences in force, and a map to draw them on."""
    t = desk_texts(looker.language)
    rows = await list_geofences(request.app[POOL], account_id=looker.caller.account_id, after=0, limit=MOST_SHOWN + 1)
    fences = rows[:MOST_SHOWN]
    names = {row.id: row.name or row.external_id for row in fences}
    return settings_page(
        request,
        looker,
        "fences.html",
        title="settings_fences",
        kinds=KINDS,
        fences=[
            {
                "id": ids.shown(ids.GEOFENCE, row.id),
                "external_id": row.external_id,
                "version": row.version,
                "name": names[row.id],
                "said": _said(row, t),
                "sure": t["fences_remove"].format(name=names[row.id]),
            }
            for row in fences
        ],
        features=[
            row.feature
            | {"id": ids.shown(ids.GEOFENCE, row.id), "external_id": row.external_id, "version": row.version}
            for row in fences
        ],
        script_words={name: t[f"fences_{name}"] for name in _SAID},
        more=t["settings_more"].format(most=MOST_SHOWN) if len(rows) > MOST_SHOWN else "",
        **ground_of(request.app[CONFIG]),
    )


def _said(row: GeofenceRow, t: Mapping[str, str]) -> str:
    """Say what shape a geofence has, and how large it is."""
    geometry, properties = row.feature["geometry"], row.feature["properties"]
    if geometry["type"] == "Point":
        return t["fences_said_circle"].format(metres=f"{properties['radius_m']:g}")
    if geometry["type"] == "LineString":
        return t["fences_said_corridor"].format(metres=f"{properties['buffer_m']:g}")
    parts = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    return t["fences_said_area"].format(corners=sum(len(ring) - 1 for part in parts for ring in part))
