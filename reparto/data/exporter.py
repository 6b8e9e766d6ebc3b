"""`reparto export`: data out through the API."""

import argparse
import asyncio
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from api.history.formats import FORMATS, write
from reparto.client.client import add_target, open_client, route_path
from reparto.command import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Declare `reparto export`."""
    parser = subparsers.add_parser("export", help="the track of a route, or what happened in a period, as files")
    things = parser.add_subparsers(metavar="thing", required=True)
    route = things.add_parser("route", help="the pings of a route, judged and snapped")
    route.add_argument("route", metavar="ROUTE", help="id or external id")
    route.add_argument("--format", choices=[*FORMATS], default="geojson")
    route.set_defaults(run=run)
    file = things.add_parser("file", help="routes, stops, visits, proofs, messages, orders, events, tracks, reports")
    file.add_argument("file", metavar="WHAT.FORMAT", help="stops.xlsx, track.gpx, report-cash.csv …")
    for name, means in (("from", "first day of tours, or a time"), ("to", "last day, or the time before which")):
        file.add_argument(f"--{name}", metavar="DAY", help=f"{means}; the last week unless given")
    file.add_argument("--driver", help="only tours of this driver, by either id")
    file.add_argument("--depot", help="only tours from the depot of this name")
    file.set_defaults(run=run_file)
    for one in (route, file):
        one.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")
        add_target(one)


def run(args: argparse.Namespace) -> int:
    """Write the track that the arguments name."""
    columns: dict[str, list[Any]] = asyncio.run(_track(args))
    for name in ("time", "received_at"):
        columns[name] = [datetime.fromisoformat(at) for at in columns[name]]
    file = write(args.format, args.route, columns)
    if args.output:
        args.output.write_bytes(file)
    else:
        sys.stdout.buffer.write(file)
    return 0


def run_file(args: argparse.Namespace) -> int:
    """Write a file of a period; one that does not come to its end is not there under its name."""
    if args.output is None:
        asyncio.run(_file(args, sys.stdout.buffer.write))
        return 0
    unfinished = args.output.with_name(f"{args.output.name}.part")
    try:
        with unfinished.open("wb") as file:
            asyncio.run(_file(args, file.write))
        unfinished.replace(args.output)
    finally:
        unfinished.unlink(missing_ok=True)
    return 0


async def _track(args: argparse.Namespace) -> dict[str, list[Any]]:
    async with open_client(args) as client:
        return await client.track(f"{route_path(args.route)}/track")


async def _file(args: argparse.Namespace, into: Callable[[bytes], Any]) -> None:
    query = {name: said for name in ("from", "to", "driver", "depot") if (said := getattr(args, name))}
    async with open_client(args) as client:
        await client.pour(f"/v1/exports/{quote(args.file, safe='')}", into, query=query)
