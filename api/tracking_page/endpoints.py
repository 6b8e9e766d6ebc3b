"""The page of a tracking link, and pages for links that show nothing."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from api.http.app_keys import CONFIG, POOL, now_of
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
from sql.account.settings import AccountSettings, settings_of
from sql.pool import is_away
from work.messages.rules.hours import zone_at

log = logging.getLogger(__name__)

operations = Operations("tracking")

LANG = Parameter(name="lang", description="es, pt or en; else as the browser asks.")

_SCENES = {"completed": "yes", "partially_completed": "yes", "departed": "yes", "failed": "no", "skipped": "no"}
_ABOUT_THE_STOP = frozenset({"cancelled", "removed"})  # of the reasons why a link shows nothing
_TOLD_WHY = frozenset({"cash", "too-late"})  # of the reasons why a change is closed, those that were not always so
_INSTEAD_OF_HOME = ("slot", "pickup-point", "safe-place", "neighbour")
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """For whom a page is written: in which language `t` its words are, and how times are, in the zone of the door."""

    settings: AccountSettings
    language: str
    t: Mapping[str, Any]
    manner: Manner
    now: datetime


def reader_of(request: web.Request, seen: Seen) -> Reader:
    """Choose how to speak to whoever opens a link."""
    settings = settings_of(seen.route.settings)
    language = language_of(request, settings, seen.stop.locale)
    zone = zone_at(seen.stop.lat, seen.stop.lon, seen.route.timezone)
    return Reader(
        settings=settings,
        language=language,
        t=texts(language),
        manner=Manner.of(language, zone, request.headers.get("Accept-Language", "")),
        now=now_of(request),
    )


def open_ones(options: Mapping[str, Any], reader: Reader) -> list[dict[str, str]]:
    """Give the changes that are open, each with when it closes."""
    return [
        {
            "name": name,
            "link": reader.t["change"][name]["link"],
            "until": _until(options[name]["until"], name, reader),
        }
        for name in FORMS
        if name in options and options[name]["allowed"]
    ]


def closed_ones(options: Mapping[str, Any], t: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the changes that are closed and were not always, by why."""
    by_why: dict[str, list[str]] = {}
    for name in FORMS:
        if name in options and options[name]["why"] in _TOLD_WHY:
            by_why.setdefault(options[name]["why"], []).append(t["change"][name]["link"])
    return [{"links": links, "why": t["why"][why]} for why, links in by_why.items()]


def _closes(opened: Sequence[Mapping[str, str]]) -> str:
    """Say when all that has an end closes; empty where each does at another time."""
    ends = [one["until"] for one in opened if one["until"]]
    return ends[0] if len(ends) > 1 and len(set(ends)) == 1 else ""


def _until(until: str | None, name: str, reader: Reader) -> str:
    if until is None:
        return "" if name in _AFTERWARDS else str(reader.t["until_there"])
    return filled(reader.t["until"], when=reader.manner.moment(datetime.fromisoformat(until), reader.now))


async def _page(request: web.Request, seen: Seen, view: TrackingView) -> web.Response:
    reader, config = reader_of(request, seen), request.app[CONFIG]
    t, manner, now = reader.t, reader.manner, reader.now
    options, heard = await ask_options(request), await heard_of(request, t)
    opened = open_ones(options, reader)
    if any(one.change == "away" for one in heard):
        opened.sort(key=lambda one: one["name"] not in _INSTEAD_OF_HOME)
    words = say(view, now, manner, t)
    return respond(
        request,
        "page.html",
        reader.settings,
        reader.language,
        tile_url=config.tile_url,
        attribution=config.tile_attribution,
        token=request.match_info["token"],
        now=now.isoformat(timespec="milliseconds"),
        kept=filled(t["kept"], when=manner.moment(now, now)),
        words=words,
        scene=scene_of(words.scene, view.stops_before),
        kind=variant_of(view.stop.kind),
        heard=heard,
        photos=await photos_shown(request.app[POOL], seen),
        opened=opened,
        closed=[] if view.done_at else closed_ones(options, t),
        closes=_closes(opened),
        cases=await cases_of(request, manner, now, t),
        help=await help_of(request, manner, now, t),
        van_at=manner.moment(view.position.recorded_at, now) if view.position else "",
        data=in_script({"view": view}),
    )


async def _ended_page(request: web.Request, seen: Seen, ended: Ended) -> web.Response:
    reader = reader_of(request, seen)
    said = await ended_words(request, ended, reader)
    opened = open_ones(await ask_options(request), reader)
    lasts = opened or ended.why == "over"
    return page_without_van(
        request,
        reader.settings,
        reader.language,
        status=410,
        title=said.title,
        more=said.more,
        scene=scene_of(said.scene),
        opened=opened,
        closes=_closes(opened),
        cases=await cases_of(request, reader.manner, reader.now, reader.t) if lasts else [],
        help=await help_of(request, reader.manner, reader.now, reader.t),
        heard=await heard_of(request, reader.t) if lasts else [],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedWords:
    """What is said where a link shows no van any more; `scene`: yes, no or none."""

    title: str
    more: str
    scene: str


async def ended_words(request: web.Request, ended: Ended, reader: Reader) -> EndedWords:
    """Say how it ended, or why nothing is shown."""
    t, manner, now = reader.t, reader.manner, reader.now
    if ended.why == "over" and ended.done_at is not None:
        said, variant = ended.status, variant_of(ended.kind)
    else:
        said, variant = f"gone_{ended.why}", variant_of(ended.kind) if ended.why in _ABOUT_THE_STOP else ""
    when = when_of(ended.done_at, manner, now, t)
    if ended.why == "removed" and (slot := await slot_of(request)):
        said, variant, when = "rescheduled", "", manner.range(*slot, now)  # off its tour, and not on another one yet
    more = filled(t[f"{said}_more"], when=when).replace("m..", "m.")
    return EndedWords(title=t[said + variant], more=more, scene=_SCENES.get(said, "none"))
