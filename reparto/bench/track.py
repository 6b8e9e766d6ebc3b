"""`reparto bench track`: what recipients' pages and drivers' phones ask again and again.

Rounds of polls over 32 connections beside `/health/live`, which needs nothing: tracking links with and without a tag
that is known, manifests of 200 stops likewise, and an account's positions; then many different links, each polled every
ten seconds, beside open streams, on two API processes while the vans drive on.
How to read the numbers: docs/explanation/benchmarks.md.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import uvloop
from rich.box import SIMPLE
from rich.table import Table

from reparto.bench.crowd import Crowd, follow_and_poll
from reparto.bench.ingest.recipients import BenchVan, drive_on, make_vans, poll_of
from reparto.bench.ingest.wire import get_of
from reparto.bench.polling import CONNECTIONS, Polled, poll_for, tags_of
from reparto.client.client import Client
from reparto.client.product import Product, throw_away
from reparto.command import Subparsers, err, out
from reparto.simulate.fleet import GUADALAJARA, enlist, make_trip, route_of_tour

STOPS_OF_A_VAN, STOPS_OF_A_MANIFEST, PHONES = 100, 200, 50
POLLED_LINKS = 2_000  # of the rounds; the crowd has more
_APIS = 2


class PollMedians(msgspec.Struct, frozen=True, kw_only=True):
    """Medians of one kind of poll over all rounds; CPU in microseconds a poll.

    Attributes:
        of_live: answers a second, parts of those of `/health/live` in the same round.
        unchanged: share of the answers that were 304.
    """

    poll: str
    per_s: float
    of_live: float
    unchanged: float
    body_bytes: float
    server_us: float
    postgres_us: float


class TrackReport(msgspec.Struct, frozen=True, kw_only=True):
    """All that was measured."""

    polls: list[PollMedians]
    crowd: Crowd | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Whom the rounds ask for."""

    vans: Sequence[BenchVan]
    phones: Sequence[str]


