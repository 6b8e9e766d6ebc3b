"""The page of a tracking link, and pages for links that show nothing."""

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from api.http.app_keys import CONFIG, POOL
from api.http.operation import Operations, Parameter, Who
from api.pages.catalog import texts
from api.pages.times import Manner
from api.recipient.booked import booked_by
from api.recipient.held import HeldRoutes
from api.recipient.looks import Seen
from api.recipient.stream import link_in
from api.recipient.view import Ended, TrackingView
from api.stream.hub import HUB
from api.tracking_page.asking import ask_options
from api.tracking_page.booked import booked_page
from api.tracking_page.cases import cases_of, help_of
from api.tracking_page.forms import FORMS
from api.tracking_page.heard import heard_of, slot_of
from api.tracking_page.photos import photos_shown
from api.tracking_page.plain import later_page, page_without_van, unknown_page
from api.tracking_page.respond import filled, in_script, language_of, respond
from api.tracking_page.scene import scene_of
from api.tracking_page.words import say, variant_of, when_of
from sql.account.settings import settings_of
from sql.pool import is_away
from work.messages.rules.hours import zone_at

log = logging.getLogger(__name__)

operations = Operations("tracking")

LANG = Parameter(name="lang", description="es, pt or en; else as the browser asks.")

_SCENES = {"completed": "yes", "partially_completed": "yes", "departed": "yes", "failed": "no", "skipped": "no"}
_ABOUT_THE_STOP = frozenset({"cancelled", "removed"})  # of the reasons why a link shows nothing
_TOLD_WHY = frozenset({"cash", "too-late"})  # of the reasons why a change is closed, those that were not always so
_AFTERWARDS = frozenset({"rating", "problem", "return"})


@operations.operation(
    "GET",
    "/t/{token}",
    who=Who.ANYONE,
    query=(LANG,),
    media=("text/html",),
    also={404: "A page that says that there is no such link.", 410: "A page that says that it has ended."},
)
async def get_page(request: web.Request) -> web.Response:
    """Open the page of a tracking link.

    404, 410 and 503 are pages too, which say what happened; the last one asks again by itself.
    """
    try:
        seen = await seen_by(request)
        if seen is None:
            booked = await booked_by(request)
            return unknown_page(request) if booked is None else booked_page(request, booked)
        if isinstance(seen.view, Ended):
            return await _ended_page(request, seen, seen.view)
        return await _page(request, seen, seen.view)
    except Exception as error:
        if not is_away(error):
            raise
        log.warning("database away: %s", type(error).__name__)
        return later_page(request)


async def seen_by(request: web.Request) -> Seen | None:
    """Give what the link in the path shows; None: there is no such link."""
    return await request.app[HUB].part(HeldRoutes).seen(link_in(request))


def manner_of(request: web.Request, seen: Seen, language: str) -> Manner:
    """Choose how times are written: in the zone of the door."""
    zone = zone_at(seen.stop.lat, seen.stop.lon, seen.route.timezone)
    return Manner.of(language, zone, request.headers.get("Accept-Language", ""))


def open_ones(options: Mapping[str, Any], manner: Manner, now: datetime, t: Mapping[str, Any]) -> list[dict[str, str]]:
    """Give the changes that are open, each with when it closes."""
    return [
        {
            "name": name,
            "link": t["change"][name]["link"],
            "until": _until(options[name]["until"], name, manner, now, t),
        }
        for name in FORMS
        if name in options and options[name]["allowed"]
    ]


def _closed_ones(options: Mapping[str, Any], t: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the changes that are closed and were not always, by why."""
    by_why: dict[str, list[str]] = {}
    for name in FORMS:
        if name in options and options[name]["why"] in _TOLD_WHY:
            by_why.setdefault(options[name]["why"], []).append(t["change"][name]["link"])
    return [{"links": links, "why": t["why"][why]} for why, links in by_why.items()]


def _closes(opened: Sequence[Mapping[str, str]]) -> str:
    """Say when all that is open closes; empty where each does at another time."""
    times = {one["until"] for one in opened}
    return times.pop() if len(times) == 1 and len(opened) > 1 else ""


def _until(until: str | None, name: str, manner: Manner, now: datetime, t: Mapping[str, Any]) -> str:
    if until is None:
        return "" if name in _AFTERWARDS else str(t["until_there"])
    return filled(t["until"], when=manner.moment(datetime.fromisoformat(until), now))


async def _page(request: web.Request, seen: Seen, view: TrackingView) -> web.Response:
    settings, now = settings_of(seen.route.settings), datetime.now(UTC)
    language = language_of(request, settings, seen.stop.locale)
    t, manner, config = texts(language), manner_of(request, seen, language), request.app[CONFIG]
    options = await ask_options(request)
    opened = open_ones(options, manner, now, t)
    words = say(view, now, manner, t)
    return respond(
        request,
        "page.html",
        settings,
        language,
        tile_url=config.tile_url,
        attribution=config.tile_attribution,
        token=request.match_info["token"],
        now=now.isoformat(timespec="milliseconds"),
        kept=filled(t["kept"], when=manner.moment(now, now)),
        words=words,
        scene=scene_of(words.scene, view.stops_before),
        kind=variant_of(view.stop.kind),
        heard=await heard_of(request, t),
        photos=await photos_shown(request.app[POOL], seen),
        opened=opened,
        closed=[] if view.done_at else _closed_ones(options, t),
        closes=_closes(opened),
        cases=await cases_of(request, manner, now, t),
        help=await help_of(request, manner, now, t),
        van_at=manner.moment(view.position.recorded_at, now) if view.position else "",
        data=in_script({"view": view}),
    )


async def _ended_page(request: web.Request, seen: Seen, ended: Ended) -> web.Response:
    settings, now = settings_of(seen.route.settings), datetime.now(UTC)
    language = language_of(request, settings, seen.stop.locale)
    t, manner = texts(language), manner_of(request, seen, language)
    opened = open_ones(await ask_options(request), manner, now, t)
    if ended.why == "over" and ended.done_at is not None:
        said, variant = ended.status, variant_of(ended.kind)
    else:
        said, variant = f"gone_{ended.why}", variant_of(ended.kind) if ended.why in _ABOUT_THE_STOP else ""
    when = when_of(ended.done_at, manner, now, t)
    if ended.why == "removed" and (slot := await slot_of(request)):
        said, variant, when = "rescheduled", "", manner.range(*slot, now)  # off its tour, and not on another one yet
    more = filled(t[f"{said}_more"], when=when)
    return page_without_van(
        request,
        settings,
        language,
        status=410,
        title=t[said + variant],
        more=more.replace("m..", "m."),
        scene=scene_of(_SCENES.get(said, "none")),
        opened=opened,
        cases=await cases_of(request, manner, now, t) if opened or ended.why == "over" else [],
        help=await help_of(request, manner, now, t),
        heard=await heard_of(request, t) if opened or ended.why == "over" else [],
    )
