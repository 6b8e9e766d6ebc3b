"""One client's connection. What comes over it and is no request is refused as every other request is: in our words.

aiohttp answers that below the application, with plain text, and would log each as an error of ours, with what was sent.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from aiohttp import StreamReader, web
from aiohttp.http_exceptions import ContentEncodingError

from api.http.problem import BadRequest, Problem, UnsupportedMediaType, respond
from api.proofs.uploads.tus import VERSION

log = logging.getLogger(__name__)

READ_ON_BYTES = 32 * 2**20
"""So much more is unpacked of a body that was answered before its end: far more than a phone sends at once."""

_READ_ON_S = 10.0

ASKED_WITHIN_S = 20.0
"""A connection whose first request is not here by then, all its headers, is closed: nobody is at its other end."""


class Connection(web.RequestHandler):
    """Parses what a client sends, and has the application answer it.

    Attributes:
        meter: told of bytes that come after an upgrade; a Problem that it raises ends the connection.
    """

    __slots__ = ("_silence", "meter")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.meter: Callable[[int], None] | None = None
        self._silence: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Give the client some time to ask."""
        super().connection_made(transport)
        self._silence = self._loop.call_later(ASKED_WITHIN_S, self._close_unasked)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget it."""
        if self._silence is not None:
            self._silence.cancel()
        super().connection_lost(exc)

    def _close_unasked(self) -> None:
        if not self._request_count:
            self.force_close()

    def data_received(self, data: bytes) -> None:
        """Count what comes over a WebSocket."""
        if self.meter is not None:
            try:
                self.meter(len(data))
            except Problem as problem:
                log.info("a WebSocket is closed: %s", problem.type)
                self.force_close()
                return
        super().data_received(data)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what cannot be read as a request; the connection ends with that."""
        if status >= 500 or request.writer.output_size > 0:
            return super().handle_error(request, status, exc, message)
        log.info("refused before it was a request: %s", type(exc).__name__)
        if isinstance(exc, ContentEncodingError):
            response = respond(UnsupportedMediaType("Bodies are read as they are, or packed with gzip or deflate."))
        else:
            response = respond(BadRequest("This is no HTTP request that can be read: its first line or its headers."))
        response.headers["Tus-Resumable"] = VERSION  # it may have been about an upload
        response.force_close()
        return response

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Answer, and read on while the client still sends, so that it comes to read the answer.

        aiohttp would do that for ten seconds without a turn for anybody else, as fast as a small body unpacks to
        gigabytes.
        """
        answered = await super().finish_response(request, resp, start_time)
        if "Content-Encoding" in request.headers and not await _came_to_its_end(request.content):
            self._lingering_time = 0.0
        return answered


async def _came_to_its_end(content: StreamReader) -> bool:
    """Read what comes of a body, and forget it; False when that is too much."""
    size = 0
    with suppress(TimeoutError, OSError, web.RequestPayloadError):
        async with asyncio.timeout(_READ_ON_S):
            while size < READ_ON_BYTES and not content.is_eof():
                size += len(await content.readany())
                await asyncio.sleep(0)
    return content.is_eof()
