"""A tour's day again: where its van was at any moment, what was made of that, and what recipients were told when."""

from aiohttp import web

from api.desk.pages import LANG
from api.desk_page.ground import ground_of
from api.desk_page.shown import NOT_THE_DAY, Looker, for_people, shown
from api.http import ids
from api.http.app_keys import CONFIG, POOL
from api.http.operation import Operations, Who
from api.http.problem import NotFound
from api.http.refs import ref_in_path
from api.routes.view import item_of
from sql.delivery.routes import find_route, show_route

operations = Operations("desk")


@operations.operation(
    "GET",
    "/desk/tours/{route}/replay",
    who=Who.ANYONE,
    query=(LANG,),
    media=("text/html",),
    also={303: "Nobody is signed in: the form to sign in.", 404: "The page says that there is no such tour."},
)
@for_people(but=NOT_THE_DAY)
async def get_replay(request: web.Request, looker: Looker) -> web.Response:
    """Show a tour's day at any of its moments: pings raw and on the path, visits, what left the route, messages."""
    ref, account_id = ref_in_path(request, "route", ids.ROUTE), looker.caller.account_id
    async with request.app[POOL].acquire() as db:
        head = await find_route(db, account_id=account_id, route_id=ref.id, external_id=ref.external_id)
        if head is None:
            raise NotFound("There is no route of this id.")
        tour = item_of(await show_route(db, head.id))
    words = looker.words
    told = ("replay", "ping_flag", "stop_status", "message_kind", "message_state", "channel", "visit_by")
    return shown(
        request,
        looker,
        "replay.html",
        title=words["replay"]["title"].format(tour=tour.external_id),
        tour=tour,
        hour_cycle=looker.manner(tour.timezone).hour_cycle,
        said_of={name: dict(words[name]) for name in told},
        **ground_of(request.app[CONFIG]),
    )
