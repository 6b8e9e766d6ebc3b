"""`reparto bench notify`: how fast messages and webhooks leave a worker.

Messages: bookings by a gateway for SMS that answers after 50 ms. Webhooks: facts at a steady rate to ten endpoints, of
which three never answer, one redirects into a private network, one answers 410; how long the five good ones wait, and
the greatest rate at which 95 of 100 wait less than two seconds. Hanging: how long other messages wait while 2,000 are
due at a gateway that never answers. How to read the numbers: docs/explanation/benchmarks.md.
"""

import argparse
import asyncio
from collections.abc import Sequence

import msgspec
import uvloop
from rich.box import SIMPLE
from rich.table import Table

from reparto.bench.notify.hanging import HangingOut, measure_hanging
from reparto.bench.notify.listener import Listener, listening
from reparto.bench.notify.messages import MessagesOut, measure_messages
from reparto.bench.notify.stage import Stage
from reparto.bench.notify.webhooks import WebhooksOut, find_greatest, make_webhooks, measure_webhooks
from reparto.child import free_port
from reparto.client.client import Client
from reparto.client.product import Product, throw_away
from reparto.command import Subparsers, err, out
from sql.pool import connect


class NotifyReport(msgspec.Struct, frozen=True, kw_only=True):
    """All that was measured; None: it was not asked for, or not found.

    `greatest`: the greatest rate that was tried at which good endpoints were told in time.
    """

    messages: MessagesOut | None = None
    hanging: HangingOut | None = None
    webhooks: WebhooksOut | None = None
    greatest: WebhooksOut | None = None


def add_parser(subparsers: Subparsers) -> None:
    """Declare `reparto bench notify`."""
    parser = subparsers.add_parser("notify", help="messages and webhooks out of a worker", description=__doc__)
    parser.add_argument("--messages", type=int, default=3_000, help="to send; 0: none (default: 3000)")
    parser.add_argument("--others", type=int, default=50, help="a second beside one that hangs; 0: none (default: 50)")
    parser.add_argument("--facts", type=int, default=1_000, help="a second for webhooks; 0: none (default: 1000)")
    parser.add_argument("--seconds", type=int, default=20, help="of others and of facts (default: 20)")
    parser.add_argument("--workers", type=int, default=1, help="processes that work (default: 1)")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    err.print("starting a Postgres and one process of each role …")
    port = free_port()
    with (
        listening(port) as listener,
        throw_away(workers=args.workers, more={"REPARTO_OUTGOING_ALLOW": "127.0.0.0/8"}) as product,
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
    messages = hanging = webhooks = greatest = None
    try:
        async with Client(product.api_url, product.key) as client:
            stage = Stage(product=product, client=client, db=db, listener=listener, url=url)
            if args.messages:
                err.print(f"{args.messages} messages …")
                messages = await measure_messages(stage, args.messages)
            if args.facts:
                err.print(f"{args.facts} facts a second for {args.seconds} s …")
                await make_webhooks(stage)
                webhooks = await measure_webhooks(stage, args.facts, args.seconds)
                greatest = webhooks if webhooks.holds else await find_greatest(stage, webhooks, args.seconds, err.print)
            if args.others:  # at last: what hangs goes on
                err.print(f"{args.others} messages a second beside a provider that hangs, for {args.seconds} s …")
                hanging = await measure_hanging(stage, args.others, args.seconds)
    finally:
        await db.close()
    return NotifyReport(messages=messages, hanging=hanging, webhooks=webhooks, greatest=greatest)


def _show(report: NotifyReport) -> None:
    if (sent := report.messages) is not None:
        _table(
            ("messages", "a second", "worker µs", "postgres µs"),
            (f"{sent.messages:,}", f"{sent.per_s:,.0f}", f"{sent.worker_us:,.0f}", f"{sent.postgres_us:,.0f}"),
        )
    if (others := report.hanging) is not None:
        _table(
            ("hanging", "others a second", "sent", "of", "p50 s", "p95 s", "MB before", "after"),
            (
                *(f"{others.waiting:,}", f"{others.per_s:,}", f"{others.sent:,}", f"{others.wanted:,}"),
                *(f"{others.p50_s:.2f}", f"{others.p95_s:.2f}", f"{others.before_mb:.0f}", f"{others.after_mb:.0f}"),
            ),
        )
    told = [one for one in (report.webhooks, report.greatest) if one is not None]
    for one in told[: 1 if report.greatest is report.webhooks else 2]:
        _table(
            ("facts/s", "came", "of", "came/s", "p50 s", "p95 s", "worker µs", "postgres µs"),
            (
                *(f"{one.facts_per_s:,}", f"{one.came:,}", f"{one.wanted:,}", f"{one.per_s:,.0f}"),
                *(f"{one.p50_s:.2f}", f"{one.p95_s:.2f}", f"{one.worker_us:,.0f}", f"{one.postgres_us:,.0f}"),
            ),
        )
    if report.webhooks is not None:
        best = report.greatest
        rate = "at no rate that was tried" if best is None else f"at {best.facts_per_s:,} facts a second"
        out.print(f"p95 under 2 s: {rate}")


def _table(columns: Sequence[str], row: Sequence[str]) -> None:
    table = Table(box=SIMPLE, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    table.add_row(*row)
    out.print(table)
