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
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store",
    "Vary": "Accept-Language",
}
_WITH_SCRIPTS = f"{_HEADERS['Content-Security-Policy']}; script-src 'self'; connect-src 'self'"


def desk_language(request: web.Request) -> str:
    """Choose the language of a page: by choice, else as the browser asks."""
    return choose(request.query.get("lang", ""), request.headers.get("Accept-Language", ""), LANGUAGES)


def desk_page(
    template: str, language: str, *, status: int = 200, is_scripted: bool = False, **values: Any
) -> web.Response:
    """Fill a template of `api/static/desk`.

    Args:
        is_scripted: it brings scripts of ours, which ask this server alone.
    """
    text = _PAGES.render_template(template, language=language, languages=LANGUAGES, assets=assets.PATH, **values)
    headers = _HEADERS | {"Content-Security-Policy": _WITH_SCRIPTS} if is_scripted else _HEADERS
    return web.Response(status=status, text=text, content_type="text/html", headers=headers)
