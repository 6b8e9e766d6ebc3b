"""Load on the doors of pings that costs little itself: it shares the cores with what it measures.

Many devices, each with increasing times, over some kept-alive connections, one request or frame under way on each. The
parts of what is sent that do not change are prepared; HTTP/1.1 and WebSocket frames are spoken by hand.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from reparto.bench.ingest.wire import Wire, frame_of, pings_of
from reparto.client.tally import Tally

SAID_AGAIN_S = 0.5
"""Pause before a batch that was refused for the moment is sent again."""


class BenchDoor(StrEnum):
    """How a load sends."""

    NATIVE = "native"  # POST /v1/pings
    OSMAND = "osmand"  # one fix a request, in the query
    WEBSOCKET = "websocket"  # GET /v1/pings/ws, text frames


@dataclass(frozen=True, slots=True)
class DriveSecond:
    """What a phone tells of one second, all but the time: what follows it in a ping of JSON, and in a query."""

    ping: bytes
    query: bytes


@dataclass(slots=True)
class BenchDevice:
    """A device on its way.

    Attributes:
        drive: what it tells of every second of its drive.
        starts_ms: when its drive began, epoch milliseconds.
        ingest_token: for doors of apps that can only send.
        driver_id: whose it is.
        at: seconds of the drive that were sent.
    """

    token: str
    drive: Sequence[DriveSecond]
    starts_ms: int
    ingest_token: str = ""
    driver_id: str = ""
    at: int = 0

    def batch(self, pings: int) -> bytes:
        """Write the list of the next pings; the drive goes on from its start when it is over."""
        parts = [b'{"time":%d%b' % (time_ms, told.ping) for time_ms, told in self._next(pings)]
        return b'{"pings":[' + b",".join(parts) + b"]}"

    def query(self) -> bytes:
        """Write the next ping as a query."""
        [(time_ms, told)] = self._next(1)
        return b"timestamp=%d%b" % (time_ms, told.query)

    def _next(self, pings: int) -> list[tuple[int, DriveSecond]]:
        seconds = range(self.at, self.at + pings)
        self.at += pings
        return [(self.starts_ms + second * 1000, self.drive[second % len(self.drive)]) for second in seconds]


def told(lat: float, lon: float, speed_mps: float, heading_deg: float) -> DriveSecond:
    """Write what a phone tells of a moment; six metres accurate."""
    values = (lat, lon, speed_mps, heading_deg % 360.0)
    return DriveSecond(
        ping=b',"lat":%.6f,"lon":%.6f,"accuracy_m":6,"speed_mps":%.1f,"heading_deg":%.0f}' % values,
        query=b"&lat=%.6f&lon=%.6f&accuracy=6&speed=%.1f&bearing=%.0f" % values,
    )


@dataclass(slots=True)
class Load:
    """Devices that send as fast as they are answered.

    Attributes:
        ready: devices that no connection is sending for.
        on_sent: is told of each device when a request of its goes off.
    """

    host: str
    port: int
    ready: deque[BenchDevice]
    on_sent: Callable[[BenchDevice], None] = field(default=lambda _: None)
    tally: Tally = field(default_factory=Tally)

    async def run(self, *, connections: int, batch: int, seconds: float, door: BenchDoor = BenchDoor.NATIVE) -> None:
        """Send as fast as possible for so long, `batch` pings a request; every request that was begun is acknowledged
        when this returns.

        By WebSocket each connection is of one device, so there are as many devices as connections.
        """
        until_s = time.perf_counter() + seconds
        async with asyncio.TaskGroup() as tasks:
            for _ in range(connections):
                is_socket = door is BenchDoor.WEBSOCKET
                tasks.create_task(self._send_frames(batch, until_s) if is_socket else self._send(door, batch, until_s))

    async def send_each(self, *, connections: int, batch: int, door: BenchDoor = BenchDoor.NATIVE) -> None:
        """Send one request of every device, and no more; not by WebSocket."""
        waiting = deque(self.ready)

        async def send(wire: Wire) -> None:
            while waiting:
                await self._until_acknowledged(wire, self._request(door, waiting.popleft(), batch), batch)

        loop = asyncio.get_running_loop()
        wires = [await loop.create_connection(Wire, self.host, self.port) for _ in range(connections)]
        try:
            async with asyncio.TaskGroup() as tasks:
                for _, wire in wires:
                    tasks.create_task(send(wire))
        finally:
            for transport, _ in wires:
                transport.close()

    async def run_evenly(self, *, connections: int, per_s: float, seconds: float) -> None:
        """Send so many requests of one ping a second for so long; who is late sends at once, and more connections are
        no more requests."""
        began_s = time.perf_counter()
        until_s, gap_s = began_s + seconds, 1 / per_s
        async with asyncio.TaskGroup() as tasks:
            for nth in range(connections):
                tasks.create_task(self._send_evenly(began_s + nth * gap_s, connections * gap_s, until_s))

    async def _send_evenly(self, at_s: float, every_s: float, until_s: float) -> None:
        transport, wire = await asyncio.get_running_loop().create_connection(Wire, self.host, self.port)
        try:
            while at_s < until_s:
                await asyncio.sleep(at_s - time.perf_counter())
                device = self.ready.popleft()
                request = _native(device, 1)
                self.on_sent(device)
                await self._until_acknowledged(wire, request, 1)
                self.ready.append(device)
                at_s += every_s
        finally:
            transport.close()

    async def _send(self, door: BenchDoor, batch: int, until_s: float) -> None:
        loop = asyncio.get_running_loop()
        transport, wire = await loop.create_connection(Wire, self.host, self.port)
        try:
            while True:
                device = self.ready.popleft()
                await self._until_acknowledged(wire, self._request(door, device, batch), batch)
                self.ready.append(device)
                if time.perf_counter() >= until_s:
                    return
        finally:
            transport.close()

    async def _send_frames(self, batch: int, until_s: float) -> None:
        device, loop = self.ready.popleft(), asyncio.get_running_loop()
        transport, wire = await loop.create_connection(Wire, self.host, self.port)
        try:
            await self._open(wire, device)
            while time.perf_counter() < until_s:
                frame = b'{"n":%d,%b' % (device.at, device.batch(batch)[1:])
                await self._until_acknowledged(wire, frame_of(frame), batch)
        finally:
            transport.close()
            self.ready.append(device)

    async def _open(self, wire: Wire, device: BenchDevice) -> None:
        upgrade = b"GET /v1/pings/ws HTTP/1.1\r\nHost: %b\r\nAuthorization: Bearer %b\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n" % (  # noqa: E501
            self.host.encode(), device.token.encode()
        )  # fmt: skip
        status, answer = await wire.ask(upgrade)
        if status != 101:
            raise RuntimeError(f"the door answers {status}: {answer[:300].decode(errors='replace')}")
        wire.speaks_frames = True

    def _request(self, door: BenchDoor, device: BenchDevice, batch: int) -> bytes:
        return self._osmand(device) if door is BenchDoor.OSMAND else _native(device, batch)

    def _osmand(self, device: BenchDevice) -> bytes:
        return b"GET /ingest/%b/osmand?%b HTTP/1.1\r\nHost: %b\r\n\r\n" % (
            device.ingest_token.encode(), device.query(), self.host.encode()
        )  # fmt: skip

    async def _until_acknowledged(self, wire: Wire, request: bytes, pings: int) -> None:
        while True:
            self.tally.sent += pings
            began_s = time.perf_counter()
            status, answer = await wire.ask(request)
            if status == 200:
                self.tally.latencies.add(time.perf_counter() - began_s)
                self.tally.batches += 1
                self.tally.acknowledged += pings
                self.tally.refused["rejected"] += answer.count(b'"index"')
                return
            self.tally.retried[str(status)] += 1
            if status not in (429, 503):
                raise RuntimeError(f"the door answers {status}: {answer[:300].decode(errors='replace')}")
            await asyncio.sleep(SAID_AGAIN_S)


def _native(device: BenchDevice, batch: int) -> bytes:
    return pings_of(device.token, device.batch(batch))
