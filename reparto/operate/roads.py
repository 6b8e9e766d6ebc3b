"""`reparto roads`: the data of a road engine made, and a look at what it knows."""

import argparse
import asyncio
import json
import re
import time
from pathlib import Path

import numpy as np
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from geo.pings import Floats
from geo.shape.lines import check_places
from reparto.command import CannotRun, Subparsers, err, out
from reparto.operate.road_build import build
from reparto.settings.road_engine import roads_dir, roads_of
from reparto.settings.settings import Settings
from work.roads.choose import LIBRARIES, check_installed
from work.roads.config import KINDS
from work.roads.protocol import NoWay, RoadPath, RoadsAway

_WIDEST_WORDS = 60


def add_parser(subparsers: Subparsers) -> None:
    """Declare `roads build` and `roads route`."""
    words = "prepare road data for paths and detours, and look at it"
    parser = subparsers.add_parser("roads", help=words, description=f"roads: {words}.")
    actions = parser.add_subparsers(metavar="action", required=True)

    make = actions.add_parser("build", help="make road data of an OpenStreetMap extract; safe to repeat")
    make.add_argument("extract", type=Path, metavar="FILE.osm.pbf")
    make.add_argument("--engine", choices=[*LIBRARIES], help="default: REPARTO_ROADS, or the one that is installed")
    make.set_defaults(run=_build)

    route = actions.add_parser("route", help="print the way through places as GeoJSON")
    route.add_argument("places", type=_place, nargs="+", metavar="LON,LAT", help="degrees, in the order of the tour")
    route.add_argument("--engine", choices=KINDS, help="default: REPARTO_ROADS")
    route._negative_number_matcher = re.compile(r"-\d")  # -56.16,-34.9 is a place, not an option
    route.set_defaults(run=_route)


def _place(text: str) -> tuple[float, float]:
    lon, lat = map(float, text.split(","))
    check_places([lon], [lat])
    return lon, lat


def _build(args: argparse.Namespace) -> int:
    """Build road data and say how to use it."""
    settings = Settings.read()
    engine = args.engine or _engine_at_hand(settings.roads.roads)
    try:
        check_installed(engine)
    except RoadsAway as error:
        raise CannotRun(f"Nothing can be built: {error}.") from error
    began_s = time.monotonic()
    with _display() as display:
        task = display.add_task("", total=None)

        def tell(words: str, step: int, steps: int) -> None:
            display.update(task, description=escape(words[:_WIDEST_WORDS]), completed=max(step - 1, 0), total=steps)

        try:
            is_new = build(engine, args.extract, roads_dir(settings), tell=tell)
        except OSError as error:
            raise CannotRun(f"The road data was not made: {error}.") from error
    if is_new:
        out.print(
            f"Road data for {engine} in {roads_dir(settings)}, made in {time.monotonic() - began_s:.0f} s.",
            markup=False,
        )
    else:
        out.print(f"The road data for {engine} in {roads_dir(settings)} is of this file already.", markup=False)
    if settings.roads.roads != engine:
        out.print(f"It is used with REPARTO_ROADS={engine}.", markup=False)
    return 0


def _engine_at_hand(configured: str) -> str:
    """Choose the engine to build for.

    Raises:
        CannotRun: none is installed.
    """
    if configured in LIBRARIES:
        return configured
    for engine in LIBRARIES:
        try:
            check_installed(engine)
        except RoadsAway:
            continue
        return engine
    ways = ", or ".join(library.install for library in LIBRARIES.values())
    raise CannotRun(f"No road engine is installed: {ways}.")


def _display() -> Progress:
    return Progress(
        SpinnerColumn(),
        MofNCompleteColumn(),
        BarColumn(bar_width=20),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
        console=err,
        transient=True,
    )


def _route(args: argparse.Namespace) -> int:
    """Print a way as GeoJSON."""
    if len(args.places) < 2:
        raise CannotRun("A way leads through two places or more.")
    settings = Settings.read()
    places = np.array(args.places)
    path = asyncio.run(_way(settings, args.engine, places))
    out.print(json.dumps(_geojson(path)), markup=False)
    return 0


async def _way(settings: Settings, engine: str | None, places: Floats) -> RoadPath:
    async with roads_of(settings, engine) as roads:
        try:
            return await roads.route(places)
        except (NoWay, RoadsAway) as error:
            raise CannotRun(f"No way was found: {error}.") from error


def _geojson(path: RoadPath) -> dict[str, object]:
    seconds = None if path.leg_durations_s is None else path.leg_durations_s.round(1).tolist()
    properties = {
        "source": path.source,
        "length_m": round(float(path.leg_lengths_m.sum()), 1),
        "duration_s": None if seconds is None else round(sum(seconds), 1),
        "leg_lengths_m": path.leg_lengths_m.round(1).tolist(),
        "leg_durations_s": seconds,
    }
    line = {"type": "LineString", "coordinates": np.column_stack((path.lon, path.lat)).round(6).tolist()}
    return {"type": "Feature", "geometry": line, "properties": properties}
