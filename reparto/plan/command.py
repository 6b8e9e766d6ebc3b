"""`reparto plan solve` and `reparto plan backtest`: what the planner makes of a file, as one JSON object."""

import argparse
import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from reparto.command import CannotRun, Subparsers, out
from reparto.plan import backtest
from reparto.plan.drawing import draw
from reparto.plan.file import read
from reparto.plan.instance import one_van
from work.planning.process import PlannerProcess, plan
from work.planning.protocol import PlannerFailed


def add_parser(subparsers: Subparsers) -> None:
    """Declare `plan` and what it can do."""
    parser = subparsers.add_parser("plan", help="the planner without a server: solve a file, try learned habits")
    kinds = parser.add_subparsers(metavar="what", required=True)
    solve = kinds.add_parser("solve", help="find tours for a file of VRPLIB or LoggiBUD, packed or not")
    solve.add_argument("file", type=Path)
    solve.add_argument("--limit-s", type=_seconds, default=30.0, metavar="S", help="of clock time; 30")
    solve.add_argument("--seed", type=int, default=1, metavar="N", help="1")
    words = "only the N customers nearest to the first, for one van and nothing but distances"
    solve.add_argument("--one-van", type=int, metavar="N", help=words)
    solve.add_argument("--draw", type=Path, metavar="FILE.svg", help="draw the tours, for a browser")
    solve.set_defaults(run=_solve)
    tours = kinds.add_parser("backtest", help="learn drivers' habits from past tours, and hold them against the rest")
    tours.add_argument("file", type=Path, metavar="TOURS", help="CSV: route, stop, lat, lon in the order driven")
    tours.add_argument("--limit-s", type=_seconds, default=5.0, metavar="S", help="at most, for each tour; 5")
    tours.add_argument("--seed", type=int, default=1, metavar="N", help="1")
    tours.set_defaults(run=_backtest)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0.05 <= seconds <= 86_400:
        raise argparse.ArgumentTypeError("must be between 0.05 and 86400 seconds")
    return seconds


def _solve(args: argparse.Namespace) -> int:
    began_s = time.monotonic()
    instance = read(args.file)
    if args.draw is not None and instance.places is None:
        raise CannotRun(f"{args.file} has distances but no places, so its tours cannot be drawn.")
    if args.one_van is not None:
        instance = one_van(instance, args.one_van)
    answer, judged = _asked(lambda planner: plan(instance.problem, planner, limit_s=args.limit_s, seed=args.seed))
    if args.draw is not None:
        _write(args.draw, draw(instance, judged))
    drives = {
        "km": round(sum(timed.distance_m for timed in judged.timed) / 1000, 2),
        "minutes": round(sum(timed.end_s - timed.start_s for timed in judged.timed) / 60, 1),
    }
    told = {
        "cost": instance.cost(judged),
        **(drives if instance.in_metres else {}),
        "seconds": round(time.monotonic() - began_s, 2),
        "feasible": judged.holds,
        "tours": [[instance.nodes[visit.job] for visit in timed.visits] for timed in judged.timed],
        "distances": instance.counts,
        "rounds": answer.rounds,
        "wrong": [msgspec.to_builtins(wrong) for wrong in judged.wrong[:100]],
    }
    out.print(msgspec.json.encode(told).decode(), markup=False)
    return 0 if judged.holds else 1


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CannotRun(f"{path} cannot be written: {error}") from error


def _backtest(args: argparse.Namespace) -> int:
    tours = backtest.read(args.file)
    told = _asked(lambda planner: backtest.run(tours, planner, limit_s=args.limit_s, seed=args.seed))
    out.print(msgspec.json.encode(told).decode(), markup=False)
    return 0


def _asked(ask: Callable[[PlannerProcess], Any]) -> Any:
    async def answered() -> Any:
        async with PlannerProcess.started() as planner:
            return await ask(planner)

    try:
        return asyncio.run(answered())
    except PlannerFailed as error:
        raise CannotRun(f"The planner failed: {error}") from error
