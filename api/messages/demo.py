"""What the demo's recipients would hear: a page for whoever sits at this machine, there only while the demo runs."""

import ipaddress
import re
from html import escape
from string import Template

from aiohttp import web

from api.http.app_keys import POOL
from api.http.operation import Operations, Who
from api.http.problem import NotFound
from sql.messages.messages import ListedMessage, logged_messages

operations = Operations("messages")

_SHOWN = 100
_FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via")
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1", "[::1]"})

_LINK = re.compile(r"(https?://[\w.:/-]+)")
"""Of a text that is escaped already."""

_PAGE = Template(
    """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="5"><title>Messages of the demo</title>
<style>
:root { color-scheme: light dark; font: 16px/1.45 system-ui, sans-serif; }
main { max-width: 42rem; margin: 0 auto; padding: 1rem; }
article { border: 1px solid color-mix(in srgb, CanvasText 18%, Canvas); border-radius: 12px;
          padding: .75rem 1rem; margin: .75rem 0; }
header { display: flex; gap: .75rem; flex-wrap: wrap; font-size: .85rem; opacity: .75; }
p { margin: .4rem 0 0; overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; margin: .5rem 0; }
</style></head><body><main><h1>Messages of the demo</h1>
<p>What recipients would get. Nothing leaves this machine.</p>
$messages</main></body></html>
"""
)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


@operations.operation("GET", "/dev/messages", who=Who.ANYONE, media=("text/html",))
async def show_messages(request: web.Request) -> web.Response:
    """Show the last messages of the channel `log`, to a browser on this machine."""
    if not _is_here(request):
        raise NotFound("There is nothing at this address.")
    rows = await logged_messages(request.app[POOL], limit=_SHOWN)
    shown = "\n".join(map(_article, rows)) or "<p>None yet: the first one comes when a van is near.</p>"
    return web.Response(
        text=_PAGE.substitute(messages=shown),
        content_type="text/html",
        headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
    )


def _is_here(request: web.Request) -> bool:
    """Tell whether a browser on this machine asks by itself: not through a proxy, nor by a name that leads here."""
    if any(name in request.headers for name in _FORWARDED) or request.url.host not in _LOCAL_HOSTS:
        return False
    try:
        return ipaddress.ip_address(request.remote or "").is_loopback
    except ValueError:
        return False


def _article(row: ListedMessage) -> str:
    head = "".join(
        f"<span>{escape(text)}</span>" for text in (f"{row.created_at:%H:%M:%S} UTC", row.kind, row.address, row.locale)
    )
    body = _LINK.sub(r'<a href="\1">\1</a>', escape(row.body or ""))
    return f'<article><header>{head}</header><p lang="{escape(row.locale)}">{body}</p></article>'
