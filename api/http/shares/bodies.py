"""Bodies on their way in, within what this process may hold of them: ten thousand phones can come back at once."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

from aiohttp import StreamReader, web

from api.http.problem import Unavailable
from api.http.shares.ledger import REFUSED, Ledger
from api.http.who import Party, at_its_end, parties_of

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
        if some := content.read_nowait():
            self.came(len(some))
            return some
        return b"" if content.at_eof() else await self.within(content.readany())

    async def within(self, reading: Awaitable[bytes]) -> bytes:
        """Wait for what is being read of a body, while it has time; see `next`."""
        try:
            async with asyncio.timeout(self.left_s):
                some = await reading
        except TimeoutError:
            REFUSED.labels("bodies", "slow").inc()
            raise Unavailable("The body stopped coming, or comes too slowly. Please send it again.") from None
        self.came(len(some))
        return some


@runtime_checkable
class Metered(Protocol):
    """A connection that tells how much comes over it, once it carries no requests any more."""

    meter: Callable[[int], None] | None


class Bodies:
    """Counts the bytes of all bodies that are being read or answered, and whose they are.

    Attributes:
        wait_s: how long a body may take, but for its size (`Pace`).
    """

    def __init__(self, most_bytes: int, *, wait_s: float) -> None:
        self._ledger = Ledger("bodies", most_bytes)
        self.wait_s = wait_s

    @property
    def most_bytes(self) -> int:
        """What may be held."""
        return self._ledger.most

    @property
    def total_bytes(self) -> int:
        """What is held now."""
        return self._ledger.total

    def of(self, parties: Sequence[Party]) -> "Holding":
        """Count bytes of somebody's body; whoever asks gives them back."""
        return Holding(self._ledger, parties)

    @contextmanager
    def holding(self, request: web.Request) -> Iterator["Holding"]:
        """Count bytes of a request's body; at the end of the block none of them is held any more."""
        holding = self.of(parties_of(request))
        try:
            yield holding
        finally:
            holding.give_back(holding.size)

    def until_answered(self, request: web.Request) -> "Holding":
        """Count bytes of a request's body until it is answered: it is held, read and decoded, as long as that takes."""
        holding = self.of(parties_of(request))
        at_its_end(request, lambda: holding.give_back(holding.size))
        return holding

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
        with self.holding(request) as holding:
            if isinstance(connection, Metered):
                connection.meter = holding.take
            try:
                yield lambda: holding.give_back(holding.size)
            finally:
                if isinstance(connection, Metered):
                    connection.meter = None


class Holding:
    """What is held of one request's body.

    Attributes:
        size: bytes.
    """

    __slots__ = ("_ledger", "_parties", "size")

    def __init__(self, ledger: Ledger, parties: Sequence[Party]) -> None:
        self._ledger, self._parties = ledger, parties
        self.size = 0

    def take(self, size: int) -> None:
        """Hold so much more.

        Raises:
            Unavailable, TooManyRequests: as `Ledger.take`.
        """
        self._ledger.take(self._parties, size)
        self.size += size

    def give_back(self, size: int) -> None:
        """Hold so much less: it is in the store, or decoded."""
        self._ledger.give_back(self._parties, size)
        self.size -= size
