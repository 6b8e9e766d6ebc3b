"""The second port of `up` and `ingest`, for phones that know only a host and a port."""

import socket
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext

from aiohttp import web

from ingest.doors.bare_port import create_bare_app
from reparto.process.serve import bind, serving
from reparto.settings.settings import Settings


def bind_bare(settings: Settings, *, shared: bool = False) -> AbstractContextManager[socket.socket | None]:
    """Take its address, where REPARTO_OSMAND_LISTEN says one; `shared` as `bind` has it.

    Raises:
        CannotRun: as `bind`.
    """
    listen = settings.server.osmand_listen
    return bind(listen, "REPARTO_OSMAND_LISTEN", shared=shared) if listen else nullcontext()


def serving_bare(app: web.Application, listener: socket.socket | None) -> AbstractAsyncContextManager[str | None]:
    """Serve it, if there is one, beside an application that is served already; give its address as a URL."""
    return serving(create_bare_app(app), listener) if listener else nullcontext()
