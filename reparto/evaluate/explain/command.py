"""`reparto replay --explain`: one day drawn as a page."""

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path

from reparto.client.client import open_client
from reparto.command import CannotRun, out
from reparto.evaluate.explain.day import Day
from reparto.evaluate.explain.fold import fold
from reparto.evaluate.explain.page import page_of
from reparto.evaluate.explain.sources import day_of_case, day_of_product


def add_arguments(parser: argparse.ArgumentParser) -> Sequence[argparse.Action]:
    """Declare how a day is asked for; give back what only explaining takes."""
    group = parser.add_argument_group("drawing a day instead of sending it")
    group.add_argument(
        "--explain", action="store_true", help="draw one NAME.route.json[.gz] with its pings, or a --route, as a page"
    )
    return (
        group.add_argument("--route", help="explain this route of the product at --url, by external id or id"),
        group.add_argument(
            "--out", type=Path, metavar="FILE.html", help="the page to write (default: NAME.explain.html)"
        ),
    )


def explain(args: argparse.Namespace) -> int:
    """Draw the day that the arguments name, and print where the page is.

    Raises:
        CannotRun: they name none, or more than one, or it cannot be read, folded or written.
    """
    if args.driver:
        raise CannotRun("--driver goes with sending and with --score; a day is named by its file or its --route")
    if bool(args.route) + len(args.files) != 1:
        raise CannotRun("--explain draws one day: name one NAME.route.json.gz, or one --route of the product")
    day = asyncio.run(_read(args)) if args.route else day_of_case(args.files[0])
    path: Path = args.out or Path(f"{_file_name(day.name)}.explain.html")
    page = page_of(day, fold(day))
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise CannotRun(f"{path}: cannot be written: {error.strerror}") from error
    out.print(path, markup=False)
    return 0


async def _read(args: argparse.Namespace) -> Day:
    async with open_client(args) as client:
        return await day_of_product(client, args.route)


def _file_name(name: str) -> str:
    """Make a file name of an external id, which may hold anything."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name).lstrip(".") or "day"
