"""Reopening a stop: a dispatcher says that what became of it does not stand."""

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
from api.routes.body import Text
from api.routes.lanes import held_lanes
from geo.times import ms_of
from sql.delivery import driver_events
from sql.delivery.driver_events import NewDriverEvent, StopToReopen
from sql.delivery.stop_states import hold_stops
from sql.pool import Db
from sql.track.live import tell_live
from work.feed.settle import settle

operations = Operations("stops")


class Reopening(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why, and from when; the body may be left out.

    Attributes:
        note: for the feed.
        occurred_at: from when the stop is open again; else now. What a driver said of it after this counts, also if it
            was a conflict until now.
    """

    note: Text | None = None
    occurred_at: Annotated[datetime, Meta(tz=True)] | None = None


class Reopened(Struct, frozen=True, kw_only=True):
    """A stop that was reopened, and its status now."""

    stop_id: str
    status: str


@operations.operation("POST", "/v1/stops/{stop}/reopen", who=Who.DISPATCHER, body=Reopening, answer=Reopened)
async def reopen(request: web.Request) -> web.Response:
    """Reopen a stop that was completed, failed or skipped, that only the map held for visited, or that was left open.

    What became of it does not stand any more; the feed says so. 409 when there is nothing to reopen.
    """
    stop_id = ids.id_in_path(request, "stop", ids.STOP)
    account_id = caller_of(request).account_id
    body = await read_body(request, Reopening) if request.can_read_body else Reopening()
    now = now_of(request)
    given_ms = past_ms("/occurred_at", body.occurred_at, now)

    async def lanes_of(db: Db) -> set[int]:
        stop = await _find(db, account_id, stop_id)
        who = {"account_id": account_id, "driver_id": stop.driver_id}
        return {stop.lane, *await driver_events.lanes_to_hold(db, **who, stop_ids=[stop_id])}

    async with held_lanes(request.app[POOL], lanes_of) as db:
        await hold_stops(db, [stop_id])
        stop = await _find(db, account_id, stop_id)
        # what a phone whose clock is ahead said is reopened too
        at_ms = max(ms_of(now), (stop.said_ms or 0) + 1) if given_ms is None else given_ms
        await _reopen(db, account_id, stop_id, stop, at_ms, body.note, request.app[CONFIG].max_wrong_pins)
        status = await driver_events.status_of_stop(db, account_id=account_id, stop_id=stop_id)
        await tell_live(db, [(account_id, stop.driver_id, stop.route_id)])
    return answer(request, Reopened(stop_id=ids.shown(ids.STOP, stop_id), status=str(status)))


async def _find(db: Db, account_id: int, stop_id: int) -> StopToReopen:
    """Find a stop, and the driver in whose place a dispatcher speaks of it.

    Raises:
        NotFound: the account has no such stop.
        Conflict: nobody ever drove or did it.
    """
    stop = await driver_events.stop_to_reopen(db, account_id=account_id, stop_id=stop_id)
    if stop is None:
        if await driver_events.status_of_stop(db, account_id=account_id, stop_id=stop_id) is None:
            raise NotFound("There is no stop of this id.")
        raise Conflict("Nobody has said anything of this stop; there is nothing to reopen.")
    return stop


async def _reopen(
    db: Db, account_id: int, stop_id: int, stop: StopToReopen, at_ms: int, note: str | None, most_wrong_pins: int
) -> None:
    event = NewDriverEvent(
        id=uuid4(),
        type="reopened",
        route_id=stop.route_id,
        stop_id=stop_id,
        occurred_ms=at_ms,
        data={} if note is None else {"note": note},
    )
    await driver_events.put_driver_events(
        db, driver_id=stop.driver_id, account_id=account_id, lane=stop.lane, device_id=None, events=[event]
    )
    may_reopen = await driver_events.may_reopen(db, stop_id=stop_id, at_ms=at_ms, event_id=event.id)
    await settle(db, [stop_id], most_wrong_pins=most_wrong_pins)
    kept = await driver_events.driver_events_by_id(db, driver_id=stop.driver_id, ids=[event.id])
    if not (may_reopen and kept[event.id].effective):
        raise Conflict("Nothing became of this stop by then; there is nothing to reopen.")
