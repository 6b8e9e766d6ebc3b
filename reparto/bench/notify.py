"""`reparto bench notify`: how fast messages and webhooks leave one worker.

Messages: bookings by a gateway for SMS that answers after 50 ms. Webhooks: facts at a steady rate to ten endpoints, of
which three never answer, one redirects into a private network and one answers 410; how long the five good ones wait.
How to read the numbers: docs/explanation/benchmarks.md.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import uvloop
from rich.box import SIMPLE
from rich.table import Table

from reparto.bench.cpu import cpu_s
from reparto.bench.listener import Listener, Requests, listening
from reparto.child import free_port
from reparto.client.client import Client
from reparto.client.product import Product, throw_away
from reparto.command import Subparsers, err, out
from sql.pool import Db, connect
from sql.queries import load

_SQL = load(__name__)

STOPS = 100  # of a route
GOOD = 5
BAD = ("hang-1", "hang-2", "hang-3", "away", "gone")
_BEATS_PER_S = 10
_WAITS_S = 60.0  # for what has not come when the facts are over
_TAKEN_UP_S = 2.0  # until the worker has looked which channels and webhooks there are


class MessagesOut(msgspec.Struct, frozen=True, kw_only=True):
    """What messages gave; CPU in microseconds a message."""

    messages: int
    per_s: float
    worker_us: float
    postgres_us: float


class WebhooksOut(msgspec.Struct, frozen=True, kw_only=True):
    """What webhooks gave; CPU in microseconds a request of a good endpoint.

    Attributes:
        wanted: requests that good endpoints should get: each fact by each of them.
        p50_s, p95_s: from knowing a fact until a good endpoint has it, of those that came; NaN when none did.
    """

    facts_per_s: int
    wanted: int
    came: int
    per_s: float
    p50_s: float
    p95_s: float
    worker_us: float
    postgres_us: float


class NotifyReport(msgspec.Struct, frozen=True, kw_only=True):
    """All that was measured; None: it was not asked for."""

    messages: MessagesOut | None
    webhooks: WebhooksOut | None


def add_parser(subparsers: Subparsers) -> None:
    """Declare `reparto bench notify`."""
    parser = subparsers.add_parser("notify", help="messages and webhooks out of one worker", description=__doc__)
    parser.add_argument("--messages", type=int, default=3_000, help="to send; 0: none (default: 3000)")
    parser.add_argument("--facts", type=int, default=1_000, help="a second for webhooks; 0: none (default: 1000)")
    parser.add_argument("--seconds", type=int, default=20, help="of facts (default: 20)")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    err.print("starting a Postgres and one process of each role …")
    port = free_port()
    with (
        listening(port) as listener,
        throw_away(more={"REPARTO_OUTGOING_ALLOW": "127.0.0.0/8"}) as product,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        report = runner.run(_bench(product, listener, f"http://127.0.0.1:{port}", args))
    if args.json:
        out.print(msgspec.json.encode(report).decode(), markup=False)
    else:
        _show(report)
    return 0


async def _bench(product: Product, listener: Listener, url: str, args: argparse.Namespace) -> NotifyReport:
    db = await connect(product.database)
    messages = webhooks = None
    try:
        async with Client(product.api_url, product.key) as client:
            if args.messages:
                err.print(f"{args.messages} messages …")
                messages = await _messages(product, client, db, listener, url, args.messages)
            if args.facts:
                err.print(f"{args.facts} facts a second for {args.seconds} s …")
                await _make_webhooks(client, url)
                webhooks = await _webhooks(product, db, listener, args.facts, args.seconds)
    finally:
        await db.close()
    return NotifyReport(messages=messages, webhooks=webhooks)


async def _messages(product: Product, client: Client, db: Db, listener: Listener, url: str, count: int) -> MessagesOut:
    """Have every stop told that it is booked, all at once."""
    for number in range(0, count, STOPS):
        await client.ask("PUT", f"/v1/routes/bench-{number}", body=_route(number, min(STOPS, count - number)))
    kind = {"channels": ["sms"], "quiet_hours": None, "wait_for_workday": False}
    await client.ask("PUT", "/v1/account/messages/booked", body=kind)
    body = '{"to": {{ to|tojson }}, "text": {{ text|tojson }}, "id": {{ id|tojson }}}'
    gateway = {"gateway": "custom", "url": f"{url}/slow", "body": body, "id_path": "data.id"}
    await client.ask("PUT", "/v1/account/channels/sms", body=gateway)
    await asyncio.sleep(_TAKEN_UP_S)
    before = _cpu(product)
    await db.execute(_SQL["tell_of_bookings"], await db.fetchval(_SQL["only_account"], "bench"))
    heard = await _until(listener, count)
    worker_s, postgres_s = (now - then for now, then in zip(_cpu(product), before, strict=True))
    return MessagesOut(
        messages=len(heard.times),
        per_s=_per_s(heard),
        worker_us=worker_s / len(heard.times) * 1e6,
        postgres_us=postgres_s / len(heard.times) * 1e6,
    )


def _route(number: int, stops: int) -> dict[str, Any]:
    """Write a route that leaves tomorrow, straight on, with a number of its own for every stop."""
    leaves = datetime.now(UTC) + timedelta(days=1)
    lons = [-74.1 + 0.0005 * nth for nth in range(stops + 1)]
    return {
        "date": leaves.date().isoformat(),
        "timezone": "America/Bogota",
        "start_at": leaves.isoformat(),
        "end_at": (leaves + timedelta(hours=9)).isoformat(),
        "depot": {"name": "Bodega", "lat": 4.65, "lon": lons[0]},
        "path": {"type": "LineString", "coordinates": [[lons[0], 4.65], [lons[-1], 4.65]]},
        "stops": [
            {
                "external_id": f"{number}-{nth}",
                "kind": "delivery",
                "name": "Ana",
                "lat": 4.65,
                "lon": lon,
                "phone": f"+57300{1_000_000 + number + nth}",
            }
            for nth, lon in enumerate(lons[1:])
        ],
    }


async def _make_webhooks(client: Client, url: str) -> None:
    for path in (*BAD, *(f"good-{nth}" for nth in range(GOOD))):
        await client.ask("POST", "/v1/webhooks", body={"url": f"{url}/{path}", "types": ["stop.arrived"]})
    await asyncio.sleep(_TAKEN_UP_S)


async def _webhooks(product: Product, db: Db, listener: Listener, facts_per_s: int, seconds: int) -> WebhooksOut:
    """Let facts happen at a steady rate; wait for what the good ones have not got, but not for ever."""
    await listener.take()
    account_id = await db.fetchval(_SQL["only_account"], "bench")
    before, began_s = _cpu(product), time.perf_counter()
    for beat in range(seconds * _BEATS_PER_S):
        await db.execute(_SQL["let_happen"], account_id, facts_per_s // _BEATS_PER_S)
        await asyncio.sleep(max(0.0, began_s + (beat + 1) / _BEATS_PER_S - time.perf_counter()))
    wanted = facts_per_s // _BEATS_PER_S * _BEATS_PER_S * seconds * GOOD
    heard = await _until(listener, wanted)
    worker_s, postgres_s = (now - then for now, then in zip(_cpu(product), before, strict=True))
    came, waits_s = len(heard.times), sorted(heard.waits_s)
    return WebhooksOut(
        facts_per_s=facts_per_s,
        wanted=wanted,
        came=came,
        per_s=_per_s(heard),
        p50_s=statistics.quantiles(waits_s, n=100)[49],
        p95_s=statistics.quantiles(waits_s, n=100)[94],
        worker_us=worker_s / came * 1e6,
        postgres_us=postgres_s / came * 1e6,
    )


def _cpu(product: Product) -> tuple[float, float]:
    return cpu_s(product.work.pid), cpu_s(product.postgres_pid)


def _per_s(heard: Requests) -> float:
    return len(heard.times) / (heard.times[-1] - heard.times[0])


async def _until(listener: Listener, count: int) -> Requests:
    """Wait until so many came, or for a while."""
    until_s = time.monotonic() + _WAITS_S
    while await listener.count() < count and time.monotonic() < until_s:  # noqa: ASYNC110 (another process)
        await asyncio.sleep(0.1)
    heard = await listener.take()
    if len(heard.times) < 2:
        raise RuntimeError("nothing came")
    return heard


def _show(report: NotifyReport) -> None:
    if (sent := report.messages) is not None:
        _table(
            ("messages", "a second", "worker µs", "postgres µs"),
            (f"{sent.messages:,}", f"{sent.per_s:,.0f}", f"{sent.worker_us:,.0f}", f"{sent.postgres_us:,.0f}"),
        )
    if (told := report.webhooks) is not None:
        _table(
            ("facts a second", "came", "of", "a second", "p50 s", "p95 s", "worker µs", "postgres µs"),
            (
                *(f"{told.facts_per_s:,}", f"{told.came:,}", f"{told.wanted:,}", f"{told.per_s:,.0f}"),
                *(f"{told.p50_s:.2f}", f"{told.p95_s:.2f}", f"{told.worker_us:,.0f}", f"{told.postgres_us:,.0f}"),
            ),
        )


def _table(columns: Sequence[str], row: Sequence[str]) -> None:
    table = Table(box=SIMPLE, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    table.add_row(*row)
    out.print(table)
