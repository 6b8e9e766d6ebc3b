"""Bodies on their way in, within what this process may hold of them: ten thousand phones can come back at once."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, Self, runtime_checkable

from aiohttp import StreamReader, web

from api.http.problem import Unavailable
from api.http.shares.ledger import REFUSED, Ledger
from api.http.who import Party, parties_of

BODIES: web.AppKey["Bodies"] = web.AppKey("bodies")

SLOWEST_BYTES_S = 2_048
"""After its first seconds a body must come as fast as this: a fifth of what a phone on EDGE sends."""


class Pace:
    """How late a body is. It has some seconds, and one more for each `SLOWEST_BYTES_S` that came."""

    def __init__(self, wait_s: float, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._until_s = clock_s() + wait_s

    def came(self, size: int) -> None:
        """Note that so many bytes came."""
        self._until_s += size / SLOWEST_BYTES_S

    @property
    def left_s(self) -> float:
        """How long the next bytes may take, seconds; 0 when it is late already."""
        return max(0.0, self._until_s - self._clock_s())

    async def next(self, content: StreamReader) -> bytes:
        """Read what comes next of a body; b"" at its end.

        Raises:
            Unavailable: it comes too slowly.
            aiohttp.web.RequestPayloadError: it breaks off, or does not unpack.
        """
        try:
            some = content.read_nowait()
            if not some and not content.at_eof():
                async with asyncio.timeout(self.left_s):
                    some = await content.readany()
        except TimeoutError:
            REFUSED.labels("bodies", "slow").inc()
            raise Unavailable("The body stopped coming, or comes too slowly. Please send it again.") from None
        self.came(len(some))
        return some


@runtime_checkable
class Metered(Protocol):
    """A connection that tells how much comes over it, once it carries no requests any more."""

    meter: Callable[[int], None] | None


class Holding:
    """What is held of one body so far; a plain class, since every ping makes one."""

    __slots__ = ("_bytes", "_ledger", "_parties")

    def __init__(self, ledger: Ledger, parties: Sequence[Party]) -> None:
        self._ledger, self._parties, self._bytes = ledger, parties, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.drop()

    def more(self, part: int) -> None:
        """Count so many bytes more.

        Raises:
            Unavailable, TooManyRequests: as `Ledger.take`.
        """
        self._ledger.take(self._parties, part)
        self._bytes += part

    def drop(self) -> None:
        """Count from nothing again: they are not held any more."""
        self._ledger.give_back(self._parties, self._bytes)
        self._bytes = 0


class Bodies:
    """Counts the bytes of all bodies that are being read or decoded, and whose they are.

    Attributes:
        wait_s: how long a body may take, but for its size (`Pace`).
    """

    def __init__(self, most_bytes: int, *, wait_s: float) -> None:
        self._ledger = Ledger("bodies", most_bytes)
        self.wait_s = wait_s

    @property
    def total_bytes(self) -> int:
        """What is held now."""
        return self._ledger.total

    def holding(self, request: web.Request) -> "Holding":
        """Count the bytes of a request's body until the block ends; `more` as they come."""
        return Holding(self._ledger, parties_of(request))

    @contextmanager
    def held(self, parties: Sequence[Party], size: int) -> Iterator[None]:
        """Count a body that is already here.

        Raises:
            Unavailable, TooManyRequests: as `Ledger.take`.
        """
        with self._ledger.held(parties, size):
            yield

    @contextmanager
    def metered(self, request: web.Request) -> Iterator[Callable[[], None]]:
        """Count what comes over a WebSocket before it is a message: aiohttp keeps a long one until its end.

        The connection hangs up on whoever has more on the way than their share. Gives a function to call with each
        message that came: then all is counted anew.
        """
        connection = request.protocol
        with self.holding(request) as held:
            if isinstance(connection, Metered):
                connection.meter = held.more
            try:
                yield held.drop
            finally:
                if isinstance(connection, Metered):
                    connection.meter = None
