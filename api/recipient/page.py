"""The page a recipient opens: one template, the texts of their language and the first view inside, no login.

Nothing is fetched from elsewhere but map tiles, if a tile server is set; the Content-Security-Policy holds it to that.
"""

import logging
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from string import Template
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web

from api.http import assets
from api.http.app_keys import CONFIG
from api.http.operation import Operations, Parameter, Who
from api.pages.catalog import choose, texts
from api.pages.colours import is_dark, legible
from api.recipient.held import HeldRoutes
from api.recipient.looks import Seen
from api.recipient.stream import link_in
from api.recipient.view import Ended, TrackingView
from api.stream.hub import HUB
from sql.account.settings import AccountSettings, settings_of
from sql.pool import is_away

log = logging.getLogger(__name__)

operations = Operations("tracking")

_PAGE = Template((assets.ROOT / "track.html").read_text(encoding="utf-8"))
_ENDED_PAGE = Template((assets.ROOT / "ended.html").read_text(encoding="utf-8"))
_SCENE = (assets.ROOT / "scene.html").read_text(encoding="utf-8")
_TILE_HOST = re.compile(r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.{}-]+(:[0-9]+)?)/")
_SCENES = {"completed": "yes", "partially_completed": "yes", "departed": "yes", "failed": "no", "skipped": "no"}
_ABOUT_THE_STOP = frozenset({"cancelled", "removed"})  # of the reasons why a link shows nothing
_AGAIN_S = 15
_SUBDOMAIN = re.compile(r"^[^.]*\{[^.]*\}[^.]*(?=\.)")  # Leaflet fills {s} with a, b or c


@operations.operation(
    "GET",
    "/t/{token}",
    who=Who.ANYONE,
    query=(Parameter(name="lang", description="es, pt or en; else as the browser asks."),),
    media=("text/html",),
    also={404: "A page that says that there is no such link.", 410: "A page that says that it has ended."},
)
async def get_page(request: web.Request) -> web.Response:
    """Open the page of a tracking link.

    404, 410 and 503 are pages too, which say what happened; the last one asks again by itself.
    """
    try:
        seen = await request.app[HUB].part(HeldRoutes).seen(link_in(request))
    except Exception as error:
        if not is_away(error):
            raise
        log.warning("database away: %s", type(error).__name__)
        return _later_page(request)
    if seen is None:
        return _page_without_van(request, AccountSettings(), status=404, said="unknown")
    settings = settings_of(seen.route.settings)
    if isinstance(seen.view, Ended):
        return _ended_page(request, settings, seen.view)
    return _page(request, settings, seen, seen.view)


def _page(request: web.Request, settings: AccountSettings, seen: Seen, view: TrackingView) -> web.Response:
    language = _language(request, settings, seen.stop.locale)
    words, config = texts(language), request.app[CONFIG]
    return _respond(
        _PAGE,
        settings,
        200,
        tile_url=config.tile_url,
        language=language,
        title=words[f"title{_variant(view.stop.kind)}"],
        brand=settings.brand,
        no_script=words["no_script"],
        token=request.match_info["token"],
        tile_attribution=config.tile_attribution,
        now=datetime.now(UTC).isoformat(),
        data={"view": view, "texts": words},
    )


def _ended_page(request: web.Request, settings: AccountSettings, ended: Ended) -> web.Response:
    if ended.why != "over" or ended.done_at is None:
        variant = _variant(ended.kind) if ended.why in _ABOUT_THE_STOP else ""
        return _page_without_van(request, settings, status=410, said=f"gone_{ended.why}", variant=variant)
    return _page_without_van(
        request,
        settings,
        status=410,
        said=ended.status,
        variant=_variant(ended.kind),
        at=ended.done_at.astimezone(ZoneInfo(ended.timezone)),
    )


def _later_page(request: web.Request) -> web.Response:
    page = _page_without_van(request, AccountSettings(), status=503, said="later")
    page.headers.update({"Retry-After": str(_AGAIN_S), "Refresh": str(_AGAIN_S)})
    return page


def _page_without_van(
    request: web.Request,
    settings: AccountSettings,
    *,
    status: int,
    said: str,
    variant: str = "",
    at: datetime | None = None,
) -> web.Response:
    language = _language(request, settings, None)
    words = texts(language)
    when = _when(at, words) if at else ""
    return _respond(
        _ENDED_PAGE,
        settings,
        status,
        language=language,
        brand=settings.brand,
        title=words[said + variant],
        more=words[f"{said}_more"].format(when=when),
        scene_state=_SCENES.get(said, "none"),
    )


def _when(at: datetime, words: Mapping[str, Any]) -> str:
    form = "one" if at.hour == 1 else "other"  # "a la 01:05", "a las 13:05"
    return str(words["when"][form].format(date=f"{at:{words['date']}}", time=f"{at:%H:%M}"))


def _variant(kind: str) -> str:
    """Tell which texts speak of a stop: those of a delivery, or the ones whose keys end in `_pickup`."""
    return "_pickup" if kind in ("pickup", "return") else ""


def _language(request: web.Request, settings: AccountSettings, locale: str | None) -> str:
    offered = settings.languages
    if locale is not None and (own := locale[:2].lower()) in offered:
        offered = [own, *offered]  # who asks for none of them gets what the sender knows of them
    return choose(request.query.get("lang", ""), request.headers.get("Accept-Language", ""), offered)


def _respond(
    page: Template, settings: AccountSettings, status: int, *, tile_url: str = "", data: Any = None, **words: str
) -> web.Response:
    """Fill in a template, everything escaped, and forbid it whatever it does not need."""
    nonce = secrets.token_urlsafe(12)
    accent = settings.colours.primary
    values = {
        **words,
        "tile_url": tile_url,
        "assets": assets.PATH,
        "nonce": nonce,
        "accent": accent,
        "on_accent": "#fff" if is_dark(accent) else "#111",
        "legible": legible(accent),
    }
    html = page.substitute({name: escape(value) for name, value in values.items()}, scene=_SCENE, data=_in_script(data))
    return web.Response(
        status=status,
        text=html,
        content_type="text/html",
        headers={
            "Content-Security-Policy": _policy(nonce, tile_url),
            "Referrer-Policy": "no-referrer",  # the script lets tile servers know the site, and no more
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-cache",
            "Vary": "Accept-Language",
        },
    )


def _policy(nonce: str, tile_url: str) -> str:
    tiles = _TILE_HOST.match(tile_url)
    host = "" if tiles is None else f" {tiles['scheme']}://{_SUBDOMAIN.sub('*', tiles['host'])}"
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:{host};"
        " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )


def _in_script(data: Any) -> str:
    """Write JSON that can stand inside a <script> element: nothing in it ends the element."""
    return msgspec.json.encode(data).decode().replace("<", "\\u003c")
