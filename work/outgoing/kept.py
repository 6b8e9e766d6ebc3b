"""One receiver told again and again: HTTP/1.1 over connections that are kept, for a fraction of what a session costs.

Only for what may be sent twice: a kept connection that its server closes just then is followed by another one.
"""

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser
from multidict import CIMultiDict
from yarl import URL

from work.outgoing.guard import Guard
from work.outgoing.http import AGENT, CONNECT_S, TIMEOUT_S, Answer, NoAnswer, NotReached, words_of

MOST_HEARD_BYTES = 256 * 1024
"""Of one answer, with its headers: who says more is not listened to any longer."""

IDLE_S = 15.0
"""So long a connection is kept that nothing is sent over."""


class _ClosedWhileKept(Exception):  # noqa: N818 (an outcome)
    """The server closed a connection that it had kept, and had said nothing yet."""


class _KeptConnection(asyncio.Protocol):
    """A connection: one request at a time."""

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        self._waiting: asyncio.Future[Answer] | None = None
        self._forget()
        self._transport: asyncio.Transport | None = None
        self._has_answered = False
        self.is_kept = False
        self.idle_since_s = 0.0

    def _forget(self) -> None:
        self._status, self._heard, self._left = 0, 0, 0
        self._headers: CIMultiDict[str] = CIMultiDict()
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none of asyncio's classes

    async def ask(self, request: bytes, *, most_bytes: int, until_s: float) -> Answer:
        """Send a request and wait for what comes.

        Args:
            until_s: time of the event loop.

        Raises:
            NoAnswer, _ClosedWhileKept: nothing did.
        """
        loop = asyncio.get_running_loop()
        if self._transport is None or self._transport.is_closing():
            raise _ClosedWhileKept
        self._forget()
        self._left = most_bytes
        self._waiting = loop.create_future()
        late = loop.call_at(until_s, self._end, NoAnswer("TimeoutError"))
        try:
            self._transport.write(request)
            return await self._waiting
        finally:
            late.cancel()
            if self._waiting is not None:  # cancelled
                self._waiting = None
                self.close()

    def close(self) -> None:
        """Let go of it."""
        self.is_kept = False
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._waiting is None:
            self.close()  # nobody asked
            return
        self._heard += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            self._end(NoAnswer("the answer changes to another protocol"))
        except HttpParserError as error:
            self._end(NoAnswer(words_of(error)))
        if self._heard > MOST_HEARD_BYTES:
            self._end(NoAnswer("the answer has no end"))

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_kept, self._transport = False, None
        is_stale = self._has_answered and not self._heard
        self._end(_ClosedWhileKept() if is_stale else NoAnswer(words_of(exc) if exc else "the connection was closed"))

    def on_header(self, name: bytes, value: bytes) -> None:
        """The parser found a header."""
        self._headers.add(name.decode("latin-1"), value.decode("latin-1"))

    def on_headers_complete(self) -> None:
        """The parser found their end."""
        self._status = self._parser.get_status_code()

    def on_body(self, part: bytes) -> None:
        """The parser found a part of the body."""
        self._body.append(part[: self._left])
        self._left -= len(part)
        if self._left < 0 and self._waiting is not None:
            self._answered(keep=False)

    def on_message_complete(self) -> None:
        """The parser found the end of an answer; what is said before one is none."""
        if self._status < 200 and self._status != 101:
            self._status = 0
            self._headers.clear()
        elif self._waiting is not None:
            self._answered(keep=self._status >= 200 and self._parser.should_keep_alive())

    def _end(self, error: Exception) -> None:
        """Nothing more comes; an answer whose body breaks off is an answer all the same."""
        if self._waiting is None:
            return
        if self._status:
            self._answered(keep=False)
            return
        waiting, self._waiting = self._waiting, None
        if not waiting.done():
            waiting.set_exception(error)
        self.close()

    def _answered(self, *, keep: bool) -> None:
        waiting, self._waiting = self._waiting, None
        assert waiting is not None
        if not waiting.done():
            waiting.set_result(Answer(status=self._status, body=b"".join(self._body), headers=self._headers))
        self.is_kept = self._has_answered = keep
        if not keep:
            self.close()


@dataclass(slots=True)
class KeptLine:
    """What is posted to one address."""

    guard: Guard
    url: str
    _idle: list[_KeptConnection] = field(default_factory=list)
    _is_closed: bool = False
    _head: bytes = b""

    def __post_init__(self) -> None:
        url = URL(self.url)
        self._head = (
            f"POST {url.raw_path_qs} HTTP/1.1\r\nHost: {url.host_port_subcomponent}\r\nUser-Agent: {AGENT}\r\n"
        ).encode()

    async def post(self, headers: Mapping[str, str], body: bytes, *, most_bytes: int) -> Answer:
        """Post once; a redirect is an answer like any other.

        Args:
            headers: of one line each.
            most_bytes: kept of the answer's body.

        Raises:
            NotReached: nothing can have been done.
            NoAnswer: nobody knows.
        """
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        request = b"%b%bContent-Length: %d\r\n\r\n%b" % (self._head, lines.encode(), len(body), body)
        until_s = asyncio.get_running_loop().time() + TIMEOUT_S
        while True:
            kept = self._idle.pop() if self._idle else None
            connection = kept or await self._connect()
            try:
                return await connection.ask(request, most_bytes=most_bytes, until_s=until_s)
            except _ClosedWhileKept:
                if kept is None:
                    raise NoAnswer("the connection was closed") from None
            finally:
                self._put_back(connection)

    def close_idle(self) -> None:
        """Close what nothing was sent over for long."""
        before_s = time.monotonic() - IDLE_S
        while self._idle and (self._idle[0].idle_since_s < before_s or not self._idle[0].is_kept):
            self._idle.pop(0).close()

    def close(self) -> None:
        """Let go of all connections; what is under way comes to its end."""
        self._is_closed = True
        while self._idle:
            self._idle.pop().close()

    def _put_back(self, connection: _KeptConnection) -> None:
        if not connection.is_kept:
            return
        if self._is_closed:
            connection.close()
            return
        connection.idle_since_s = time.monotonic()
        self._idle.append(connection)

    async def _connect(self) -> _KeptConnection:
        url = URL(self.url)
        try:
            async with asyncio.timeout(CONNECT_S):
                sock = await self.guard.connect(url.raw_host or "", url.port or 443, timeout_s=CONNECT_S)
                try:
                    _, connection = await asyncio.get_running_loop().create_connection(
                        _KeptConnection,
                        sock=sock,
                        ssl=_tls() if url.scheme == "https" else None,
                        server_hostname=url.raw_host if url.scheme == "https" else None,
                    )
                except BaseException:
                    sock.close()
                    raise
        except (OSError, TimeoutError, ValueError) as error:  # ValueError: no such name, says its encoding
            raise NotReached(words_of(error)) from error
        return connection


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
