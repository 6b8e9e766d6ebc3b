"""Everybody who is told something, by path, as one process that costs little: providers and endpoints, good and bad.

`/good…` answers at once, `/slow…` after 50 ms, `/hang…` never, `/away…` with a redirect into a private network,
`/gone…` with 410. What the good ones got, and when, is asked for at the end.
"""

import asyncio
import multiprocessing
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection
from typing import cast

import uvloop

SLOW_S = 0.05
_WAITS_S = 60.0
_ANSWERED = b'{"data":{"id":"p"}}'
_ANSWERS = {
    b"/away": b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://10.0.0.1/\r\nContent-Length: 0\r\n\r\n",
    b"/gone": b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n",
}
_GOOD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
    len(_ANSWERED), _ANSWERED,
)  # fmt: skip
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_KNOWN_AT = re.compile(rb'"known_at":"([^"]+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """What good and slow ones got.

    Attributes:
        times: when each request came, seconds since 1970, in order.
        waits_s: of those that say when their event was known, how long that was before, in no order.
    """

    times: Sequence[float]
    waits_s: Sequence[float]

    @property
    def per_s(self) -> float:
        """Requests a second between the first and the last."""
        return len(self.times) / (self.times[-1] - self.times[0])


class _Listener(asyncio.Protocol):
    """One connection."""

    def __init__(self, heard: list[tuple[float, bytes]]) -> None:
        self._heard, self._came = heard, bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none of asyncio's classes

    def data_received(self, data: bytes) -> None:
        self._came += data
        while (end := self._came.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._came, 0, end)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._came) < whole:
                return
            path = bytes(self._came[: self._came.find(b"\r\n")]).split()[1]
            body = bytes(self._came[end + 4 : whole])
            del self._came[:whole]
            self._answer(path, body)

    def _answer(self, path: bytes, body: bytes) -> None:
        kind = path[:5]
        if kind == b"/hang":
            return
        if kind in (b"/good", b"/slow"):
            self._heard.append((time.time(), body))
        answer = _ANSWERS.get(kind, _GOOD)
        if kind == b"/slow":
            asyncio.get_running_loop().call_later(SLOW_S, self._transport.write, answer)
        else:
            self._transport.write(answer)


def _listen(port: int, pipe: Connection) -> None:
    heard: list[tuple[float, bytes]] = []

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Listener(heard), "127.0.0.1", port, backlog=4096)
        pipe.send("ready")
        async with server:
            while (asked := await loop.run_in_executor(None, pipe.recv)) != "end":
                pipe.send(len(heard) if asked == "count" else _taken(heard))
                if asked == "take":
                    heard.clear()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())


def _taken(heard: Sequence[tuple[float, bytes]]) -> Requests:
    known = [(at, said) for at, body in heard if (said := _KNOWN_AT.search(body))]
    waits_s = [at - datetime.fromisoformat(said[1].decode()).timestamp() for at, said in known]
    return Requests(times=[at for at, _ in heard], waits_s=waits_s)


@dataclass(frozen=True, slots=True)
class Listener:
    """The process, asked from the event loop of the bench."""

    pipe: Connection

    async def count(self) -> int:
        """Say how many requests good and slow ones got."""
        return cast(int, await asyncio.to_thread(self._ask, "count"))

    async def take(self) -> Requests:
        """Say what they got, and forget it."""
        return cast(Requests, await asyncio.to_thread(self._ask, "take"))

    async def until(self, count: int) -> Requests:
        """Wait until so many came, or for a minute; say what they got, and forget it.

        Raises:
            RuntimeError: nothing came.
        """
        until_s = time.monotonic() + _WAITS_S
        while await self.count() < count and time.monotonic() < until_s:  # noqa: ASYNC110 (another process)
            await asyncio.sleep(0.1)
        heard = await self.take()
        if len(heard.times) < 2:
            raise RuntimeError("nothing came")
        return heard

    def _ask(self, what: str) -> object:
        self.pipe.send(what)
        return self.pipe.recv()


@contextmanager
def listening(port: int) -> Iterator[Listener]:
    """Run the process for the block."""
    spawn = multiprocessing.get_context("spawn")
    ours, its = spawn.Pipe()
    process = spawn.Process(target=_listen, args=(port, its), daemon=True)
    process.start()
    try:
        ours.recv()
        yield Listener(ours)
    finally:
        ours.send("end")
        process.join(5)
        process.kill()
