"""`reparto bench ingest`: from the phone's request to the stored, tracked ping.

One ping a request by each kind of door, then 10 and 50, one load after the other, as fast as they are acknowledged;
after each the trackers catch up. Then one ping a request at half of the rate that was tracked, and 1,000 a second,
while somebody has the live map open, and some recipients their pages. At the end a bare COPY of the same rows into the
same table, the ceiling of what any way of a ping could reach. Every device was heard of before the first load, at each
door: no load pays for looking at plans and credentials.
How to read the numbers: docs/explanation/benchmarks.md.
"""

import argparse
import asyncio
import os
import platform
import time
from collections import deque
from collections.abc import Iterable, Sequence
from statistics import median

import msgspec
import uvloop
from rich.box import SIMPLE
from rich.table import Table

from reparto.bench.ingest.crowds import settle
from reparto.bench.ingest.fleet import make_fleet
from reparto.bench.ingest.load import BenchDevice, BenchDoor, Load
from reparto.bench.ingest.page import open_links, open_map
from reparto.bench.ingest.recipients import BenchVan, drive_on, make_vans
from reparto.bench.ingest.waiting import copy_again, waiting_pings
from reparto.bench.ingest.wire import address_of
from reparto.client.product import Product, throw_away
from reparto.command import Subparsers, err, out
from reparto.process.usage import cpu_s
from sql.inbox.inbox import depth
from sql.pool import Db, connect

LOADS = (
    (BenchDoor.NATIVE, 1),
    (BenchDoor.OSMAND, 1),
    (BenchDoor.WEBSOCKET, 1),
    (BenchDoor.NATIVE, 10),
    (BenchDoor.NATIVE, 50),
)
"""Pings a request: a phone that is watched live, one that saves its battery, one that comes back from a tunnel."""

DEVICES = 600
CONNECTIONS = 48
COPIED = 500_000
STEADY_PER_S = 1_000.0
WATCHED_VANS = 20
"""On the road with a fix a second, each with a recipient's page open, beside a steady load."""

_STOPS_OF_A_VAN = 30
_PACED_MS = ("ack p50", "ack p99", "map p50", "map p95", "link p50", "link p95")
_WARM_UP_S = 2.0
_SHOWN_WITHIN_S = 1.0
_LOOK_EVERY_S = 0.1


class IngestRow(msgspec.Struct, frozen=True, kw_only=True):
    """What one load gave.

    Attributes:
        door: how it was sent.
        batch: pings a request.
        tracked_per_s: pings tracked a second while the load went on.
        caught_up_per_s: pings tracked a second after it, until none waited; NaN when none did.
        cpu_us: CPU microseconds a ping of server, tracker, postgres and client, the catching up included.
    """

    door: BenchDoor
    batch: int
    seconds: float
    acknowledged_per_s: float
    tracked_per_s: float
    caught_up_per_s: float
    ack_p50_ms: float
    ack_p99_ms: float
    cpu_us: dict[str, float]
    refused: int
    sent_again: int


class PacedRow(msgspec.Struct, frozen=True, kw_only=True):
    """What one ping a request gave at a steady rate.

    Attributes:
        per_s: the rate.
        map_p50_ms, map_p95_ms: from a ping's request to the live map that shows it.
        link_p50_ms, link_p95_ms: to the page of the recipient who is next.
    """

    per_s: float
    acknowledged_per_s: float
    ack_p50_ms: float
    ack_p99_ms: float
    map_p50_ms: float
    map_p95_ms: float
    link_p50_ms: float
    link_p95_ms: float


class IngestOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one run gave."""

    machine: str
    devices: int
    connections: int
    rows: list[IngestRow]
    half: PacedRow
    steady: PacedRow
    copy_rows: int
    copy_per_s: float


def add_parser(subparsers: Subparsers) -> None:
    """Declare `reparto bench ingest`."""
    parser = subparsers.add_parser("ingest", help="pings in: acknowledged, tracked, CPU a ping", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each load (default: 10)")
    parser.add_argument("--repeat", type=int, default=1, help="times; the medians are printed (default: 1)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    err.print("starting a Postgres and one process of each role …")
    with throw_away() as product, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        outcome = runner.run(measure(product, seconds=args.seconds, repeat=args.repeat))
    if args.json:
        out.print(msgspec.json.encode(outcome).decode(), markup=False)
    else:
        _show(outcome)
    return 0


async def measure(product: Product, *, seconds: float, repeat: int) -> IngestOutcome:
    """Send every load so often for so long; the product's doors and tracker are stopped at the end."""
    err.print(f"making {DEVICES} drivers, devices and routes …")
    ready: deque[BenchDevice] = deque(await make_fleet(product.api_url, product.key, DEVICES))
    db = await connect(product.database)
    try:
        await settle(db)
        for door in (BenchDoor.NATIVE, BenchDoor.OSMAND):
            await hear_of_each(product, db, ready, door)
        await measure_load(product, db, ready, seconds=_WARM_UP_S)
        rows: list[IngestRow] = []
        for door, batch in LOADS:
            err.print(f"{door}, {batch} a request, for {seconds:g} s, then catching up …")
            rows.append(
                _median(
                    [
                        await measure_load(product, db, ready, door=door, batch=batch, seconds=seconds)
                        for _ in range(repeat)
                    ]
                )
            )
        err.print(f"making {WATCHED_VANS} vans on the road, each with a recipient who waits for it …")
        vans = await make_vans(product, WATCHED_VANS, _STOPS_OF_A_VAN)
        half, steady = [
            await measure_paced(product, db, ready, vans, per_s=per_s, seconds=seconds)
            for per_s in (rows[0].tracked_per_s / 2, STEADY_PER_S)
        ]
        err.print("a bare COPY of the same rows …")
        product.ingest.stop()
        product.tracker.stop()
        copied, copy_s = await copy_again(db, COPIED)
    finally:
        await db.close()
    return IngestOutcome(
        machine=machine(),
        devices=DEVICES,
        connections=CONNECTIONS,
        rows=rows,
        half=half,
        steady=steady,
        copy_rows=copied,
        copy_per_s=copied / copy_s,
    )


async def measure_load(
    product: Product,
    db: Db,
    ready: deque[BenchDevice],
    *,
    door: BenchDoor = BenchDoor.NATIVE,
    batch: int = 10,
    seconds: float,
) -> IngestRow:
    """Load, then wait until nothing waits for the tracker."""
    load = load_on(product, ready)
    cpu_before, began_s = _cpu(product), time.perf_counter()
    await load.run(connections=CONNECTIONS, batch=batch, seconds=seconds, door=door)
    load_s, cpu_loaded = time.perf_counter() - began_s, _cpu(product)
    waiting = await waiting_pings(db)
    waiting_s = time.perf_counter()
    await until_tracked(db)
    caught_up_s, cpu_after = time.perf_counter() - waiting_s, _cpu(product)
    pings = load.tally.acknowledged
    cpu_loaded["tracker"], cpu_loaded["postgres"] = cpu_after["tracker"], cpu_after["postgres"]
    return IngestRow(
        door=door,
        batch=batch,
        seconds=load_s,
        acknowledged_per_s=pings / load_s,
        tracked_per_s=(pings - waiting) / load_s,
        caught_up_per_s=waiting / caught_up_s if waiting else float("nan"),
        ack_p50_ms=load.tally.latencies.quantile_s(0.50) * 1000,
        ack_p99_ms=load.tally.latencies.quantile_s(0.99) * 1000,
        cpu_us={who: (cpu_loaded[who] - cpu_before[who]) / pings * 1e6 for who in cpu_before},
        refused=load.tally.refused.total(),
        sent_again=load.tally.retried.total(),
    )


async def hear_of_each(
    product: Product, db: Db, devices: Iterable[BenchDevice], door: BenchDoor = BenchDoor.NATIVE
) -> None:
    """Have one ping of every device tracked: whoever is new costs a look at their credential and at their plan."""
    await load_on(product, devices).send_each(connections=CONNECTIONS, batch=1, door=door)
    await until_tracked(db)


async def measure_paced(
    product: Product,
    db: Db,
    ready: deque[BenchDevice],
    vans: Sequence[BenchVan],
    *,
    per_s: float,
    seconds: float,
) -> PacedRow:
    """Send one ping a request at a steady rate while a live map and recipients' pages are open, then wait until nothing
    waits.
    """
    err.print(f"{per_s:,.0f} pings a second, one a request, for {seconds:g} s, beside a live map and recipients …")
    await drive_on(product, vans)
    async with open_map(product) as of_map, open_links(product, vans) as of_links:
        load = load_on(product, ready)
        load.on_sent = of_map.note_sent
        began_s = time.perf_counter()
        await load.run_evenly(connections=CONNECTIONS, per_s=per_s, seconds=seconds)
        load_s = time.perf_counter() - began_s
        await until_tracked(db)
        await asyncio.sleep(_SHOWN_WITHIN_S)
    acks, on_map, on_links = load.tally.latencies, of_map.latencies, of_links.latencies
    return PacedRow(
        per_s=per_s,
        acknowledged_per_s=load.tally.acknowledged / load_s,
        ack_p50_ms=acks.quantile_s(0.50) * 1000,
        ack_p99_ms=acks.quantile_s(0.99) * 1000,
        map_p50_ms=on_map.quantile_s(0.50) * 1000,
        map_p95_ms=on_map.quantile_s(0.95) * 1000,
        link_p50_ms=on_links.quantile_s(0.50) * 1000,
        link_p95_ms=on_links.quantile_s(0.95) * 1000,
    )


