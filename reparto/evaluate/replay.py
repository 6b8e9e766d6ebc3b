"""`reparto replay`: recorded pings sent through the door again, held against the truth, or drawn.

Three uses under one name: each declares its options and is run by itself; here one of them is chosen, and an option
of another one is refused.
"""

import argparse
import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from reparto.client.client import add_target
from reparto.client.recordings import read_recording
from reparto.client.tally import Tally
from reparto.command import CannotRun, Subparsers, out
from reparto.data.replay import ending_now, joined, replay, speed_of
from reparto.evaluate.accuracy import command as accuracy
from reparto.evaluate.explain import command as explain


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One of the things that replaying is good for.

    Attributes:
        name: as a sentence has it.
        flag: where the arguments say whether it is asked for; None: it is what is done without any.
        options: only it takes them.
        run: does it; gives the exit code.
    """

    name: str
    flag: str | None
    options: Sequence[argparse.Action]
    run: Callable[[argparse.Namespace], int]


def add_parser(subparsers: Subparsers) -> None:
    """Declare `reparto replay`."""
    parser = subparsers.add_parser(
        "replay",
        help="send recorded pings (CSV, GPX) through the door",
        description="Send recorded pings through POST /v1/pings in the order of their rows. The recording is moved in"
        " time so that it ends when the replay does: pings older than REPARTO_OLDEST_PING_DAYS are refused.",
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help=".csv or .gpx, gzipped or not")
    uses = (
        Use(name="--explain", flag="explain", options=explain.add_arguments(parser), run=explain.explain),
        Use(name="--score", flag="score", options=accuracy.add_arguments(parser), run=accuracy.score),
        Use(name="sending", flag=None, options=_add_arguments(parser), run=_send),
    )
    add_target(parser)
    parser.set_defaults(run=partial(run, uses))


def run(uses: Sequence[Use], args: argparse.Namespace) -> int:
    """Do what the arguments ask for.

    Raises:
        CannotRun: they ask for two uses, name an option that another use takes, or it cannot be done.
    """
    asked = [use for use in uses if use.flag is None or getattr(args, use.flag)]
    if len(asked) > 2:
        raise CannotRun(f"{asked[0].name} and {asked[1].name} are two things to do: choose one")
    for use in uses:
        if use is not asked[0] and any(getattr(args, one.dest) != one.default for one in use.options):
            raise CannotRun(f"{_listed([one.option_strings[0] for one in use.options])} go with {use.name}")
    return asked[0].run(args)


def _add_arguments(parser: argparse.ArgumentParser) -> Sequence[argparse.Action]:
    """Declare what only sending takes; `--driver` is also whose ETAs are scored."""
    sender = parser.add_mutually_exclusive_group()
    sender.add_argument("--driver", help="external id of the driver of all files (default: each file's name)")
    return (
        parser.add_argument("--speed", type=speed_of, default=60.0, help="1 to 1000 times as fast, or max (60)"),
        parser.add_argument("--keep-times", action="store_true", help="send the times as they were recorded"),
        sender.add_argument("--device-token", help="send all files as this device (default: one new device a driver)"),
    )


def _send(args: argparse.Namespace) -> int:
    if not args.files:
        raise CannotRun("name a recording to send, .csv or .gpx")
    recordings = [read_recording(path) for path in args.files]
    if args.device_token or args.driver:
        recordings = [joined(args.driver or "device", recordings)]
    if not args.keep_times:
        recordings = [ending_now(recording, args.speed) for recording in recordings]
    tally = Tally()
    asyncio.run(replay(args, recordings, tally))
    for line in tally.lines():
        out.print(line)
    return 0


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
