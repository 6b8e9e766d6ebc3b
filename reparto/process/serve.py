"""An HTTP server of ours: bound before anything else starts, ended after the last answer."""

import asyncio
import errno
import logging
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from api.http.app_keys import AT_ONCE
from reparto.command import CannotRun
from reparto.process.connection import Connection
from reparto.process.logs import ACCESS, AccessLog
from reparto.settings.config import address_of

_BACKLOG = 4096  # thousands of phones come back from a tunnel in the same second
_KEPT_OPEN_S = 75.0  # a connection on which nothing is asked: longer than the minute that load balancers keep theirs
_LAST_ANSWERS_S = 15.0  # for requests under way when the server is asked to stop


def bind(listen: str, setting: str, *, shared: bool = False) -> socket.socket:
    """Take the address; connections wait in its queue until `serving`.

    Args:
        listen: host:port; port 0 takes any free one.
        setting: the name of the setting it comes from, for the sentence.
        shared: on Linux, other processes of the same role may listen on the same address; the kernel spreads
            connections over them.

    Raises:
        CannotRun: somebody else has it, or this machine has no such address.
    """
    host, port = address_of(listen)
    try:
        family, _, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared and sys.platform == "linux":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listener.bind(place)
            listener.listen(_BACKLOG)
        except BaseException:
            listener.close()
            raise
    except OSError as error:
        raise CannotRun(_why_not(error, listen, setting)) from error
    return listener


def _why_not(error: OSError, listen: str, setting: str) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"Another program already listens on {listen}. End it, or set {setting} to another address."
        case errno.EACCES:
            return f"This user may not listen on {listen}: ports below 1024 are for root. Set {setting} to another one."
    return f"{setting}={listen} is not an address of this machine ({error.strerror or os.strerror(error.errno or 0)})."


@asynccontextmanager
async def serving(app: web.Application, listener: socket.socket) -> AsyncIterator[str]:
    """Serve the application during the block; give its address as a URL.

    At the end: no new connections, the requests under way are answered, then the application's own clean-up.
    """
    loop = asyncio.get_running_loop()
    runner = web.AppRunner(app, shutdown_timeout=_LAST_ANSWERS_S, handle_signals=False)
    at_once = None if ACCESS.isEnabledFor(logging.DEBUG) else app.get(AT_ONCE)  # then every answer is written down

    def connected() -> Connection:
        assert runner.server is not None
        return Connection(
            runner.server,
            at_once=at_once,
            loop=loop,
            access_log_class=AccessLog,
            keepalive_timeout=_KEPT_OPEN_S,
        )

    try:
        await runner.setup()
        listening = await loop.create_server(connected, sock=listener, backlog=_BACKLOG)
        try:
            yield url_of(listener)
        finally:
            listening.close()
    finally:
        await runner.cleanup()
        listener.close()


def url_of(listener: socket.socket) -> str:
    """Give the address that a browser on this machine reaches."""
    host, port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"
