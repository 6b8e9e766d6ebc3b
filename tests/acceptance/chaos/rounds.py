"""Rounds of chaos: set up while all is well, a storm, calm, and then everything is checked."""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import aiohttp
import asyncpg

from reparto.client.client import Client
from reparto.simulate.simulate import Options
from tests.acceptance.chaos import check
from tests.acceptance.chaos.acts import ACTS, Act, Chaos, Say
from tests.acceptance.chaos.messages import badly, set_up
from tests.acceptance.chaos.traffic import Fleet, Reader, book, webhook
from tests.acceptance.chaos.world import World, living
from tests.providers.gateway import http_provider, mail_server

SETTINGS = {"REPARTO_OUTGOING_ALLOW": "127.0.0.0/8"}
_CATCHES_UP_S = 900.0
_DRIVES_ON_S = 900.0
"""After the storm: what phones still have is sent within it, on whatever machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much happens in a round.

    Attributes:
        acts: at most so many, chosen by the seed; or these, by their names.
        gap_s: between two acts.
        bookings: routes that are put meanwhile, and the stops of each.
        folded_again: vans whose history is folded once more.
    """

    fleet: Options
    acts: int | Sequence[str]
    gap_s: tuple[float, float]
    bookings: tuple[int, int]
    folded_again: int


LONG = Size(
    fleet=Options(drivers=9, minutes=16, speed=6, every_s=4, batch=4, keep=True),
    acts=120,
    gap_s=(0.1, 2.2),
    bookings=(10, 24),
    folded_again=3,
)


@dataclass(slots=True)
class Score:
    """What happened so far; survives an interruption.

    Attributes:
        rounds: that are over.
        seconds: spent in them.
        acts: how often what was done.
        counts: what was acknowledged and is there, by kind; processes that ended by themselves.
        violations: sentences, each with its round.
    """

    seed: int
    rounds: int = 0
    seconds: float = 0.0
    kills: int = 0
    acts: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, folder: Path, seed: int) -> Self:
        """Read how far a seed came in a folder."""
        file = folder / "score.json"
        return cls(**json.loads(file.read_text())) if file.exists() else cls(seed=seed)

    def keep(self, folder: Path) -> None:
        """Write it down."""
        (folder / "score.json").write_text(json.dumps(asdict(self), indent=1))

    def add(self, chaos: Chaos, counts: dict[str, int], violations: Sequence[str], seconds: float) -> None:
        """Count a round."""
        self.rounds += 1
        self.seconds += seconds
        self.kills += chaos.kills
        self.acts = dict(Counter(self.acts) + chaos.done)
        self.counts = dict(Counter(self.counts) + Counter(counts))
        self.violations += [f"round {self.rounds}: {one}" for one in violations]

    def lines(self) -> list[str]:
        """Say it as a table."""
        head = [("seed", self.seed), ("rounds", self.rounds), ("minutes", f"{self.seconds / 60:.1f}")]
        rows = [*head, ("SIGKILL sent", self.kills), *sorted(self.acts.items()), *self.counts.items()]
        rows.append(("violations", len(self.violations)))
        return [f"{name:<36} {f'{value:,}' if isinstance(value, int) else value:>12}" for name, value in rows]


