"""`reparto bench fairness`: what good drivers and their recipients notice of a greedy client.

Some vans send a ping now and then, each with an open tracking page; measured is how long it takes from the ping to the
page, by turns alone and beside one attacker with credentials of its own, on one `reparto up`. Say what else the machine
was doing: only the ratios within a run are to be compared.
How to read the numbers: docs/explanation/shares.md.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import cast

import msgspec
import numpy as np
import uvloop
from rich.box import SIMPLE
from rich.table import Table

from api.http.auth import KEY_PREFIX, hash_of, new_secret
from reparto.bench.attackers import ATTACKS, Target, attacking
from reparto.bench.ingest.recipients import BenchVan, make_vans, poll_of
from reparto.bench.ingest.wire import Wire, address_of, open_wires, pings_of
from reparto.child import Child, free_port
from reparto.client.client import Client
from reparto.client.product import Product
from reparto.command import Subparsers, err, out
from reparto.postgres import EmbeddedPostgres
from reparto.simulate.fleet import GUADALAJARA, enlist, make_trip, route_of_tour
from sql.account.accounts import ensure_account
from sql.account.keys import create_key
from sql.config import DatabaseConfig
from sql.migrate import migrate
from sql.pool import connect

_VANS, _STOPS = 5, 8
_EVERY_S = 0.4
_GIVEN_UP_S = 15.0
"""A ping that no page shows by then counts as so late."""

_BEGINS_S = 3.0  # until an attacker is at it, and until nothing of it is left


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """From a ping to the page, milliseconds, medians of all rounds; `pings`: how many were measured, of each."""

    attacker: str
    pings: int
    quiet_p50_ms: float
    quiet_p95_ms: float
    p50_ms: float
    p95_ms: float

    @property
    def times(self) -> float:
        """How many times the p95 is that of the quiet before it."""
        return self.p95_ms / self.quiet_p95_ms


def add_parser(subparsers: Subparsers) -> None:
    """Declare `reparto bench fairness`."""
    parser = subparsers.add_parser("fairness", help="good clients beside greedy ones", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1, help="medians of so many (default: 1)")
    parser.add_argument("--seconds", type=float, default=15.0, help="quiet, then of each attacker (default: 15)")
    parser.add_argument("--only", choices=ATTACKS, action="append", help="this attacker; may be said several times")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of a table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    err.print("starting a Postgres and `reparto up` …")
    with _running() as (product, other_key), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        rows = runner.run(_bench(product, other_key, args.only or list(ATTACKS), args))
    if args.json:
        out.print(msgspec.json.encode(rows).decode(), markup=False)
    else:
        _show(rows)
    return 0


@contextmanager
def _running() -> Iterator[tuple[Product, str]]:
    """Run everything in one `reparto up`, with two accounts; give the key of the second one, too."""
    with tempfile.TemporaryDirectory(prefix="reparto-bench-") as name:
        folder = Path(name)
        with EmbeddedPostgres.start(folder / "postgres") as postgres:
            database = replace(DatabaseConfig(), database_url=postgres.dsn)
            key, other_key = asyncio.run(_keys(database))
            listen = f"127.0.0.1:{free_port()}"
            settings = {"REPARTO_DATABASE_URL": postgres.dsn, "REPARTO_DATA_DIR": name, "REPARTO_LISTEN": listen}
            up = Child("up", settings=settings, log=folder / "up.log")
            try:
                url = f"http://{listen}"
                asyncio.run(up.ready(url))
                yield (
                    Product(
                        ingest_url=url,
                        api_url=url,
                        key=key,
                        database=database,
                        postgres_pid=postgres.pid,
                        api=up,
                        ingest=up,
                        tracker=up,
                        work=up,
                    ),
                    other_key,
                )
            finally:
                up.stop()


async def _keys(database: DatabaseConfig) -> tuple[str, str]:
    await migrate(database)
    keys = []
    connection = await connect(database)
    try:
        for name in ("good", "greedy"):
            keys.append(new_secret(KEY_PREFIX))
            account_id = await ensure_account(connection, name)
            await create_key(
                connection, account_id=account_id, role="admin", label="bench", secret_hash=hash_of(keys[-1])
            )
    finally:
        await connection.close()
    return keys[0], keys[1]


async def _bench(product: Product, other_key: str, names: Sequence[str], args: argparse.Namespace) -> list[Beside]:
    vans = [await _with_page(product, van) for van in await make_vans(product, _VANS, _STOPS)]
    target = await _target(product, other_key)
    measured: dict[str, list[tuple[list[float], list[float]]]] = {name: [] for name in names}
    for number in range(args.rounds):
        for name in names:
            quiet = await _measure(product, vans, args.seconds)
            with attacking(name, target):
                await asyncio.sleep(_BEGINS_S)
                beside = await _measure(product, vans, args.seconds)
            err.print(f"{number + 1} of {args.rounds}: {name}: p95 {_ms(quiet, 0.95):.0f} → {_ms(beside, 0.95):.0f} ms")
            measured[name].append((quiet, beside))
            await asyncio.sleep(_BEGINS_S)
    return [_row(name, pairs) for name, pairs in measured.items()]


async def _with_page(product: Product, van: BenchVan) -> BenchVan:
    """Leave of its links the one whose page shows it."""
    [(transport, wire)] = await open_wires(product.api_url, 1)
    try:
        for token in van.tokens:
            if b'"position":{' in (await wire.ask(poll_of(token)))[1]:
                return replace(van, tokens=[token])
    finally:
        transport.close()
    raise RuntimeError("no recipient of this van sees it")


async def _target(product: Product, key: str) -> Target:
    """Let the attacker in: an account with a driver, a phone and a tour."""
    trip = make_trip(7, city=GUADALAJARA, stops=_STOPS, every_s=60.0)
    leaves_ms = round(time.time() * 1000)
    async with Client(product.api_url, key) as client:
        driver_id, _, token = await enlist(client, "greedy", "greedy")
        route = route_of_tour(trip.tour, "greedy", driver="greedy", leaves_ms=leaves_ms, city=GUADALAJARA)
        stop = (await client.put_route(route))["stops"][0]
        device = await client.ask("POST", f"/v1/drivers/{driver_id}/devices", body={"app": "traccar"})
    return Target(
        url=product.api_url,
        token=token,
        ingest_token=device["ingest_token"],
        stop=stop["id"],
        link=stop["tracking_url"].rpartition("/")[2],
        key=key,
    )


class _Page(asyncio.Protocol):
    """An open tracking page: it knows how old the place is that it shows."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._came = b""
        self._changed = asyncio.Event()
        self._shown_ms = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        wire = cast(asyncio.Transport, transport)  # uvloop's is none of asyncio's classes
        wire.write(f"GET /v1/track/{self._token}/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        *lines, self._came = (self._came + data).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                position = msgspec.json.decode(line[5:]).get("position")
                if position:
                    self._shown_ms = datetime.fromisoformat(position["recorded_at"]).timestamp() * 1000
                    self._changed.set()

    async def shows(self, recorded_ms: int) -> None:
        """Wait until it shows a place as new as that."""
        while self._shown_ms < recorded_ms - 0.5:
            self._changed.clear()
            await self._changed.wait()


async def _measure(product: Product, vans: Sequence[BenchVan], seconds: float) -> list[float]:
    """Have every van send for so long, evenly over time; tell how long each ping took to its page, seconds."""
    times_s, loop = list[float](), asyncio.get_running_loop()
    until_s = time.perf_counter() + seconds

    async def drive(nth: int, van: BenchVan) -> None:
        [(transport, wire)] = await open_wires(product.ingest_url, 1)
        page_transport, page = await loop.create_connection(lambda: _Page(van.tokens[-1]), *address_of(product.api_url))
        await asyncio.sleep(1.0 + _EVERY_S * nth / len(vans))
        while time.perf_counter() < until_s:
            took_s = await _ping(wire, page, van)
            times_s.append(took_s)
            await asyncio.sleep(max(0.0, _EVERY_S - took_s))
        transport.close()
        page_transport.close()

    await asyncio.gather(*(drive(nth, van) for nth, van in enumerate(vans)))
    return times_s


async def _ping(wire: Wire, page: _Page, van: BenchVan) -> float:
    """Send a ping, again while it is refused; tell how long it took to the page, seconds."""
    device, now_ms = van.device, round(time.time() * 1000)
    body = b'{"pings":[{"time":%d%b]}' % (now_ms, device.drive[device.at % len(device.drive)].ping)  # it waits
    request = pings_of(device.token, body)
    began_s = time.perf_counter()
    try:
        async with asyncio.timeout(_GIVEN_UP_S):
            while (await wire.ask(request))[0] != 200:  # noqa: ASYNC110 (that is the question)
                await asyncio.sleep(_EVERY_S)
            await page.shows(now_ms)
    except TimeoutError:
        return _GIVEN_UP_S
    return time.perf_counter() - began_s


def _ms(times_s: Sequence[float], quantile: float) -> float:
    return float(np.quantile(times_s, quantile)) * 1000


def _row(name: str, pairs: Sequence[tuple[list[float], list[float]]]) -> Beside:
    quiet, beside = zip(*pairs, strict=True)
    return Beside(
        attacker=name,
        pings=sum(map(len, beside)),
        quiet_p50_ms=statistics.median(_ms(one, 0.50) for one in quiet),
        quiet_p95_ms=statistics.median(_ms(one, 0.95) for one in quiet),
        p50_ms=statistics.median(_ms(one, 0.50) for one in beside),
        p95_ms=statistics.median(_ms(one, 0.95) for one in beside),
    )


def _show(rows: Sequence[Beside]) -> None:
    table = Table(box=SIMPLE, pad_edge=False, title="from a ping to the open page, ms")
    for name in ("beside", "pings", "quiet p50", "quiet p95", "p50", "p95", "p95, times quiet"):
        table.add_column(name, justify="left" if name == "beside" else "right")
    for row in rows:
        numbers = (row.quiet_p50_ms, row.quiet_p95_ms, row.p50_ms, row.p95_ms)
        table.add_row(row.attacker, str(row.pings), *(f"{number:.0f}" for number in numbers), f"{row.times:.2f}")
    out.print(table)
