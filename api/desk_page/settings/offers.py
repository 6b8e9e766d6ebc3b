"""What recipients may choose instead: other times, with their places, and points to fetch things at."""

from aiohttp import web

from api.desk.pages import LANG
from api.desk_page.settings.frame import ALSO, MOST_SHOWN, NOT_DISPATCHERS, settings_page
from api.desk_page.shown import Looker, for_people
from api.http import ids
from api.http.app_keys import POOL
from api.http.operation import Operations, Who
from api.pages.catalog import desk_texts
from sql.account.geofences import list_geofences
from sql.portal.points import page_of_points
from sql.portal.slots import page_of_slots

operations = Operations("desk")


@operations.operation("GET", "/desk/settings/slots", who=Who.ANYONE, query=(LANG,), media=("text/html",), also=ALSO)
@for_people(but=NOT_DISPATCHERS)
async def get_slots_page(request: web.Request, looker: Looker) -> web.Response:
    """Show the times that recipients may choose, and how many places are taken."""
    pool, account_id, t = request.app[POOL], looker.caller.account_id, desk_texts(looker.language)
    rows = await page_of_slots(pool, account_id, ends_after=looker.now, limit=MOST_SHOWN + 1)
    fences = await list_geofences(pool, account_id=account_id, after=0, limit=MOST_SHOWN)
    return settings_page(
        request,
        looker,
        "slots.html",
        title="settings_slots",
        slots=[
            {
                "id": ids.shown(ids.SLOT, one.id),
                "zone": one.zone,
                "start": one.start_at.isoformat(),
                "end": one.end_at.isoformat(),
                "cut_off": one.cut_off.isoformat(),
                "most": one.most_stops,
                "load": "" if one.most_load is None else f"{one.most_load:g}",
                "taken": one.booked + one.held,
                "express": one.express,
            }
            for one in rows[:MOST_SHOWN]
        ],
        zones=[one.external_id for one in fences],
        more=t["settings_more"].format(most=MOST_SHOWN) if len(rows) > MOST_SHOWN else "",
    )


@operations.operation("GET", "/desk/settings/points", who=Who.ANYONE, query=(LANG,), media=("text/html",), also=ALSO)
@for_people(but=NOT_DISPATCHERS)
async def get_points_page(request: web.Request, looker: Looker) -> web.Response:
    """Show where recipients may fetch what is theirs."""
    pool, t = request.app[POOL], desk_texts(looker.language)
    rows = await page_of_points(pool, looker.caller.account_id, after=0, limit=MOST_SHOWN + 1)
    return settings_page(
        request,
        looker,
        "points.html",
        title="settings_points",
        points=[
            {
                "id": ids.shown(ids.POINT, one.id),
                "name": one.name,
                "address": one.address,
                "hours": one.opening_hours or "",
                "enabled": one.enabled,
            }
            for one in rows[:MOST_SHOWN]
        ],
        more=t["settings_more"].format(most=MOST_SHOWN) if len(rows) > MOST_SHOWN else "",
    )
