"""One client's connection. What comes over it and is no request is refused as every other request is: in our words.

aiohttp answers that below the application, with plain text, and would log each as an error of ours, with what was sent.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeGuard

from aiohttp import EMPTY_PAYLOAD, StreamReader, web
from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import ContentEncodingError

from api.http.app_keys import TakesAtOnce
from api.http.problem import BadRequest, Problem, UnsupportedMediaType, respond
from api.proofs.uploads.tus import VERSION

log = logging.getLogger(__name__)

READ_ON_BYTES = 32 * 2**20
"""So much more is unpacked of a body that was answered before its end: far more than a phone sends at once."""

_READ_ON_S = 10.0

ASKED_WITHIN_S = 20.0
"""A connection whose first request is not here by then, all its headers, is closed: nobody is at its other end."""


class Connection(web.RequestHandler):
    """Parses what a client sends, and has it answered at once, or by the application.

    Attributes:
        meter: told of bytes that come after an upgrade; a Problem that it raises ends the connection.
    """

    __slots__ = ("_answering", "_at_once", "_silence", "meter")

    def __init__(self, *args: Any, at_once: TakesAtOnce | None = None, **options: Any) -> None:
        """Make one.

        Args:
            at_once: asked before the application; None: the application answers everything.
            args, options: as aiohttp has them.
        """
        super().__init__(*args, **options)
        self.meter: Callable[[int], None] | None = None
        self._silence: asyncio.TimerHandle | None = None
        self._at_once = at_once
        self._answering: asyncio.Future[None] | None = None

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
        idle, self._waiter = self._waiter, None  # aiohttp parses, and wakes nobody yet
        try:
            super().data_received(data)
        finally:
            self._waiter = idle
        self._go_on()

    def _go_on(self) -> None:
        """Have the next request answered, if there is one and none is under way."""
        idle = self._waiter
        if idle is None or idle.done() or self._answering is not None or not self._messages:
            return
        if not self._take_at_once():
            idle.set_result(None)

    def _take_at_once(self) -> bool:
        message, content = self._messages[0]
        at_once = self._at_once
        if at_once is None or not _is_whole(message, content) or self.writing_paused or not at_once.may_take(message):
            return False
        body = b"" if content is EMPTY_PAYLOAD else b"".join(content._buffer)  # read, it could not be given back
        if not at_once.take(message, body, self._answered):
            return False
        self._messages.popleft()
        assert self._parser is not None
        self._parser.message_consumed()
        self._answering = self._loop.create_future()
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        if self._buffer_paused and len(self._messages) <= self._msg_queue_resume_size:
            self._resume_reading_if_drained()
        return True

    def _answered(self, answer: bytes) -> None:
        """Write what answers the request that was taken at once, and go on."""
        if self._answering is not None:
            self._answering.set_result(None)
            self._answering = None
        if self.transport is not None:
            self.transport.write(answer)
            self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
            self._go_on()

    async def shutdown(self, timeout: float | None = 15.0) -> None:  # noqa: ASYNC109 (aiohttp's own name)
        """Give what is being answered so much time, and close."""
        if self._answering is not None:
            await asyncio.wait({self._answering}, timeout=timeout)
        await super().shutdown(timeout)

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


def _is_whole(message: Any, content: StreamReader) -> TypeGuard[RawRequestMessage]:
    """Tell whether a request is here to its end, and nothing about how it came or what comes after is to be heeded."""
    return (
        isinstance(message, RawRequestMessage)  # else an error of the parser
        and content.is_eof()
        and content.exception() is None
        and not (message.should_close or message.upgrade or message.chunked or message.compression)
        and "Expect" not in message.headers
    )


async def _came_to_its_end(content: StreamReader) -> bool:
    """Read what comes of a body, and forget it; False when that is too much."""
    size = 0
    with suppress(TimeoutError, OSError, web.RequestPayloadError):
        async with asyncio.timeout(_READ_ON_S):
            while size < READ_ON_BYTES and not content.is_eof():
                size += len(await content.readany())
                await asyncio.sleep(0)
    return content.is_eof()
