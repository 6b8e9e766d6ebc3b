"""The header `Host`: where nobody set `REPARTO_PUBLIC_URL`, the links in our answers begin with it."""

import re
from functools import lru_cache

from aiohttp import web
from aiohttp.typedefs import Handler
from yarl import URL

from api.problem import BadRequest

_HOST = re.compile(r"([\w.~%-]+|\[[0-9A-Fa-f:.]+(%25[\w.~-]+)?\])(:[0-9]*)?", re.ASCII)


@web.middleware
async def known_host(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a request, before it changes anything, that says of no address that it is for it."""
    host = request.headers.get("Host")
    if host is not None and not _is_address(host):
        raise BadRequest("The header Host must be the address that you ask, like reparto.example:8080.")
    return await handler(request)


@lru_cache(maxsize=256)
def _is_address(host: str) -> bool:
    try:
        return _HOST.fullmatch(host) is not None and bool(URL.build(scheme="http", authority=host).origin())
    except ValueError:  # a port or an IPv6 address that is none
        return False
