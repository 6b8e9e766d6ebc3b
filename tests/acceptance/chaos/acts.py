"""What is done to a product: every act is chosen by a seed, and undone by itself after a while."""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeAlias

from tests.acceptance.chaos.world import ROLES, SERVERS, UP, World

Say: TypeAlias = Callable[[str], None]
Do: TypeAlias = Callable[["Chaos"], Awaitable[str | None]]

_DIES_AGAIN_S = 20.0


@dataclass(slots=True)
class Chaos:
    """A seeded hand.

    Attributes:
        done: acts, by their name; what could not be done (nobody was there) is not counted.
        kills: SIGKILL sent.
    """

    world: World
    chance: random.Random
    say: Say
    done: Counter[str] = field(default_factory=Counter)
    kills: int = 0

    async def do(self, act: "Act") -> None:
        """Do one act, and undo it."""
        began_s = time.monotonic()
        detail = await act.do(self)
        if detail is not None:
            self.done[act.name] += 1
            took_s = time.monotonic() - began_s
            self.say(f"{act.name} {detail}".rstrip() + (f" ({took_s:.1f} s)" if took_s > 0.1 else ""))

    def choose(self) -> "Act":
        """Take the next act of those that this machine can have."""
        can = [act for act in ACTS if act.needs not in self.world.why_not]
        return self.chance.choices(can, [act.weight for act in can])[0]

    async def storm(
        self, acts: "Sequence[Act | None]", gap_s: tuple[float, float], is_over: Callable[[], bool]
    ) -> None:
        """Act, the next one before the last is undone, until it was enough or there is nothing left to disturb.

        Args:
            acts: None: one that is chosen then.
        """
        async with asyncio.TaskGroup() as tasks:
            for act in acts:
                if is_over():
                    return
                tasks.create_task(self.do(act or self.choose()))
                await asyncio.sleep(self.chance.uniform(*gap_s))


def _kill(name: str) -> Do:
    async def do(chaos: Chaos) -> str | None:
        if not chaos.world.kill(name, chaos.world.pids(name)):
            return None
        chaos.kills += 1
        return ""

    return do


async def _kill_backend(chaos: Chaos) -> str | None:
    pids = chaos.world.pids("backend")
    chaos.chance.shuffle(pids)
    if not chaos.world.kill("backend", pids):
        return None
    chaos.kills += 1
    return ""


async def _kill_recovering(chaos: Chaos) -> str | None:
    """Kill Postgres, and the next one as soon as it is there."""
    world = chaos.world
    first, after_s = world.pids("postgres"), chaos.chance.uniform(0.02, 0.3)
    if not world.kill("postgres", first):
        return None
    chaos.kills += 1
    until_s = time.monotonic() + _DIES_AGAIN_S
    while not (again := world.pids("postgres")) or again[0] == first[0]:
        if time.monotonic() > until_s:
            return "once: nobody started it again in time"
        await asyncio.sleep(0.01)
    await asyncio.sleep(after_s)
    chaos.kills += world.kill("postgres", world.pids("postgres"))
    return "twice"


async def _pause(chaos: Chaos) -> str | None:
    """Stop a process, and let it go on as if no time had passed."""
    name = chaos.chance.choice((UP, "tracker", *ROLES))
    return await _stopped(chaos, name, chaos.chance.uniform(0.2, 5.0))


async def _hang_postgres(chaos: Chaos) -> str | None:
    is_there = await _stopped(chaos, "postgres", chaos.chance.uniform(0.5, 8.0))
    return None if is_there is None else ""


async def _stopped(chaos: Chaos, name: str, seconds: float) -> str | None:
    pids = chaos.world.pids(name)
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds if pids else 0)
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
    return name if pids else None


async def _still_database(chaos: Chaos) -> str:
    network, seconds = chaos.world.networks["database"], chaos.chance.uniform(0.5, 8.0)
    network.stand_still()
    await asyncio.sleep(seconds)
    network.flow()
    return ""


async def _slow_database(chaos: Chaos) -> str:
    network, seconds = chaos.world.networks["database"], chaos.chance.uniform(1.0, 8.0)
    network.delay_s = chaos.chance.uniform(0.005, 0.2)
    await asyncio.sleep(seconds)
    network.flow()
    return ""


async def _cut(chaos: Chaos) -> str:
    name = chaos.chance.choice(("database", *SERVERS))
    chaos.world.networks[name].cut()
    return f"to {name}"


async def _fill_disk(chaos: Chaos) -> str:
    seconds = chaos.chance.uniform(1.0, 5.0)
    await asyncio.to_thread(chaos.world.fill_disk)
    await asyncio.sleep(seconds)
    chaos.world.free_disk()
    return ""


async def _jump(chaos: Chaos) -> str:
    """Put one machine's clock wrong for a while: by seconds, minutes, hours or weeks, either way."""
    name = chaos.chance.choice(ROLES)
    most_s = chaos.chance.choice((10, 200, 7_200, 3_000_000))
    ahead_s = round(chaos.chance.uniform(-most_s, most_s))
    seconds = chaos.chance.uniform(1.0, 6.0)
    chaos.world.set_clock(name, ahead_s)
    await asyncio.sleep(seconds)
    chaos.world.set_clock(name, 0)
    return f"of {name} by {ahead_s:+,d} s"


@dataclass(frozen=True, slots=True)
class Act:
    """Something to do: how often, beside others; what this machine must have for it."""

    name: str
    weight: int
    do: Do
    needs: str = ""


ACTS = (
    Act("kill up", 10, _kill(UP)),
    Act("kill its tracker", 12, _kill("tracker")),
    Act("kill Postgres", 10, _kill("postgres")),
    Act("kill Postgres while it recovers", 4, _kill_recovering),
    Act("kill a backend", 8, _kill_backend),
    *(Act(f"kill {role}", 7, _kill(role)) for role in ROLES),
    Act("pause", 8, _pause),
    Act("hang Postgres", 4, _hang_postgres),
    Act("network to Postgres stands still", 4, _still_database),
    Act("network to Postgres is slow", 4, _slow_database),
    Act("cut connections", 10, _cut),
    Act("disk is full", 3, _fill_disk, needs="disk"),
    Act("clock", 6, _jump, needs="clock"),
)
