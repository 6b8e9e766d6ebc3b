"""The address of this server in our links: as set, else the header `Host`, which has to be one."""

import re
from functools import lru_cache

from aiohttp import web
from aiohttp.typedefs import Handler
from yarl import URL

from api.http.app_keys import CONFIG
from api.http.problem import BadRequest

_HOST = re.compile(r"([\w.~%-]+|\[[0-9A-Fa-f:.]+(%25[\w.~-]+)?\])(:[0-9]*)?", re.ASCII)


@web.middleware
async def known_host(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a request, before it changes anything, that says of no address that it is for it."""
    host = request.headers.get("Host")
    if host is not None and not is_address(host):
        raise BadRequest("The header Host must be the address that you ask, like reparto.example:8080.")
    return await handler(request)


@lru_cache(maxsize=256)
def is_address(host: str) -> bool:
    """Tell whether a header `Host` says of an address that the request is for it."""
    try:
        return _HOST.fullmatch(host) is not None and bool(URL.build(scheme="http", authority=host).origin())
    except ValueError:  # a port or an IPv6 address that is none
        return False


def public_url(request: web.Request) -> str:
    """Give the address that people reach this server at, without a slash at its end: as set, else as it was asked."""
    return request.app[CONFIG].public_url.rstrip("/") or str(request.url.origin())