class Rounds:
    """A running product, what watches it, and the rounds that are played with it."""

    def __init__(self, world: World, say: Say, size: Size) -> None:
        self.world, self.say, self.size = world, say, size
        self.reader = Reader()

    async def open(self, stack: AsyncExitStack, seed: int) -> None:
        """Set up who watches: the providers, a webhook, a reader of the feed, a look into the database."""
        chance = random.Random(f"{seed}'s providers")
        self.sms = await stack.enter_async_context(http_provider(behave=badly(chance), slow_s=0.02))
        self.mail = await stack.enter_async_context(mail_server())
        self.client = await stack.enter_async_context(Client(self.world.url("up"), self.world.key))
        await set_up(self.client, self.sms.url, self.mail.port)
        db = await self._database()
        self.since_seq = int(await db.fetchval("SELECT max(events_numbered) FROM account"))
        await db.close()
        self.told = await stack.enter_async_context(webhook(self.client, chance))

    async def _database(self) -> asyncpg.Connection:
        return await asyncpg.connect(self.world.place.dsn)

    async def play(self, name: str, number: int) -> tuple[Chaos, dict[str, int], list[str]]:
        """Play a round: give what was done, what is there, and what is wrong.

        Args:
            name: its seed; its things are called so, and nobody else's.
            number: of the first route that is booked.
        """
        chance = random.Random(name)
        options = Options(**{**_fields(self.size.fleet), "seed": chance.randrange(10**6), "name": name})
        fleet = Fleet(self.world, options, chance)
        chaos = Chaos(self.world, random.Random(f"{name}'s acts"), self.say)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
            await fleet.set_up(self.client)
            self.say(f"{len(fleet.vans)} vans drive")
            reading = asyncio.create_task(self.reader.follow(self.client))
            driving = asyncio.create_task(fleet.drive(session))
            routes, stops = self.size.bookings
            acts = _acts(self.size.acts)
            every_s = len(acts) * sum(self.size.gap_s) / 2 / routes
            booking = asyncio.create_task(
                book(self.world, self.client, number, routes=routes, stops=stops, every_s=every_s, chance=chance)
            )
            try:
                await chaos.storm(acts, self.size.gap_s, driving.done)
                await self.world.calm()
                self.say("calm again")
                async with asyncio.timeout(_DRIVES_ON_S):
                    booked = await booking
                    await driving
            except TimeoutError:
                return chaos, {}, [f"not everything was acknowledged within {_DRIVES_ON_S:.0f} s of calm"]
            finally:
                for task in (reading, driving, booking):
                    task.cancel()
                await asyncio.gather(reading, driving, booking, return_exceptions=True)
        wrong = await self._check(fleet, booked)
        return chaos, self._counts(fleet, booked), wrong

    async def _check(self, fleet: Fleet, booked: Sequence[str]) -> list[str]:
        db = await self._database()
        try:
            try:
                await check.all_over(db, patience_s=_CATCHES_UP_S)
            except TimeoutError:
                return [f"it does not come to rest within {_CATCHES_UP_S:.0f} s"]
            wrong = await check.everything(db, self.client, fleet.vans, self.reader)
            wrong += await check.messages_of(db, booked, self.size.bookings[1], (self.sms, self.mail))
            some = fleet.vans[: self.size.folded_again]
            wrong += await check.same_when_folded_again(db, self.client, some)
            await check.all_over(db, patience_s=_CATCHES_UP_S)
            await db.execute("CHECKPOINT")  # its log shall not fill the small disk by itself
            return wrong + await check.webhooks(db, self.told, self.since_seq)
        finally:
            await db.close()

    def _counts(self, fleet: Fleet, booked: Sequence[str]) -> dict[str, int]:
        return {
            "pings acknowledged": fleet.tally.acknowledged,
            "pings sent": fleet.tally.sent,
            "events of drivers": sum(len(van.app.acknowledged) for van in fleet.vans if van.app),
            "photos": sum(len(van.app.uploaded) for van in fleet.vans if van.app),
            "messages": len(booked) * self.size.bookings[1],
        }


def _acts(wanted: int | Sequence[str]) -> Sequence[Act | None]:
    if isinstance(wanted, int):
        return [None] * wanted
    named = {act.name: act for act in ACTS}
    return [named[name] for name in wanted]


def _fields(options: Options) -> dict[str, object]:
    return {name: getattr(options, name) for name in Options.__dataclass_fields__}


async def play_on(folder: Path, *, seed: int, minutes: float, size: Size, has_disk: bool) -> Score:
    """Play rounds until the time is over; go on where the same seed was interrupted in this folder."""
    score = Score.of(folder, seed)

    def say(what: str) -> None:
        at = datetime.now(UTC).strftime("%H:%M:%S.%f")[:-4]
        print(f"{at} {what}", flush=True)

    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(living(folder, has_disk=has_disk, settings=SETTINGS))
        for fault, why in world.why_not.items():
            say(f"without {fault}: {why}")
        rounds = Rounds(world, say, size)
        await rounds.open(stack, seed)
        until_s = time.monotonic() + minutes * 60
        while time.monotonic() < until_s:
            round_s = time.monotonic()
            name = f"{seed}-{score.rounds + 1}"
            say(f"round {name}")
            chaos, counts, wrong = await rounds.play(name, (score.rounds + 1) * size.bookings[0])
            for one in wrong:
                say(f"VIOLATION {one}")
            score.add(chaos, counts, wrong, time.monotonic() - round_s)
            score.keep(folder)
        score.counts |= {f"ended by itself: {name}": n for name, n in world.ended.items()}
        score.counts |= {"entries of the feed": len(rounds.reader.told), "told to the webhook": len(rounds.told.seqs)}
        score.keep(folder)
    return score
