"""`reparto plan backtest`: what a planner that learned from past tours makes of others, beside the shortest way."""

import csv
import gzip
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from geo.pings import Floats, Ints
from geo.shape.plane import project
from geo.tours.habits import Past, like_drivers, votes
from geo.tours.problem import TourJob, TourProblem, TourVan
from geo.tours.score import deviation, score
from reparto.command import CannotRun
from work.planning.process import PlannerProcess, plan
from work.planning.protocol import PlannerFailed

FOLDS = 5
"""Every so many-th tour is held out, by a hash of its name."""

PATIENCE = 600
"""Rounds without a better answer after which a tour of one van is as short as it gets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrivenTour:
    """A tour of the file: `stop`, degrees; in the order driven, each stop once."""

    route: str
    stops: list[str] = field(default_factory=list)
    lon: list[float] = field(default_factory=list)
    lat: list[float] = field(default_factory=list)


def read(path: Path) -> list[DrivenTour]:
    """Read tours from a CSV, packed or not.

    Raises:
        CannotRun: a column is missing, or a row makes no sense.
    """
    try:
        body = path.read_bytes()
        text = (gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise CannotRun(f"{path} cannot be read: {error}") from error
    rows = csv.DictReader(io.StringIO(text))
    missing = {"route", "stop", "lat", "lon"} - set(rows.fieldnames or ())
    if missing:
        raise CannotRun(f"{path} has no column {', '.join(sorted(missing))}")
    tours: dict[str, DrivenTour] = {}
    for number, row in enumerate(rows, 2):
        try:
            lon, lat = float(row["lon"]), float(row["lat"])
        except (TypeError, ValueError):
            raise CannotRun(f"{path}, line {number}: lat and lon must be numbers") from None
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            raise CannotRun(f"{path}, line {number}: {lat} {lon} is no place")
        tour = tours.setdefault(row["route"], DrivenTour(route=row["route"]))
        if row["stop"] not in tour.stops:  # who came back to a customer is taken to have come once
            tour.stops.append(row["stop"])
            tour.lon.append(lon)
            tour.lat.append(lat)
    return list(tours.values())


def held_out(route: str) -> bool:
    """Tell whether a tour is one to try on; the others are learned from."""
    return hashlib.sha256(route.encode()).digest()[0] % FOLDS == 0


async def run(tours: Sequence[DrivenTour], planner: PlannerProcess, *, limit_s: float, seed: int) -> dict[str, Any]:
    """Learn from most tours, and plan the others.

    Raises:
        PlannerFailed: a tour could not be planned.
    """
    if not tours:
        return {"routes": [], "learned_from": 0}
    origin = (
        float(np.mean([lon for tour in tours for lon in tour.lon])),
        float(np.mean([lat for tour in tours for lat in tour.lat])),
    )
    past = [Past(places=_places(tour, origin), names=tuple(tour.stops)) for tour in tours if not held_out(tour.route)]
    routes = [
        await _route(tour, _places(tour, origin), past, planner, limit_s=limit_s, seed=seed)
        for tour in tours
        if held_out(tour.route)
    ]
    return {"routes": routes, "learned_from": len(past), **_summed(routes)}


def _places(tour: DrivenTour, origin: tuple[float, float]) -> Floats:
    return np.column_stack(project(tour.lon, tour.lat, *origin))


async def _route(
    tour: DrivenTour, places: Floats, past: Sequence[Past], planner: PlannerProcess, *, limit_s: float, seed: int
) -> dict[str, Any]:
    apart_m = np.sqrt(((places[:, None] - places[None]) ** 2).sum(axis=2))
    driven = np.arange(len(places))
    best = await _shortest(apart_m, planner, limit_s=limit_s, seed=seed)
    habit = like_drivers(np.pad(apart_m, (0, 2)), votes(past, places, tour.stops), best, seed=seed)
    orders = {"driven": driven, "optimal": best, "habit": habit}
    return {
        "route": tour.route,
        **{name: [tour.stops[row] for row in order] for name, order in orders.items()},
        "km": {name: round(_km(apart_m, order), 3) for name, order in orders.items()},
        "deviation": {
            name: round(deviation(driven.tolist(), orders[name].tolist()), 4) for name in ("optimal", "habit")
        },
        "score": {
            name: round(score(driven.tolist(), orders[name].tolist(), apart_m), 4) for name in ("optimal", "habit")
        },
    }


async def _shortest(apart_m: Floats, planner: PlannerProcess, *, limit_s: float, seed: int) -> Ints:
    count = len(apart_m)
    if count < 3:
        return np.arange(count)
    decimetres = np.round(apart_m * 10).astype(np.int64)
    problem = TourProblem(
        duration_s=decimetres,
        distance_m=decimetres,
        jobs=[TourJob(place=row) for row in range(count)],
        vehicles=[TourVan(start=None, end=None)],
    )
    _, judged = await plan(problem, planner, limit_s=limit_s, seed=seed, patience=PATIENCE)
    if not judged.holds:
        raise PlannerFailed("a tour without any rule was not found")
    return np.array(judged.timed[0].tour.jobs, np.int64)


def _km(apart_m: Floats, order: Ints) -> float:
    return float(apart_m[order[:-1], order[1:]].sum()) / 1000


def _summed(routes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    if not routes:
        return {}
    names = ("optimal", "habit")
    km = {name: sum(route["km"][name] for route in routes) for name in ("driven", *names)}
    return {
        "km": {name: round(total, 1) for name, total in km.items()},
        "deviation": {name: round(fmean(route["deviation"][name] for route in routes), 4) for name in names},
        "score": {name: round(fmean(route["score"][name] for route in routes), 4) for name in names},
    }
