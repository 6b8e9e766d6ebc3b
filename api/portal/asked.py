"""The place of an order is asked about: whoever waits for it shows where it is."""

from datetime import datetime

from aiohttp import web

from api.http import ids
from api.http.app_keys import POOL, now_of
from api.http.problem import FieldError, Gone
from api.http.read.bodies import refuse
from api.portal.change import ChangeAccepted, TooLate
from api.portal.rules import CHANGES, Option
from api.recipient.booked import BookedOrder
from geo.shape.plane import metres_between
from sql.addresses.book import NewSighting, put_sightings
from sql.planning import orders
from sql.planning.orders import LinkedOrder
from sql.planning.resources import depot_places
from sql.pool import Db
from work.addresses.doubt import doubt
from work.addresses.text import normalised, person_of

QUARTER_M = 10_000.0
"""A place that is known by its quarter is somewhere in it: farther than that it is another address."""


def asked_options(booked: BookedOrder) -> dict[str, Option]:
    """Tell what the recipient of an order may do before it is on a route.

    Raises:
        Gone: it was cancelled.
    """
    _refuse_ended(booked)
    found: dict[str, Option] = {name: Option(why="too-early") for name in CHANGES}
    return {**found, "pin-drop": Option() if booked.is_asked else Option(why="not-offered")}


async def pin_place(request: web.Request, booked: BookedOrder, lat: float, lon: float) -> ChangeAccepted:
    """Put an order where its recipient says that it is, degrees; from then on it can be planned.

    Raises:
        TooLate: its place is not asked about, or not any more.
        Gone: it was cancelled.
        Invalid: it cannot be there.
    """
    _refuse_ended(booked)
    order, now = booked.order, now_of(request)
    why = await _why_not(request, order, lat, lon)
    refuse([FieldError(at=at, why=why) for at in ("/lat", "/lon") if why])
    async with request.app[POOL].acquire() as db, db.transaction():
        if not await orders.hold_asked_order(db, order.id):
            raise TooLate("The place of this order is known by now; ask whoever sent you this link to change it.")
        await orders.pin_order(db, order.id, lat=lat, lon=lon)
        await _remember(db, order, lat, lon, now)
        data = {"order_id": ids.shown(ids.ORDER, order.id), "external_id": order.external_id}
        await orders.put_fact(db, order.account_id, "order.place_pinned", data, now=now)
    return ChangeAccepted(id=ids.shown(ids.ORDER, order.id), change="pin-drop", state="applied", driver_told=False)


async def _remember(db: Db, order: LinkedOrder, lat: float, lon: float, now: datetime) -> None:
    """Keep the pin for the next order of this person to this address."""
    body = order.body
    address = normalised(body.get("address") or "")
    if not address:
        return
    person = person_of(phone=body.get("phone"), email=body.get("email"), name=body.get("name"))
    pin = NewSighting(address=address, person=person, source="pin", stop_id=0, lat=lat, lon=lon, seen_at=now)
    await put_sightings(db, order.account_id, [pin])


async def _why_not(request: web.Request, order: LinkedOrder, lat: float, lon: float) -> str | None:
    """Say why an order cannot be at a place; None: it can."""
    depots = await depot_places(request.app[POOL], account_id=order.account_id, depot=order.depot)
    if found := doubt(lat, lon, depots):
        return found.why
    if order.quality == "area" and order.lat is not None and order.lon is not None:
        metres = metres_between(lon, lat, order.lon, order.lat)
        if metres > QUARTER_M:
            return f"is {metres / 1000:.0f} km from the quarter of the address"
    return None


def _refuse_ended(booked: BookedOrder) -> None:
    if booked.ended is not None:
        raise Gone("This order was cancelled; nothing can be changed by its link.")
