"""The page of one delivery: everything that is known of it, for whoever has its recipient on the phone."""

from zoneinfo import ZoneInfo

from aiohttp import web

from api.certificate.told import Pen, told_of
from api.desk.pages import LANG
from api.desk_page.shown import Looker, for_people, shown
from api.desk_page.story import Expected, Story
from api.http import ids
from api.http.app_keys import POOL
from api.http.operation import Operations, Who
from api.messages.stop import StopDetail, stop_detail
from api.pages.catalog import certificate_texts
from api.proofs.links import signer_of
from api.proofs.stop import read_stop_proof
from api.routes.eta import view_of
from api.tickets.evidence import evidence_in_short
from api.tickets.view import Ticket, company_ticket
from sql.account.settings import read_settings
from sql.delivery.routes import show_route
from sql.desk.search import tries_of_order
from sql.eta.eta import eta_of_route, eta_stops
from sql.portal.stops import changes_of_stop
from sql.returns.returns import returns_of_stop
from sql.tickets import tickets

operations = Operations("desk")

MOST_TICKETS = 20
_NEWEST = 2**63 - 1


@operations.operation(
    "GET",
    "/desk/stops/{stop}",
    who=Who.ANYONE,
    query=(LANG,),
    media=("text/html",),
    also={303: "Nobody is signed in: the form to sign in.", 404: "The page says that there is no such stop."},
)
@for_people()
async def get_stop_page(request: web.Request, looker: Looker) -> web.Response:
    """Show everything of one delivery on one page, which can be printed; times are those of the stop's place."""
    stop_id = ids.id_in_path(request, "stop", ids.STOP)
    pool, account_id = request.app[POOL], looker.caller.account_id
    stop, whole = await stop_detail(request, stop_id), await read_stop_proof(request, stop_id)
    evidence = await evidence_in_short(request, account_id=account_id, stop_id=stop_id)
    assert evidence is not None
    route_id = ids.number_of(ids.ROUTE, stop.route_id)
    assert route_id is not None
    tour, zone = await show_route(pool, route_id), whole.route.timezone
    story = Story(
        words=looker.words,
        manner=looker.manner(zone),
        now=looker.now,
        pen=Pen(words=certificate_texts(looker.language), zone=ZoneInfo(zone)),
    )
    expected = await _expected(request, looker, stop, route_id)
    changes = await changes_of_stop(pool, account_id=account_id, stop_id=stop_id)
    base = (await signer_of(request)).base
    return shown(
        request,
        looker,
        "stop.html",
        title=f"{stop.external_id} · {stop.name}",
        stop=stop,
        sheet=story.sheet(stop, whole, expected),
        did=story.did(whole, evidence, told_of(whole, await read_settings(pool, account_id))),
        proofs=story.proofs(whole, base),
        messages=None if stop.messages is None else [story.message(one) for one in stop.messages],
        changes=[story.change(one) for one in changes or ()],
        tickets=[story.ticket(one) for one in await _tickets(request, looker, stop_id)],
        returns=[story.asked_back(one) for one in await returns_of_stop(pool, stop_id)],
        tries=[
            {
                "id": ids.shown(ids.STOP, one.id),
                "route": one.route,
                "day": story.manner.date(one.date),
                "status": one.status,
            }
            for one in await tries_of_order(pool, account_id, stop_id)
        ],
        can_reopen=looker.is_dispatcher and whole.outcome is not None and not stop.removed,
        driver=whole.outcome.driver_name if whole.outcome else tour.driver_name or "",
        zone=zone,
        as_of=looker.words["stop"]["as_of"].format(time=story.manner.clock(looker.now)),
    )


async def _expected(request: web.Request, looker: Looker, stop: StopDetail, route_id: int) -> Expected:
    pool = request.app[POOL]
    eta = await eta_of_route(pool, looker.caller.account_id, route_id=route_id)
    assert eta is not None
    view = view_of(eta, await eta_stops(pool, (*eta.stop_ids, *eta.behind_ids)), looker.now)
    return Expected(eta=next((one for one in view.stops if one.stop_id == stop.id), None), is_stale=view.stale)


async def _tickets(request: web.Request, looker: Looker, stop_id: int) -> list[Ticket]:
    pool, signer = request.app[POOL], await signer_of(request)
    rows = await tickets.page_of_tickets(
        pool,
        account_id=looker.caller.account_id,
        asked=tickets.TicketFilter(stop_id=stop_id),
        before=_NEWEST,
        limit=MOST_TICKETS,
    )
    entries = await tickets.entries_of(pool, [row.id for row in rows])
    return [company_ticket(row, entries, signer, looker.now) for row in rows]
