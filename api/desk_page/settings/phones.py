"""Phones of drivers: let in by a code to scan, shut out; seen and changed by dispatchers."""

from aiohttp import web

from api.desk.pages import LANG
from api.desk_page.settings.frame import ALSO, MOST_SHOWN, NOT_DISPATCHERS, day, settings_page
from api.desk_page.shown import Looker, for_people
from api.fleet.enrolment import APP_NAMES
from api.http import ids
from api.http.app_keys import POOL
from api.http.operation import Operations, Who
from api.pages.catalog import desk_texts
from sql.account import devices, drivers

operations = Operations("desk")


@operations.operation("GET", "/desk/settings/phones", who=Who.ANYONE, query=(LANG,), media=("text/html",), also=ALSO)
@for_people(but=NOT_DISPATCHERS)
async def get_phones_page(request: web.Request, looker: Looker) -> web.Response:
    """Show the drivers and their phones that may send."""
    pool, account_id, t = request.app[POOL], looker.caller.account_id, desk_texts(looker.language)
    rows = await drivers.list_drivers(pool, account_id=account_id, after=0, limit=MOST_SHOWN + 1)
    phones = await devices.devices_of_account(pool, account_id)
    app_names = {**APP_NAMES, "browser": t["phones_browser"]}
    return settings_page(
        request,
        looker,
        "phones.html",
        title="phones_title",
        drivers=[
            {
                "id": ids.shown(ids.DRIVER, one.id),
                "name": one.name or one.external_id,
                "phones": [
                    {
                        "id": ids.shown(ids.DEVICE, phone.id),
                        "label": phone.label,
                        "app": app_names[phone.app],
                        "made": day(looker, phone.created_at),
                    }
                    for phone in phones.get(one.id, ())
                ],
            }
            for one in rows[:MOST_SHOWN]
        ],
        apps=list(APP_NAMES.items()),
        more=t["settings_more"].format(most=MOST_SHOWN) if len(rows) > MOST_SHOWN else "",
    )
