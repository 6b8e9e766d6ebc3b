"""Another place: a pick-up point of the company's list, or an address near the one that was planned."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct

from api.http import ids
from api.http.app_keys import CONFIG
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.problem import FieldError
from api.http.read.bodies import read_body, refuse
from api.portal.change import ChangeAccepted, Changing, State, changing
from api.portal.step_up import CODE, stepped_up
from api.routes.body import Lat, Lon
from api.routes.write import put_plan
from geo.shape.plane import metres_between
from sql.account.settings import settings_of
from sql.delivery import routes
from sql.delivery.routes import RouteHead
from sql.pool import Db
from sql.portal import points, stops
from sql.portal.stops import PortalStop

operations = Operations("tracking")

FARTHEST_M = 50_000.0
"""Farther than that it is another tour, and mostly a typing mistake."""


class PointChoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of the points that `options` names."""

    pickup_point_id: str


class AddressBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where it is to go instead; without a place on the map it is a proposal."""

    address: Annotated[str, Meta(max_length=500, pattern=r"\S")]
    lat: Lat | None = None
    lon: Lon | None = None


class NewPlace(Struct, frozen=True, kw_only=True):
    """Where a stop goes instead, WGS 84 degrees; None: nobody said where on the map that is."""

    address: str | None
    lat: float | None
    lon: float | None


@operations.operation(
    "POST", "/v1/track/{token}/pickup-point", who=Who.ANYONE, body=PointChoice, answer=ChangeAccepted, headers=(CODE,)
)
async def post_pickup_point(request: web.Request) -> web.Response:
    """Fetch it at a pick-up point. Needs a code. The stop of the tour is there from then on."""
    await stepped_up(request, "pickup-point")
    number = ids.number_of(ids.POINT, (await read_body(request, PointChoice)).pickup_point_id)
    async with changing(request, "pickup-point", plans=True) as it:
        found = await points.page_of_points(it.db, it.stop.account_id, point_id=number) if number else []
        if not found or not found[0].enabled:
            refuse([FieldError(at="/pickup_point_id", why="is none of the points that are offered")])
        point = found[0]
        place = NewPlace(address=f"{point.name}, {point.address}"[:500], lat=point.lat, lon=point.lon)
        accepted = await _redirected(request, it, place, "applied", point=ids.shown(ids.POINT, point.id))
    return answer(request, accepted)


@operations.operation(
    "POST", "/v1/track/{token}/address", who=Who.ANYONE, body=AddressBody, answer=ChangeAccepted, headers=(CODE,)
)
async def post_address(request: web.Request) -> web.Response:
    """Have it brought to another address. Needs a code.

    Within `redirect_within_m` of the account the stop of the tour is there from then on; farther, or without a place on
    the map, it is a proposal that the company decides on.
    """
    await stepped_up(request, "address")
    body = await read_body(request, AddressBody)
    if (body.lat is None) != (body.lon is None):
        refuse([FieldError(at="/lat" if body.lat is None else "/lon", why="is missing: a place needs both")])
    async with changing(request, "address", plans=True) as it:
        place = NewPlace(address=body.address.strip(), lat=body.lat, lon=body.lon)
        metres = _metres(it, place)
        if metres is not None and metres > FARTHEST_M:
            why = f"is {metres / 1000:.0f} km away; at most {FARTHEST_M / 1000:.0f} km"
            refuse([FieldError(at="/lat", why=why), FieldError(at="/lon", why=why)])
        within_m = settings_of(dict(it.stop.settings)).redirect_within_m
        state: State = "applied" if metres is not None and metres <= within_m else "proposed"
        accepted = await _redirected(request, it, place, state, point=None)
    return answer(request, accepted)


async def move_stop(
    db: Db,
    stop: PortalStop,
    head: RouteHead,
    place: NewPlace,
    change: str,
    *,
    most_wrong_pins: int,
    now: datetime,
) -> None:
    """Bring a stop and the plan of its route to another place; both are held.

    Args:
        change: which of the recipient's changes it is.
    """
    before = await stops.find_wish(db, stop.id)
    wish = replace(
        before,
        place_address=place.address,
        place_lat=place.lat,
        place_lon=place.lon,
        said_at=now,
        last_change=change,
        away=False,
    )
    await stops.put_wish(db, stop, wish)
    await put_plan(
        db,
        account_id=stop.account_id,
        external_id=head.external_id,
        head=head,
        driver=None,
        plan=await routes.read_plan(db, head.id),
        most_wrong_pins=most_wrong_pins,
    )


def _most(request: web.Request) -> int:
    return request.app[CONFIG].max_wrong_pins


def _metres(it: Changing, place: NewPlace) -> float | None:
    if place.lat is None or place.lon is None:
        return None
    return round(metres_between(place.lon, place.lat, it.stop.lon, it.stop.lat), 1)


async def _redirected(
    request: web.Request, it: Changing, place: NewPlace, state: State, *, point: str | None
) -> ChangeAccepted:
    """Keep what was chosen, bring the plan to it where it is applied, and tell everybody."""
    metres = _metres(it, place)
    if state == "applied":
        assert it.head is not None
        await move_stop(it.db, it.stop, it.head, place, it.change, most_wrong_pins=_most(request), now=it.now)
    else:
        await it.warn()
    change_id = await it.note(
        "stop.redirected",
        was={"lat": it.stop.lat, "lon": it.stop.lon},
        is_now={"address": place.address, "lat": place.lat, "lon": place.lon, "pickup_point_id": point},
        told={"distance_m": metres, "pickup_point_id": point},
        state=state,
    )
    return ChangeAccepted(
        id=change_id, change=it.change, state=state, driver_told=state == "applied", distance_m=metres
    )
