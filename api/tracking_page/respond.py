"""How a page of a link is answered: a template filled with everything escaped, and forbidden whatever it does not need.

Nothing is fetched from elsewhere but map tiles, if a tile server is set; the Content-Security-Policy holds it to that.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

import minijinja
import msgspec
from aiohttp import web
from minijinja import safe

from api.http import assets
from api.pages.catalog import choose, texts
from api.pages.colours import is_dark, legible
from sql.account.settings import AccountSettings

_TEMPLATES = files("api") / "static" / "page"
_TILE_HOST = re.compile(r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.{}-]+(:[0-9]+)?)/")
_SUBDOMAIN = re.compile(r"^[^.]*\{[^.]*\}[^.]*(?=\.)")  # Leaflet fills {s} with a, b or c
_PLACES = re.compile(r"\{(\w+)\}")


def _template(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def filled(text: str, **values: object) -> str:
    """Put values into the {places} of a text."""
    return _PLACES.sub(lambda place: str(values[place[1]]), text)


_STYLES = safe(assets.text_of("tokens.css") + assets.text_of("page/page.css"))


def _styles_of(request: web.Request) -> str:
    """Give the styles that a page brings with it: to who comes from elsewhere, and would wait for them."""
    came = request.headers
    is_first = came.get("Sec-Fetch-Dest") == "document" and came.get("Sec-Fetch-Site") != "same-origin"
    return _STYLES if is_first else ""


def _escaped(value: Any) -> Any:
    """Escape what is not escaped yet; minijinja's own way turns each slash of an address into six letters."""
    if value is None:
        return ""  # an `if` without an `else`
    return safe(escape(value)) if isinstance(value, str) and not hasattr(value, "__html__") else value


_PAGES = minijinja.Environment(
    loader=_template,
    undefined_behavior="strict",
    trim_blocks=True,
    lstrip_blocks=True,
    filters={"filled": filled},
    finalizer=_escaped,
)


def language_of(request: web.Request, settings: AccountSettings, locale: str | None = None) -> str:
    """Choose the language of a page: by choice, as the browser asks, as the sender knows of the recipient."""
    offered = settings.languages
    if locale is not None and (own := locale[:2].lower()) in offered:
        offered = [own, *offered]
    return choose(request.query.get("lang", ""), request.headers.get("Accept-Language", ""), offered)


def respond(
    request: web.Request,
    template: str,
    settings: AccountSettings,
    language: str,
    *,
    status: int = 200,
    tile_url: str = "",
    framed_by: Sequence[str] = (),
    **values: Any,
) -> web.Response:
    """Answer with a page.

    Args:
        tile_url: where its map gets pictures from; empty: it has none.
        framed_by: sites whose pages may show it in a frame.
        values: what the template asks for, beside what every page has.
    """
    nonce = secrets.token_urlsafe(12)
    accent = settings.colours.primary
    chosen = request.query.get("lang", "") if request.query.get("lang", "") in settings.languages else ""
    html = _PAGES.render_template(
        template,
        t=texts(language),
        language=language,
        languages=[{"code": one, "name": texts(one)["name"]} for one in settings.languages],
        path=request.path,
        home=f"/t/{request.match_info['token']}",
        query=f"?lang={chosen}" if chosen else "",
        brand=settings.brand,
        logo=f"/logo/{settings.logo}" if settings.logo else "",
        assets=assets.PATH,
        nonce=nonce,
        styles=_styles_of(request),
        accent=accent,
        on_accent="#fff" if is_dark(accent) else "#111",
        legible=legible(accent),
        tile_url=tile_url,
        **values,
    )
    response = web.Response(
        status=status,
        text=html,
        content_type="text/html",
        headers={
            "Content-Security-Policy": _policy(nonce, tile_url, framed_by),
            "Referrer-Policy": "no-referrer",  # the script lets tile servers know the site, and no more
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-cache",
            "Vary": "Accept-Language, Accept-Encoding",
        },
    )
    response.enable_compression()
    return response


def in_script(data: Mapping[str, Any]) -> str:
    """Write JSON that can stand inside a <script> element: nothing in it ends the element."""
    return safe(msgspec.json.encode(data).decode().replace("<", "\\u003c"))


def _policy(nonce: str, tile_url: str, framed_by: Sequence[str]) -> str:
    tiles, frames = _TILE_HOST.match(tile_url), " ".join(("'self'", *framed_by))
    host = "" if tiles is None else f" {tiles['scheme']}://{_SUBDOMAIN.sub('*', tiles['host'])}"
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:{host};"
        " connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self';"
        f" frame-ancestors {frames}"
    )
