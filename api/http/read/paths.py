"""Addresses as they were meant: what people paste and apps put together ends in a slash or a space, or has two slashes.

No name here has a slash in it or a space around it, so that nothing else can be meant.
"""

import re
from collections.abc import Awaitable, Callable

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_SLASHES = re.compile("/{2,}")
_END = re.compile(r"(?:/|%20|%09|%0A|%0D|%C2%A0)+$", re.IGNORECASE)


class _AsMeant(web.PlainResource):
    """Answers what no other resource does, as the one that was meant."""

    def __init__(self, router: web.UrlDispatcher) -> None:
        super().__init__("")
        self._router = router

    async def resolve(self, request: web.Request) -> tuple[web.UrlMappingMatchInfo | None, set[str]]:
        path = request.rel_url.raw_path
        meant = _END.sub("", _SLASHES.sub("/", path)) or "/"
        if meant == path:
            return None, set()
        url = request.rel_url.with_path(meant, encoded=True, keep_query=True)
        found = await self._router.resolve(request.clone(rel_url=url))
        if isinstance(found.http_exception, web.HTTPMethodNotAllowed):
            return None, set(found.http_exception.allowed_methods)
        return (found if found.http_exception is None else None), set()


@web.middleware
async def _names_as_meant(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Take the spaces around a name in the path for what they are."""
    names = request.match_info
    for name, value in names.items():
        names[name] = value.strip()
    return await handler(request)


def add_to(app: web.Application) -> None:
    """Have an application answer addresses as they were meant; after all that it answers."""
    app.middlewares.append(_names_as_meant)
    app.router.register_resource(_AsMeant(app.router))
