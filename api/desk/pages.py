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
_ALLOWED = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
_ALLOWED_TO_SCRIPTS = "; script-src 'self'; connect-src 'self'"
_HEADERS = {
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store",
    "Vary": "Accept-Language",
}


def desk_language(request: web.Request) -> str:
    """Choose the language of a page: by choice, else as the browser asks."""
    return choose(request.query.get("lang", ""), request.headers.get("Accept-Language", ""), LANGUAGES)


def desk_page(
    template: str, language: str, *, status: int = 200, has_scripts: bool = False, **values: Any
) -> web.Response:
    """Fill a template of `api/static/desk`; on a page that has none, no script runs."""
    allowed = _ALLOWED + (_ALLOWED_TO_SCRIPTS if has_scripts else "")
    text = _PAGES.render_template(template, language=language, languages=LANGUAGES, assets=assets.PATH, **values)
    return web.Response(
        status=status, text=text, content_type="text/html", headers=_HEADERS | {"Content-Security-Policy": allowed}
    )
