"""Publishing: a plan becomes routes, a proposal changes them; as a whole, or not at all."""

from aiohttp import web

from api.http import ids
from api.http.app_keys import POOL
from api.http.auth import caller_of
from api.http.ids import id_in_path
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.problem import Conflict, NotFound
from api.planning.accept import accept_proposal
from api.planning.plans import TourPlan, shown
from api.planning.tours import publish_tours
from api.routes.roads import tools_of
from sql.planning import plans

operations = Operations("planning")


@operations.operation("POST", "/v1/plans/{plan}/publish", who=Who.DISPATCHER, answer=TourPlan)
async def publish_plan(request: web.Request) -> web.Response:
    """Make routes of a plan that is done: all, or none where an order or a driver is not free any more.

    Each tour becomes a route of the external id `PLAN-SHIFT`, its stops those of the orders, with the planned arrivals.
    Drivers, recipients and messages learn of them as of any other route. Publishing again changes nothing.

    Of a day that was planned again, the routes that change get their next version, orders that go to another van keep
    their links, and cancelled ones end; 409 names what happened meanwhile, where the day is not any more as it was.
    """
    account_id, pool = caller_of(request).account_id, request.app[POOL]
    row = await plans.find_plan(pool, account_id=account_id, plan_id=id_in_path(request, "plan", ids.PLAN))
    if row is None:
        raise NotFound("There is no plan of this id.")
    if row.state != "published":
        if row.state != "done" or row.result is None:
            raise Conflict(f"Only a plan that is done can be published; this one is {row.state}.")
        tools, is_proposal = tools_of(request), "proposal" in row.result
        row = await accept_proposal(tools, row) if is_proposal else await publish_tours(tools, row)
    return answer(request, await shown(pool, row))
