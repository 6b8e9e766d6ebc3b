"""Trackers that may be killed anywhere, and go on."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pkgutil import resolve_name
from typing import Any

import pytest

from ingest.config import IngestConfig
from ingest.track.batch import Batch, Limits, Step
from ingest.track.take import STEPS, named
from ingest.track.tracker import Tracker
from sql.account.accounts import read_instance
from sql.pool import Connection, connect
from tests.ingest.track.conftest import UNSETTLED, Fleet
from tests.settling import PATIENCE_S


class CrashError(Exception):
    """The process was killed here."""


@dataclass(slots=True)
class Trackers:
    """Two trackers on one database; each is made anew after it fails."""

    fleet: Fleet
    config: IngestConfig
    steps: Sequence[Step] = STEPS
    limits: Limits = field(default_factory=Limits)
    made: list[tuple[Tracker, list[Connection]] | None] = field(default_factory=lambda: [None, None])

    async def turn(self, which: int) -> bool:
        if (now := self.made[which]) is None:
            connections = [await connect(self.fleet.database) for _ in range(2)]
            lanes = (await read_instance(self.fleet.pool)).lanes
            now = self.made[which] = (
                Tracker(*connections, self.config, lanes, steps=self.steps, limits=self.limits),
                connections,
            )
        try:
            return await now[0].turn()
        except CrashError:
            for connection in now[1]:
                connection.terminate()
            self.made[which] = None
            # three crashes in a row would be a block that kills: there is none here
            await self.fleet.pool.execute("UPDATE lane_attempt SET attempts = 1 WHERE attempts > 2")
            return True

    async def settle(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while any(await asyncio.gather(self.turn(0), self.turn(1))) or await self.fleet.pool.fetchval(UNSETTLED):
                pass
        for now in self.made:
            if now is not None:
                for connection in now[1]:
                    await connection.close()
        self.made = [None, None]


def deadly(steps: Sequence[Step], chance: random.Random, *, often: float) -> tuple[Step, ...]:
    """Let a tracker die now and then after a step of its take, the transaction still open."""

    def may_kill(step: Step) -> Step:
        async def maybe(db: Connection, batch: Batch) -> Batch:
            done = await step(db, batch)
            if chance.random() < often:
                raise CrashError
            return done

        return maybe

    return tuple(may_kill(step) for step in steps)


def with_step(name: str, other: Step, steps: Sequence[Step] = STEPS) -> tuple[Step, ...]:
    """Put another step in the place of the one of this name."""
    assert name in [named(step) for step in steps]
    return tuple(other if named(step) == name else step for step in steps)


def kill_at_commit(monkeypatch: pytest.MonkeyPatch, chance: random.Random, *, often: float) -> None:
    """Let trackers die just before a take's commit and just after it, too: that is no step."""

    def may_kill(work: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def maybe(*args: Any, **kwargs: Any) -> Any:
            done = await work(*args, **kwargs)
            if chance.random() < often:
                raise CrashError
            return done

        return maybe

    for name in ("ingest.track.tracker.takes.forget_attempts", "ingest.track.tracker.tell_live"):
        monkeypatch.setattr(name, may_kill(resolve_name(name)))
