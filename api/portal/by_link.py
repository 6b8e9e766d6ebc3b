"""What the link alone may do: ask what is possible, leave words for the driver, propose where the door is, rate."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from aiohttp import web
from msgspec import Meta, Struct, structs

from api.http import ids
from api.http.app_keys import POOL, now_of
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.problem import FieldError
from api.http.read.bodies import read_body, refuse
from api.portal.asked import asked_options, pin_place
from api.portal.change import AlreadyRated, ChangeAccepted, changing, counted, linked_stop, put_wish
from api.portal.limits import admit_away
from api.portal.offers import free_slots
from api.portal.rules import BY_CODE, Option, options
from api.recipient.booked import booked_by
from api.recipient.stream import link_in
from geo.shape.plane import metres_between
from sql.portal.points import PointRow, points_near
from sql.portal.ratings import put_rating
from sql.portal.stops import PortalStop, WishRow

operations = Operations("tracking")

DOOR_FARTHEST_M = 1_000.0
"""The door of a large estate; farther than that it is another address."""

MOST_POINTS = 20
"""Shown to choose from, the nearest ones: a small map."""

Words = Annotated[str, Meta(min_length=1, max_length=500)]
Reason = Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,40}$(?!\n)")]


class TextBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words for the driver."""

    text: Words


class AwayBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether nobody is at home when the van comes; false takes it back."""

    away: bool = True


class DoorBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the door is: WGS 84 degrees."""

    lat: Annotated[float, Meta(ge=-90, le=90)]
    lon: Annotated[float, Meta(ge=-180, le=180)]


class RatingBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody thought of a delivery; `reasons` are codes of the page's own."""

    stars: Annotated[int, Meta(ge=1, le=5)]
    reasons: Annotated[list[Reason], Meta(max_length=10)] = []
    text: Annotated[str, Meta(max_length=1_000)] | None = None


class OfferedSlot(Struct, frozen=True, kw_only=True):
    """A slot with a place left."""

    id: str
    start: datetime
    end: datetime
    express: bool


class OfferedPoint(Struct, frozen=True, kw_only=True):
    """A pick-up point, so far from the stop."""

    id: str
    name: str
    address: str
    lat: float
    lon: float
    opening_hours: str | None
    distance_m: float


class OptionView(Struct, frozen=True, kw_only=True):
    """Whether a change is open.

    `until`: when it closes, as far as is known now; null where the clock does not close it (until the van is there),
    and where it is closed. `why`: not-offered, cash (something is to be paid at the door), too-early, too-late,
    already-rated, already-asked (a return is under way); null where it is open. `needs_code`: of those that a code goes
    to the contact on file for. `slots`, `points` (nearest first): what there is to choose from, of `slot` and
    `pickup-point` only.
    """

    allowed: bool
    until: datetime | None
    why: str | None
    needs_code: bool
    slots: list[OfferedSlot] | None = None
    points: list[OfferedPoint] | None = None


@operations.operation("GET", "/v1/track/{token}/options", who=Who.ANYONE, answer=dict[str, OptionView])
async def get_options(request: web.Request) -> web.Response:
    """Read what the recipient may change, until when, and why not: every change by its name."""
    now = now_of(request)
    if (booked := await booked_by(request)) is not None and booked.stop_token is None:
        waiting = {name: _shown(name, one) for name, one in asked_options(booked).items()}
        return answer(request, waiting, headers={"Cache-Control": "private, no-cache"})
    stop = await linked_stop(request, now)
    shown: dict[str, OptionView] = {name: _shown(name, one) for name, one in options(stop, now).items()}
    if shown["slot"].allowed:
        free = [
            OfferedSlot(id=ids.shown(ids.SLOT, one.id), start=one.start_at, end=one.end_at, express=one.express)
            for one in await free_slots(request.app[POOL], stop, now)
        ]
        shown["slot"] = structs.replace(shown["slot"], slots=free)
    if shown["pickup-point"].allowed:
        near = await points_near(request.app[POOL], stop.account_id, lat=stop.lat, lon=stop.lon, at_most=MOST_POINTS)
        shown["pickup-point"] = structs.replace(shown["pickup-point"], points=[_point(one, stop) for one in near])
    return answer(request, shown, headers={"Cache-Control": "private, no-cache"})


