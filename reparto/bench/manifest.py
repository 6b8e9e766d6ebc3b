"""`reparto bench manifest`: what drivers' phones ask all day.

Phones of drivers with 200 stops each poll one API process as fast as they are answered: nothing new (304, or an empty
answer to `since`), everything, and one stop changed of every driver before each poll.
How to read the numbers: docs/explanation/benchmarks.md.
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import msgspec
import uvloop
from rich.box import SIMPLE
from rich.table import Table

from reparto.bench.ingest.waiting import change_stops
from reparto.bench.ingest.wire import Wire
from reparto.client.client import Client
from reparto.client.product import Product, throw_away
from reparto.client.tally import Latencies
from reparto.command import Subparsers, err, out
from reparto.process.usage import cpu_s
from reparto.simulate.fleet import GUADALAJARA, enlist, make_trip, route_of_tour
from sql.pool import connect

DRIVERS, STOPS, CONNECTIONS = 100, 200, 32

TOLD_WITHIN_S = 1.0
"""No answer from memory is older (docs/explanation/polls.md): so long after a change every phone is told of it."""


class PollRow(msgspec.Struct, frozen=True, kw_only=True):
    """What one kind of poll gave; CPU in microseconds a poll, of everybody but the client."""

    poll: str
    answers: int
    answers_per_s: float
    p50_ms: float
    p99_ms: float
    body_bytes: int
    server_cpu_us: float
    postgres_cpu_us: float


@dataclass(slots=True)
class PollingPhone:
    """A driver's phone, and the version of the manifest that it has."""

    token: str
    version: int = 0

    def request(self, query: str = "", header: str = "") -> bytes:
        """Write a poll; `{v}` in it becomes the version."""
        lines = [f"GET /v1/driver/manifest{query} HTTP/1.1", "Host: bench", f"Authorization: Bearer {self.token}"]
        return "\r\n".join([*lines, *([header] if header else []), "", ""]).replace("{v}", str(self.version)).encode()


