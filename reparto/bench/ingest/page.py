"""Pages that somebody has open while a load goes on: how long it takes from a phone's request to the page."""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime

import aiohttp
import msgspec

from geo.times import ms_of
from reparto.bench.ingest.load import BenchDevice
from reparto.bench.ingest.recipients import BenchVan
from reparto.client.product import Product
from reparto.client.tally import Latencies

_LONGEST_LINE = 1 << 24
_DATA = b"data: "


class _Where(msgspec.Struct):
    driver_id: str
    recorded_at: datetime


class _Feature(msgspec.Struct):
    properties: _Where


class _Event(msgspec.Struct):
    features: list[_Feature] = []


class _Fix(msgspec.Struct):
    recorded_at: datetime


class _Tracking(msgspec.Struct):
    position: _Fix | None = None


_EVENT, _TRACKING = msgspec.json.Decoder(_Event), msgspec.json.Decoder(_Tracking)


class OpenPage:
    """Remembers when which pings were sent, until a page shows them.

    Attributes:
        latencies: from a ping's request to the page that shows it, or a newer one of its device.
    """

    def __init__(self) -> None:
        self.latencies = Latencies()
        self._sent: defaultdict[str, deque[tuple[int, float]]] = defaultdict(deque)

    def note_sent(self, device: BenchDevice) -> None:
        """Remember that the newest ping of a device goes off now."""
        newest_ms = device.starts_ms + 1000 * (device.at - 1)
        self._sent[device.driver_id].append((newest_ms, time.perf_counter()))

    def note_shown(self, driver_id: str, recorded_at: datetime) -> None:
        """Remember that the page shows a fix of a driver now."""
        waiting, recorded_ms, now_s = self._sent[driver_id], ms_of(recorded_at), time.perf_counter()
        while waiting and waiting[0][0] <= recorded_ms:
            self.latencies.add(now_s - waiting.popleft()[1])

    async def follow_map(self, reader: aiohttp.StreamReader) -> None:
        """Read the events of a live map, of all drivers, for ever."""
        async for data in _data_of(reader):
            for feature in _EVENT.decode(data).features:
                self.note_shown(feature.properties.driver_id, feature.properties.recorded_at)

    async def follow_link(self, reader: aiohttp.StreamReader, driver_id: str) -> None:
        """Read the events of a tracking link, of one driver, for ever."""
        async for data in _data_of(reader):
            position = _TRACKING.decode(data).position
            if position is not None:
                self.note_shown(driver_id, position.recorded_at)


async def _data_of(reader: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    while line := await reader.readline():
        if line.startswith(_DATA):
            yield line[len(_DATA) :]


@asynccontextmanager
async def open_map(product: Product) -> AsyncIterator[OpenPage]:
    """Have a live map open for the block.

    Raises:
        ExceptionGroup: the map could not be followed to the end.
    """
    page = OpenPage()
    async with _session(product) as session, asyncio.TaskGroup() as tasks:
        path, headers = "/v1/positions/stream", {"Authorization": f"Bearer {product.key}"}
        async with session.get(path, headers=headers) as response:
            following = tasks.create_task(page.follow_map(response.content))
            yield page
            following.cancel()


@asynccontextmanager
async def open_links(product: Product, vans: Sequence[BenchVan]) -> AsyncIterator[OpenPage]:
    """Have for each van the page of the recipient open who is next, for the block; its phone sends a fix a second.

    Raises:
        ExceptionGroup: a page could not be followed to the end, or a fix was refused.
    """
    page = OpenPage()
    async with _session(product) as session, AsyncExitStack() as opened, asyncio.TaskGroup() as tasks:
        under_way = []
        for number, van in enumerate(vans):
            token = await _next_of(session, van)
            response = await opened.enter_async_context(session.get(f"/v1/track/{token}/stream"))
            under_way.append(tasks.create_task(page.follow_link(response.content, van.device.driver_id)))
            after_s = number / len(vans)
            under_way.append(tasks.create_task(_drive(product, session, van.device, page.note_sent, after_s)))
        yield page
        for task in under_way:
            task.cancel()


async def _next_of(session: aiohttp.ClientSession, van: BenchVan) -> str:
    """Find the link of who sees the van."""
    for token in van.tokens:
        async with session.get(f"/v1/track/{token}") as response:
            if _TRACKING.decode(await response.read()).position is not None:
                return token
    raise RuntimeError("nobody sees the van: it is on its way to none of its recipients")


async def _drive(
    product: Product,
    session: aiohttp.ClientSession,
    device: BenchDevice,
    sent: Callable[[BenchDevice], None],
    after_s: float,
) -> None:
    """Send of a device what it records, every second, for ever; what it recorded until now is left out."""
    await asyncio.sleep(after_s)
    headers = {"Authorization": f"Bearer {device.token}", "Content-Type": "application/json"}
    while True:
        device.at = round(time.time() - device.starts_ms / 1000)
        body = device.batch(1)
        sent(device)
        async with session.post(f"{product.ingest_url}/v1/pings", data=body, headers=headers) as response:
            await response.read()
        await asyncio.sleep(1.0)


def _session(product: Product) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        product.api_url, timeout=aiohttp.ClientTimeout(total=None), read_bufsize=_LONGEST_LINE, raise_for_status=True
    )
