"""Move each weight of snapping by a fifth, down and up, and print what becomes of the score on recorded tours.

    python tests/bench/snap_weights.py ../shared/data/route-snap-cases [--least-s 5] [NAME ...]

It answers every ping of the tours from those before it, as `make score` does, once for each change. A line is a weight,
with what it gives lower / higher; the first line is what is in force. Tours with a fix a second are left out unless
--least-s says 1: they take most of the time and move least. Five minutes.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

from geo.pings import Pings
from geo.plan.facts import FactType
from geo.plan.plans import Timeline
from geo.snap import numbers
from geo.step.library import KNOWN, library, tell_numbers
from reparto.client.recordings import case_files, read_case
from reparto.evaluate import score
from reparto.evaluate.answers import live

WEIGHTS = [name for name, value in vars(numbers).items() if name.isupper() and isinstance(value, float)]


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", type=Path)
    parser.add_argument("names", nargs="*", choices=[[], *WEIGHTS], metavar="NAME")
    parser.add_argument("--least-s", type=float, default=5.0, help="tours with fixes at least so far apart")
    args = parser.parse_args()
    found = [case for case in map(read_case, case_files([args.cases])) if case.recording is not None]
    tours = [case for case in found if every_s(case) >= args.least_s]
    with tempfile.TemporaryDirectory() as folder:
        for case in tours:  # the scorer wants an answer to every case of a folder
            for file in args.cases.glob(f"{case.name}.*"):
                (Path(folder) / file.name).symlink_to(file.resolve())
        table(Path(folder), args, tours)


def table(cases, args, tours):
    """Print what is in force, then each change."""
    scorer = args.cases / "score_snap.py"
    timelines = [Timeline(driver_id=row, plans=(score.plan_of(case, row),)) for row, case in enumerate(tours, 1)]
    pings = [score.pings_of(case, row) for row, case in enumerate(tours, 1)]
    print("| weight | gross % | wrong pass % | p95 m | off recall | false alarms /h | arrivals, precision | recall |")
    print("|---|---|---|---|---|---|---|---|")
    show("as it is", [scored(scorer, cases, tours, timelines, pings)])
    for name in args.names or WEIGHTS:
        value = getattr(numbers, name)
        found = []
        for factor in (0.8, 1.2):
            put(name, factor * value)
            found.append(scored(scorer, cases, tours, timelines, pings))
        put(name, value)
        show(f"`{name}` {round(value, 3):,g}", found)


def every_s(case):
    """Tell how far apart the fixes of a tour mostly are."""
    return float(np.median(np.diff([ping.time for ping in case.recording.pings]))) / 1000


def put(name, value):
    """Set a number wherever the fold has taken it."""
    for module in [module for at, module in sys.modules.items() if at.startswith("geo.")]:
        if hasattr(module, name):
            setattr(module, name, value)
    if (found := library()) is not None:
        tell_numbers(found, KNOWN | {name: value})


def scored(scorer, cases, tours, timelines, pings):
    """Answer the tours and give the scorer's figures of all."""
    told = live.answer(Pings.concat(pings), timelines)
    ends = np.cumsum([len(some) for some in pings])
    with tempfile.TemporaryDirectory() as folder:
        for row, (case, end) in enumerate(zip(tours, ends, strict=True)):
            mine = slice(end - len(pings[row]), end)
            visits = [
                (
                    case.stops[int(visit["stop_id"]) - 1].name,
                    "arrive" if visit["type"] == FactType.STOP_ARRIVED else "depart",
                    int(visit["occurred_ms"]),
                )
                for visit in told.visits[told.visits["track"] == row]
            ]
            score._write(Path(folder), case, told.along_m[mine], told.off[mine], visits)
        return score._score(scorer, "snap", cases, Path(folder))["all"]


def show(name, found):
    """Print one line: what each change gives, down and up."""
    cells = [
        f"{100 * one['gross_rate']:.2f} {100 * one['wrong_leg_rate_ambiguous']:.2f} {one['along_p95_m']:.1f}"
        f" {one['off_recall']:.2f} {one['off_false_alarms_per_h']:.2f}"
        f" {one['arrive']['precision']:.3f} {one['arrive']['recall']:.3f}"
        for one in found
    ]
    print(f"| {name} | " + " | ".join(map(" / ".join, zip(*map(str.split, cells), strict=True))) + " |", flush=True)


if __name__ == "__main__":
    main()
