"""`reparto bench fold`: what a fix costs to judge, by how many drivers are side by side and how many fixes each brings.

Drives of a made-up city are folded in this process, without a database, as a tracker does it: takes of so many drivers,
a fix a second. Every driver has a plan of their own, as memory has it in a fleet.
How to read the numbers: docs/explanation/benchmarks.md.
"""

import argparse
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from rich.box import SIMPLE
from rich.table import Table

from geo.fold.fold import advance, fresh
from geo.pings import Pings, Rows, no_texts
from geo.plan.plans import Timeline
from geo.simulate.phone import Faults, phone
from geo.step.library import library
from reparto.command import Subparsers, out
from reparto.simulate.fleet import GUADALAJARA, Trip, make_trip, plan_of, seeds

SIZES = tuple(itertools.product((10, 75, 300, 600), (1, 13)))
"""Drivers of a take and fixes of each: of a quiet minute, and of a tracker that has something to catch up with."""

_TRIPS = 24
_STOPS = 120
_BEGIN = 600  # on the road, with stops behind them


class FoldRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a fix cost in takes of one size.

    Attributes:
        each: fixes of each driver in a take.
        fix_us: CPU microseconds a fix.
    """

    drivers: int
    each: int
    fix_us: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drive:
    trip: Trip
    rows: Rows


def add_parser(subparsers: Subparsers) -> None:
    """Declare the bench."""
    parser = subparsers.add_parser("fold", help="CPU time of judging a fix, in this process", description=__doc__)
    parser.add_argument("--fixes", type=int, default=30_000, metavar="N", help="folded for each size, about (30000)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    step = "NumPy's" if library() is None else "compiled"
    table = Table(box=SIMPLE, pad_edge=False, caption=f"the step is {step}")
    for column in ("drivers", "fixes of each", "µs a fix"):
        table.add_column(column, justify="right")
    for row in measure(SIZES, fixes=args.fixes):
        table.add_row(f"{row.drivers:,}", str(row.each), f"{row.fix_us:.1f}")
    out.print(table)
    return 0


def measure(sizes: Sequence[tuple[int, int]], *, fixes: int) -> list[FoldRow]:
    """Fold so many fixes in takes of each size."""
    drives = [_drive(seed) for seed in seeds(1, _TRIPS)]
    return [_measure(drives, drivers, each, fixes) for drivers, each in sizes]


def _measure(drives: Sequence[_Drive], drivers: int, each: int, fixes: int) -> FoldRow:
    timelines = [
        Timeline(driver_id=number, plans=(plan_of(drive.trip.tour, number),))
        for number, drive in zip(range(1, drivers + 1), itertools.cycle(drives), strict=False)
    ]
    tracks, spent_s, folded = fresh(np.arange(drivers) + 1), 0.0, 0
    for number, pings in enumerate(_takes(drives, drivers, each, fixes)):
        begun_s = time.process_time()
        tracks, _ = advance(tracks, pings, timelines)
        if number:  # the first has everybody come upon a plan
            spent_s, folded = spent_s + time.process_time() - begun_s, folded + len(pings)
    return FoldRow(drivers=drivers, each=each, fix_us=spent_s / folded * 1e6)


def _takes(drives: Sequence[_Drive], drivers: int, each: int, fixes: int) -> Iterator[Pings]:
    longest = min(len(drive.rows) for drive in drives) - _BEGIN
    for take in range(min(max(fixes // (drivers * each), 2), longest // each)):
        first = _BEGIN + take * each
        rows = np.concatenate([drives[van % _TRIPS].rows[first : first + each] for van in range(drivers)])
        rows["driver_id"] = rows["device_id"] = np.repeat(np.arange(drivers) + 1, each)
        yield Pings(rows, no_texts(len(rows)))


def _drive(seed: int) -> _Drive:
    trip = make_trip(seed, city=GUADALAJARA, stops=_STOPS, every_s=1.0)
    pings, _ = phone(trip.truth, seed=seed, faults=Faults(gaps_per_h=0, lost=0, repeated=0, late=0))
    return _Drive(trip=trip, rows=pings.rows[pings.rows["recorded_ms"].argsort()])
