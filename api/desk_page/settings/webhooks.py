"""Webhooks: made, tried, given another secret, switched off and on; seen and changed by admins."""

from aiohttp import web

from api.desk.pages import LANG
from api.desk_page.settings.frame import ALSO, NOT_ADMINS, day, settings_page
from api.desk_page.shown import Looker, for_people
from api.http import ids
from api.http.app_keys import POOL
from api.http.operation import Operations, Who
from api.pages.catalog import desk_texts
from api.webhooks.endpoints import MOST_WEBHOOKS
from sql.webhooks import webhooks
from sql.webhooks.webhooks import WebhookRow

operations = Operations("desk")


@operations.operation("GET", "/desk/settings/webhooks", who=Who.ANYONE, query=(LANG,), media=("text/html",), also=ALSO)
@for_people(but=NOT_ADMINS)
async def get_webhooks_page(request: web.Request, looker: Looker) -> web.Response:
    """Show which programs are told of events, and how that goes."""
    t = desk_texts(looker.language)
    rows = await webhooks.list_webhooks(request.app[POOL], looker.caller.account_id, after=0, limit=MOST_WEBHOOKS)

    def state_of(row: WebhookRow) -> str:
        if not row.enabled:
            return t["webhooks_off"]
        failing = row.failing_since
        return t["webhooks_well"] if failing is None else t["webhooks_failing"].format(day=day(looker, failing))

    return settings_page(
        request,
        looker,
        "webhooks.html",
        title="webhooks_title",
        webhooks=[
            {
                "id": ids.shown(ids.WEBHOOK, row.id),
                "url": row.url,
                "types": t["webhooks_every"] if row.types is None else ", ".join(row.types),
                "state": state_of(row),
                "why": row.disabled_why or "",
                "enabled": row.enabled,
                "made": day(looker, row.created_at),
            }
            for row in rows
        ],
    )
