"""`reparto bench eta`: what it costs to say anew when everybody will be everywhere."""

import argparse
import time

import numpy as np

from geo.eta.estimate import estimate
from geo.eta.model import Model
from geo.fold.fold import fresh
from geo.pings import UNKNOWN_MS
from geo.plan.plans import Plan, Timeline
from geo.plan.prepare import Head, PathColumns, StopColumns, prepare_plan
from geo.simulate.tour import street_grid_tour
from reparto.command import Subparsers, out

START_MS = 1_760_000_000_000


def add_parser(subparsers: Subparsers) -> None:
    """Declare the bench."""
    parser = subparsers.add_parser("eta", help="CPU time of a refresh of all ETAs, in this process, without a database")
    parser.add_argument("--routes", type=int, default=1_000, metavar="N", help="routes under way (1000)")
    parser.add_argument("--stops", type=int, default=60, metavar="N", help="stops ahead on each (60)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Refresh ten times, and tell what one took."""
    refresh_s, look_s = measure(args.routes, args.stops)
    out.print(
        f"{args.routes} routes of {args.stops} stops: {1000 * refresh_s:.1f} ms of CPU for a refresh in one call;"
    )
    out.print(f"{1000 * look_s:.2f} ms more for a route whose plan or model is new")
    return 0


def measure(routes: int, stops: int) -> tuple[float, float]:
    """Give CPU seconds of a refresh, and of looking at one plan with a new model."""
    timelines = [Timeline(driver_id=i + 1, plans=(_plan(i, stops),)) for i in range(routes)]
    tracks = fresh(np.arange(routes) + 1)
    tracks["route_id"], tracks["route_version"] = tracks["driver_id"], 1
    tracks["recorded_ms"], tracks["along_m"], tracks["on_route"] = START_MS + 60_000, 20.0, True
    models = [Model()] * routes
    begun_s = time.process_time()
    estimate(tracks, timelines, models)
    first_s = time.process_time() - begun_s
    times = 10
    begun_s = time.process_time()
    for _ in range(times):
        estimate(tracks, timelines, models)
    refresh_s = (time.process_time() - begun_s) / times
    return refresh_s, max(first_s - refresh_s, 0.0) / routes


def _plan(seed: int, stops: int) -> Plan:
    tour = street_grid_tour(-58.44, -34.60, seed=seed % 20, stops=stops)
    return prepare_plan(
        Head(
            route_id=seed + 1,
            version=1,
            order=(START_MS, ""),
            effective_ms=UNKNOWN_MS,
            driver_id=seed + 1,
            start_ms=START_MS,
            end_ms=START_MS + int(tour.duration_s * 1000),
            return_to_depot=True,
        ),
        PathColumns(tour.path_lon, tour.path_lat, tour.path_along_m),
        StopColumns(
            ids=np.arange(stops) + 1,
            lon=tour.stop_lon,
            lat=tour.stop_lat,
            along_m=tour.stop_along_m,
            radius_m=np.full(stops, 40.0),
            service_s=tour.stop_service_s,
            planned_ms=START_MS + np.rint(tour.stop_arrival_s * 1000).astype(np.int64),
        ),
    )
