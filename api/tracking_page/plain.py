"""Pages that say one thing: that there is no such link, that it ended, that nothing can be shown now."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from api.pages.catalog import texts
from api.tracking_page.respond import language_of, respond
from api.tracking_page.scene import scene_of
from sql.account.settings import AccountSettings
from sql.pool import is_away

_AGAIN_S = 15


def unknown_page(request: web.Request) -> web.Response:
    """Answer that there is no such link."""
    settings = AccountSettings()
    language = language_of(request, settings)
    t = texts(language)
    return page_without_van(request, settings, language, status=404, title=t["unknown"], more=t["unknown_more"])


def later_page(request: web.Request) -> web.Response:
    """Answer that nothing can be shown now; a page that was asked for asks again by itself."""
    settings = AccountSettings()
    language = language_of(request, settings)
    t = texts(language)
    page = page_without_van(request, settings, language, status=503, title=t["later"], more=t["later_more"])
    page.headers["Retry-After"] = str(_AGAIN_S)
    if request.method != "POST":
        page.headers["Refresh"] = str(_AGAIN_S)
    return page


async def or_later(request: web.Request, page: Callable[[web.Request], Awaitable[web.Response]]) -> web.Response:
    """Answer with a page; while the database is away, that nothing can be shown now."""
    try:
        return await page(request)
    except Exception as error:
        if not is_away(error):
            raise
        return later_page(request)


def page_without_van(
    request: web.Request, settings: AccountSettings, language: str, *, status: int, **said: Any
) -> web.Response:
    """Answer with a page that says one thing, `title` and `more`, and what may still be done."""
    nothing: dict[str, Any] = {
        "scene": scene_of("none"),
        "opened": (),
        "heard": (),
        "cases": (),
        "help": None,
        "closes": "",
    }
    return respond(request, "ended.html", settings, language, status=status, closed=(), **{**nothing, **said})
