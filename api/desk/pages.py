"""How a page of the desk is answered: a template with everything escaped, and forbidden whatever it does not need."""

from importlib.resources import files
from typing import Any

import minijinja
from aiohttp import web

from api.http import assets
from api.http.operation import Parameter
from api.pages.catalog import LANGUAGES, choose

LANG = Parameter(name="lang", description="es, pt or en; else as the browser asks.")

_TEMPLATES = files("api") / "static" / "desk"
_PAGES = minijinja.Environment(
    loader=lambda name: (_TEMPLATES / name).read_text(encoding="utf-8"), undefined_behavior="strict"
)
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store",
    "Vary": "Accept-Language",
}
_WITH_SCRIPTS = f"{_HEADERS['Content-Security-Policy']}; script-src 'self'; connect-src 'self'; frame-src 'self'"


def desk_language(request: web.Request) -> str:
    """Choose the language of a page: by choice, else as the browser asks."""
    return choose(request.query.get("lang", ""), request.headers.get("Accept-Language", ""), LANGUAGES)


def desk_page(
    template: str,
    language: str,
    *,
    status: int = 200,
    is_scripted: bool = False,
    tiles_of: str | None = None,
    nonce: str = "",
    **values: Any,
) -> web.Response:
    """Fill a template of `api/static/desk`.

    Args:
        is_scripted: it brings scripts of ours, which ask this server alone.
        nonce: it brings one style of its own, and is looked at inside a page of the desk.
        tiles_of: the host that its map may ask for tiles, empty for none; None: it has no map.
    """
    text = _PAGES.render_template(
        template, language=language, languages=LANGUAGES, assets=assets.PATH, nonce=nonce, **values
    )
    policy = _HEADERS["Content-Security-Policy"] if not is_scripted else _WITH_SCRIPTS
    if nonce:
        policy = policy.replace("style-src 'self'", f"style-src 'self' 'nonce-{nonce}'")
        policy = policy.replace("frame-ancestors 'none'", "frame-ancestors 'self'")
    if tiles_of is not None:
        policy = policy.replace("img-src 'self'", f"img-src 'self' data: blob: {tiles_of}".rstrip())
        policy = policy.replace("connect-src 'self'", f"connect-src 'self' {tiles_of}".rstrip()) + "; worker-src 'self'"
    headers = _HEADERS | {"Content-Security-Policy": policy}
    return web.Response(status=status, text=text, content_type="text/html", headers=headers)
