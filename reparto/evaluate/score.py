"""`reparto score`: what live tracking says of recorded tours, in files that a scorer can hold against the truth."""

import argparse
import asyncio
import csv
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import numpy as np

from geo.pings import UNKNOWN_MS, Bools, Floats, Pings
from geo.plan.facts import FactType
from geo.plan.plans import Plan, Timeline
from geo.plan.prepare import Head, PathColumns, StopColumns, prepare_plan
from geo.shape import plane
from geo.shape.lines import along_m, check_path, drive_s, place_stops
from reparto.client.client import target_key
from reparto.client.recordings import Case, case_files, read_case
from reparto.command import CannotRun, Subparsers, err, out
from reparto.evaluate.answers import backtest, live
from reparto.evaluate.front_door import NEW, ProductSaid, open_door, say

_FIELDS = ("accuracy_m", "speed_mps", "heading_deg", "altitude_m", "battery")

_SHOWN: dict[str, tuple[str, float, str]] = {
    "gross_rate": ("gross %", 100, ".2f"),
    "wrong_leg_rate_ambiguous": ("wrong pass %", 100, ".2f"),
    "along_median_m": ("median m", 1, ".1f"),
    "along_p95_m": ("p95 m", 1, ".0f"),
    "dwell_p95_m": ("standing p95 m", 1, ".0f"),
    "off_recall": ("off recall", 1, ".2f"),
    "off_delay_median_s": ("off delay s", 1, ".0f"),
    "off_false_alarms_per_h": ("false alarms /h", 1, ".2f"),
}
"""Of the scorer's figures those worth a column: heading, factor, format."""

_ETA_SHOWN = {
    "mae_min": "MAE", "median_ae_min": "median", "p90_ae_min": "P90", "bias_min": "bias", "coverage": "coverage",
    "width_min": "width", "interval_score_min": "interval score",
}  # fmt: skip
"""The scorer's figures of ETAs, and their headings."""

_Figures: TypeAlias = dict[str, dict[str, Any]]
"""The scorer's figures, by group of cases or of leads."""


def add_parser(subparsers: Subparsers) -> None:
    """Declare `reparto score`."""
    parser = subparsers.add_parser(
        "score",
        help="answer recorded tours as live tracking would, for a scorer",
        description="Fold the pings of recorded tours (NAME.route.json.gz, NAME.pings.csv.gz) in the order of their"
        " arrival, in this process and without a database, and write what was known at each: NAME.csv (i,s,off),"
        " NAME.events.json, and every five minutes NAME.eta.csv (t,stop,eta,lo,hi), with what was learned from the"
        " folder's visits and drives that were over by then. With --through a running product answers instead, and what"
        " it ends with is written. With"
        " --scorer the scorer is run on the answers and its figures are shown.",
    )
    parser.add_argument("cases", nargs="+", type=Path, metavar="CASES", help="folders of cases, or .route.json[.gz]")
    parser.add_argument("--out", required=True, type=Path, metavar="PRED", help="folder to write to, one a folder read")
    parser.add_argument(
        "--through",
        metavar="URL",
        help="send the pings by HTTP to the product that listens there, and read back what it made of them;"
        f" `{NEW}` starts one and throws it away",
    )
    parser.add_argument("--key", help="an API key for --through (default: the admin key in REPARTO_DATA_DIR)")
    parser.add_argument("--scorer", type=Path, metavar="FILE", help="score_snap.py, which comes with the cases")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Answer the cases that the arguments name."""
    if args.scorer is not None and not args.scorer.is_file():
        raise CannotRun(f"there is no scorer at {args.scorer}: get the recordings, it comes with them")
    figures: _Figures = {}
    etas: _Figures = {}
    with _answerer(args) as answer_cases:
        for place in _present(args.cases):
            cases = [case for case in map(read_case, case_files([place])) if case.recording is not None]
            folder = args.out / place.name.split(".")[0] if len(args.cases) > 1 else args.out
            answer_cases(cases, folder)
            out.print(f"{place.name}: {len(cases)} tours answered in {folder}")
            if args.scorer is not None:
                figures |= _named(place, _score(args.scorer, "snap", place, folder, "--by", "rate"))
                if args.through is None:
                    etas |= _named(place, _scored_etas(args.scorer, place, folder))
    for line in (*_table(figures), *_eta_table(etas)):
        out.print(line, markup=False)
    return 0


def _present(places: Sequence[Path]) -> list[Path]:
    """Leave out places that are not there, and say so."""
    present = [place for place in places if place.exists()]
    for place in places:
        if place not in present:
            err.print(f"{place} is not there and is left out", markup=False)
    if not present:
        raise CannotRun("there are no recorded tours to answer")
    return present


def _named(place: Path, figures: _Figures) -> _Figures:
    return {f"{place.name} {group}": row for group, row in figures.items()}


def _scored_etas(scorer: Path, cases: Path, answers: Path) -> _Figures:
    """Give the scorer's figures of ETAs, of the leads that have any."""
    figures = _score(scorer, "eta", cases, answers)
    return {group: row for group, row in figures.items() if group != "answered" and row["n"]}


