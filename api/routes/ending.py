"""Ending a tour: a dispatcher says that nobody drives it any more, whatever is open of it."""

from datetime import datetime
from typing import Annotated
from uuid import uuid4

from aiohttp import web
from msgspec import Meta, Struct

from api.http import ids
from api.http.app_keys import CONFIG, POOL, now_of
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.problem import Conflict, NotFound
from api.http.read.bodies import read_body
from api.http.read.past import past_ms
from api.http.refs import ref_in_path
from api.routes.body import Text
from api.routes.write import hold_route
from geo.times import ms_of, time_of
from sql.delivery import driver_events
from sql.delivery.driver_events import NewDriverEvent
from sql.delivery.routes import RouteHead
from sql.pool import Db
from sql.track.live import tell_live
from work.feed.closing import close_tour
from work.feed.settle import settle

operations = Operations("routes")


class RouteEnding(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why, and since when; the body may be left out.

    Attributes:
        note: for the feed.
        occurred_at: since when the tour is over; else now. What is said of its stops after that counts all the same.
    """

    note: Text | None = None
    occurred_at: Annotated[datetime, Meta(tz=True)] | None = None


class RouteEnded(Struct, frozen=True, kw_only=True):
    """A tour that is over."""

    route_id: str
    ended_at: datetime


@operations.operation("POST", "/v1/routes/{route}/end", who=Who.DISPATCHER, body=RouteEnding, answer=RouteEnded)
async def end_route(request: web.Request) -> web.Response:
    """End a tour in its driver's place; what is open of it is `left_open`, and stays in sight.

    It goes on when its driver starts it again or arrives at one of its stops, when a stop of it is reopened, or when it
    gets another one. 409 when nobody drives it, or it was ended before.
    """
    account_id = caller_of(request).account_id
    body = await read_body(request, RouteEnding) if request.can_read_body else RouteEnding()
    now = now_of(request)
    said_ms = past_ms("/occurred_at", body.occurred_at, now)
    at_ms = ms_of(now) if said_ms is None else said_ms
    pool = request.app[POOL]
    async with pool.acquire() as db, db.transaction():
        ref = ref_in_path(request, "route", ids.ROUTE)
        head = await hold_route(db, account_id=account_id, ref=ref, driver=None)
        if head is None:
            raise NotFound("There is no route of this id.")
        await _end(db, account_id, head, at_ms, body.note, request.app[CONFIG].max_wrong_pins)
        await close_tour(db, head.id, now=now)
    await tell_live(pool, [(account_id, head.driver_id or 0, head.id)])
    return answer(request, RouteEnded(route_id=ids.shown(ids.ROUTE, head.id), ended_at=time_of(at_ms)))


async def _end(db: Db, account_id: int, head: RouteHead, at_ms: int, note: str | None, most_wrong_pins: int) -> None:
    if head.status == "cancelled" or head.driver_id is None or head.lane is None:
        raise Conflict("Nobody drives this route; there is no tour to end.")
    event = NewDriverEvent(
        id=uuid4(),
        type="route_ended",
        route_id=head.id,
        stop_id=None,
        occurred_ms=at_ms,
        data={} if note is None else {"note": note},
    )
    await driver_events.put_driver_events(
        db, driver_id=head.driver_id, account_id=account_id, lane=head.lane, device_id=None, events=[event]
    )
    await settle(db, [], most_wrong_pins=most_wrong_pins, ended=[(head.driver_id, head.id)])
    kept = await driver_events.driver_events_by_id(db, driver_id=head.driver_id, ids=[event.id])
    if not kept[event.id].effective:
        raise Conflict("This tour was ended before.")
