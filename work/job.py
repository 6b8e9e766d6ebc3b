"""A thing to do again and again, and the role that does all of them, in any number of processes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from sql.config import DatabaseConfig
from sql.pool import Pool, create_pool, is_away, is_lost

log = logging.getLogger(__name__)

T = TypeVar("T")

_CONNECTIONS = 6
_WAIT_S = 30.0  # nobody waits for a job
_LONGEST_BACK_OFF_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something to do again and again; `do` tells whether there is more to do at once, else it waits `pause_s`."""

    name: str
    do: Callable[[Pool], Awaitable[bool]]
    pause_s: float


class Service(Protocol):
    """Something that goes on by itself, and ends in order once `stop` is set."""

    name: str

    async def run(self, pool: Pool, stop: asyncio.Event) -> None:
        """Go on until `stop` is set. What fails is logged and tried again."""


async def run_work(database: DatabaseConfig, *, stop: asyncio.Event, jobs: Sequence[Job | Service]) -> None:
    """Do all jobs until `stop` is set. What fails is logged and tried again, later each time; nothing ends silently."""
    async with (
        await create_pool(database, connections=_CONNECTIONS, wait_s=_WAIT_S) as pool,
        asyncio.TaskGroup() as tasks,
    ):
        for job in jobs:
            doing = repeat(job, pool, stop) if isinstance(job, Job) else job.run(pool, stop)
            tasks.create_task(doing, name=job.name)


async def repeat(job: Job, pool: Pool, stop: asyncio.Event) -> None:
    """Do one job until `stop` is set."""
    failures = 0
    while not stop.is_set():
        try:
            pause_s = 0.0 if await job.do(pool) else job.pause_s
            failures = 0
        except Exception as error:
            failures += 1
            pause_s = min(0.5 * 2**failures, _LONGEST_BACK_OFF_S)
            if is_away(error):
                log.warning("%s waits %.0f s for the database: %s", job.name, pause_s, type(error).__name__)
            else:
                log.exception("%s failed and is tried again in %.0f s", job.name, pause_s)
        await _sleep(pause_s, stop)


async def for_each(things: Iterable[T], do: Callable[[T], Awaitable[None]]) -> None:
    """Do something for each at the same time: one that hangs holds up no other, one that fails ends none.

    Raises:
        Exception: what failed first, once all are over.
    """
    for came in await asyncio.gather(*(do(one) for one in things), return_exceptions=True):
        if isinstance(came, BaseException):
            raise came


async def in_turn(things: Iterable[T], do: Callable[[T], Awaitable[None]]) -> None:
    """Do something for one after the other; one that fails keeps none behind it waiting.

    Raises:
        Exception: what failed first, once all had their turn; at once where the database is away.
    """
    failed: Exception | None = None
    for one in things:
        try:
            await do(one)
        except Exception as error:
            if is_lost(error):
                raise
            failed = failed or error
    if failed is not None:
        raise failed


async def _sleep(pause_s: float, stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(pause_s):
            await stop.wait()
    except TimeoutError:
        pass
