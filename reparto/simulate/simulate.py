"""`reparto simulate`: a fleet that is not there, over real HTTP.

Phones behave like phones: noise, gaps, fixes late and twice, times without network and the backlog after them, batches
that are sent again because the answer was not heard. What a phone has no 2xx for, it keeps. Drivers use their app: they
fetch the manifest, say what they do, and take photos.
"""

import argparse
import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from reparto.client.client import MAX_BATCH, Client, Phone, add_target, target_key, target_url, together
from reparto.client.tally import Tally
from reparto.command import Subparsers, err, out
from reparto.simulate.day import Deed, make_day
from reparto.simulate.driver_app import DriverApp, open_app
from reparto.simulate.fleet import GUADALAJARA, City, Report, enlist, make_trip, names, report, route_of_tour, seeds
from reparto.simulate.van import Fix, SimulatedVan, fix_of
from reparto.simulate.verify import verify

OFFLINE_PER_H = 3.0
GAPS_PER_H = 0.5
HANG_UPS = 0.01
"""Share of the batches whose first try is given up before the answer is heard."""

_STOPS = 30  # of a tour, and more where the simulation is longer than such a tour
_MINUTES_A_STOP = 2.0  # no van makes a stop in less
_SHOWN_EVERY_S = 0.5
_SETTING_UP = 8  # vans at once
_MOST_CONNECTIONS = 400  # below the 1,024 files that a process may have open


