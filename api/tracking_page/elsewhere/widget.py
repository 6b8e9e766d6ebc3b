"""The page of a link in small, for a frame on the company's own pages: what happens and when, without a script.

Only sites that the account names may show it; who else frames it sees nothing. The component is a frame, too.
"""

from aiohttp import web

from api.http import assets
from api.http.operation import Operations, Who
from api.recipient.view import Ended
from api.tracking_page.endpoints import LANG, ended_words, reader_of, seen_by
from api.tracking_page.plain import or_later, unknown_page
from api.tracking_page.respond import respond
from api.tracking_page.words import say

operations = Operations("tracking")

_COMPONENT = (assets.ROOT / "widget" / "reparto-delivery.js").read_bytes()
_COMPONENT_HEADERS = {
    "Cache-Control": "public, max-age=3600",
    "Access-Control-Allow-Origin": "*",  # a module is only run from elsewhere where that is said
    "X-Content-Type-Options": "nosniff",
}

_AGAIN_S = 60
"""So soon a frame without a script looks again; with the component it is told."""


@operations.operation(
    "GET",
    "/t/{token}/widget",
    who=Who.ANYONE,
    query=(LANG,),
    media=("text/html",),
    also={404: "A page that says that there is no such link.", 410: "The same in small: how it ended."},
)
async def get_widget(request: web.Request) -> web.Response:
    """Open the page of a tracking link in small, for an `<iframe>` on a site of `widget_sites` of the account."""
    return await or_later(request, _widget)


@operations.operation("GET", "/widget.js", who=Who.ANYONE, media=("text/javascript",))
async def get_component(_request: web.Request) -> web.Response:
    """Fetch the web component `<reparto-delivery link="…">`: an ES module for the company's own pages."""
    return web.Response(body=_COMPONENT, content_type="text/javascript", charset="utf-8", headers=_COMPONENT_HEADERS)


async def _widget(request: web.Request) -> web.Response:
    seen = await seen_by(request)
    if seen is None:
        return unknown_page(request)
    reader, view = reader_of(request, seen), seen.view
    settings = reader.settings
    if isinstance(view, Ended):
        ended = await ended_words(request, view, reader)
        said = {"headline": ended.title, "more": ended.more, "label": "", "window": "", "updated": ""}
    else:
        words = say(view, reader.now, reader.manner, reader.t)
        window = {"label": words.eta_label, "window": words.eta}
        said = {"headline": words.headline, "more": words.more, **window, "updated": words.updated}
    page = respond(
        request,
        "widget.html",
        settings,
        reader.language,
        status=410 if isinstance(view, Ended) else 200,
        framed_by=settings.widget_sites,
        **said,
    )
    if not isinstance(view, Ended):
        page.headers["Refresh"] = str(_AGAIN_S)
    return page
