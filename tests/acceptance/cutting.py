"""A bad network: it passes bytes on to a server, and cuts every connection after so many."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from reparto.child import free_port

_AT_ONCE = 16_384


@dataclass
class Network:
    """Where it listens, how often it has cut so far, and whether nobody is behind it any more."""

    url: str
    cuts: int = 0
    is_down: bool = False


@asynccontextmanager
async def cutting_network(port: int, *, after_bytes: int | None = None) -> AsyncIterator[Network]:
    """Lead to `port` of this machine; a connection is cut once a client has sent `after_bytes` through it.

    While the network `is_down` every connection is cut at its next byte.
    """
    listen = free_port()
    network = Network(url=f"http://127.0.0.1:{listen}")

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int | None) -> None:
        carried = 0
        while (some := await reader.read(_AT_ONCE)) and not network.is_down:
            writer.write(some)
            await writer.drain()
            carried += len(some)
            if limit is not None and carried >= limit:
                network.cuts += 1
                return

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.transport.abort()
            return
        ways = [
            asyncio.create_task(carry(reader, up_writer, after_bytes)),
            asyncio.create_task(carry(up_reader, writer, None)),
        ]
        connections.add(asyncio.current_task())
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            connections.discard(asyncio.current_task())
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for end in (writer, up_writer):
                end.transport.abort()

    connections: set[asyncio.Task[None] | None] = set()
    server = await asyncio.start_server(connected, "127.0.0.1", listen)
    try:
        yield network
    finally:
        server.close()
        for connection in list(connections):
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
