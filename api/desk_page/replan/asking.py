"""The page where somebody has a day planned again: for one tour or for all vans of a depot, and what was proposed."""

from typing import Any

from aiohttp import web

from api.desk.pages import LANG
from api.desk_page.shown import NOT_THE_DAY, Looker, for_people, shown
from api.desk_page.today import days_around, tours_of_today
from api.http import ids
from api.http.app_keys import POOL
from api.http.operation import Operations, Parameter, Who
from api.http.refs import ref_of
from api.planning.orders import depots_of
from api.planning.which_day import DayAsked, day_of_route, days_to_plan_again
from api.routes.view import RouteItem, item_of
from sql.delivery.routes import TO_DRIVE, find_route, show_route
from sql.desk.proposals import AskedProposal, proposals_of_days
from sql.desk.tours import usual_zone
from sql.pool import Pool

operations = Operations("desk")

MOST_SHOWN = 20
"""Of what was asked for already, the newest."""

_TONES = {"done": "doing", "published": "well", "failed": "broken"}


@operations.operation(
    "GET",
    "/desk/replan",
    who=Who.ANYONE,
    query=(Parameter(name="route", description="A tour by either id: what is wrong is wrong with its van."), LANG),
    media=("text/html",),
    also={303: "Nobody is signed in: the form to sign in."},
)
@for_people(but=NOT_THE_DAY)
async def get_replan_page(request: web.Request, looker: Looker) -> web.Response:
    """Show what can be planned again, and what was proposed; dispatchers ask for it there."""
    pool, account_id = request.app[POOL], looker.caller.account_id
    tour = await _tour(pool, account_id, request.query.get("route", ""))
    tours = [one for one in await tours_of_today(pool, account_id, looker.now) if one.status in TO_DRIVE]
    its_day = await _day(pool, account_id, tour) if tour else None
    days = [_choice(one) for one in await days_to_plan_again(pool, account_id)]
    if tour and its_day is None:
        depots = await depots_of(pool, account_id)
        days = [{"depot": one.external_id, "name": str(one.body["name"]), "date": ""} for one in depots]
    dates = days_around(looker.now) | ({tour.date} if tour else set())
    asked = await proposals_of_days(pool, account_id, dates, at_most=MOST_SHOWN)
    zone = next((one.timezone for one in (tour, *tours) if one), None) or await usual_zone(pool, account_id)
    return shown(
        request,
        looker,
        "replan.html",
        title=looker.words["replan"]["title"],
        tour=tour,
        tours=tours,
        day=_choice(its_day) if its_day else None,
        days=days,
        asked=[_row(looker, one, zone) for one in asked],
    )


async def _tour(pool: Pool, account_id: int, name: str) -> RouteItem | None:
    """Find the tour that is named; None: none is, or it is over."""
    ref = ref_of(ids.ROUTE, name) if name else None
    head = ref and await find_route(pool, account_id=account_id, route_id=ref.id, external_id=ref.external_id)
    if not head or head.status not in TO_DRIVE:
        return None
    async with pool.acquire() as db:
        return item_of(await show_route(db, head.id))


async def _day(pool: Pool, account_id: int, tour: RouteItem) -> DayAsked | None:
    route_id = ids.number_of(ids.ROUTE, tour.id)
    assert route_id is not None
    return await day_of_route(pool, account_id, route_id)


def _choice(day: DayAsked) -> dict[str, str]:
    return {"depot": day.depot, "name": day.words.name, "date": day.on.isoformat()}


def _row(looker: Looker, one: AskedProposal, zone: str) -> dict[str, Any]:
    manner, words = looker.manner(zone), looker.words["replan"]
    is_old = one.state == "done" and one.until is not None and one.until < looker.now
    return {
        "id": ids.shown(ids.PLAN, one.id),
        "state": words["too_old"] if is_old else looker.words["plan_state"][one.state],
        "tone": "off" if is_old else _TONES.get(one.state, "off"),
        "because": one.because,
        "depot": one.depot,
        "when": manner.moment(one.created_at, looker.now),
    }
