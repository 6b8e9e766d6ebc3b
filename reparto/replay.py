"""`reparto replay`: recorded pings sent through the door again, as fast as wanted."""

import argparse
import asyncio
import math
import random
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path

import aiohttp
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from reparto.accuracy import command as accuracy
from reparto.client import ANSWER_TIMEOUT_S, Client, Phone, add_target, open_client, target_url, together
from reparto.command import CannotRun, Subparsers, err, out
from reparto.explain.command import add_arguments, explain
from reparto.recordings import Recording, read_recording
from reparto.tally import Tally

AT_ONCE = math.inf
"""The speed at which nothing is waited for."""

MAX_BATCH = 500
"""Pings in one request at most; fewer when they are not due yet."""

_FASTEST = 1_000.0


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
    if args.since or args.until or args.report:
        raise CannotRun("--from, --to and --report go with --score")
    if args.route or args.out:
        raise CannotRun("--route and --out go with --explain")
    if not args.files:
        raise CannotRun("name a recording to send, .csv or .gpx")
    recordings = [read_recording(path) for path in args.files]
    if args.device_token or args.driver:
        recordings = [joined(args.driver or "device", recordings)]
    if not args.keep_times:
        recordings = [ending_now(recording, args.speed) for recording in recordings]
    tally = Tally()
    asyncio.run(_replay(args, recordings, tally))
    for line in tally.lines():
        out.print(line)
    return 0


def speed_of(text: str) -> float:
    """Read a speed.

    Raises:
        ArgumentTypeError: it is not one.
    """
    if text == "max":
        return AT_ONCE
    try:
        speed = float(text)
    except ValueError:
        speed = math.nan
    if not 1 <= speed <= _FASTEST:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {_FASTEST:.0f}, or max")
    return speed


def joined(name: str, recordings: Sequence[Recording]) -> Recording:
    """Make one recording of several, in their order."""
    return Recording(name=name, pings=tuple(ping for recording in recordings for ping in recording.pings))


def ending_now(recording: Recording, speed: float) -> Recording:
    """Move a recording in time so that its last ping is recorded at the moment the replay sends it."""
    takes_ms = (recording.last_ms - recording.first_ms) / speed
    return recording.shifted(round(time.time() * 1000 + takes_ms) - recording.last_ms)


async def send_recording(phone: Phone, recording: Recording, speed: float, told: Callable[[int], None]) -> None:
    """Send pings in the order of their rows, each not before its time has come, however late it is among the others.

    Args:
        speed: recorded seconds a second.
        told: is called after every acknowledged batch with its number of pings.
    """
    due_ms = list(accumulate((ping.time for ping in recording.pings), max))
    began_s, sent = time.monotonic(), 0
    while sent < len(due_ms):
        if speed == AT_ONCE:
            until = len(due_ms)
        else:
            reached_ms = due_ms[0] + (time.monotonic() - began_s) * speed * 1000
            until = bisect_right(due_ms, reached_ms, lo=sent)
            if until == sent:
                await asyncio.sleep((due_ms[sent] - reached_ms) / speed / 1000)
                continue
        batch = recording.pings[sent : min(until, sent + MAX_BATCH)]
        await phone.send(batch)
        sent += len(batch)
        told(len(batch))


async def new_phone(client: Client, driver: str, tally: Tally) -> tuple[str, Phone]:
    """Make a device for a driver, who is made if missing; give the driver's id and the phone."""
    driver_id = await client.driver(driver, driver)
    _, token = await client.device(driver_id, "replay")
    return driver_id, Phone(client.session, client.url, token, tally, random.Random(driver))


def progress_bar() -> Progress:
    """Make the display of pings sent."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=err
    )


async def _replay(args: argparse.Namespace, recordings: Sequence[Recording], tally: Tally) -> None:
    if args.device_token:
        timeout = aiohttp.ClientTimeout(total=ANSWER_TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            phone = Phone(session, target_url(args), args.device_token, tally, random.Random(0))
            await _send([phone], recordings, args.speed)
        return
    async with open_client(args) as client:
        phones = [(await new_phone(client, recording.name, tally))[1] for recording in recordings]
        await _send(phones, recordings, args.speed)


async def _send(phones: Sequence[Phone], recordings: Sequence[Recording], speed: float) -> None:
    with progress_bar() as progress:
        bar = progress.add_task("pings", total=sum(len(recording.pings) for recording in recordings))
        await together(
            send_recording(phone, recording, speed, lambda sent: progress.advance(bar, sent))
            for phone, recording in zip(phones, recordings, strict=True)
        )
