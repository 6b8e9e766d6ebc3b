"""Streams under test: a hub in the application, and server-sent events read one by one."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from aiohttp import ClientResponse, web
from aiohttp.typedefs import Handler

from api.http.app_keys import POOL
from api.stream.hub import HUB, Hub
from sql.config import DatabaseConfig

SOON_S = 60.0
"""Generous: a stream answers within a second, but a loaded machine may take longer."""


def hub_part(database: DatabaseConfig, *, stream_clients: int = 100) -> Callable[[web.Application], None]:
    """Put a hub into an application for as long as it runs."""

    async def run(app: web.Application) -> AsyncIterator[None]:
        async with Hub(database, app[POOL], stream_clients=stream_clients) as hub:
            app[HUB] = hub
            await hub.listening()
            yield

    async def close_streams(app: web.Application) -> None:
        app[HUB].close_streams()

    async def note_write(request: web.Request, response: web.StreamResponse) -> None:
        await request.app[HUB].note_write(request, response)

    def add(app: web.Application) -> None:
        app.on_response_prepare.append(note_write)
        app.cleanup_ctx.append(run)
        app.on_shutdown.append(close_streams)

    return add


@web.middleware
async def look_first(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Look at everything before a request: for tests that write behind the API's back."""
    request.app[HUB].looks.distrust()
    return await handler(request)


async def next_event(response: ClientResponse) -> tuple[str, Any]:
    """Read the next event of a stream: its name and its data; comments are passed over.

    Raises:
        EOFError: the stream has ended.
    """
    _, event, data = await next_with_id(response)
    return event, data


async def next_with_id(response: ClientResponse) -> tuple[str, str, Any]:
    """Read the next event of a stream as `next_event` does: its id, its name and its data."""
    said = {"id": "", "event": "", "data": ""}
    async with asyncio.timeout(SOON_S):
        while line := (await response.content.readline()).decode():
            name, _, value = line.rstrip("\n").partition(": ")
            if name in said:
                said[name] = value
            elif not name and said["event"]:
                return said["id"], said["event"], json.loads(said["data"])
    raise EOFError
