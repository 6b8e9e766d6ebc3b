"""`reparto replay`: recorded pings sent through the door again, held against the truth, or drawn."""

import argparse
import asyncio
from pathlib import Path

from reparto.client.client import add_target
from reparto.client.recordings import read_recording
from reparto.client.tally import Tally
from reparto.command import CannotRun, Subparsers, out
from reparto.data.replay import ending_now, joined, replay, speed_of
from reparto.evaluate.accuracy import command as accuracy
from reparto.evaluate.explain.command import add_arguments, explain


def add_parser(subparsers: Subparsers) -> None:
    """Declare `reparto replay`."""
    parser = subparsers.add_parser(
        "replay",
        help="send recorded pings (CSV, GPX) through the door",
        description="Send recorded pings through POST /v1/pings in the order of their rows. The recording is moved in"
        " time so that it ends when the replay does: pings older than REPARTO_OLDEST_PING_DAYS are refused.",
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help=".csv or .gpx, gzipped or not")
    parser.add_argument("--speed", type=speed_of, default=60.0, help="1 to 1000 times as fast, or max (default: 60)")
    parser.add_argument("--keep-times", action="store_true", help="send the times as they were recorded")
    sender = parser.add_mutually_exclusive_group()
    sender.add_argument("--device-token", help="send all files as this device (default: one new device a driver)")
    sender.add_argument("--driver", help="external id of the driver of all files (default: each file's name)")
    add_target(parser)
    add_arguments(parser)
    accuracy.add_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Replay what the arguments name, or draw it."""
    if args.explain:
        return explain(args)
    if args.score:
        return accuracy.score(args)
    _check_sends(args)
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


def _check_sends(args: argparse.Namespace) -> None:
    """Make sure that arguments that belong to another use of the command are not lost in silence.

    Raises:
        CannotRun: with the reason.
    """
    if args.since or args.until or args.report:
        raise CannotRun("--from, --to and --report go with --score")
    if args.route or args.out:
        raise CannotRun("--route and --out go with --explain")
    if not args.files:
        raise CannotRun("name a recording to send, .csv or .gpx")
