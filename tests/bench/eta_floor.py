"""How good ETAs of the recorded tours can be: an oracle that knows how drives and services vary, but not the draws.

    python tests/bench/eta_floor.py CASES

From the true events of all tours it takes: how long a drive takes by what was planned and how far it is (least squares
over all legs without a detour), how long a service takes, and how much driving one must see of a tour to know its pace
(the one that gives the least error). Asked every five minutes it knows where the van truly is, which leg it is on and
what happened so far, and nothing of what will happen: detours, stops left out, the next services. A second line
knows each tour's own mean drive and service too, which nobody can before its end.
"""

import gzip
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

EVERY_S = 300.0


@dataclass
class Tour:
    """A tour's plan and true events; NaN where a stop was not served."""

    planned_s: np.ndarray
    length_m: np.ndarray
    arrive: np.ndarray
    depart: np.ndarray
    detour: np.ndarray

    @property
    def took_s(self) -> np.ndarray:
        return np.append(np.nan, self.arrive[1:] - self.depart[:-1])


def read(path: Path) -> Tour:
    """Read NAME.route.json.gz and its NAME.events.json.gz."""
    stops = json.loads(gzip.decompress(path.read_bytes()))["stops"]
    events = json.loads(gzip.decompress(path.with_name(path.name.replace("route", "events")).read_bytes()))
    due, service_s, along_m = (
        np.array([stop[n] for stop in stops]) for n in ("planned_arrival", "planned_service", "s")
    )
    times = np.full((2, len(stops)), np.nan)
    row_of = {stop["id"]: row for row, stop in enumerate(stops)}
    for event in reversed(events["arrivals"]):  # the first visit counts
        times[:, row_of[event["stop"]]] = event["arrive"], event["depart"]
    arrive, depart = times
    detour = np.zeros(len(stops), bool)
    for one in events["deviations"]:
        detour[1:] |= (one["start"] < arrive[1:]) & (one["end"] > depart[:-1])
    planned_s = np.maximum(np.diff(due, prepend=due[0]) - np.append(0.0, service_s[:-1]), 0.0)
    return Tour(planned_s, np.diff(along_m, prepend=along_m[0]), arrive, depart, detour)


def errors_s(tour: Tour, drive_s: np.ndarray, service_s: float, pace_s: float) -> list[float]:
    """Ask a tour every EVERY_S of every stop ahead."""
    found: list[float] = []
    took_s = tour.took_s
    for now in np.arange(tour.arrive[0], np.nanmax(tour.depart), EVERY_S):
        here = np.flatnonzero(tour.arrive <= now)[-1]
        done = ~np.isnan(took_s[: here + 1])
        pace = (took_s[: here + 1][done].sum() + pace_s) / (drive_s[: here + 1][done].sum() + pace_s)
        ahead = np.flatnonzero(tour.arrive > now + 30)
        if not len(ahead):
            break
        if now < tour.depart[here]:
            lead_s, part = max(service_s - (now - tour.arrive[here]), 0.5 * service_s), 1.0
        else:
            lead_s, part = 0.0, (tour.arrive[ahead[0]] - now) / (tour.arrive[ahead[0]] - tour.depart[here])
        for row in range(here + 1, len(drive_s)):
            lead_s += pace * drive_s[row] * (part if row == here + 1 else 1.0)
            if tour.arrive[row] > now + 30:
                found.append(now + lead_s - tour.arrive[row])
            lead_s += service_s
    return found


def tell(name: str, found: list[float]) -> None:
    """Print one line."""
    size = np.abs(found) / 60
    print(f"{name}: MAE {size.mean():.2f} min, P90 {np.percentile(size, 90):.2f}, {len(size)} ETAs")


def main() -> None:
    """Read, fit, ask."""
    tours = [read(path) for path in sorted(Path(sys.argv[1]).glob("*.route.json.gz"))]
    planned_s, length_m, took_s, detour = (
        np.concatenate([getattr(tour, name) for tour in tours])
        for name in ("planned_s", "length_m", "took_s", "detour")
    )
    known = ~np.isnan(took_s) & ~detour
    columns = np.column_stack((planned_s, length_m))
    fit = np.linalg.lstsq(columns[known], took_s[known], rcond=None)[0]
    service_s = float(np.nanmean(np.concatenate([tour.depart - tour.arrive for tour in tours])))
    drives = [np.column_stack((tour.planned_s, tour.length_m)) @ fit for tour in tours]

    def ask(pace_s: float) -> list[float]:
        pairs = zip(tours, drives, strict=True)
        return [each for tour, drive_s in pairs for each in errors_s(tour, drive_s, service_s, pace_s)]

    best = min((900, 1800, 3600, 7200, 14_400), key=lambda pace_s: float(np.abs(ask(pace_s)).mean()))
    tell(f"knows how drives and services vary (a tour's pace by {best} s of it)", ask(best))
    known_ahead: list[float] = []
    for tour, drive_s in zip(tours, drives, strict=True):
        seen = ~np.isnan(tour.took_s) & ~tour.detour
        own = tour.took_s[seen].sum() / drive_s[seen].sum()
        known_ahead += errors_s(tour, own * drive_s, float(np.nanmean(tour.depart - tour.arrive)), 1e12)
    tell("knows each tour's own means too", known_ahead)


if __name__ == "__main__":
    main()
