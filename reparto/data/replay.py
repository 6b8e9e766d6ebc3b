"""Recorded pings sent through the door again, as fast as wanted."""

import argparse
import asyncio
import math
import random
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate

import aiohttp
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from reparto.client.client import (
    ANSWER_TIMEOUT_S,
    MAX_BATCH,
    Client,
    Phone,
    open_client,
    target_url,
    together,
)
from reparto.client.recordings import Recording
from reparto.client.tally import Tally
from reparto.command import err

AT_ONCE = math.inf
"""The speed at which nothing is waited for."""

_FASTEST = 1_000.0


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


async def replay(args: argparse.Namespace, recordings: Sequence[Recording], tally: Tally) -> None:
    """Send every recording as its phone would: as the device of `--device-token`, else as a new one each."""
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
