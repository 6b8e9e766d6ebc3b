"""`reparto bench slots`: what a shop's checkout and recipients' pages wait for.

A day with 500 orders of a depot is planned and published; then places of a town ask when somebody could come, one after
the other, beside `/health/live`, which needs nothing: a checkout, the same while an order comes before each question,
and recipients of the day by their links. Needs the extra `plan`.
How to read the numbers: docs/explanation/benchmarks.md.
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import uvloop
from rich.box import SIMPLE
from rich.table import Table

from reparto.bench.ingest.wire import Wire, get_of, open_wires
from reparto.client.client import Client
from reparto.client.product import Product, throw_away
from reparto.client.tally import Latencies
from reparto.command import Subparsers, err, out
from reparto.process.usage import cpu_s
from reparto.simulate.fleet import GUADALAJARA

ORDERS, VANS, CAPACITY = 500, 14, 60
SLOTS = 5  # of two hours, from 8 in the morning
_DEPOT, _SPREAD_DEG, _PLAN_S = "bench", 0.06, 15


class SlotAnswers(msgspec.Struct, frozen=True, kw_only=True):
    """What one kind of question took; `of_live`: the median, as a multiple of that of `/health/live`.

    Attributes:
        slots: that an answer offered, on average.
        server_cpu_ms, postgres_cpu_ms: of a question.
    """

    question: str
    answers: int
    p50_ms: float
    p95_ms: float
    of_live: float
    slots: float
    server_cpu_ms: float
    postgres_cpu_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _BenchDay:
    """A planned day: when it is, and the tokens of its recipients' links."""

    on: date
    tokens: Sequence[str]


@dataclass(slots=True, kw_only=True)
class _Questions:
    """What one kind of question took so far."""

    question: str
    latencies: Latencies = field(default_factory=Latencies)
    answers: int = 0
    slots: int = 0
    cpu: list[float] = field(default_factory=lambda: [0.0, 0.0])

    def row(self, live: "_Questions") -> SlotAnswers:
        """Sum up."""
        p50_s, p95_s = (self.latencies.quantile_s(share) for share in (0.5, 0.95))
        server_s, postgres_s = self.cpu
        return SlotAnswers(
            question=self.question,
            answers=self.answers,
            p50_ms=p50_s * 1000,
            p95_ms=p95_s * 1000,
            of_live=p50_s / live.latencies.quantile_s(0.5),
            slots=self.slots / self.answers,
            server_cpu_ms=server_s / self.answers * 1000,
            postgres_cpu_ms=postgres_s / self.answers * 1000,
        )


