"""When what nobody ended is over: docs/reference/closing.md tells it to people.

A tour is over when somebody says so, when its hours are, or when its driver has ended the shift; `route.look_at` says
when that may have become so, or not be so any more. What is open of it is left open, until somebody speaks of it.
"""

from datetime import datetime

from sql.delivery.closing import RouteToLookAt, close_route, routes_to_look_at
from sql.delivery.routes import lanes_of_route, lock_route
from sql.delivery.stop_states import hold_stops, settle_stops
from sql.delivery.stops import stop_ids_of_route
from sql.pool import Db, Pool
from sql.track.lanes import lock_lanes
from work.feed.settle import settle_routes, tell_left_open
from work.job import Job, in_turn

SAME_SHIFT_S = 4 * 3600
"""A second `shift_started` within so many seconds of the one before is the same one, said twice; a later one is the
next, and ends the one that nobody ended. Who presses a button twice does it within minutes; between
two shifts lies a night."""

_AT_ONCE = 100  # routes found in one statement; each is looked at in a transaction of its own


async def close_due(pool: Pool, now: datetime) -> bool:
    """Look at the tours that may be over; tell whether there may be more of them."""
    due = await routes_to_look_at(pool, now=now, at_most=_AT_ONCE)
    await in_turn(due, lambda route: _look_at(pool, route, now))
    return len(due) == _AT_ONCE


async def _look_at(pool: Pool, route: RouteToLookAt, now: datetime) -> None:
    async with pool.acquire() as db, db.transaction():
        await lock_route(db, account_id=route.account_id, external_id=route.external_id)
        await lock_lanes(db, await lanes_of_route(db, route.id))
        await close_tour(db, route.id, now=now)


async def close_tour(db: Db, route_id: int, *, now: datetime) -> None:
    """Let a tour be over, or not, as its hours and what was said have it, with all that follows from that.

    The caller holds the route, and the lanes of all drivers who ever had it.
    """
    stop_ids = await stop_ids_of_route(db, route_id)
    await hold_stops(db, stop_ids)
    await close_route(db, route_id, now=now)
    await settle_stops(db, stop_ids)
    await settle_routes(db, [route_id])
    await tell_left_open(db, stop_ids, of_closed=False)


async def _close(pool: Pool) -> bool:
    return await close_due(pool, pool.clock.now())


CLOSE_TOURS = Job(name="close tours", do=_close, pause_s=1.0)
