"""HTTP/1.1 and WebSocket frames spoken by hand: a client that costs little itself."""

import asyncio
from typing import cast
from urllib.parse import urlsplit


def get_of(path: str, secret: str = "", more: str = "") -> bytes:
    """Write a GET, with a key or token where there is one; `more`: other headers, each with the end of its line."""
    who = f"Authorization: Bearer {secret}\r\n" if secret else ""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{who}{more}\r\n".encode()


def pings_of(token: str, body: bytes) -> bytes:
    """Write what sends pings of a device, as JSON."""
    return b"POST /v1/pings HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (  # noqa: E501
        token.encode(), len(body), body
    )  # fmt: skip


def frame_of(text: bytes) -> bytes:
    """Write a text frame of a client; its mask is zero, which leaves the text as it is (RFC 6455, 5.3)."""
    n = len(text)
    if n < 126:
        length = bytes((0x80 | n,))
    elif n < 65_536:
        length = b"\xfe" + n.to_bytes(2, "big")
    else:
        length = b"\xff" + n.to_bytes(8, "big")
    return b"\x81" + length + bytes(4) + text


class Wire(asyncio.Protocol):
    """One kept-alive connection, one request or frame at a time; answers without a Content-Length have no body.

    Attributes:
        head: of the newest answer: its status line and headers.
        speaks_frames: after 101; a frame with an error is answered as 400.
    """

    def __init__(self) -> None:
        self.head = b""
        self.speaks_frames = False
        self._heard = bytearray()
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none of asyncio's classes

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send a request or a frame; give the answer's status and body."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def data_received(self, data: bytes) -> None:
        self._heard += data
        heard = self._frame() if self.speaks_frames else self._response()
        if heard is not None and self._answer is not None and not self._answer.done():
            self._answer.set_result(heard)

    def _response(self) -> tuple[int, bytes] | None:
        end = self._heard.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = bytes(self._heard[:end])
        length = int(head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0] or 0)
        if len(self._heard) < end + 4 + length:
            return None
        body = bytes(self._heard[end + 4 : end + 4 + length])
        del self._heard[: end + 4 + length]
        self.head = head
        return int(head[9:12]), body

    def _frame(self) -> tuple[int, bytes] | None:
        """Read an answer, which is shorter than 64 kB; pings and pongs are left unanswered, as the run is short."""
        while len(self._heard) >= 4:
            opcode, length, start = self._heard[0] & 0x0F, self._heard[1] & 0x7F, 2
            if length == 126:
                length, start = int.from_bytes(self._heard[2:4], "big"), 4
            if len(self._heard) < start + length:
                return None
            text = bytes(self._heard[start : start + length])
            del self._heard[: start + length]
            if opcode == 8:
                raise ConnectionError(f"the door closes: {text!r}")
            if opcode == 1:
                return (400 if b'"error"' in text else 200), text
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("the door hung up"))


async def open_wires(url: str, connections: int) -> list[tuple[asyncio.BaseTransport, Wire]]:
    """Open connections to a process; the caller closes the transports."""
    loop, (host, port) = asyncio.get_running_loop(), address_of(url)
    return [await loop.create_connection(Wire, host, port) for _ in range(connections)]


def address_of(url: str) -> tuple[str, int]:
    """Give the host and the port that a process listens on."""
    address = urlsplit(url)
    assert address.hostname is not None
    assert address.port is not None
    return address.hostname, address.port
