"""Many recipients at once: different links polled every ten seconds and open streams, on all API processes."""

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import cast

import msgspec
from rich.box import SIMPLE
from rich.table import Table

from reparto.bench.ingest.recipients import BenchVan, drive_on, poll_of
from reparto.bench.ingest.wire import address_of, open_wires
from reparto.bench.polling import CONNECTIONS
from reparto.client.product import Product
from reparto.client.tally import Latencies
from reparto.command import out
from reparto.process.usage import cpu_s

EVERY_S = 10.0
"""How often each link of the crowd is polled."""

_A_PING_EVERY_S = 5.0
_OPENED_AT_ONCE = 100


class Crowd(msgspec.Struct, frozen=True, kw_only=True):
    """What a crowd cost.

    Attributes:
        api_cores: CPU of all API processes, cores; `streams_cores` before the polls began: of the streams alone.
        postgres_us: CPU of Postgres a poll, less what it used before the polls began.
        link_bytes: memory of all API processes a link, less what they had before the polls began.
        stream_bytes: likewise a stream.
    """

    links: int
    streams: int
    polls: int
    wanted_polls: int
    p50_ms: float
    p99_ms: float
    events: int
    api_cores: float
    streams_cores: float
    postgres_us: float
    link_bytes: float
    stream_bytes: float

    def show(self) -> None:
        """Print it."""
        table = Table(box=SIMPLE, pad_edge=False, title=f"{self.links:,} links, {self.streams:,} streams")
        table.add_column("what")
        table.add_column("is", justify="right")
        for what, value in (
            (f"polls, of {self.wanted_polls:,} that were wanted", f"{self.polls:,}"),
            ("a poll took, p50 and p99 ms", f"{self.p50_ms:.1f}, {self.p99_ms:.1f}"),
            ("events of streams", f"{self.events:,}"),
            ("cores of the API processes, streams alone", f"{self.streams_cores:.2f}"),
            ("cores of the API processes, with the polls", f"{self.api_cores:.2f}"),
            ("Postgres µs a poll", f"{self.postgres_us:.0f}"),
            ("bytes a link, all processes", f"{self.link_bytes:,.0f}"),
            ("bytes a stream", f"{self.stream_bytes:,.0f}"),
        ):
            table.add_row(what, value)
        out.print(table)


class _Stream(asyncio.Protocol):
    """An open stream: what comes is counted and thrown away."""

    def __init__(self, token: str) -> None:
        self._token = token
        self.events = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        wire = cast(asyncio.Transport, transport)  # uvloop's is none of asyncio's classes
        wire.write(f"GET /v1/track/{self._token}/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        self.events += data.count(b"event: tracking")


async def follow_and_poll(
    product: Product, vans: Sequence[BenchVan], *, links: int, streams: int, seconds: float
) -> Crowd:
    """Open the streams, then poll the links beside them; the vans drive on all the while."""
    apis = [(product.api_url, product.api), *product.more_apis]
    pids = [child.pid for _, child in apis]
    tokens = [
        token
        for nth in range(max(len(van.tokens) for van in vans))
        for van in vans
        for token in van.tokens[nth : nth + 1]
    ]
    before = _memory(pids)
    opened = await _open_streams([url for url, _ in apis], tokens, streams)
    async with asyncio.TaskGroup() as tasks:
        driving = tasks.create_task(_keep_driving(product, vans))
        await asyncio.sleep(2 * _A_PING_EVERY_S)  # everybody has got the first view, and the next
        with_streams, alone = _memory(pids), _Clock(pids, product.postgres_pid)
        await asyncio.sleep(2 * _A_PING_EVERY_S)
        alone_cores, alone_postgres = alone.cores()
        polling, latencies = _Clock(pids, product.postgres_pid), Latencies()
        polls = await _poll([url for url, _ in apis], tokens[:links], seconds, latencies)
        cores, postgres = polling.cores()
        after = _memory(pids)
        driving.cancel()
    events = sum(stream.events for _, stream in opened)
    for transport, _ in opened:
        transport.close()
    return Crowd(
        links=links,
        streams=streams,
        polls=polls,
        wanted_polls=round(links / EVERY_S * seconds),
        p50_ms=latencies.quantile_s(0.50) * 1000,
        p99_ms=latencies.quantile_s(0.99) * 1000,
        events=events,
        api_cores=cores,
        streams_cores=alone_cores,
        postgres_us=(postgres - alone_postgres) * seconds / polls * 1e6,
        link_bytes=(after - with_streams) / links,
        stream_bytes=(with_streams - before) / max(1, streams),
    )


class _Clock:
    """CPU since it was made."""

    def __init__(self, pids: Sequence[int], postgres_pid: int) -> None:
        self._pids, self._postgres_pid = pids, postgres_pid
        self._began_s, self._cpu_s = time.perf_counter(), self._read()

    def cores(self) -> tuple[float, float]:
        """Give the cores that the API processes and Postgres used."""
        took_s = time.perf_counter() - self._began_s
        api, postgres = (now - then for now, then in zip(self._read(), self._cpu_s, strict=True))
        return api / took_s, postgres / took_s

    def _read(self) -> tuple[float, float]:
        return sum(map(cpu_s, self._pids)), cpu_s(self._postgres_pid)


def _memory(pids: Sequence[int]) -> int:
    """Give the memory of processes that nobody else has, bytes."""
    total = 0
    for pid in pids:
        for line in (Path("/proc") / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith(("Private_Clean:", "Private_Dirty:")):
                total += int(line.split()[1]) * 1024
    return total


async def _open_streams(
    urls: Sequence[str], tokens: Sequence[str], streams: int
) -> list[tuple[asyncio.BaseTransport, _Stream]]:
    loop = asyncio.get_running_loop()
    opened: list[tuple[asyncio.BaseTransport, _Stream]] = []
    for nth in range(streams):
        open_one = partial(_Stream, tokens[nth % len(tokens)])
        opened.append(await loop.create_connection(open_one, *address_of(urls[nth % len(urls)])))
        if nth % _OPENED_AT_ONCE == 0:
            await asyncio.sleep(0.05)
    return opened


async def _keep_driving(product: Product, vans: Sequence[BenchVan]) -> None:
    while True:
        began_s = time.perf_counter()
        await drive_on(product, vans)
        await asyncio.sleep(max(0.0, _A_PING_EVERY_S - (time.perf_counter() - began_s)))


async def _poll(urls: Sequence[str], tokens: Sequence[str], seconds: float, latencies: Latencies) -> int:
    """Poll every link every `EVERY_S`, evenly over time, connections and processes."""
    wires = [wire for url in urls for wire in await open_wires(url, CONNECTIONS)]
    until_s, polls = time.perf_counter() + seconds, 0

    async def ask(nth: int) -> None:
        nonlocal polls
        (transport, wire), mine = wires[nth], tokens[nth :: len(wires)]
        at_s = time.perf_counter() + EVERY_S / len(mine) * nth / len(wires)
        while True:
            for token in mine:
                at_s += EVERY_S / len(mine)
                await asyncio.sleep(at_s - time.perf_counter())
                if time.perf_counter() >= until_s:
                    transport.close()
                    return
                began_s = time.perf_counter()
                status, _ = await wire.ask(poll_of(token))
                latencies.add(time.perf_counter() - began_s)
                if status != 200:
                    raise RuntimeError(f"the API answers {status}")
                polls += 1

    async with asyncio.TaskGroup() as tasks:
        for nth in range(len(wires)):
            tasks.create_task(ask(nth))
    return polls
