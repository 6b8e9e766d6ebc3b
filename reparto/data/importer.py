"""`reparto import`: planned tours into the product through its API, with the pings of their drive if wanted."""

import argparse
import asyncio
import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.table import Table

from reparto.client.client import Client, Phone, add_target, open_client, route_path, together
from reparto.client.planner import PlannedRoute, drivers_of, route_of_case, routes_of_csv
from reparto.client.recordings import Case, Recording, case_files, read_case
from reparto.client.tally import Tally
from reparto.command import CannotRun, Subparsers, out
from reparto.data.replay import AT_ONCE, progress_bar, send_recording, speed_of
from reparto.simulate.van import fix_of
from reparto.simulate.verify import CATCH_UP_S, quiet_track


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOutcome:
    """What the product says of an imported route.

    Attributes:
        visited: stops with a visit.
        tracked: pings of the route's track.
        believed: those of them that count.
        last_eta: when the last stop ahead is expected; None when none is ahead, or nothing is known.
    """

    external_id: str
    stops: int
    visited: int
    tracked: int
    believed: int
    last_eta: datetime | None


def add_parser(subparsers: Subparsers) -> None:
    """Declare `reparto import`."""
    parser = subparsers.add_parser(
        "import",
        help="bring planned routes in: case folders, a planner's CSV of stops",
        description="Import planned routes as drivers and routes through the API: cases (NAME.route.json.gz, or"
        " folders of them) and CSV files of stops (docs/howto/replay-real-recordings.md). A case is moved in time so"
        " that its recording ends now; a CSV keeps its times.",
    )
    parser.add_argument("cases", nargs="+", type=Path, metavar="CASES", help="folder, .route.json[.gz] or .csv")
    parser.add_argument("--with-pings", action="store_true", help="replay the recorded pings of the cases too")
    parser.add_argument("--speed", type=speed_of, default=AT_ONCE, help="1 to 1000 times as fast, or max (default)")
    parser.add_argument("--timezone", default="UTC", help="of routes that name none (default: UTC)")
    add_target(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Import what the arguments name, and print what came out of it."""
    plans = [path for path in args.cases if path.suffix == ".csv"]
    routes = [route for path in plans for route in routes_of_csv(path, timezone=args.timezone)]
    folders = [path for path in args.cases if path.suffix != ".csv"]
    cases = [read_case(path) for path in case_files(folders)]
    tally = Tally()
    outcomes = asyncio.run(_import(args, routes, cases, tally))
    out.print(_table(outcomes))
    if tally.sent:
        for line in tally.lines():
            out.print(line)
    return 0


async def import_routes(client: Client, routes: Sequence[PlannedRoute]) -> dict[str, str]:
    """Put routes, and make their drivers where they are missing; give the drivers' ids by external id."""
    drivers = {driver: await client.driver(driver, driver) for driver in drivers_of(routes)}
    for route in routes:
        await client.put_route(route)
    return drivers


def moved_to_now(case: Case, *, speed: float, timezone: str) -> tuple[PlannedRoute, Recording | None]:
    """Move plan and recording by the same time, so that the recording, or else the plan, ends when it is replayed."""
    recording = case.recording
    if recording is None:
        shift_ms = round(time.time() * 1000) - max((stop.planned_ms for stop in case.stops), default=0)
        return route_of_case(case, shift_ms=shift_ms, timezone=timezone), None
    takes_ms = (recording.last_ms - recording.first_ms) / speed
    shift_ms = round(time.time() * 1000 + takes_ms) - recording.last_ms
    return route_of_case(case, shift_ms=shift_ms, timezone=timezone), recording.shifted(shift_ms)


async def read_back(client: Client, external_id: str) -> ImportOutcome:
    """Ask the product what it knows of a route."""
    path = route_path(external_id)
    route: dict[str, Any] = await client.ask("GET", path)
    visits: dict[str, Any] = await client.ask("GET", f"{path}/visits")
    eta: dict[str, Any] = await client.ask("GET", f"{path}/eta")
    track = await client.track(f"{path}/track")
    ahead = [datetime.fromisoformat(stop["expected"]) for stop in eta["stops"] if stop["expected"]]
    return ImportOutcome(
        external_id=external_id,
        stops=len(route["stops"]),
        visited=len({visit["stop_id"] for visit in visits["visits"]}),
        tracked=len(track.get("time", ())),
        believed=sum(believed is True for believed in track.get("believed", ())),
        last_eta=max(ahead, default=None),
    )


async def _import(
    args: argparse.Namespace, routes: Sequence[PlannedRoute], cases: Sequence[Case], tally: Tally
) -> list[ImportOutcome]:
    moved = [moved_to_now(case, speed=args.speed, timezone=args.timezone) for case in cases]
    routes = [*routes, *(route for route, _ in moved)]
    if not routes:
        raise CannotRun("there is nothing to import")
    async with open_client(args) as client:
        drivers = await import_routes(client, routes)
        if args.with_pings:
            recordings = {route.external_id: pings for route, pings in moved if pings is not None}
            await _drive(client, drivers, recordings, args.speed, tally)
        return [await read_back(client, route.external_id) for route in routes]


async def _drive(
    client: Client, drivers: dict[str, str], recordings: dict[str, Recording], speed: float, tally: Tally
) -> None:
    phones = {}
    for name in recordings:
        _, token = await client.device(drivers[name], "import")
        phones[name] = Phone(client.session, client.url, token, tally, random.Random(name))
    with progress_bar() as progress:
        bar = progress.add_task("pings", total=sum(len(one.pings) for one in recordings.values()))
        await together(
            send_recording(phones[name], recording, speed, lambda sent: progress.advance(bar, sent))
            for name, recording in recordings.items()
        )
    until_s = time.monotonic() + CATCH_UP_S
    for name, recording in recordings.items():
        fixes = len({fix_of(ping) for ping in recording.pings})
        await quiet_track(client, drivers[name], since_ms=recording.first_ms, pings=fixes, until_s=until_s)


def _table(outcomes: Sequence[ImportOutcome]) -> Table:
    table = Table("route", "stops", "visited", "last ETA", "pings on the route", "believed")
    for one in outcomes:
        eta = one.last_eta.astimezone().strftime("%H:%M") if one.last_eta else "-"
        share = one.believed / one.tracked if one.tracked else math.nan
        believed = "-" if math.isnan(share) else f"{share:.1%}"
        table.add_row(one.external_id, str(one.stops), str(one.visited), eta, f"{one.tracked:,}", believed)
    return table