def add_parser(subparsers: Subparsers) -> None:
    """Declare `reparto simulate`."""
    parser = subparsers.add_parser(
        "simulate",
        help="drive a made-up fleet over real HTTP",
        description="Make drivers, phones and routes through the API, then drive: every van is about to reach a stop"
        " when the simulation begins. With --speed above 1 its clock starts in the past and ends now.",
    )
    parser.add_argument("--drivers", type=_from(1, 10_000), default=50, metavar="N", help="default: %(default)s")
    parser.add_argument("--minutes", type=_number_from(0.1, 1440), default=5.0, metavar="M", help="of driving (5)")
    parser.add_argument("--speed", type=_number_from(1, 1000), default=1.0, metavar="X", help="times as fast (1)")
    parser.add_argument("--every", type=_number_from(1, 30), default=5.0, metavar="S", help="seconds between fixes (5)")
    parser.add_argument("--batch", type=_from(1, MAX_BATCH), default=1, metavar="N", help="pings in a request (1)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed drives the same (1)")
    parser.add_argument("--verify", action="store_true", help="then compare with what the API gives back")
    add_target(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Simulate; with --verify return 1 when anything differs."""
    options = Options(
        drivers=args.drivers,
        minutes=args.minutes,
        speed=args.speed,
        every_s=args.every,
        batch=args.batch,
        seed=args.seed,
        keep=args.verify,
    )
    return asyncio.run(_run(target_url(args), target_key(args), options))


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to simulate.

    Attributes:
        minutes: of driving, by the vans' clock.
        speed: seconds of the vans' clock a second.
        keep: remember every acknowledged ping (about 200 bytes each).
        name: drivers and routes are called so, with a number behind; no other run's may be.
    """

    drivers: int
    minutes: float
    speed: float = 1.0
    every_s: float = 5.0
    batch: int = 1
    seed: int = 1
    keep: bool = False
    city: City = GUADALAJARA
    name: str = field(default_factory=lambda: f"sim-{time.time():.0f}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The vans' clock: `starts_ms` when it was made, then `speed` times as fast as ours."""

    starts_ms: int
    speed: float
    began_s: float = field(default_factory=time.monotonic)

    def now_ms(self) -> float:
        """Tell the vans' time, epoch milliseconds."""
        return self.starts_ms + (time.monotonic() - self.began_s) * self.speed * 1000

    async def until(self, ms: float) -> None:
        """Wait for a time."""
        await asyncio.sleep(max(0.0, ms - self.now_ms()) / self.speed / 1000)


def make_vans(options: Options) -> list[SimulatedVan]:
    """Make the fleet: every van's trip from shortly before it reaches a stop on, and what its phone will tell of it."""
    vans = []
    length_ms = round(options.minutes * 60_000)
    stops = min(_STOPS + round(options.minutes / _MINUTES_A_STOP), 500)
    for number, seed in enumerate(seeds(options.seed, options.drivers)):
        trip = make_trip(seed, city=options.city, stops=stops, every_s=options.every_s)
        chance = random.Random(seed)
        stop = chance.randrange(_STOPS // 2)
        begins_ms = max(0, int(trip.truth.arrived_ms[stop]) - chance.randrange(10_000, 60_000))
        told = report(
            trip,
            seed,
            from_ms=begins_ms,
            to_ms=begins_ms + length_ms,
            offline_per_h=OFFLINE_PER_H,
            gaps_per_h=GAPS_PER_H,
        )
        name = f"{options.name}-{number:04}"
        stays_ms = trip.stays_ms
        deeds = make_day(name, stays_ms, from_ms=begins_ms, to_ms=begins_ms + length_ms)
        vans.append(
            SimulatedVan(name=name, tour=trip.tour, stays_ms=stays_ms, told=told, begins_ms=begins_ms, deeds=deeds)
        )
    return vans


async def drive_fleet(
    client: Client, options: Options, vans: Sequence[SimulatedVan], tally: Tally, *, doors: str | None = None
) -> None:
    """Drive until everything that the phones tell is acknowledged.

    Args:
        doors: where phones send pings to, if not where the API is.

    Raises:
        CannotRun: the product refused something for good.
    """
    gate = asyncio.Semaphore(_SETTING_UP)
    tokens: dict[str, str] = {}

    async def set_up(van: SimulatedVan, name: str) -> None:
        async with gate:
            van.driver_id, van.device_id, tokens[van.name] = await enlist(client, van.name, name)

    await together([set_up(van, name) for van, name in zip(vans, names(options.seed), strict=False)])
    ahead_ms = options.minutes * 60_000 * (1 - 1 / options.speed)
    clock = Clock(starts_ms=round(time.time() * 1000 - ahead_ms), speed=options.speed)

    async def plan(van: SimulatedVan) -> None:
        van.leaves_ms = clock.starts_ms - van.begins_ms
        route = route_of_tour(van.tour, van.name, driver=van.name, leaves_ms=van.leaves_ms, city=options.city)
        async with gate:
            answer = await client.put_route(route)
        chance = random.Random(f"{van.name}'s app")
        van.app = open_app(client, tokens[van.name], tally, chance, route=van.name, stops=answer["stops"])

    async def go(van: SimulatedVan) -> None:
        assert van.app is not None
        chance = random.Random(van.name)
        phone = Phone(client.session, doors or client.url, tokens[van.name], tally, chance)
        keep = van.acknowledged.append if options.keep else None
        await together(
            [
                send_report(phone, van.told, van.leaves_ms, clock, batch=options.batch, chance=chance, keep=keep),
                work(van.app, van.deeds, van.told, van.leaves_ms, clock),
            ]
        )

    await together([plan(van) for van in vans])
    await together([go(van) for van in vans])


async def send_report(
    phone: Phone,
    told: Report,
    leaves_ms: int,
    clock: Clock,
    *,
    batch: int,
    chance: random.Random,
    keep: Callable[[Fix], None] | None = None,
) -> None:
    """Send what a phone tells, when it can: `batch` pings at a time, more where more have gathered.

    Args:
        leaves_ms: when the trip began, epoch milliseconds.
        chance: when the phone hangs up.
        keep: is given every fix that is on disk.
    """
    sent = 0
    while sent < len(told):
        wanted = min(sent + batch, len(told))
        await clock.until(leaves_ms + int(told.due_ms[wanted - 1]))
        due = int(np.searchsorted(told.due_ms, clock.now_ms() - leaves_ms, "right"))
        past = min(max(wanted, due), sent + MAX_BATCH)
        pings = told.sent_pings(sent, past, leaves_ms=leaves_ms)
        hangs_up = chance.random() < HANG_UPS
        refused = await phone.send(pings, hang_up_after_s=chance.uniform(0.001, 0.05) if hangs_up else None)
        if keep is not None:
            for index, ping in enumerate(pings):
                if index not in refused:
                    keep(fix_of(ping))
        sent = past


async def work(app: DriverApp, deeds: Sequence[Deed], told: Report, leaves_ms: int, clock: Clock) -> None:
    """Do each thing at its time, and tell of it when the phone has a network.

    Args:
        leaves_ms: when the trip began, epoch milliseconds.
    """
    await app.fetch_manifest()
    steps: list[tuple[int, Deed | None]] = [(deed.at_ms, deed) for deed in deeds]
    steps += [(told.sendable_ms(deed.at_ms), None) for deed in deeds]
    for at_ms, deed in sorted(steps, key=lambda step: step[0]):  # what is done and can be told at once is done first
        await clock.until(leaves_ms + at_ms)
        if deed is None:
            await app.sync()
        else:
            await app.do(deed, leaves_ms + deed.at_ms)


async def _run(url: str, key: str, options: Options) -> int:
    tally = Tally()
    with _display() as progress:
        shown = progress.add_task(f"{options.drivers} vans: making tours", total=None, counts="")
        vans = await asyncio.to_thread(make_vans, options)
        async with Client(url, key, connections=min(options.drivers + _SETTING_UP, _MOST_CONNECTIONS)) as client:
            driving = asyncio.create_task(drive_fleet(client, options, vans, tally))
            due = sum(len(van.told) for van in vans)
            while not (await asyncio.wait({driving}, timeout=_SHOWN_EVERY_S))[0]:
                words = "driving" if tally.sent else "setting up"
                counts = f"{tally.acknowledged:,} of {due:,} pings, {tally.retried.total():,} sent again"
                progress.update(
                    shown,
                    description=f"{options.drivers} vans: {words}",
                    total=due,
                    completed=tally.acknowledged,
                    counts=counts,
                )
            await driving
            progress.update(shown, description=f"{options.drivers} vans: verifying" if options.keep else "done")
            said = tally.lines()
            differences = await verify(client, vans) if options.keep else None
    for line in said:
        out.print(line)
    if differences is None:
        return 0
    for line in differences.found:
        out.print(line)
    for line in differences.wrong:
        out.print(line, style="bold red")
    return 1 if differences.wrong else 0


def _display() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[counts]}"),
        TimeElapsedColumn(),
        console=err,
    )


def _from(least: int, most: int) -> Callable[[str], int]:
    """Make a reader of whole numbers in a range."""

    def number(text: str) -> int:
        value = int(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"must be from {least} to {most}")
        return value

    return number


def _number_from(least: float, most: float) -> Callable[[str], float]:
    """Make a reader of numbers in a range."""

    def number(text: str) -> float:
        value = float(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"must be from {least:g} to {most:g}")
        return value

    return number
