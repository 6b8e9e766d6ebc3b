"""`reparto export`: data out through the API."""

import argparse
import asyncio
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from api.history.formats import FORMATS, write
from reparto.client.client import add_target, open_client, route_path
from reparto.command import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Declare `reparto export`."""
    parser = subparsers.add_parser("export", help="the track of a route as GeoJSON, GPX, KML or CSV")
    things = parser.add_subparsers(metavar="thing", required=True)
    route = things.add_parser("route", help="the pings of a route, judged and snapped")
    route.add_argument("route", metavar="ROUTE", help="id or external id")
    route.add_argument("--format", choices=[*FORMATS], default="geojson")
    route.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")
    add_target(route)
    route.set_defaults(run=run)


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


async def _track(args: argparse.Namespace) -> dict[str, list[Any]]:
    async with open_client(args) as client:
        return await client.track(f"{route_path(args.route)}/track")