@operations.operation("POST", "/v1/track/{token}/instructions", who=Who.ANYONE, body=TextBody, answer=ChangeAccepted)
async def post_instructions(request: web.Request) -> web.Response:
    """Leave instructions for the driver: door, floor, access code. What was left before is replaced."""
    await counted(request)
    text = await _text(request)
    accepted = await put_wish(request, "instructions", lambda _, wish: (replace(wish, instructions=text), {}))
    return answer(request, accepted)


@operations.operation("POST", "/v1/track/{token}/safe-place", who=Who.ANYONE, body=TextBody, answer=ChangeAccepted)
async def post_safe_place(request: web.Request) -> web.Response:
    """Say where it may be left when nobody opens. Not where something is to be paid."""
    await counted(request)
    text = await _text(request)
    accepted = await put_wish(request, "safe-place", lambda _, wish: (replace(wish, safe_place=text), {}))
    return answer(request, accepted)


@operations.operation("POST", "/v1/track/{token}/away", who=Who.ANYONE, body=AwayBody, answer=ChangeAccepted)
async def post_away(request: web.Request) -> web.Response:
    """Say that nobody is at home. Driver and dispatcher are told, and so is the contact; the van comes all the same.

    What is to be done instead is one of the other changes: a slot, a neighbour, a safe place, a pick-up point.
    """
    await counted(request)
    away = (await read_body(request, AwayBody)).away
    await admit_away(request, link_in(request))
    accepted = await put_wish(
        request, "away", lambda _, wish: (replace(wish, away=away), {"away": away}), fact="stop.away"
    )
    return answer(request, accepted)


@operations.operation("POST", "/v1/track/{token}/pin-drop", who=Who.ANYONE, body=DoorBody, answer=ChangeAccepted)
async def post_pin_drop(request: web.Request) -> web.Response:
    """Propose where the door is. The driver is shown it beside the planner's place, which stays as it is.

    By the link of an order whose place is asked about it is no proposal: the order is there, and can be planned.
    """
    await counted(request)
    body = await read_body(request, DoorBody)
    if (booked := await booked_by(request)) is not None and booked.stop_token is None:
        return answer(request, await pin_place(request, booked, body.lat, body.lon))

    def propose(stop: PortalStop, wish: WishRow) -> tuple[WishRow, dict[str, Any]]:
        metres = round(metres_between(body.lon, body.lat, stop.lon, stop.lat), 1)
        if not metres <= DOOR_FARTHEST_M:
            why = f"is {metres / 1000:.1f} km from the address; a door is at most {DOOR_FARTHEST_M / 1000:.0f} km away"
            refuse([FieldError(at="/lat", why=why), FieldError(at="/lon", why=why)])
        return replace(wish, door_lat=body.lat, door_lon=body.lon, door_m=metres), {"distance_m": metres}

    return answer(request, await put_wish(request, "pin-drop", propose, state="proposed"))


@operations.operation("POST", "/v1/track/{token}/rating", who=Who.ANYONE, body=RatingBody, answer=ChangeAccepted)
async def post_rating(request: web.Request) -> web.Response:
    """Rate a delivery, once, within two weeks."""
    await counted(request)
    body = await read_body(request, RatingBody)
    async with changing(request, "rating") as it:
        reasons, words = sorted(set(body.reasons)), (body.text or "").strip() or None
        rating_id = await put_rating(it.db, it.stop, stars=body.stars, reasons=reasons, words=words, now=it.now)
        if rating_id is None:
            raise AlreadyRated("A delivery is rated once, and this one was.")
        told: dict[str, Any] = {
            "rating_id": ids.shown(ids.RATING, rating_id),
            "stars": body.stars,
            "reasons": reasons,
        }
        change_id = await it.note("stop.rated", was={}, is_now={"rating_id": told["rating_id"]}, told=told)
    return answer(request, ChangeAccepted(id=change_id, change="rating", state="applied", driver_told=False))


def _shown(name: str, one: Option) -> OptionView:
    return OptionView(allowed=one.allowed, until=one.until, why=one.why, needs_code=name in BY_CODE)


def _point(row: PointRow, stop: PortalStop) -> OfferedPoint:
    return OfferedPoint(
        id=ids.shown(ids.POINT, row.id),
        name=row.name,
        address=row.address,
        lat=row.lat,
        lon=row.lon,
        opening_hours=row.opening_hours,
        distance_m=round(metres_between(row.lon, row.lat, stop.lon, stop.lat), 1),
    )


async def _text(request: web.Request) -> str:
    text = (await read_body(request, TextBody)).text.strip()
    if not text:
        refuse([FieldError(at="/text", why="is empty")])
    return text
