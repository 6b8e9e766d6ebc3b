"""One stop with all that was said about it: how it goes, and what its recipient was told."""

from aiohttp import web
from msgspec.structs import asdict

from api.http import ids
from api.http.app_keys import POOL
from api.http.auth import Role, caller_of
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.problem import NotFound
from api.messages.listing import Message, message_of
from api.routes.view import Stop, stop_of
from sql.account.accounts import read_instance
from sql.delivery.routes import show_route
from sql.delivery.stops import route_of_stop, stops_of_route
from sql.messages.messages import list_messages

operations = Operations("stops")

MOST_MESSAGES = 100
"""Shown with a stop, the newest; `GET /v1/messages?stop=` has all. A stop of three attempts has about twenty."""

_EVERY = 2**63 - 1


class StopDetail(Stop, frozen=True, kw_only=True):
    """A stop with its route, and what its recipient was told, newest first; `messages` is null for viewers."""

    route: str
    route_id: str
    messages: list[Message] | None


@operations.operation("GET", "/v1/stops/{stop}", who=Who.VIEWER, answer=StopDetail)
async def get_stop(request: web.Request) -> web.Response:
    """Read a stop: what is planned, how it goes, and what its recipient was told, is about to be told, or was not."""
    return answer(request, await stop_detail(request, ids.id_in_path(request, "stop", ids.STOP)))


async def stop_detail(request: web.Request, stop_id: int) -> StopDetail:
    """Read a stop for the one who asks.

    Raises:
        NotFound: their account has no such stop.
    """
    caller = caller_of(request)
    async with request.app[POOL].acquire() as db, db.transaction(isolation="repeatable_read", readonly=True):
        route_id = await route_of_stop(db, account_id=caller.account_id, stop_id=stop_id)
        if route_id is None:
            raise NotFound("There is no stop of this id.")
        route, stops = await show_route(db, route_id), await stops_of_route(db, route_id)
        secret = (await read_instance(db)).secret
        told = None
        if caller.role >= Role.SUPPORT:
            told = await list_messages(
                db, caller.account_id, stop_id=stop_id, route_id=None, state=None, before=_EVERY, limit=MOST_MESSAGES
            )
    return StopDetail(
        **asdict(stop_of(request, route, stops, stop_id, secret=secret)),
        route=route.external_id,
        route_id=ids.shown(ids.ROUTE, route.id),
        messages=None if told is None else [message_of(row) for row in told],
    )
