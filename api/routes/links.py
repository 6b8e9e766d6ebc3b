"""Tracking links: the right to follow one stop, in the hands of whoever has the address.

A token is derived, never stored: HMAC-SHA256 of the installation's secret over the stop and a generation. So the same
stop has the same address however often its route is put, and another one after its link was rotated.
"""

from aiohttp import web
from msgspec import Struct

from api.http import ids
from api.http.app_keys import POOL
from api.http.auth import caller_of, hash_of
from api.http.host import public_url
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.problem import Conflict, NotFound
from sql.account.accounts import read_instance
from sql.delivery import stops
from sql.delivery.stops import LinkRow
from sql.track.live import tell_live
from work.links import token_of as token_of

operations = Operations("tracking links")


class Link(Struct, frozen=True, kw_only=True):
    """The tracking link of a stop; null: it has none that works."""

    stop_id: str
    tracking_url: str | None


def tracking_url(request: web.Request, token: str) -> str:
    """Give the address of the page that a token opens."""
    return f"{public_url(request)}/t/{token}"


@operations.operation("POST", "/v1/stops/{stop}/tracking-link/rotate", who=Who.DISPATCHER, answer=Link)
async def rotate(request: web.Request) -> web.Response:
    """Give a stop another tracking link.

    The one before ends at once. A link that was revoked comes back as the new one.
    """
    stop_id = ids.id_in_path(request, "stop", ids.STOP)
    async with request.app[POOL].acquire() as db, db.transaction():
        link = await stops.find_link(db, account_id=caller_of(request).account_id, stop_id=stop_id)
        if link is None:
            raise NotFound("There is no stop of this id.")
        if link.route_ended:
            raise Conflict("The route of this stop is cancelled or deleted; nobody can follow it any more.")
        generation = link.link_generation + 1
        token = token_of((await read_instance(db)).secret, stop_id, generation)
        await stops.rotate_link(db, stop_id=stop_id, generation=generation, link_hash=hash_of(token))
    await _tell(request, link)
    shown = Link(stop_id=ids.shown(ids.STOP, stop_id), tracking_url=tracking_url(request, token))
    return answer(request, shown)


@operations.operation("POST", "/v1/stops/{stop}/tracking-link/revoke", who=Who.DISPATCHER, answer=Link)
async def revoke(request: web.Request) -> web.Response:
    """End the tracking link of a stop, until it is rotated."""
    stop_id = ids.id_in_path(request, "stop", ids.STOP)
    async with request.app[POOL].acquire() as db, db.transaction():
        link = await stops.find_link(db, account_id=caller_of(request).account_id, stop_id=stop_id)
        if link is None:
            raise NotFound("There is no stop of this id.")
        await stops.revoke_link(db, stop_id)
    await _tell(request, link)
    return answer(request, Link(stop_id=ids.shown(ids.STOP, stop_id), tracking_url=None))


async def _tell(request: web.Request, link: LinkRow) -> None:
    """Wake the pages that are open on the route: one of them may have lost its right to be."""
    await tell_live(request.app[POOL], [(caller_of(request).account_id, 0, link.route_id)])
