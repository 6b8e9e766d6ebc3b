"""The link of an order: what it shows before there is a route, and where it leads once there is one.

The same address from the order's first minute to its last: on a route, it leads to the link of its stop.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec
from aiohttp import web
from yarl import URL

from api.http.app_keys import POOL
from api.recipient.view import POLL_LATER_S, StopView, TrackingView
from sql.account.accounts import read_instance
from sql.planning.orders import LinkedOrder, order_of_link
from work.links import may_be_order, order_of_token, token_of


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedOrder:
    """An order that somebody has the link of.

    Attributes:
        stop_token: of the link of its stop; None: it is on no route.
        ended: why the link shows nothing any more; None while it does.
    """

    order: LinkedOrder
    stop_token: str | None
    ended: Literal["revoked", "cancelled"] | None

    @property
    def is_asked(self) -> bool:
        """Tell whether its place is asked about: it is planned once somebody says where it is."""
        return self.order.state == "received"


async def booked_by(request: web.Request) -> BookedOrder | None:
    """Find the order whose link is in the path; None: it is the link of none."""
    token, pool = request.match_info["token"], request.app[POOL]
    if not may_be_order(token):
        return None
    secret = (await read_instance(pool)).secret
    order_id = order_of_token(secret, token)
    order = None if order_id is None else await order_of_link(pool, order_id)
    if order is None:
        return None
    if order.state == "cancelled":
        return BookedOrder(order=order, stop_token=None, ended="cancelled")
    if order.stop_id is None:
        return BookedOrder(order=order, stop_token=None, ended=None)
    if order.link_revoked or order.link_generation != 0:  # whoever took the stop's link away meant this one too
        return BookedOrder(order=order, stop_token=None, ended="revoked")
    return BookedOrder(order=order, stop_token=token_of(secret, order.stop_id, 0), ended=None)


def led_on(booked: BookedOrder, request: web.Request) -> web.Response:
    """Answer with where an order on a route is followed."""
    path = request.path.replace(request.match_info["token"], booked.stop_token or "", 1)
    there = URL.build(path=path, query_string=request.query_string)  # encoded, whatever stood there
    return web.Response(status=307, headers={"Location": str(there), "Cache-Control": "private, no-store"})


def window_of(order: LinkedOrder) -> dict[Literal["start", "end"], datetime | None] | None:
    """Give the time that an order is promised for; None: there is none, or a choice of some."""
    windows: list[Any] = order.body.get("windows") or []
    if len(windows) != 1:
        return None
    return {"start": _time(windows[0]["start"]), "end": _time(windows[0]["end"])}


def _time(text: str) -> datetime:
    return msgspec.convert(text, datetime)


def booked_view(booked: BookedOrder) -> TrackingView:
    """Tell what a program is told of an order that is on no route yet."""
    order = booked.order
    return TrackingView(
        status="booked",
        under_way=False,
        stop=StopView(
            name=order.body["name"],
            kind=order.body.get("kind", "delivery"),
            lat=order.lat,
            lon=order.lon,
            window=window_of(order),
        ),
        eta=None,
        stops_before=None,
        position=None,
        path_ahead=None,
        driver=None,
        done_at=None,
        updated_at=order.updated_at,
        timezone=order.timezone or "UTC",
        poll_after_s=POLL_LATER_S,
    )