@contextmanager
def _answerer(args: argparse.Namespace) -> Iterator[Callable[[Sequence[Case], Path], None]]:
    """Choose who answers: this process, or a product through its front door."""
    if args.through is None:
        yield write_answers
        return
    key = "" if args.through == NEW else target_key(args)
    with open_door(args.through, key) as door:
        yield lambda cases, folder: write_answers_of_product(cases, asyncio.run(say(door, cases)), folder)


def write_answers_of_product(cases: Sequence[Case], told: Sequence[ProductSaid], folder: Path) -> None:
    """Write what a product said of cases once everything was settled."""
    for case, said in zip(cases, told, strict=True):
        _write(folder, case, said.along_m, said.off, said.visits)


def write_answers(cases: Sequence[Case], folder: Path) -> None:
    """Track cases, each with a driver of its own, and write what was known of each ping when it arrived."""
    timelines = [Timeline(driver_id=row, plans=(plan_of(case, row),)) for row, case in enumerate(cases, 1)]
    pings = [pings_of(case, row) for row, case in enumerate(cases, 1)]
    together = Pings.concat(pings)
    answers = live.answer(together, timelines)
    begin = 0
    for row, case in enumerate(cases):
        end = begin + len(pings[row])
        visits = [
            (
                case.stops[int(visit["stop_id"]) - 1].name,
                "arrive" if visit["type"] == FactType.STOP_ARRIVED else "depart",
                int(visit["occurred_ms"]),
            )
            for visit in answers.visits[answers.visits["track"] == row]
        ]
        _write(folder, case, answers.along_m[begin:end], answers.off[begin:end], visits)
        begin = end
    write_etas(cases, backtest.replay(together, timelines), folder)


def write_etas(cases: Sequence[Case], answers: Iterable[backtest.EtaAnswer], folder: Path) -> None:
    """Write what was said of stops ahead."""
    lines: list[list[tuple[object, ...]]] = [[("t", "stop", "eta", "lo", "hi")] for _ in cases]
    for answer in answers:
        stops = cases[answer.tour].stops
        times = (column.tolist() for column in (answer.row, answer.expected_ms, answer.low_ms, answer.high_ms))
        for row, *window_ms in zip(*times, strict=True):
            seconds = (f"{at_ms / 1000:.1f}" for at_ms in window_ms)
            lines[answer.tour].append((round(answer.at_ms / 1000), stops[row].name, *seconds))
    for case, rows in zip(cases, lines, strict=True):
        with (folder / f"{case.name}.eta.csv").open("w", newline="") as file:
            csv.writer(file).writerows(rows)