def add_parser(subparsers: Subparsers) -> None:
    """Declare `reparto bench track`."""
    parser = subparsers.add_parser("track", help="recipients' polls and streams", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="medians of so many (default: 5)")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each kind of poll in a round (default: 1)")
    parser.add_argument("--links", type=int, default=20_000, help="different links of the crowd; 0: no crowd (20000)")
    parser.add_argument("--streams", type=int, default=5_000, help="open streams of the crowd (5000)")
    parser.add_argument("--crowd-seconds", type=float, default=30.0, help="that the crowd stays (default: 30)")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    err.print("starting a Postgres and the processes …")
    seats = {"REPARTO_STREAM_CLIENTS": str(max(100, args.streams))}
    with (
        throw_away(apis=_APIS, more=seats) as product,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        report = runner.run(_bench(product, args))
    if args.json:
        out.print(msgspec.json.encode(report).decode(), markup=False)
    else:
        _show(report)
    return 0


async def measure_polls(product: Product, *, rounds: int, seconds: float) -> list[PollMedians]:
    """Make whom to ask for, and ask so many rounds."""
    return await _poll(await _make_fleet(product, POLLED_LINKS), product, rounds=rounds, seconds=seconds)


async def _bench(product: Product, args: argparse.Namespace) -> TrackReport:
    fleet = await _make_fleet(product, max(POLLED_LINKS, args.links))
    polls = await _poll(fleet, product, rounds=args.rounds, seconds=args.seconds)
    crowd = None
    if args.links:
        err.print(f"{args.links} links polled, {args.streams} streams, {args.crowd_seconds:g} s …")
        crowd = await follow_and_poll(
            product, fleet.vans, links=args.links, streams=args.streams, seconds=args.crowd_seconds
        )
    return TrackReport(polls=polls, crowd=crowd)


async def _make_fleet(product: Product, links: int) -> Fleet:
    vans = links // STOPS_OF_A_VAN
    err.print(
        f"making {vans} vans with {STOPS_OF_A_VAN} links each, {PHONES} phones with {STOPS_OF_A_MANIFEST} stops …"
    )
    return Fleet(phones=await _make_phones(product), vans=await make_vans(product, vans, STOPS_OF_A_VAN))


async def _poll(fleet: Fleet, product: Product, *, rounds: int, seconds: float) -> list[PollMedians]:
    polled = []
    for number in range(rounds):
        err.print(f"round {number + 1} of {rounds} …")
        polled.append(await _round(product, fleet, seconds))
    return _medians(polled)


async def _make_phones(product: Product) -> list[str]:
    trip = make_trip(1, city=GUADALAJARA, stops=STOPS_OF_A_MANIFEST, every_s=60.0)
    now_ms = round(time.time() * 1000)
    phones = []
    async with Client(product.api_url, product.key) as client:
        for number in range(PHONES):
            name = f"phone-{number:03}"
            _, _, token = await enlist(client, name, name)
            await client.put_route(route_of_tour(trip.tour, name, driver=name, leaves_ms=now_ms, city=GUADALAJARA))
            phones.append(token)
    return phones


async def _round(product: Product, fleet: Fleet, seconds: float) -> dict[str, Polled]:
    """Ask everything for a while each; the vans were heard of just before, so that nothing ages meanwhile."""
    url, pids = product.api_url, {"server": product.api.pid, "postgres": product.postgres_pid}
    live = [get_of("/health/live")]
    positions = [get_of("/v1/positions", product.key)]
    manifests = [get_of("/v1/driver/manifest", token) for token in fleet.phones]
    tokens = [token for van in fleet.vans for token in van.tokens][:POLLED_LINKS]
    links = [poll_of(token) for token in tokens]
    known_manifests = [
        get_of("/v1/driver/manifest", token, f"If-None-Match: {tag}\r\n")
        for token, tag in zip(fleet.phones, await tags_of(url, manifests), strict=True)
    ]
    await drive_on(product, fleet.vans)
    await asyncio.sleep(2.0)  # until trackers have told it
    known_links = [poll_of(token, tag) for token, tag in zip(tokens, await tags_of(url, links), strict=True)]
    kinds = {
        "/health/live": live * CONNECTIONS,
        "tracking link, nothing new: 304": known_links,
        "tracking link": links,
        "manifest, nothing new: 304": known_manifests,
        "manifest of 200 stops": manifests,
        f"positions of {len(fleet.vans)} vans": positions * CONNECTIONS,
    }
    return {name: await poll_for(url, asked, seconds=seconds, pids=pids) for name, asked in kinds.items()}


def _medians(rounds: Sequence[dict[str, Polled]]) -> list[PollMedians]:
    rows = []
    for name in rounds[0]:
        polled = [one[name] for one in rounds]
        live = [one["/health/live"] for one in rounds]
        if wrong := {status for one in polled for status in one.statuses} - {200, 304}:
            raise RuntimeError(f"{name} was answered {sorted(wrong)}")
        rows.append(
            PollMedians(
                poll=name,
                per_s=statistics.median(one.per_s for one in polled),
                of_live=statistics.median(one.per_s / beside.per_s for one, beside in zip(polled, live, strict=True)),
                unchanged=statistics.median(one.statuses[304] / one.answers for one in polled),
                body_bytes=statistics.median(one.body_bytes / one.answers for one in polled),
                server_us=statistics.median(one.cpu["server"] / one.answers * 1e6 for one in polled),
                postgres_us=statistics.median(one.cpu["postgres"] / one.answers * 1e6 for one in polled),
            )
        )
    return rows


def _show(report: TrackReport) -> None:
    table = Table(box=SIMPLE, pad_edge=False)
    for column in ("poll", "answers/s", "of live", "304", "bytes", "server µs", "postgres µs"):
        table.add_column(column, justify="left" if column == "poll" else "right", no_wrap=True)
    for row in report.polls:
        table.add_row(
            row.poll,
            *(f"{row.per_s:,.0f}", f"{row.of_live:.2f}", f"{row.unchanged:.0%}", f"{row.body_bytes:,.0f}"),
            *(f"{us:,.0f}" for us in (row.server_us, row.postgres_us)),
        )
    out.print(table)
    if report.crowd is not None:
        report.crowd.show()
