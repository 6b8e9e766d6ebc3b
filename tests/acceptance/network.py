"""A bad network: it passes bytes on to a server, and is slow, stands still or cuts connections as it is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from reparto.child import free_port

_AT_ONCE = 16_384

Ends: TypeAlias = tuple[asyncio.StreamWriter, asyncio.StreamWriter]
"""Of a connection: to the client, and to the server."""


@dataclass(slots=True)
class Network:
    """Where it listens, and how it behaves from now on.

    Attributes:
        after_bytes: a connection is cut once a client has sent so much through it; None: never.
        delay_s: every piece of at most 16 KiB is held up for so long, each way.
        is_down: every connection is cut at its next byte.
        cuts: how often it has cut so far.
    """

    port: int
    after_bytes: int | None = None
    delay_s: float = 0.0
    is_down: bool = False
    cuts: int = 0
    _flows: asyncio.Event = field(default_factory=asyncio.Event)
    _connections: dict["asyncio.Task[None]", Ends] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stand_still(self) -> None:
        """Pass nothing on, and say nothing."""
        self._flows.clear()

    def flow(self) -> None:
        """Be a good network again."""
        self.delay_s, self.is_down = 0.0, False
        self._flows.set()

    def cut(self) -> None:
        """Cut every connection that is open now."""
        for ends in list(self._connections.values()):
            self.cuts += 1
            _abort(ends)

    async def join(self, readers: tuple[asyncio.StreamReader, asyncio.StreamReader], ends: Ends) -> None:
        """Carry between a client and a server, both ways, until one is over; then both ends are cut."""
        me = asyncio.current_task()
        assert me is not None
        self._connections[me] = ends
        ways = [
            asyncio.create_task(self._carry(readers[0], ends[1], self.after_bytes)),
            asyncio.create_task(self._carry(readers[1], ends[0], None)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            del self._connections[me]
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            _abort(ends)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int | None) -> None:
        carried = 0
        while (some := await reader.read(_AT_ONCE)) and not self.is_down:
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            await self._flows.wait()
            writer.write(some)
            await writer.drain()
            carried += len(some)
            if limit is not None and carried >= limit:
                self.cuts += 1
                return

    async def close(self) -> None:
        """End every connection, and wait for that."""
        self.flow()
        carrying = list(self._connections)
        for ends in list(self._connections.values()):
            _abort(ends)
        await asyncio.gather(*carrying, return_exceptions=True)


def _abort(ends: Ends) -> None:
    for end in ends:
        end.transport.abort()


@asynccontextmanager
async def bad_network(to: int | Path, *, after_bytes: int | None = None) -> AsyncIterator[Network]:
    """Lead to a port of this machine, or to a Unix socket; at first it is a good network."""
    network = Network(port=free_port(), after_bytes=after_bytes)
    network.flow()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if isinstance(to, Path):
                up_reader, up_writer = await asyncio.open_unix_connection(to)
            else:
                up_reader, up_writer = await asyncio.open_connection("127.0.0.1", to)
        except OSError:
            writer.transport.abort()
            return
        await network.join((reader, up_reader), (writer, up_writer))

    server = await asyncio.start_server(connected, "127.0.0.1", network.port, backlog=1024)
    try:
        yield network
    finally:
        server.close()
        await network.close()
