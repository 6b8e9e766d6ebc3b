"""A live map that somebody has open while a load goes on: how long it takes from a phone's request to the page."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import aiohttp
import msgspec

from geo.times import ms_of
from reparto.bench.ingest.load import BenchDevice
from reparto.client.product import Product
from reparto.client.tally import Latencies

_LONGEST_LINE = 1 << 24
_NO_TIMEOUT = aiohttp.ClientTimeout(total=None)
_DATA = b"data: "


class _Where(msgspec.Struct):
    driver_id: str
    recorded_at: datetime


class _Feature(msgspec.Struct):
    properties: _Where


class _Event(msgspec.Struct):
    features: list[_Feature] = []


_EVENT = msgspec.json.Decoder(_Event)


class OpenMap:
    """Follows all drivers of the account, and remembers when which of their pings were sent.

    Attributes:
        latencies: from a ping's request to the page that shows it, or a newer one of its driver.
    """

    def __init__(self) -> None:
        self.latencies = Latencies()
        self._sent: dict[str, deque[tuple[int, float]]] = {}

    def note_sent(self, device: BenchDevice) -> None:
        """Remember that the newest ping of a device goes off now."""
        newest_ms = device.starts_ms + 1000 * (device.at - 1)
        self._sent.setdefault(device.driver_id, deque()).append((newest_ms, time.perf_counter()))

    async def follow(self, reader: aiohttp.StreamReader) -> None:
        """Read events for ever."""
        while line := await reader.readline():
            if line.startswith(_DATA):
                now_s = time.perf_counter()
                for feature in _EVENT.decode(line[len(_DATA) :]).features:
                    self._shown(feature.properties, now_s)

    def _shown(self, where: _Where, now_s: float) -> None:
        waiting, recorded_ms = self._sent.get(where.driver_id, ()), ms_of(where.recorded_at)
        while waiting and waiting[0][0] <= recorded_ms:
            self.latencies.add(now_s - waiting.popleft()[1])


@asynccontextmanager
async def open_map(product: Product) -> AsyncIterator[OpenMap]:
    """Have a live map open for the block.

    Raises:
        ExceptionGroup: the map could not be followed to the end.
    """
    page = OpenMap()
    async with (
        aiohttp.ClientSession(product.api_url, timeout=_NO_TIMEOUT, read_bufsize=_LONGEST_LINE) as session,
        session.get("/v1/positions/stream", headers={"Authorization": f"Bearer {product.key}"}) as response,
        asyncio.TaskGroup() as tasks,
    ):
        response.raise_for_status()
        following = tasks.create_task(page.follow(response.content))
        yield page
        following.cancel()
