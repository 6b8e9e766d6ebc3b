"""What the link alone may do: ask what is possible, leave words for the driver, propose where the door is, rate."""

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

from aiohttp import web
from msgspec import Meta, Struct

from api.http import ids
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.problem import FieldError
from api.http.read.bodies import read_body, refuse
from api.portal.change import AlreadyRated, ChangeAccepted, changing, counted, linked_stop, put_wish
from api.portal.rules import options
from geo.shape.plane import project
from sql.portal.ratings import put_rating
from sql.portal.stops import PortalStop, WishRow

operations = Operations("tracking")

DOOR_FARTHEST_M = 1_000.0
"""The door of a large estate; farther than that it is another address."""

Words = Annotated[str, Meta(min_length=1, max_length=500)]
Reason = Annotated[str, Meta(pattern="^[a-z0-9_]{1,40}$")]


class TextBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words for the driver."""

    text: Words


class DoorBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the door is: WGS 84 degrees."""

    lat: Annotated[float, Meta(ge=-90, le=90)]
    lon: Annotated[float, Meta(ge=-180, le=180)]


class RatingBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody thought of a delivery; `reasons` are codes of the page's own."""

    stars: Annotated[int, Meta(ge=1, le=5)]
    reasons: Annotated[list[Reason], Meta(max_length=10)] = []
    text: Annotated[str, Meta(max_length=1_000)] | None = None


class OptionView(Struct, frozen=True, kw_only=True):
    """Whether a change is open.

    `until`: when it closes, as far as is known now; null where the clock does not close it (until the van is there),
    and where it is closed. `why`: not-offered, cash (something is to be paid at the door), too-early, too-late,
    already-rated, already-asked (a return is under way); null where it is open.
    """

    allowed: bool
    until: datetime | None
    why: str | None


@operations.operation("GET", "/v1/track/{token}/options", who=Who.ANYONE, answer=dict[str, OptionView])
async def get_options(request: web.Request) -> web.Response:
    """Read what the recipient may change, until when, and why not: every change by its name."""
    now = datetime.now(UTC)
    stop = await linked_stop(request, now)
    shown = {
        name: OptionView(allowed=one.allowed, until=one.until, why=one.why) for name, one in options(stop, now).items()
    }
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


@operations.operation("POST", "/v1/track/{token}/pin-drop", who=Who.ANYONE, body=DoorBody, answer=ChangeAccepted)
async def post_pin_drop(request: web.Request) -> web.Response:
    """Propose where the door is. The driver is shown it beside the planner's place, which stays as it is."""
    await counted(request)
    body = await read_body(request, DoorBody)

    def propose(stop: PortalStop, wish: WishRow) -> tuple[WishRow, dict[str, Any]]:
        x_m, y_m = project(body.lon, body.lat, stop.lon, stop.lat)
        metres = round(math.hypot(float(x_m), float(y_m)), 1)
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


async def _text(request: web.Request) -> str:
    text = (await read_body(request, TextBody)).text.strip()
    if not text:
        refuse([FieldError(at="/text", why="is empty")])
    return text
