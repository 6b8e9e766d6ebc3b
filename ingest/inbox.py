"""The inbox: pings wait here, on disk, for the trackers. Many requests share one commit; each gets its 200 after it."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

import asyncpg
from prometheus_client import Counter, Gauge, Histogram

from geo.pings import Pings
from geo.times import time_of
from ingest.blocks import PackedBlock, split
from ingest.config import InboxConfig
from sql.config import DatabaseConfig
from sql.inbox.inbox import depth, put_blocks
from sql.inbox.quarantine import Quarantined, put_quarantined
from sql.pool import Db, connect
from work.away import Away

log = logging.getLogger(__name__)

ACCEPTED = Counter("reparto_pings_accepted_total", "Pings kept on disk")
QUARANTINED = Counter("reparto_messages_quarantined_total", "Unusable messages kept for an operator", ["source"])
COMMIT_SECONDS = Histogram(
    "reparto_inbox_commit_seconds",
    "Time to write a batch and commit it, seconds",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)
COMMITS_FAILED = Counter("reparto_inbox_commits_failed_total", "Commits whose pings could not be acknowledged")
HELD_BYTES = Gauge("reparto_inbox_held_bytes", "Memory that holds pings until their commit, bytes, about")
DEPTH = Gauge("reparto_inbox_depth_pings", "Pings on disk that no tracker has taken yet, estimated")

GATHER_S = 0.004
"""How long the first ping of a batch waits for others before the commit. Measured with 200 requests of ten pings at a
time on two cores: one in a hundred took 51 ms or more, with a wait of 1 ms 71, with one of 20 ms 119."""

GATHER_PINGS = 5_000
"""So many are committed at once without waiting for others: some forty blocks, a commit of a few milliseconds."""

COMMITS = 2
"""Commits under way at once in a process. With one (measured as above) one request in a hundred took 85 ms or more,
with two 51, with four 45; each takes a connection of every process."""

WAIT_S = 4.5
"""So long a phone waits for its commit, and a commit for the database: within five seconds it has an answer. What it is
told to send again may be on disk all the same."""

_NOT_KEPT = "The database cannot take pings now. Please send these again; copies do no harm."

_PING_BYTES = 200  # in memory with its texts, about
_DEPTH_EVERY_S = 1.0
_LET_GO_EVERY_S = 0.2

T = TypeVar("T")


class Full(Away):
    """The inbox takes nothing more now, or could not write what it took. Sending it again later does no harm."""


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """What one request waits for."""

    pings: Pings
    lane: int
    unusable: Sequence[Quarantined]
    size: int
    until_s: float  # by the loop's clock: when the phone has waited long enough
    committed: "asyncio.Future[None]"


class Inbox:
    """Keeps pings. `async with` it; it has connections of its own, so that no other work takes them.

    Writers take turns at gathering: one gathers while the others commit. What is gathered belongs to the inbox: a
    request that hangs up leaves its pings in their batch.
    """

    def __init__(
        self,
        database: DatabaseConfig,
        config: InboxConfig,
        *,
        gather_s: float = GATHER_S,
        gather_pings: int = GATHER_PINGS,
        commits: int = COMMITS,
    ) -> None:
        self.config = config
        self._database = database
        self._gather_s = gather_s
        self._batch_bytes = gather_pings * _PING_BYTES
        self._commits = commits
        self._open = False
        self._depth = 0
        self._waiting: deque[_Kept] = deque()
        self._unanswered: deque[_Kept] = deque()  # and some that are answered already
        self._waiting_bytes = 0  # not yet taken by a writer
        self._held_bytes = 0  # not yet committed
        self._some, self._enough, self._none_held = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._gathering = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._open = True
        self._none_held.set()
        jobs = [self._watch_depth(), self._let_go(), *(self._write() for _ in range(self._commits))]
        self._tasks = [asyncio.create_task(job) for job in jobs]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take nothing more, commit what was taken, stop."""
        self._open = False
        self._enough.set()
        await self._none_held.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def keep(self, pings: Pings, lane: int, unusable: Sequence[Quarantined] = ()) -> None:
        """Put pings of one lane on disk, and in the same commit what was unusable of the message they came in.

        Raises:
            Full: too many wait, or the commit failed; it may have happened all the same, so nothing of it is
                acknowledged. Sending it again does no harm.
        """
        if len(pings) or unusable:
            await self.put(pings, lane, unusable)

    def put(self, pings: Pings, lane: int, unusable: Sequence[Quarantined] = ()) -> "asyncio.Future[None]":
        """Take what `keep` keeps, of which there is something; done when it is on disk, with Full when that failed.

        Raises:
            Full: too many wait; nothing of it was taken.
        """
        size = self.admit(pings, unusable)
        loop = asyncio.get_running_loop()
        kept = _Kept(pings, lane, unusable, size, loop.time() + WAIT_S, loop.create_future())
        self._waiting.append(kept)
        self._unanswered.append(kept)
        self._waiting_bytes += size
        self._held_bytes += size
        self._none_held.clear()
        self._some.set()
        if self._waiting_bytes >= self._batch_bytes:
            self._enough.set()
        return kept.committed

    def admit(self, pings: Pings, unusable: Sequence[Quarantined] = ()) -> int:
        """Make sure that `put` takes these now; give the memory that they take, bytes, about.

        Raises:
            Full: too many wait.
        """
        size = _PING_BYTES * len(pings) + sum(_PING_BYTES + len(one.body) for one in unusable)
        if not self._open:
            raise Full("The server is stopping. Please send this again in a moment.", retry_after_s=2)
        if self._held_bytes and self._held_bytes + size > self.config.inbox_waiting_bytes:
            raise Full("More pings come in than can be written to disk. Please send this again later.")
        if len(pings) and self._depth > self.config.inbox_max_depth:
            raise Full("Tracking is far behind. Please keep these pings and send them later.", retry_after_s=30)
        return size

    async def _write(self) -> None:
        """Gather and commit for ever."""
        async with _Connection(self._database) as connection:
            while True:
                batch = await self._gather()
                error: Full | None = None
                try:
                    with COMMIT_SECONDS.time():
                        async with asyncio.timeout(WAIT_S):
                            await connection.use(partial(_commit, batch=batch))
                except Exception as failure:
                    # Whatever it was, the outcome is unknown: nothing of this batch may be acknowledged.
                    log.warning("a commit of %d requests failed: %s", len(batch), type(failure).__name__)
                    COMMITS_FAILED.inc()
                    error = Full(_NOT_KEPT)
                self._settle(batch, error)

    async def _gather(self) -> list[_Kept]:
        """Wait for the first, give others a moment to join it, and take as many as one commit should have."""
        async with self._gathering:
            await self._some.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._gather_s):
                    await self._enough.wait()
            batch: list[_Kept] = []
            taken = 0
            while self._waiting and taken < self._batch_bytes:
                batch.append(self._waiting.popleft())
                taken += batch[-1].size
            self._waiting_bytes -= taken
            HELD_BYTES.set(self._held_bytes)
            if not self._waiting:
                self._some.clear()
            if self._open and self._waiting_bytes < self._batch_bytes:
                self._enough.clear()
            return batch

    def _settle(self, batch: Sequence[_Kept], error: Full | None) -> None:
        """Answer everyone who waits for this batch and has not hung up."""
        for kept in batch:
            self._held_bytes -= kept.size
            if not kept.committed.done():
                kept.committed.set_result(None) if error is None else kept.committed.set_exception(error)
        HELD_BYTES.set(self._held_bytes)
        if not self._held_bytes:
            self._none_held.set()
        if error is None:
            ACCEPTED.inc(sum(len(kept.pings) for kept in batch))
            for kept in batch:
                for one in kept.unusable:
                    QUARANTINED.labels(one.source).inc()

    async def _let_go(self) -> None:
        """Answer whoever has waited for too long; a timer for each of them would cost more than a ping does."""
        clock_s = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(_LET_GO_EVERY_S)
            while self._unanswered:
                oldest = self._unanswered[0]
                if not oldest.committed.done():
                    if oldest.until_s > clock_s():
                        break
                    oldest.committed.set_exception(Full(_NOT_KEPT))
                self._unanswered.popleft()

    async def _watch_depth(self) -> None:
        """Look now and then how far behind the trackers are; while the database is away the last answer holds."""
        async with _Connection(self._database) as connection:
            while True:
                try:
                    self._depth = await connection.use(depth)
                    DEPTH.set(self._depth)
                except Exception as failure:
                    log.debug("the depth of the inbox is not known: %s", type(failure).__name__)
                await asyncio.sleep(_DEPTH_EVERY_S)


