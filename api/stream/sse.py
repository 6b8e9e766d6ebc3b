"""Server-sent events: streams that live until the client, the right to see or the process is gone."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

from aiohttp import web

from api.http.who import parties_of
from api.stream.hub import Hub

HEARTBEAT_S = 15.0
"""Silence after which a comment is sent: proxies close what is silent for 30 to 60 s."""

PIECE_BYTES = 65_536
"""Written at once: what a client does not take yet is queued for it alone, and a whole fleet is megabytes."""

_TAKES_WITHIN_S = 20.0  # a client that reads nothing for so long, with its buffers full, is gone
_RETRY_MS = 3_000


class EventStream:
    """One open stream, which begins with everything whatever the client's last event was, unless it has a name.

    Args:
        name: stands before the numbers of its events, so that another stream can go on with it.
    """

    def __init__(self, response: web.StreamResponse, *, is_head: bool, name: str) -> None:
        self.response = response
        self._id = f"{name}." if name else ""
        self._is_head = is_head
        self._sent = 0
        self._clock = asyncio.get_running_loop()
        self._beat_at = self._clock.time() + HEARTBEAT_S

    @property
    def beat_in_s(self) -> float:
        """How long the stream may still be silent, seconds."""
        return max(0.0, self._beat_at - self._clock.time())

    async def send(self, event: str, data: bytes) -> None:
        """Send an event; `data` is one line of JSON."""
        self._sent += 1
        head = b"id: %s%d\nevent: %s\ndata: " % (self._id.encode(), self._sent, event.encode())
        if len(data) <= PIECE_BYTES:
            await self._write(b"%s%s\n\n" % (head, data))
            return
        await self._write(head)
        for start in range(0, len(data), PIECE_BYTES):
            await self._write(memoryview(data)[start : start + PIECE_BYTES])
        await self._write(b"\n\n")

    async def beat(self) -> None:
        """Show that the stream lives, and find out whether the client does."""
        await self._write(b": still here\n\n")

    async def _write(self, data: bytes | memoryview) -> None:
        if self._is_head:
            raise ConnectionError("who asks with HEAD reads no events")
        async with asyncio.timeout(_TAKES_WITHIN_S):
            await self.response.write(data)
        self._beat_at = self._clock.time() + HEARTBEAT_S


@asynccontextmanager
async def event_stream(
    request: web.Request, hub: Hub, *, headers: Mapping[str, str] | None = None, name: str = ""
) -> AsyncIterator[EventStream]:
    """Open a stream; it ends quietly when the client goes away, and before its first event where only HEAD asks.

    Raises:
        Unavailable, TooManyRequests: too many are open.
    """
    with hub.seat(parties_of(request)):
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",  # nginx would keep events back
                **(headers or {}),
            }
        )
        with suppress(ConnectionError, TimeoutError):
            await response.prepare(request)
            if request.method != "HEAD":
                await response.write(b"retry: %d\n\n" % _RETRY_MS)
            yield EventStream(response, is_head=request.method == "HEAD", name=name)
