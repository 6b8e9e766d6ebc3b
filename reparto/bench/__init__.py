"""`reparto bench`: what the machine at hand can do, measured on real processes and a durable Postgres.

Every bench but `eta` and `fold` starts a throw-away product, measures, and prints what one run gave. None of them is a
test.

May live here: benches, and what loads the product for them.
"""

import argparse

from reparto.bench import eta, fairness, fold, manifest, slots, track, whole
from reparto.bench.ingest import command as ingest
from reparto.bench.ingest import scale
from reparto.bench.notify import command as notify
from reparto.command import Subparsers

BENCHES = (whole, ingest, scale, manifest, track, notify, slots, fairness, fold, eta)

_SAID = (__doc__ or "").partition("May live here")[0]


def add_parser(subparsers: Subparsers) -> None:
    """Declare the benches."""
    parser: argparse.ArgumentParser = subparsers.add_parser("bench", help="measure this machine", description=_SAID)
    benches = parser.add_subparsers(metavar="bench", required=True)
    for bench in BENCHES:
        bench.add_parser(benches)
