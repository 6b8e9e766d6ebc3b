"""A page for each change: what it will do and until when, its form, and what is possible instead when it is closed."""

import math
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from aiohttp import web

from api.http.app_keys import CONFIG
from api.http.operation import Handler, Operations, Who
from api.http.problem import Forbidden, Gone, Invalid, NotFound, Problem, TooManyRequests
from api.http.read.forms import Typed, read_form
from api.pages.times import Manner
from api.proofs.uploads.state import ProofRefused
from api.recipient.booked import booked_by
from api.tracking_page.asking import ask_options, post
from api.tracking_page.booked import place_form
from api.tracking_page.code import CodeStep, code_in, step_after
from api.tracking_page.endpoints import LANG, open_ones, reader_of, seen_by
from api.tracking_page.forms import FORMS, Field, body_of, shown_fields
from api.tracking_page.photos import PhotoRefused, typed_with_photos
from api.tracking_page.plain import later_page, or_later, unknown_page
from api.tracking_page.respond import respond
from api.tracking_page.words import counted
from sql.pool import is_away

operations = Operations("tracking")

REFUSED = {
    403: "The same page: this is not offered.",
    404: "A page that says that there is no such link or form.",
    409: "The same page: it is too late, and what is possible instead.",
    410: "The same page: the link has ended.",
    422: "The same page, with what is wrong at its field; what was typed is kept.",
    429: "The same page: this was tried too often.",
}

FORM_BODY = {
    "application/x-www-form-urlencoded": {"type": "object", "additionalProperties": {"type": "string"}},
    "multipart/form-data": {
        "type": "object",
        "properties": {"file": {"type": "string", "format": "binary"}},
        "additionalProperties": {"type": "string"},
    },
}


@operations.operation(
    "GET",
    "/t/{token}/{change}",
    who=Who.ANYONE,
    query=(LANG,),
    media=("text/html",),
    also={404: REFUSED[404]},
)
async def get_form(request: web.Request) -> web.Response:
    """Open the form of a change: what it does, until when, and why not."""
    return await or_later(request, _form_page)


def takes_form(of: Operations, path: str) -> Callable[[Handler], Handler]:
    """Declare what answers a form that was sent: back to the page of the link, or the same page with what is wrong."""
    return of.operation(
        "POST", path, who=Who.ANYONE, status=303, query=(LANG,), takes=FORM_BODY, media=("text/html",), also=REFUSED
    )


@takes_form(operations, "/t/{token}/{change}")
async def post_form(request: web.Request) -> web.Response:
    """Make a change by its form, and go back to the page of the link; the same as `POST /v1/track/{token}/{change}`."""
    change = request.match_info["change"]
    if change not in FORMS:
        return unknown_page(request)
    return await send_form(request, FORMS[change], change, partial(_refused, request))


async def send_form(
    request: web.Request,
    fields: Sequence[Field],
    what: str,
    again: Callable[[Typed, Problem], Awaitable[web.Response]],
) -> web.Response:
    """Send what was typed to `POST /v1/track/{token}/…`, and go back to the page of the link.

    Args:
        again: shows the form once more, with what was typed and why it was not taken.
    """
    _refuse_other_sites(request)
    typed: Typed = {}
    try:
        if request.content_type == "multipart/form-data":
            typed = await typed_with_photos(request)
        else:
            typed = await read_form(request)
        code = "" if "again" in typed else code_in(typed)
        await post(request, what, body_of(fields, typed), code)
    except PhotoRefused as refused:
        return await again(refused.typed, refused.problem)
    except Problem as problem:
        return await again(typed, problem)
    except Exception as error:
        if not is_away(error):
            raise
        return later_page(request)
    lang = f"?lang={request.query['lang']}" if request.query.get("lang", "").isalpha() else ""
    return web.Response(status=303, headers={"Location": f"/t/{request.match_info['token']}{lang}#heard"})


async def _refused(request: web.Request, typed: Typed, problem: Problem) -> web.Response:
    """Show the form again with why it was not taken; or what is next, where a code is."""
    try:
        return await _form_page(request, typed, problem, await step_after(request, typed, problem))
    except Problem as unsent:
        return await _form_page(request, typed, unsent)


def _refuse_other_sites(request: web.Request) -> None:
    """Let no other site post in a recipient's name, should it come to know the link.

    Pages of links tell nobody where they are, so that `Origin` is `null` where a browser sends no `Sec-Fetch-Site`.

    Raises:
        Forbidden: another site posts.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin", "null")
    own = origin in ("null", request.app[CONFIG].public_url.rstrip("/"), str(request.url.origin()))
    if site not in (None, "same-origin", "none") or (site is None and not own):
        raise Forbidden("This form is sent from the page of the tracking link only.")


async def _form_page(
    request: web.Request, typed: Typed | None = None, problem: Problem | None = None, step: CodeStep | None = None
) -> web.Response:
    change, seen = request.match_info["change"], await seen_by(request)
    if seen is None and (booked := await booked_by(request)) is not None:
        return place_form(request, booked, typed, problem)
    if seen is None or change not in FORMS or isinstance(problem, NotFound):
        return unknown_page(request)
    reader, options = reader_of(request, seen), await ask_options(request)
    t, opened = reader.t, open_ones(options, reader)
    option = options.get(change) or {"allowed": False, "why": None}
    is_open, typed = option["allowed"], typed or {}
    return respond(
        request,
        "form.html",
        reader.settings,
        reader.language,
        status=problem.status if problem else 200,
        tile_url=request.app[CONFIG].tile_url,
        attribution=request.app[CONFIG].tile_attribution,
        change=change,
        about=t["change"][change],
        until=next((one["until"] for one in opened if one["name"] == change), ""),
        is_open=is_open,
        why=t["why"].get(option["why"], t["form"]["ended"]),
        instead=[one for one in opened if one["name"] != change],
        fields=shown_fields(FORMS[change], typed, problem, door=(seen.stop.lat, seen.stop.lon)),
        offers=_offers(option, reader.manner, reader.now),
        step=step,
        code=code_in(typed),
        needs_code=option.get("needs_code", False),
        summary="" if step else summary_of(problem, t),
    )


def _offers(option: Any, manner: Manner, now: datetime) -> list[dict[str, str]]:
    """Give what there is to choose from: slots, or pick-up points."""
    slots = [
        (one["id"], manner.range(datetime.fromisoformat(one["start"]), datetime.fromisoformat(one["end"]), now), "")
        for one in option.get("slots") or ()
    ]
    points = [
        (one["id"], one["name"], " · ".join(filter(None, (one["address"], _far(one), one["opening_hours"]))))
        for one in option.get("points") or ()
    ]
    return [{"id": one, "name": name, "more": more} for one, name, more in (*slots, *points)]


def _far(point: Any) -> str:
    metres = point["distance_m"]
    return f"{metres / 1000:.1f}\u00a0km" if metres >= 1_000 else f"{metres:.0f}\u00a0m"


def summary_of(problem: Problem | None, t: Any) -> str:
    """Say at the top why it was not saved; empty: nothing was refused."""
    if problem is None:
        return ""
    if isinstance(problem, TooManyRequests):
        minutes = math.ceil(int(problem.headers["Retry-After"]) / 60)
        return counted(t["form"]["busy"], minutes)
    if isinstance(problem, Gone):
        return str(t["form"]["ended"])
    if problem.type in t["form"]["refused"]:
        return str(t["form"]["refused"][problem.type])
    return str(t["form"]["not_saved"] if isinstance(problem, Invalid | ProofRefused) else t["form"]["failed"])
