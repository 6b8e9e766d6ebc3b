"""Load on `POST /v1/pings` that costs little itself: it shares the cores with what it measures.

Many devices, each with increasing times, over some kept-alive connections, one request under way on each. The parts
of the bodies that do not change are prepared; HTTP/1.1 is spoken by hand.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from reparto.client.tally import Tally

SAID_AGAIN_S = 0.5
"""Pause before a batch that was refused for the moment is sent again."""


@dataclass(slots=True)
class BenchDevice:
    """A device on its way.

    Attributes:
        fragments: of every second of its drive, the ping after its time: `,"lat":…}`.
        starts_ms: when its drive began, epoch milliseconds.
        at: seconds of the drive that were sent.
    """

    token: str
    fragments: Sequence[bytes]
    starts_ms: int
    at: int = 0

    def batch(self, pings: int) -> bytes:
        """Write the body with the next pings; the drive goes on from its start when it is over."""
        parts = [
            b'{"time":%d%b' % (self.starts_ms + second * 1000, self.fragments[second % len(self.fragments)])
            for second in range(self.at, self.at + pings)
        ]
        self.at += pings
        return b'{"pings":[' + b",".join(parts) + b"]}"


def fragment(lat: float, lon: float, speed_mps: float, heading_deg: float) -> bytes:
    """Write what of a ping comes after its time."""
    return b',"lat":%.6f,"lon":%.6f,"accuracy_m":6,"speed_mps":%.1f,"heading_deg":%.0f}' % (
        lat, lon, speed_mps, heading_deg % 360.0
    )  # fmt: skip


@dataclass(slots=True)
class Load:
    """Devices that send as fast as they are answered.

    Attributes:
        ready: devices that no connection is sending for.
    """

    host: str
    port: int
    ready: deque[BenchDevice]
    tally: Tally = field(default_factory=Tally)

    async def run(self, *, connections: int, batch: int, seconds: float) -> None:
        """Send for so long, `batch` pings a request; every request that was begun is acknowledged when this returns."""
        until_s = time.perf_counter() + seconds
        async with asyncio.TaskGroup() as tasks:
            for _ in range(connections):
                tasks.create_task(self._send(batch, until_s))

    async def _send(self, batch: int, until_s: float) -> None:
        loop = asyncio.get_running_loop()
        transport, wire = await loop.create_connection(Wire, self.host, self.port)
        try:
            while True:
                device = self.ready.popleft()
                await self._until_acknowledged(wire, device, device.batch(batch), batch)
                self.ready.append(device)
                if time.perf_counter() >= until_s:
                    return
        finally:
            transport.close()

    async def _until_acknowledged(self, wire: "Wire", device: BenchDevice, body: bytes, pings: int) -> None:
        request = b"POST /v1/pings HTTP/1.1\r\nHost: %b\r\nAuthorization: Bearer %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (  # noqa: E501
            self.host.encode(), device.token.encode(), len(body), body
        )  # fmt: skip
        while True:
            self.tally.sent += pings
            began_s = time.perf_counter()
            status, answer = await wire.ask(request)
            if status == 200:
                self.tally.latencies.add(time.perf_counter() - began_s)
                self.tally.batches += 1
                self.tally.acknowledged += pings
                if b'"rejected":[]' not in answer:
                    self.tally.refused["rejected"] += answer.count(b'"index"')
                return
            self.tally.retried[str(status)] += 1
            if status not in (429, 503):
                raise RuntimeError(f"the door answers {status}: {answer[:300].decode(errors='replace')}")
            await asyncio.sleep(SAID_AGAIN_S)


class Wire(asyncio.Protocol):
    """One kept-alive connection, one request at a time; answers without a Content-Length have no body.

    Attributes:
        head: of the newest answer: its status line and headers.
    """

    def __init__(self) -> None:
        self.head = b""
        self._heard = bytearray()
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none of asyncio's classes

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send a request; give the answer's status and body."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def data_received(self, data: bytes) -> None:
        self._heard += data
        end = self._heard.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._heard[:end])
        length = int(head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0] or 0)
        if len(self._heard) < end + 4 + length:
            return
        body = bytes(self._heard[end + 4 : end + 4 + length])
        del self._heard[: end + 4 + length]
        if self._answer is not None and not self._answer.done():
            self.head = head
            self._answer.set_result((int(head[9:12]), body))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("the door hung up"))
