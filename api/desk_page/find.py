"""One search from every page: what somebody on the phone says leads to their delivery."""

from collections.abc import Sequence
from datetime import timedelta

from aiohttp import web

from api.desk.pages import LANG
from api.desk_page.shown import ONE_DELIVERY, Looker, for_people, shown
from api.http import ids
from api.http.app_keys import POOL
from api.http.operation import Operations, Parameter, Who
from sql.desk.search import BY_WORDS, FoundOrder, FoundStop, FoundTour, found_orders, found_stops, found_tours

operations = Operations("desk")

MOST_FOUND = 30
"""Shown of each kind: as many as somebody reads while another person waits on the phone."""

_LONGEST = 200
_RECENT = timedelta(days=3)
"""Tours are looked for so far back; an older one is found by a delivery of it."""


@operations.operation(
    "GET",
    "/desk/find",
    who=Who.ANYONE,
    query=(Parameter(name="q", description="What was said."), LANG),
    media=("text/html",),
    also={303: "It is one delivery: its page; or nobody is signed in: the form to sign in."},
)
@for_people()
async def get_desk_find(request: web.Request, looker: Looker) -> web.Response:
    """Find a delivery by its order's number, a barcode, name, address, e-mail or phone; a tour by its driver."""
    said = request.query.get("q", "").strip()[:_LONGEST]
    title, pool, account_id = looker.words["find"]["title"], request.app[POOL], looker.caller.account_id
    if not said or not said.isprintable():
        return shown(request, looker, "find.html", title=title, asked="", stops=[], orders=[], tours=[], more="")
    stops = await found_stops(pool, account_id, said, limit=MOST_FOUND)
    if (only := _only(stops)) is not None:
        where = f"/desk/stops/{ids.shown(ids.STOP, only.id)}?lang={looker.language}"
        return web.Response(status=303, headers={"Location": where, "Cache-Control": "no-store"})
    orders = await found_orders(pool, account_id, said, limit=MOST_FOUND)
    may_see = looker.caller.role not in ONE_DELIVERY
    tours = await found_tours(pool, account_id, said, since=looker.now - _RECENT, limit=MOST_FOUND) if may_see else ()
    return shown(
        request,
        looker,
        "find.html",
        title=title,
        asked=said,
        stops=[_stop(looker, one) for one in stops],
        orders=[_order(looker, one) for one in orders],
        tours=[_tour(looker, one) for one in tours],
        more=looker.words["find"]["more"].format(most=MOST_FOUND) if len(stops) == MOST_FOUND else "",
    )


def _only(stops: Sequence[FoundStop]) -> FoundStop | None:
    """Choose the stop that is meant; None: it may be several.

    Of several tries of one order it is the newest; what is exactly so named goes before what only has the words.
    """
    best = [one for one in stops if one.rank == stops[0].rank or one.rank < BY_WORDS]
    return best[0] if best and len({one.external_id for one in best}) == 1 else None


def _stop(looker: Looker, stop: FoundStop) -> dict[str, str]:
    return {
        "id": ids.shown(ids.STOP, stop.id),
        "order": stop.external_id,
        "name": stop.name,
        "address": stop.address or "",
        "status": stop.status,
        "route": stop.route,
        "day": looker.manner(stop.timezone).date(stop.date),
    }


def _order(looker: Looker, order: FoundOrder) -> dict[str, str]:
    return {
        "order": order.external_id,
        "name": order.name or "",
        "address": order.address or "",
        "state": order.state,
        "day": looker.manner("UTC").date(order.earliest),
    }


def _tour(looker: Looker, tour: FoundTour) -> dict[str, str]:
    return {
        "id": ids.shown(ids.ROUTE, tour.id),
        "name": tour.external_id,
        "driver": tour.driver or "",
        "status": tour.status,
        "day": looker.manner("UTC").date(tour.date),
    }
