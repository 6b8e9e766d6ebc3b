"""`reparto bench scale`: whether a ping costs the same beside few and many.

Drivers without a route, each with a phone, are made behind the API's back, and pings of the days before stored with
them. For every number of drivers, then for every number of stored pings, all phones send once, and then one ping a
request in a random order as fast as they are answered; and pages of drivers' tracks are read.
How to read the numbers: docs/explanation/benchmarks.md.
"""

import argparse
import asyncio
import random
import time
from collections import deque
from collections.abc import Sequence
from statistics import median

import msgspec
import uvloop
from rich.box import SIMPLE
from rich.table import Table

from api.http.ids import DRIVER, shown
from reparto.bench.ingest.command import hear_of_each, measure_load
from reparto.bench.ingest.crowds import BenchDriver, make_drivers, settle, size, store_history
from reparto.bench.ingest.wire import get_of, open_wires
from reparto.client.product import Product, throw_away
from reparto.command import Subparsers, err, out
from sql.pool import Connection, connect

_AN_HOUR_MS = 3_600_000
_TRACKS = 200


class ScaleRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a ping cost beside so many drivers and stored pings.

    Attributes:
        cpu_us: CPU microseconds a ping of server, tracker, postgres and client.
        row_bytes, key_bytes: of a stored ping.
        track_ms: median time to a page of a driver's track.
    """

    drivers: int
    stored_pings: int
    tracked_per_s: float
    ack_p99_ms: float
    cpu_us: dict[str, float]
    row_bytes: float
    key_bytes: float
    track_ms: float


def add_parser(subparsers: Subparsers) -> None:
    """Declare `reparto bench scale`."""
    parser = subparsers.add_parser("scale", help="a ping beside few drivers and pings and many", description=__doc__)
    add_sizes(parser)
    parser.add_argument("--seconds", type=float, default=10.0, help="of load for each size (default: 10)")
    parser.add_argument("--json", action="store_true", help="print one JSON list instead of a table")
    parser.set_defaults(run=run)


def add_sizes(parser: argparse.ArgumentParser) -> None:
    """Declare the sizes."""
    parser.add_argument(
        "--drivers", type=_sizes, default=(1_000, 10_000), metavar="N,…", help="ascending (default: 1000,10000)"
    )
    parser.add_argument(
        "--pings", type=_sizes, default=(1_000_000,), metavar="N,…", help="stored, ascending (default: 1000000)"
    )


def _sizes(text: str) -> tuple[int, ...]:
    sizes = tuple(int(part) for part in text.split(","))
    if any(one < 1 for one in sizes) or list(sizes) != sorted(sizes):
        raise argparse.ArgumentTypeError("must be numbers above 0, ascending, with commas between them")
    return sizes


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    err.print("starting a Postgres and one process of each role …")
    with throw_away() as product, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        rows = runner.run(measure(product, drivers=args.drivers, pings=args.pings, seconds=args.seconds))
    if args.json:
        out.print(msgspec.json.encode(rows).decode(), markup=False)
    else:
        _show(rows)
    return 0


async def measure(product: Product, *, drivers: Sequence[int], pings: Sequence[int], seconds: float) -> list[ScaleRow]:
    """Grow, first in drivers, then in stored pings."""
    now_ms, made = round(time.time() * 1000), list[BenchDriver]()
    rows, stored = [], 0
    db = await connect(product.database)
    try:
        for wanted in drivers:
            err.print(f"{wanted:,} drivers …")
            made += await make_drivers(db, len(made) + 1, wanted, starts_ms=now_ms - _AN_HOUR_MS)
            rows.append(await _measure(product, db, made, seconds=seconds))
        for wanted in pings:
            err.print(f"{wanted:,} stored pings …")
            until_ms = now_ms - (2 * _AN_HOUR_MS + stored // len(made) * 1000)
            await store_history(db, made, wanted - stored, until_ms=until_ms)
            stored = wanted
            rows.append(await _measure(product, db, made, seconds=seconds))
    finally:
        await db.close()
    return rows


async def _measure(product: Product, db: Connection, made: Sequence[BenchDriver], *, seconds: float) -> ScaleRow:
    phones = [one.phone for one in made]
    await settle(db)
    await hear_of_each(product, db, phones)  # each time: whose row changes first after a checkpoint pays for a page
    random.Random(len(made)).shuffle(phones)
    row = await measure_load(product, db, deque(phones), batch=1, seconds=seconds)
    stored_pings, row_bytes, key_bytes = await size(db)
    return ScaleRow(
        drivers=len(made),
        stored_pings=stored_pings,
        tracked_per_s=row.tracked_per_s,
        ack_p99_ms=row.ack_p99_ms,
        cpu_us=row.cpu_us,
        row_bytes=row_bytes,
        key_bytes=key_bytes,
        track_ms=await _track_ms(product, made),
    )


async def _track_ms(product: Product, made: Sequence[BenchDriver]) -> float:
    [(transport, wire)] = await open_wires(product.api_url, 1)
    took_ms = []
    try:
        for one in random.Random(1).choices(made, k=_TRACKS):
            began_s = time.perf_counter()
            path = f"/v1/drivers/{shown(DRIVER, one.driver_id)}/track?limit=1000"
            status, said = await wire.ask(get_of(path, product.key))
            if status != 200:
                raise RuntimeError(f"the API answers {status}: {said[:300].decode(errors='replace')}")
            took_ms.append((time.perf_counter() - began_s) * 1000)
    finally:
        transport.close()
    return median(took_ms)


def _show(rows: Sequence[ScaleRow]) -> None:
    table = Table(box=SIMPLE, pad_edge=False)
    for column in ("drivers", "stored", "tracked/s", "ack p99 ms", "server µs", "tracker µs", "postgres µs"):
        table.add_column(column, justify="right", no_wrap=True)
    for column in ("row B", "key B", "track ms"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            *(f"{row.drivers:,}", f"{row.stored_pings:,}", f"{row.tracked_per_s:,.0f}", f"{row.ack_p99_ms:.1f}"),
            *(f"{row.cpu_us[who]:.1f}" for who in ("server", "tracker", "postgres")),
            *(f"{row.row_bytes:.0f}", f"{row.key_bytes:.0f}", f"{row.track_ms:.1f}"),
        )
    out.print(table)