class _Connection:
    """A connection that is opened when it is needed and thrown away after any error."""

    def __init__(self, database: DatabaseConfig) -> None:
        self._database = database
        self._db: asyncpg.Connection[asyncpg.Record] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._db is not None:
            await self._db.close(timeout=5)

    async def use(self, work: Callable[[Db], Awaitable[T]]) -> T:
        """Do something on the connection."""
        if self._db is None:
            self._db = await connect(self._database)  # within its time
        try:
            return await work(self._db)
        except BaseException:
            self._db.terminate()
            self._db = None
            raise


async def _commit(db: Db, batch: Sequence[_Kept]) -> None:
    unusable = [one for kept in batch for one in kept.unusable]
    parts = [(kept.lane, kept.pings) for kept in batch if len(kept.pings)]
    if not unusable:
        await _put(db, parts)
        return
    async with db.transaction():
        await put_quarantined(db, unusable)
        if parts:  # last, so that only the commit is between the ids of blocks and a tracker that sees them
            await _put(db, parts)


async def _put(db: Db, parts: Sequence[tuple[int, Pings]]) -> None:
    blocks: list[PackedBlock] = split(parts)
    oldest_ms = min(int(pings.rows["received_ms"][0]) for _, pings in parts)
    await put_blocks(
        db,
        received_at=time_of(oldest_ms),
        lanes=[block.lane for block in blocks],
        pings=[block.pings for block in blocks],
        bodies=[block.body for block in blocks],
    )
