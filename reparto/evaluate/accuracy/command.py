"""`reparto replay --score`: how well today's program would have foretold the arrivals of stored or recorded tours."""

import argparse
import asyncio
import math
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from reparto.client.client import open_client
from reparto.command import CannotRun, out
from reparto.evaluate.accuracy.compare import Line, compare, lines_of
from reparto.evaluate.accuracy.page import page_of
from reparto.evaluate.accuracy.tours import Tours, days_of_product, tours_of, tours_of_cases

_HEADINGS = ("lead min", "", "n", "MAE", "median", "P90", "bias", "coverage", "width", "score")


def add_arguments(parser: argparse.ArgumentParser) -> Sequence[argparse.Action]:
    """Declare how a score is asked for; give back what only scoring takes."""
    group = parser.add_argument_group("scoring ETAs instead of sending")
    group.add_argument(
        "--score", action="store_true", help="foretell the tours of folders of cases, or of the product at --url, again"
    )
    return (
        *add_period(group),
        group.add_argument("--report", type=Path, metavar="FILE.html", help="write a page with the table and a plot"),
    )


def add_period(group: argparse._ActionsContainer) -> Sequence[argparse.Action]:
    """Declare which days of the product are meant."""
    return (
        group.add_argument(
            "--from", dest="since", type=_date, metavar="DATE", help="first day of the period (a week ago)"
        ),
        group.add_argument("--to", dest="until", type=_date, metavar="DATE", help="last day of the period (yesterday)"),
    )


def score(args: argparse.Namespace) -> int:
    """Score what the arguments name, and print the table.

    Raises:
        CannotRun: nothing can be scored, or the page cannot be written.
    """
    title, tours = asked_tours(args)
    lines = list(lines_of(told := compare(tours)))
    if not lines:
        raise CannotRun("no van came to a stop that it was expected at: there is nothing to score")
    for line in table(lines):
        out.print(line, markup=False, highlight=False)
    if args.report:
        try:
            args.report.write_text(page_of(title, len(tours), told, lines), encoding="utf-8")
        except OSError as error:
            raise CannotRun(f"{args.report}: cannot be written: {error.strerror}") from error
        out.print(args.report, markup=False)
    return 0


def asked_tours(args: argparse.Namespace) -> tuple[str, Tours]:
    """Read the tours of folders of cases, or of a period of the product; give them with a title.

    Raises:
        CannotRun: there are none.
    """
    if args.files:
        return ", ".join(path.name for path in args.files), tours_of_cases(args.files)
    until = args.until or datetime.now(UTC).date() - timedelta(days=1)
    since = args.since or until - timedelta(days=6)
    if since > until:
        raise CannotRun("--from is after --to")
    return f"{since} – {until}", asyncio.run(_read(args, since, until))


async def _read(args: argparse.Namespace, since: date, until: date) -> Tours:
    async with open_client(args) as client:
        days = [day async for day in days_of_product(client, since, until, driver=args.driver)]
    if not days:
        raise CannotRun(f"no route of {since} to {until} has begun")
    return tours_of(days)


def table(lines: Sequence[Line]) -> Iterator[str]:
    """Write figures in columns, minutes."""
    rows = [list(_HEADINGS)]
    for line in lines:
        found = line.figures
        minutes = [found.mae_s, found.median_s, found.p90_s, found.bias_s, found.width_s, found.score_s]
        cells = ["–" if math.isnan(seconds) else f"{seconds / 60:z.1f}" for seconds in minutes]
        coverage = "–" if math.isnan(found.coverage) else f"{found.coverage:.2f}"
        rows.append([line.lead, line.source, str(found.n), *cells[:4], coverage, *cells[4:]])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for lead, source, *rest in rows:
        cells = [lead.ljust(widths[0]), source.ljust(widths[1]), *map(str.rjust, rest, widths[2:])]
        yield "  ".join(cells).rstrip()


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date like 2026-03-02") from None