def load_on(product: Product, devices: Iterable[BenchDevice]) -> Load:
    """Make devices that send to a product's doors."""
    return Load(*address_of(product.ingest_url), deque(devices))


async def until_tracked(db: Db) -> None:
    """Wait until nothing waits for the tracker."""
    # counting them one by one reads the whole inbox: only when the estimate says that it is empty
    while await depth(db) or await waiting_pings(db):  # noqa: ASYNC110 (they are other processes)
        await asyncio.sleep(_LOOK_EVERY_S)


def _cpu(product: Product) -> dict[str, float]:
    """Give the CPU time so far of everybody on the way of a ping, seconds."""
    return {
        "server": cpu_s(product.ingest.pid),
        "tracker": cpu_s(product.tracker.pid),
        "postgres": cpu_s(product.postgres_pid),
        "client": time.process_time(),
    }


def _median(rows: Sequence[IngestRow]) -> IngestRow:
    """Take the median of every number over repetitions of one load."""

    def middle(name: str) -> float:
        return median(float(getattr(row, name)) for row in rows)

    return IngestRow(
        door=rows[0].door,
        batch=rows[0].batch,
        cpu_us={who: median(row.cpu_us[who] for row in rows) for who in rows[0].cpu_us},
        refused=sum(row.refused for row in rows),
        sent_again=sum(row.sent_again for row in rows),
        seconds=middle("seconds"),
        acknowledged_per_s=middle("acknowledged_per_s"),
        tracked_per_s=middle("tracked_per_s"),
        caught_up_per_s=middle("caught_up_per_s"),
        ack_p50_ms=middle("ack_p50_ms"),
        ack_p99_ms=middle("ack_p99_ms"),
    )


def machine() -> str:
    """Say what was measured on."""
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def _show(outcome: IngestOutcome) -> None:
    out.print(f"{outcome.machine}, client included; {outcome.devices} devices over {outcome.connections} connections")
    rates = _table("door", "batch", "acknowledged/s", "tracked/s", "after load/s", "ack p50 ms", "ack p99 ms")
    for row in outcome.rows:
        rates.add_row(
            *(row.door, str(row.batch)),
            *(f"{rate:,.0f}" for rate in (row.acknowledged_per_s, row.tracked_per_s, row.caught_up_per_s)),
            *(f"{ms:.1f}" for ms in (row.ack_p50_ms, row.ack_p99_ms)),
        )
    out.print(rates)
    out.print("CPU time, µs a ping")
    cpu = _table("door", "batch", *outcome.rows[0].cpu_us)
    for row in outcome.rows:
        cpu.add_row(row.door, str(row.batch), *(f"{us:.1f}" for us in row.cpu_us.values()))
    out.print(cpu)
    paced = _table("steady/s", "acknowledged/s", *(f"{what} ms" for what in _PACED_MS))
    for one in (outcome.half, outcome.steady):
        paced.add_row(
            *(f"{rate:,.0f}" for rate in (one.per_s, one.acknowledged_per_s)),
            *(f"{ms:.1f}" for ms in (one.ack_p50_ms, one.ack_p99_ms, one.map_p50_ms, one.map_p95_ms)),
            *(f"{ms:.1f}" for ms in (one.link_p50_ms, one.link_p95_ms)),
        )
    out.print(paced)
    out.print(
        f"a bare COPY of {outcome.copy_rows:,} of these rows into the same table: {outcome.copy_per_s:,.0f} rows/s"
    )
    for row in outcome.rows:
        if row.refused or row.sent_again:
            load = f"{row.door}, {row.batch} a request"
            out.print(f"{load}: {row.refused:,} pings refused, {row.sent_again:,} requests sent again")


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table
