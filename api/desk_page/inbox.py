"""The inbox of alerts: what somebody has to look at, the most urgent first, with the page that helps."""

from typing import Any

from aiohttp import web

from api.desk.alerts import SEVERITIES, STATES
from api.desk.pages import LANG
from api.desk_page.shown import NOT_THE_DAY, Looker, for_people, shown
from api.http import ids
from api.http.app_keys import POOL
from api.http.operation import Operations, Parameter, Who
from sql.desk.alerts import DeskAlert, list_desk_alerts
from sql.desk.tours import AlertPlace, places_of_alerts, usual_zone

operations = Operations("desk")

MOST_ALERTS = 200
"""Shown, the newest: more than a shift works off."""

_NEWEST = 2**63 - 1
_TONES = {3: "broken", 2: "doing", 1: "off"}


@operations.operation(
    "GET",
    "/desk/alerts",
    who=Who.ANYONE,
    query=(
        Parameter(name="state", description="Those in this state; else the open ones.", schema={"enum": [*STATES]}),
        LANG,
    ),
    media=("text/html",),
    also={303: "Nobody is signed in: the form to sign in."},
)
@for_people(but=NOT_THE_DAY)
async def get_inbox(request: web.Request, looker: Looker) -> web.Response:
    """Show alerts, what hurries first; dispatchers take, put aside and close them there."""
    asked, pool, account_id = request.query.get("state", ""), request.app[POOL], looker.caller.account_id
    state = next((one for one in STATES if one == asked), STATES[0])
    rows = await list_desk_alerts(pool, account_id, state=state, severity=1, before=_NEWEST, limit=MOST_ALERTS)
    if state == "open":
        rows.sort(key=lambda row: (-row.severity, -row.id))
    places = await places_of_alerts(pool, account_id, rows)
    zone = await usual_zone(pool, account_id)
    return shown(
        request,
        looker,
        "inbox.html",
        title=looker.words["alerts"]["title"],
        state=state,
        states=[*STATES],
        alerts=[_row(looker, row, places[row.id], zone) for row in rows],
        newest=max((row.id for row in rows), default=0),
    )


def _row(looker: Looker, row: DeskAlert, place: AlertPlace, usual: str) -> dict[str, Any]:
    words, about = looker.words, looker.words["alerts"]
    manner = looker.manner(place.timezone or usual)
    taker = row.taken_email or about["somebody"]
    mine = row.taken_by is not None and row.taken_by == looker.caller.person_id
    name = row.type.replace(".", "_")
    return {
        "id": ids.shown(ids.ALERT, row.id),
        "what": words["alert_type"].get(name, row.type),
        "severity": words["severity"][SEVERITIES[row.severity - 1]],
        "tone": _TONES[row.severity],
        "when": manner.moment(row.occurred_at, looker.now),
        "about": " · ".join(text for text in (place.order, place.name, place.route, place.driver) if text),
        "stop": ids.shown_or_none(ids.STOP, row.stop_id),
        "route": ids.shown_or_none(ids.ROUTE, row.route_id),
        "taken": about["taken"].format(who=taker) if row.taken_at else "",
        "is_mine": mine,
        "is_taken": row.taken_at is not None,
        "until": about["until"].format(time=manner.moment(row.snoozed_until, looker.now)) if row.snoozed_until else "",
        "why": words["closed_why"].get(row.closed_why or "", ""),
    }
