"""`reparto backtest`: which part of the error of ETAs is the start, the drives, the services and detours."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from reparto.client.client import add_target
from reparto.command import CannotRun, Subparsers, out
from reparto.evaluate.accuracy.command import add_period, asked_tours
from reparto.evaluate.accuracy.parts import PARTS, PartsLine, apart, parts_lines


def add_parser(subparsers: Subparsers) -> None:
    """Declare `reparto backtest`."""
    parser = subparsers.add_parser(
        "backtest",
        help="which part of the error of ETAs is start, drive, service and detour",
        description="Foretell the arrivals of recorded tours (NAME.route.json.gz, NAME.pings.csv.gz), or of a period of"
        " the product at --url, every five minutes again, with what was learned from what was over by then, and say how"
        " much of the mean error (minutes) each part has. Parts add up to it; one below 0 made good what others did"
        " wrong.",
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="CASES", help="folders of cases, or .route.json[.gz]")
    add_period(parser)
    parser.add_argument("--driver", help="only tours of this driver of the product")
    add_target(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Take the errors of the tours that the arguments name apart, and print them.

    Raises:
        CannotRun: nothing can be foretold.
    """
    _, tours = asked_tours(args)
    lines = list(parts_lines(apart(tours)))
    if not lines:
        raise CannotRun("no van came to a stop that it was expected at: there is nothing to take apart")
    for line in _table(lines):
        out.print(line, markup=False, highlight=False)
    return 0


def _table(lines: Sequence[PartsLine]) -> Iterator[str]:
    """Write shares of the error by lead; below, of all leads, each part by itself and its bias."""
    rows: list[tuple[str, ...]] = [("lead min", "n", "MAE", *PARTS)]
    rows += [(line.lead, str(line.n), *_minutes([line.mae_min, *line.share_min])) for line in lines]
    rows.append(("alone", "", "", *_minutes(lines[-1].alone_min)))
    rows.append(("bias", "", "", *_minutes(lines[-1].bias_min)))
    for lead, n, *cells in rows:
        yield f"{lead:<8}  {n:>6}" + "".join(f"{cell:>9}" for cell in cells)


def _minutes(some: Sequence[float]) -> list[str]:
    return [f"{one:z.1f}" for one in some]
