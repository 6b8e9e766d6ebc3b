"""How good ETAs are in a town whose buses were seen for days: it learns on all days but the last, and foretells that.

    python tests/bench/eta_other_town.py DAYS

DAYS is a folder of vehicle positions and their timetable, as those of Capital Metro of Austin, Texas:
`DATE.pings.csv.gz` (vehicle, time, speed_mph, route, trip, lat, lon), `schedule.csv.gz` (trip, arrival, stop) and
`stops.csv.gz` (stop, lat, lon). The line through a trip's stops is its path. Every trip with FEWEST fixes is a tour,
asked every five minutes about every stop ahead; what came true is what its fixes say, interpolated.
"""

import csv
import gzip
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from geo.shape.lines import along_m
from reparto.evaluate.accuracy.command import table
from reparto.evaluate.accuracy.compare import compare, lines_of
from reparto.evaluate.accuracy.tours import tours_of_cases

FEWEST = 8
"""Trips with fewer fixes are left out."""

MPS_PER_MPH = 0.44704


@dataclass
class Trip:
    """A trip of one day: (seconds after midnight, stop), and its fixes."""

    stops: list[tuple[int, str]]
    midnight: datetime
    fixes: list[tuple[float, str, str, float]] = field(default_factory=list)


def main() -> None:
    """Write the trips as cases, foretell them, and show the last day's figures."""
    folder = Path(sys.argv[1])
    places = {row["stop"]: (float(row["lon"]), float(row["lat"])) for row in rows(folder / "stops.csv.gz")}
    trips = read_trips(folder)
    last = max(trip.midnight for trip in trips.values())
    with tempfile.TemporaryDirectory() as made:
        for name, trip in trips.items():
            write_case(Path(made), name, trip, places)
        told = compare(tours_of_cases([Path(made)]))
    of_last = {name: one.part(one.asked_ms >= last.timestamp() * 1000) for name, one in told.items()}
    for line in table(list(lines_of(of_last))):
        print(line)


def rows(path: Path) -> Iterator[dict[str, str]]:
    """Read a gzipped CSV."""
    with gzip.open(path, "rt", newline="") as file:
        yield from csv.DictReader(file)


def read_trips(folder: Path) -> dict[str, Trip]:
    """Read the trips of all days, by a name that sorts them by day."""
    stops: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for row in rows(folder / "schedule.csv.gz"):
        hours, minutes, seconds = map(int, row["arrival"].split(":"))  # 24 and more: after midnight
        stops[row["trip"]].append((3600 * hours + 60 * minutes + seconds, row["stop"]))
    fixes: defaultdict[tuple[str, str, datetime], list[tuple[float, str, str, float]]] = defaultdict(list)
    for path in sorted(folder.glob("*.pings.csv.gz")):
        for row in rows(path):
            at = datetime.fromisoformat(row["time"])
            midnight = at.replace(hour=0, minute=0, second=0)
            if row["trip"] not in stops:
                continue
            begins_s = min(stops[row["trip"]])[0]
            if (at - midnight).total_seconds() < begins_s - 43_200:
                midnight -= timedelta(days=1)
            key = row["trip"], row["vehicle"], midnight
            fixes[key].append((at.timestamp(), row["lat"], row["lon"], float(row["speed_mph"]) * MPS_PER_MPH))
    trips = {}
    for (trip, vehicle, midnight), found in fixes.items():
        if len(found) >= FEWEST:
            trips[f"{midnight:%Y%m%d}-{trip}-{vehicle}"] = Trip(sorted(stops[trip]), midnight, sorted(found))
    return trips


def write_case(folder: Path, name: str, trip: Trip, places: dict[str, tuple[float, float]]) -> None:
    """Write a trip as `reparto replay --score` reads it."""
    path = [places[stop] for _, stop in trip.stops]
    at_m = along_m(*np.array(path).T).tolist()
    midnight_s = trip.midnight.timestamp()
    stops = [
        {"id": f"{seq}", "seq": seq, "lon": lon, "lat": lat, "s": s, "planned_arrival": midnight_s + due_s}
        for seq, ((due_s, _), (lon, lat), s) in enumerate(zip(trip.stops, path, at_m, strict=True))
    ]
    (folder / f"{name}.route.json.gz").write_bytes(
        gzip.compress(json.dumps({"route": path, "s": at_m, "stops": stops}).encode())
    )
    with gzip.open(folder / f"{name}.pings.csv.gz", "wt", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(("t", "lat", "lon", "speed"))
        lines.writerows(trip.fixes)


if __name__ == "__main__":
    main()
