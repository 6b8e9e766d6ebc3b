"""`reparto bench all`: every part of the product on the machine at hand, as medians, beside an earlier run's.

Parts: ingest, scale, polls, streams, manifest, fold, eta, planner, each on its own. With `--json` it prints what
`--against` reads: run it before and after a change, on the same machine with nothing else to do.
How to read the numbers: docs/explanation/benchmarks.md.
"""

import argparse
import asyncio
import resource
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Table

from reparto.bench import eta, fold, manifest, track
from reparto.bench.crowd import follow_and_poll
from reparto.bench.figures import figures, medians, ratios
from reparto.bench.ingest import command as ingest
from reparto.bench.ingest import scale
from reparto.bench.ingest.recipients import make_vans
from reparto.bench.planner import measure_planner
from reparto.client.product import Product, throw_away
from reparto.command import CannotRun, Subparsers, err, out

WATCHERS = (200, 2_000, 20_000)
"""Open streams: of a small firm's day, of a city's, of a country's."""

_POLLED_LINKS = 2_000
_APIS, _OTHER_FILES = 2, 500
_ROUTES, _STOPS = 1_000, 60
_FIXES = 30_000


class WholeReport(msgspec.Struct, frozen=True, kw_only=True):
    """What all parts gave: medians by the names of figures, and what was measured on."""

    machine: str
    repeat: int
    figures: dict[str, float]


def add_parser(subparsers: Subparsers) -> None:
    """Declare `reparto bench all`."""
    parser = subparsers.add_parser("all", help="every part, as medians, beside an earlier run", description=__doc__)
    parser.add_argument("--only", type=_parts, default=tuple(PARTS), metavar="PART,…", help="these parts (all)")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each load (default: 10)")
    parser.add_argument("--repeat", type=int, default=3, help="times; the medians count (default: 3)")
    scale.add_sizes(parser)
    parser.add_argument("--against", type=Path, metavar="FILE", help="what an earlier run printed with --json")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.set_defaults(run=run)


def _parts(text: str) -> tuple[str, ...]:
    parts = tuple(text.split(","))
    if unknown := [part for part in parts if part not in PARTS]:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(PARTS)}")
    return parts


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    before = _read(args.against) if args.against else None
    runs: dict[str, list[Mapping[str, float]]] = {part: [] for part in args.only}
    for turn in range(args.repeat):
        for part in args.only:
            err.print(f"{part}, {turn + 1} of {args.repeat} …")
            runs[part].append(figures({part: msgspec.to_builtins(PARTS[part](args))}))
    report = WholeReport(
        machine=ingest.machine(),
        repeat=args.repeat,
        figures={name: value for part in args.only for name, value in medians(runs[part]).items()},
    )
    if args.json:
        out.print(msgspec.json.encode(report).decode(), markup=False)
    else:
        _show(report, before)
    return 0


def _read(path: Path) -> WholeReport:
    try:
        return msgspec.json.decode(path.read_bytes(), type=WholeReport)
    except OSError as error:
        raise CannotRun(f"{path} cannot be read: {error.strerror}.") from error
    except msgspec.DecodeError as error:
        raise CannotRun(f"{path} is not what `reparto bench all --json` prints: {error}.") from error


def _with_product(measure: Callable[[Product], Coroutine[Any, Any, Any]], **how: Any) -> Any:
    with throw_away(**how) as product, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(measure(product))


def _ingest(args: argparse.Namespace) -> Any:
    return _with_product(partial(ingest.measure, seconds=args.seconds, repeat=1))


def _scale(args: argparse.Namespace) -> Any:
    return _with_product(partial(scale.measure, drivers=args.drivers, pings=args.pings, seconds=args.seconds))


def _polls(args: argparse.Namespace) -> Any:
    return _with_product(partial(track.measure_polls, rounds=1, seconds=args.seconds / 10), apis=_APIS)


def _streams(args: argparse.Namespace) -> Any:
    most = _open_files_allowed(max(WATCHERS) + _OTHER_FILES) - _OTHER_FILES
    watchers = [min(one, most) for one in WATCHERS]
    if watchers[-1] < WATCHERS[-1]:
        err.print(f"this machine lets a process have {watchers[-1]:,} streams, not {WATCHERS[-1]:,}: `ulimit -n`")
    seats = {"REPARTO_STREAM_CLIENTS": str(watchers[-1])}
    return _with_product(partial(_watched, watchers=watchers, seconds=args.seconds), apis=_APIS, more=seats)


def _open_files_allowed(wanted: int) -> int:
    """Let this process, which is all watchers, open so many files, or as many as the machine lets it."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = max(now, min(wanted, most))
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
    return allowed


async def _watched(product: Product, *, watchers: Sequence[int], seconds: float) -> Any:
    vans = await make_vans(product, _POLLED_LINKS // track.STOPS_OF_A_VAN, track.STOPS_OF_A_VAN)
    return [
        await follow_and_poll(product, vans, links=_POLLED_LINKS, streams=streams, seconds=seconds)
        for streams in watchers
    ]


def _manifest(args: argparse.Namespace) -> Any:
    return _with_product(partial(manifest.measure, seconds=args.seconds / 2))


def _fold(_: argparse.Namespace) -> Any:
    return fold.measure(fold.SIZES, fixes=_FIXES)


def _eta(_: argparse.Namespace) -> Any:
    refresh_s, look_s = eta.measure(_ROUTES, _STOPS)
    return {"refresh_ms": refresh_s * 1000, "look_ms": look_s * 1000}


def _planner(args: argparse.Namespace) -> Any:
    return asyncio.run(measure_planner(args.seconds))


PARTS: Mapping[str, Callable[[argparse.Namespace], Any]] = {
    "ingest": _ingest,
    "scale": _scale,
    "polls": _polls,
    "streams": _streams,
    "manifest": _manifest,
    "fold": _fold,
    "eta": _eta,
    "planner": _planner,
}


def _show(report: WholeReport, before: WholeReport | None) -> None:
    out.print(f"{report.machine}, client included; medians of {report.repeat}")
    table = Table(box=SIMPLE, pad_edge=False)
    table.add_column("figure")
    table.add_column("now", justify="right")
    against = ratios(before.figures, report.figures) if before else {}
    if before:
        if before.machine != report.machine:
            out.print(f"before was another machine: {before.machine}")
        table.add_column("before", justify="right")
        table.add_column("ratio", justify="right")
    for name, value in report.figures.items():
        row = [escape(name), f"{value:,.4g}"]
        if before:
            known = before.figures.get(name)
            row += ["" if known is None else f"{known:,.4g}", f"{against[name]:.2f}" if name in against else ""]
        table.add_row(*row)
    out.print(table)