def add_parser(subparsers: Subparsers) -> None:
    """Declare `reparto bench manifest`."""
    parser = subparsers.add_parser("manifest", help="drivers' polls: answers a second", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each kind of poll (default: 5)")
    parser.add_argument("--json", action="store_true", help="print one JSON list instead of a table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    err.print("starting a Postgres and one process of each role …")
    with throw_away() as product, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        rows = runner.run(measure(product, seconds=args.seconds))
    if args.json:
        out.print(msgspec.json.encode(rows).decode(), markup=False)
    else:
        _show(rows)
    return 0


async def measure(product: Product, *, seconds: float) -> list[PollRow]:
    """Make phones, and let them poll for so long in every way."""
    err.print(f"making {DRIVERS} drivers with {STOPS} stops each …")
    phones = await _make_phones(product)
    db = await connect(product.database)

    async def leave_alone() -> None:
        pass

    async def change() -> None:
        await change_stops(db)
        await asyncio.sleep(TOLD_WITHIN_S)

    polls: list[tuple[str, str, str, Callable[[], Awaitable[None]]]] = [
        ("304", "", 'If-None-Match: "{v}"', leave_alone),
        ("since, nothing new", "?since={v}", "", leave_alone),
        ("since, one stop changed", "?since={v}", "", change),
        ("everything", "", "", leave_alone),
        ("everything without paths", "?path=none", "", leave_alone),
    ]
    rows = []
    try:
        await _poll(product, phones, _Polls(), seconds=0)  # warm up
        for name, query, header, before in polls:
            err.print(f"{name} for {seconds:g} s …")
            measured = _Polls(query, header)
            await _poll(product, phones, measured, before, seconds=seconds)
            rows.append(measured.row(name))
    finally:
        await db.close()
    return rows


async def _make_phones(product: Product) -> list[PollingPhone]:
    trip = make_trip(1, city=GUADALAJARA, stops=STOPS, every_s=60.0)
    now_ms = round(time.time() * 1000)
    phones = []
    async with Client(product.api_url, product.key) as client:
        for number in range(DRIVERS):
            name = f"bench-{number:03}"
            _, _, token = await enlist(client, name, name)
            await client.put_route(route_of_tour(trip.tour, name, driver=name, leaves_ms=now_ms, city=GUADALAJARA))
            phones.append(PollingPhone(token=token))
    return phones


@dataclass(slots=True)
class _Polls:
    """What one kind of poll gave so far."""

    query: str = ""
    header: str = ""
    answers: int = 0
    body_bytes: int = 0
    polling_s: float = 0.0
    latencies: Latencies = field(default_factory=Latencies)
    cpu_s: dict[str, float] = field(default_factory=lambda: {"server": 0.0, "postgres": 0.0})

    async def poll(self, wire: Wire, phones: Sequence[PollingPhone]) -> None:
        """Let phones poll one after the other."""
        for phone in phones:
            began_s = time.perf_counter()
            status, body = await wire.ask(phone.request(self.query, self.header))
            self.latencies.add(time.perf_counter() - began_s)
            if status == 200:
                phone.version = int(body.partition(b'"version":')[2].partition(b",")[0])
            elif status != 304:
                raise RuntimeError(f"the API answers {status}: {body[:300].decode(errors='replace')}")
            self.answers += 1
            self.body_bytes += len(body)

    def row(self, name: str) -> PollRow:
        """Sum up."""
        return PollRow(
            poll=name,
            answers=self.answers,
            answers_per_s=self.answers / self.polling_s,
            p50_ms=self.latencies.quantile_s(0.50) * 1000,
            p99_ms=self.latencies.quantile_s(0.99) * 1000,
            body_bytes=self.body_bytes // self.answers,
            server_cpu_us=self.cpu_s["server"] / self.answers * 1e6,
            postgres_cpu_us=self.cpu_s["postgres"] / self.answers * 1e6,
        )


async def _poll(
    product: Product,
    phones: Sequence[PollingPhone],
    polls: _Polls,
    before: Callable[[], Awaitable[None]] | None = None,
    *,
    seconds: float,
) -> None:
    """Let all phones poll once, again and again, for so long; only the polls are measured."""
    address = urlsplit(product.api_url)
    assert address.hostname is not None
    assert address.port is not None
    loop = asyncio.get_running_loop()
    lines = [
        await loop.create_connection(Wire, address.hostname, address.port) for _ in range(min(CONNECTIONS, len(phones)))
    ]
    try:
        while not polls.answers or polls.polling_s < seconds:
            if before:
                await before()
            cpu_before, began_s = _cpu(product), time.perf_counter()
            async with asyncio.TaskGroup() as tasks:
                for nth, (_, wire) in enumerate(lines):
                    tasks.create_task(polls.poll(wire, phones[nth :: len(lines)]))
            polls.polling_s += time.perf_counter() - began_s
            for who, spent_s in _cpu(product).items():
                polls.cpu_s[who] += spent_s - cpu_before[who]
    finally:
        for transport, _ in lines:
            transport.close()


def _cpu(product: Product) -> dict[str, float]:
    return {"server": cpu_s(product.api.pid), "postgres": cpu_s(product.postgres_pid)}


def _show(rows: Sequence[PollRow]) -> None:
    out.print(f"{DRIVERS} drivers with {STOPS} stops each over {CONNECTIONS} connections, client included")
    table = Table(box=SIMPLE, pad_edge=False)
    for column in ("poll", "answers/s", "p50 ms", "p99 ms", "bytes", "server µs", "postgres µs"):
        table.add_column(column, justify="left" if column == "poll" else "right", no_wrap=True)
    for row in rows:
        table.add_row(
            row.poll,
            f"{row.answers_per_s:,.0f}",
            *(f"{ms:.1f}" for ms in (row.p50_ms, row.p99_ms)),
            f"{row.body_bytes:,}",
            *(f"{us:,.0f}" for us in (row.server_cpu_us, row.postgres_cpu_us)),
        )
    out.print(table)