def add_parser(subparsers: Subparsers) -> None:
    """Declare `reparto bench slots`."""
    parser = subparsers.add_parser("slots", help="what can be promised: how long it takes", description=__doc__)
    parser.add_argument("--questions", type=int, default=200, help="of each kind (default: 200)")
    parser.add_argument("--json", action="store_true", help="print one JSON list instead of a table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    err.print("starting a Postgres and one process of each role …")
    with throw_away() as product, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        rows = runner.run(_bench(product, args.questions))
    if args.json:
        out.print(msgspec.json.encode(rows).decode(), markup=False)
    else:
        _show(rows)
    return 0


async def _bench(product: Product, questions: int) -> list[SlotAnswers]:
    rng = np.random.default_rng(1)
    async with Client(product.api_url, product.key) as client:
        day = await _plan_day(client, rng)
        places = [f"/v1/slots?place={lat},{lon}" for lat, lon in _places(rng, questions)]
        checkout = [get_of(path, product.key) for path in places]
        links = [get_of(f"/v1/track/{day.tokens[row % len(day.tokens)]}/options") for row in range(questions)]

        async def order(row: int) -> None:
            (place,) = _places(rng, 1)
            await client.ask("PUT", f"/v1/orders/more-{row}", body=_order(place, day.on))

        [(transport, wire)] = await open_wires(product.api_url, 1)  # planning takes longer than an idle one is kept
        try:
            asked = [
                await _ask(product, wire, "/health/live", [get_of("/health/live")] * questions),
                await _ask(product, wire, "checkout", checkout),
                await _ask(product, wire, "checkout after an order", checkout, before=order),
                await _ask(product, wire, "recipient's link", links),
            ]
        finally:
            transport.close()
    return [one.row(asked[0]) for one in asked]


async def _plan_day(client: Client, rng: np.random.Generator) -> _BenchDay:
    """Put a depot, vans, orders and slots of tomorrow; plan and publish it."""
    zone = ZoneInfo(GUADALAJARA.timezone)
    on = (datetime.now(zone) + timedelta(days=1)).date()
    at = datetime(on.year, on.month, on.day, 8, tzinfo=zone)
    depot = {"name": "Bench", "lat": GUADALAJARA.lat, "lon": GUADALAJARA.lon, "timezone": GUADALAJARA.timezone}
    await client.ask("PUT", f"/v1/depots/{_DEPOT}", body=depot)
    for number in range(VANS):
        await client.ask("PUT", f"/v1/vehicles/van-{number}", body={"capacity": {"parcels": CAPACITY}})
        shift = {"date": on.isoformat(), "vehicle": f"van-{number}", "depot": _DEPOT}
        hours = {"start_at": at.isoformat(), "end_at": (at + timedelta(hours=2 * SLOTS)).isoformat()}
        await client.ask("PUT", f"/v1/shifts/shift-{number}", body=shift | hours)
    for number in range(SLOTS):
        times = [(at + timedelta(hours=2 * hours)).isoformat() for hours in (number, number + 1)]
        slot = {"zone": "all", "start": times[0], "end": times[1], "capacity": {"stops": 10_000}}
        await client.ask("POST", "/v1/slots", body=slot)
    orders = [{"external_id": f"order-{row}", **_order(one, on)} for row, one in enumerate(_places(rng, ORDERS))]
    await client.ask("POST", "/v1/orders", body={"orders": orders})
    err.print(f"planning {ORDERS} orders for {VANS} vans, {_PLAN_S} s …")
    wanted = {"date": on.isoformat(), "depot": _DEPOT, "limit_s": _PLAN_S}
    plan = await client.ask("POST", "/v1/plans", body=wanted)
    made: Any = None
    for _ in range(100 * _PLAN_S):  # at most so long: its process may have ended
        made = await client.ask("GET", f"/v1/plans/{plan['id']}")
        if made["state"] not in ("queued", "running"):
            break
        await asyncio.sleep(0.1)
    if made["state"] != "done":
        raise RuntimeError(f"the day could not be planned: {made['why']}")
    published = await client.ask("POST", f"/v1/plans/{plan['id']}/publish")
    routes = [await client.ask("GET", f"/v1/routes/{tour['route']}") for tour in published["tours"]]
    tokens = [stop["tracking_url"].rpartition("/")[2] for route in routes for stop in route["stops"]]
    return _BenchDay(on=on, tokens=tokens)


def _places(rng: np.random.Generator, count: int) -> list[tuple[float, float]]:
    """Give (lat, lon) of places around the depot."""
    away = rng.normal(0.0, _SPREAD_DEG / 2, (count, 2)).clip(-_SPREAD_DEG, _SPREAD_DEG)
    return [(round(GUADALAJARA.lat + float(y), 6), round(GUADALAJARA.lon + float(x), 6)) for x, y in away]


def _order(place: tuple[float, float], on: date) -> dict[str, Any]:
    lat, lon = place
    day = {"earliest": on.isoformat(), "latest": on.isoformat()}
    return {"name": "Bench", "lat": lat, "lon": lon, "load": {"parcels": 1}, "service_s": 180, **day}


async def _ask(
    product: Product,
    wire: Wire,
    question: str,
    requests: Sequence[bytes],
    *,
    before: Callable[[int], Awaitable[None]] | None = None,
) -> _Questions:
    """Ask one after the other, the first one unmeasured; only the questions count."""
    err.print(f"{question} …")
    asked, pids = _Questions(question=question), (product.api.pid, product.postgres_pid)
    for row, request in enumerate([requests[0], *requests]):
        if before is not None:
            await before(row)
        used, began_s = [cpu_s(pid) for pid in pids], time.perf_counter()
        status, body = await wire.ask(request)
        took_s = time.perf_counter() - began_s
        if status != 200:
            raise RuntimeError(f"{question} is answered {status}: {body[:300].decode(errors='replace')}")
        if row == 0:
            continue
        asked.latencies.add(took_s)
        asked.answers += 1
        asked.slots += body.count(b'"express":')
        for which, pid in enumerate(pids):
            asked.cpu[which] += cpu_s(pid) - used[which]
    return asked


def _show(rows: Sequence[SlotAnswers]) -> None:
    out.print(f"{ORDERS} orders, {VANS} vans, {SLOTS} slots; {rows[0].answers:,} of each, one after the other")
    out.print("ms of the clock, then of CPU; the client is included")
    table = Table(box=SIMPLE, pad_edge=False)
    for column in ("question", "p50", "p95", "of live", "slots", "server", "postgres"):
        table.add_column(column, justify="left" if column == "question" else "right", no_wrap=True)
    for row in rows:
        cells = (row.p50_ms, row.p95_ms, row.of_live, row.slots, row.server_cpu_ms, row.postgres_cpu_ms)
        table.add_row(row.question, *(f"{value:,.1f}" for value in cells))
    out.print(table)
