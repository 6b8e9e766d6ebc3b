"""The loop of whatever leaves: leases from a table, sends outside any transaction, writes down what came of it.

An outlet that is slow holds nobody else: each has so many under way at once, and its place is free again as soon as it
answers. What came back is written down many at a time; what is more than a table can take now is not sent.
"""

import asyncio
import logging
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from sql.pool import Db, Pool, is_away
from work.outgoing.outlet import REST_S, Outlet

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.1
"""Between two looks while nothing is due."""

AGAIN_S = 0.02
"""Between two looks at least: so that places are filled, and tables asked, many at a time."""

OUTLETS_EVERY_S = 1.0
GATHERED_S = 0.01
"""So long what came back waits for more of it before it is written down."""

WRITTEN_AT_ONCE = 500
_LEASES_AT_ONCE = 3  # connections: the other jobs of the process have theirs
_DRAIN_S = 25.0  # longer than an outlet may take; what is still under way then is unknown, as after a crash
_LONGEST_PAUSE_S = 30.0

R = TypeVar("R", bound=Outlet)
T = TypeVar("T")
C = TypeVar("C")


class Traffic(Protocol[R, T, C]):
    """What leaves: to which outlets R, things T, of which come outcomes C."""

    name: str
    """In the plural, for logs."""

    @property
    def outlets(self) -> Collection[R]:
        """Whom this process sends to."""

    async def read_outlets(self, pool: Pool) -> None:
        """Take up outlets that are new or changed, and let go of those that are gone."""

    async def due(self, pool: Pool, free: Sequence[R]) -> Sequence[R]:
        """Tell which of these have something to be sent now."""

    async def lease(self, db: Db, outlet: R, at_most: int) -> Sequence[T]:
        """Take what an outlet is sent next, and commit that: from then on it may have been sent."""

    async def send(self, outlet: R, thing: T) -> C:
        """Send one, and tell the outlet's breaker. Whatever fails is an outcome."""

    async def write(self, db: Db, came: Sequence[tuple[R, C]]) -> None:
        """Write down what came of some, in a transaction."""


@dataclass(slots=True)
class SendingLoop(Generic[R, T, C]):
    """Sends until stopped."""

    traffic: Traffic[R, T, C]
    pool: Pool
    _came: asyncio.Queue[tuple[R, C]] = field(default_factory=asyncio.Queue)
    _moved: asyncio.Event = field(default_factory=asyncio.Event)
    _sending: set[asyncio.Task[None]] = field(default_factory=set)
    _read_s: float = float("-inf")

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop` is set; then wait for what is under way and write it down."""
        async with asyncio.TaskGroup() as tasks:
            writing = tasks.create_task(self._write_on(), name=f"write {self.traffic.name}")
            await self._go_on(stop, tasks)
            await self._drain()
            writing.cancel()
            for task in self._sending:
                task.cancel()

    async def _go_on(self, stop: asyncio.Event, tasks: asyncio.TaskGroup) -> None:
        """Send until `stop` is set, whatever fails."""
        failures = 0
        while not stop.is_set():
            self._moved.clear()
            try:
                took = await self._turn(tasks)
                failures, pause_s = 0, AGAIN_S if took else LOOK_EVERY_S
            except Exception as error:
                failures += 1
                pause_s = min(0.5 * 2**failures, _LONGEST_PAUSE_S)
                self._complain(error, pause_s)
            await self._pause(stop, pause_s)

    def _complain(self, error: Exception, pause_s: float) -> None:
        if is_away(error):
            log.warning("%s wait %.0f s for the database: %s", self.traffic.name, pause_s, type(error).__name__)
        else:
            log.error("sending %s failed and goes on in %.0f s", self.traffic.name, pause_s, exc_info=error)

    async def _pause(self, stop: asyncio.Event, pause_s: float) -> None:
        """Wait for a moment; one that waits for news is woken by a place that is free again."""
        waiting = [asyncio.ensure_future(stop.wait())]
        try:
            await asyncio.wait(waiting, timeout=min(pause_s, AGAIN_S))
            if AGAIN_S < pause_s <= LOOK_EVERY_S:
                waiting.append(asyncio.ensure_future(self._moved.wait()))
            if pause_s > AGAIN_S:
                await asyncio.wait(waiting, timeout=pause_s - AGAIN_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()

    async def _drain(self) -> None:
        until_s = time.monotonic() + _DRAIN_S
        while (self._sending or any(one.is_busy for one in self.traffic.outlets)) and time.monotonic() < until_s:
            self._moved.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    await self._moved.wait()

    async def _turn(self, tasks: asyncio.TaskGroup) -> bool:
        """Send what may be sent now; tell whether there was anything."""
        if time.monotonic() - self._read_s >= OUTLETS_EVERY_S:
            await self.traffic.read_outlets(self.pool)
            self._read_s = time.monotonic()
        now_s = time.monotonic()
        free = [one for one in self.traffic.outlets if one.room(now_s) > 0]
        due = await self.traffic.due(self.pool, free) if free else ()
        gate = asyncio.Semaphore(_LEASES_AT_ONCE)
        took = await asyncio.gather(*(self._take(one, gate, tasks) for one in due), return_exceptions=True)
        for error in took:
            if isinstance(error, BaseException):
                raise error
        return any(took)

    async def _take(self, outlet: R, gate: asyncio.Semaphore, tasks: asyncio.TaskGroup) -> bool:
        """Lease for one outlet and begin to send; a failure that is not the database's lets that outlet rest."""
        async with gate:
            room = outlet.room(time.monotonic())
            if room <= 0:
                return False
            try:
                async with self.pool.acquire() as db:
                    leased = await self.traffic.lease(db, outlet, room)
            except Exception as error:
                if is_away(error):
                    raise
                outlet.rests_until_s = time.monotonic() + REST_S
                self._complain(error, REST_S)
                return False
        for thing in leased:
            outlet.began()
            task = tasks.create_task(self._send(outlet, thing))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        return bool(leased)

    async def _send(self, outlet: R, thing: T) -> None:
        came = await self.traffic.send(outlet, thing)
        outlet.came()
        self._came.put_nowait((outlet, came))
        self._moved.set()

    async def _write_on(self) -> None:
        """Write down what comes back, until cancelled."""
        while True:
            batch = [await self._came.get()]
            await asyncio.sleep(GATHERED_S)
            while len(batch) < WRITTEN_AT_ONCE and not self._came.empty():
                batch.append(self._came.get_nowait())
            await self._write(batch)
            for outlet, _ in batch:
                outlet.unwritten -= 1
            self._moved.set()

    async def _write(self, batch: list[tuple[R, Any]]) -> None:
        """Write a batch down; a database that is away is waited for, as long as the process goes on."""
        pause_s = 0.2
        failed: Exception
        while True:
            try:
                async with self.pool.acquire() as db, db.transaction():
                    await self.traffic.write(db, batch)
                return
            except Exception as error:
                failed = error
                if not is_away(error):
                    break
                log.warning("what came of %d %s waits for the database", len(batch), self.traffic.name)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, 5.0)
        if len(batch) > 1:  # one that cannot be written takes none of the others with it
            for one in batch:
                await self._write([one])
        else:
            log.error("what came of one of the %s is not written down", self.traffic.name, exc_info=failed)