def _write(folder: Path, case: Case, said_m: Floats, off: Bools, visits: Sequence[tuple[str, str, int]]) -> None:
    """Write the answers about one case as the scorer reads them.

    Args:
        said_m, off: (n,) for each row of the recording: metres along the path, NaN: not known; off the route.
        visits: stop, "arrive" or "depart", and when, epoch milliseconds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    along = np.interp(said_m, along_m(*np.array(case.path).T), case.path_along_m)  # in the measure of the case
    with (folder / f"{case.name}.csv").open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(("i", "s", "off"))
        for i, (at_m, is_off) in enumerate(zip(along.tolist(), off.tolist(), strict=True)):
            lines.writerow((i, "" if np.isnan(at_m) else f"{at_m:.1f}", int(is_off)))
    events = [{"stop": stop, "kind": kind, "t": at_ms / 1000} for stop, kind, at_ms in visits]
    (folder / f"{case.name}.events.json").write_bytes(msgspec.json.encode(events))


def plan_of(case: Case, driver_id: int) -> Plan:
    """Make the plan of a case as the product does of a route: the stops are placed along the path anew.

    Its stops have the numbers 1, 2, …; its hours are those of the plan and of the recording.
    """
    lon, lat = check_path(*np.array(case.path).T, max_vertices=len(case.path))
    along = along_m(lon, lat)
    stop_lon, stop_lat = np.array([(stop.lon, stop.lat) for stop in case.stops]).reshape(-1, 2).T
    planned_ms = np.array([stop.planned_ms for stop in case.stops], np.int64)
    service_s = np.array([stop.service_s for stop in case.stops])
    start_ms, end_ms = case.hours_ms()
    return prepare_plan(
        Head(
            route_id=driver_id,
            version=1,
            order=(start_ms, case.name),
            effective_ms=UNKNOWN_MS,
            driver_id=driver_id,
            start_ms=start_ms,
            end_ms=end_ms,
            return_to_depot=case.returns,
        ),
        PathColumns(lon, lat, along),
        StopColumns(
            ids=np.arange(len(case.stops)) + 1,
            lon=stop_lon,
            lat=stop_lat,
            along_m=place_stops(lon, lat, along, stop_lon, stop_lat, drive_s(planned_ms, service_s)),
            radius_m=np.array([stop.radius_m for stop in case.stops]),
            service_s=service_s,
            planned_ms=planned_ms,
        ),
    )


def pings_of(case: Case, driver_id: int) -> Pings:
    """Read a case's recording into columns, in the order of arrival."""
    assert case.recording is not None
    sent = case.recording.pings
    pings = Pings.empty(len(sent))
    rows = pings.rows
    rows["driver_id"] = rows["device_id"] = driver_id
    rows["recorded_ms"] = rows["received_ms"] = [ping.time for ping in sent]
    rows["lon_e6"] = np.rint(np.array([ping.lon for ping in sent]) * 1e6)
    rows["lat_e6"] = np.rint(np.array([ping.lat for ping in sent]) * 1e6)
    for name in _FIELDS:
        rows[name] = np.array([getattr(ping, name) for ping in sent], np.float64)
    rows["heading_deg"] = plane.wrap_deg(rows["heading_deg"]) % 360
    return pings


def _score(scorer: Path, mode: str, cases: Path, answers: Path, *more: str) -> _Figures:
    """Run the scorer; give its figures by group of cases, or of leads."""
    done = subprocess.run(  # noqa: S603 (the person at the keyboard names the file)
        [sys.executable, str(scorer), mode, str(cases), str(answers), *more],
        capture_output=True,
        check=False,
        text=True,
    )
    if done.returncode:
        raise CannotRun(f"{scorer.name} could not score {cases}: {done.stderr.strip()}")
    figures: _Figures = msgspec.json.decode(_strict(done.stdout))
    return figures


def _strict(text: str) -> str:
    """Make JSON of what Python writes: it has no NaN."""
    return text.replace("NaN", "null")


def _table(figures: _Figures) -> Iterator[str]:
    """Write figures in columns; nothing without any."""
    if not figures:
        return
    rows = [["", *(heading for heading, _, _ in _SHOWN.values()), "arrive P/R", "depart P/R"]]
    for name, row in figures.items():
        cells = [
            "–" if row[key] is None else format(factor * row[key], how) for key, (_, factor, how) in _SHOWN.items()
        ]
        for kind in ("arrive", "depart"):
            found = row[kind]
            known = found["true"] and found["precision"] is not None
            cells.append(f"{found['precision']:.3f}/{found['recall']:.3f}" if known else "–")
        rows.append([name, *cells])
    yield from _columns(rows)


def _eta_table(figures: _Figures) -> Iterator[str]:
    """Write figures of ETAs in columns, below the others; nothing without any: a product that was asked afterwards
    gave none.
    """
    if not figures:
        return
    yield ""
    rows = [["ETAs, minutes", *_ETA_SHOWN.values()]]
    for name, row in figures.items():
        rows.append([name, *("–" if row[key] is None else f"{row[key]:.2f}" for key in _ETA_SHOWN)])
    yield from _columns(rows)


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *rest in rows:
        yield "  ".join((first.ljust(widths[0]), *map(str.rjust, rest, widths[1:])))
