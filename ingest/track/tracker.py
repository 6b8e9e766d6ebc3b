"""The tracker: takes blocks of some lanes at a time and folds them, exactly once, beside any number of others.

Nothing coordinates trackers but Postgres: a lane's advisory lock, the deletion of its blocks and everything that
follows from them are one transaction. A tracker that dies lets go of all of it.
"""

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

import asyncpg
import numpy as np
from prometheus_client import Counter, Gauge, Histogram

from ingest import blocks
from ingest.config import IngestConfig
from ingest.drivers.cache import TrackCache
from ingest.track.batch import Known, Limits, Sent, Step
from ingest.track.isolate import unreadable_block
from ingest.track.silence import END_EVERY_S, LOOK_EVERY_S, end_visits, notice_silence
from ingest.track.take import STEPS, take
from ingest.track.tell import moved_triples
from sql.account.accounts import read_instance
from sql.config import DatabaseConfig
from sql.inbox import takes
from sql.inbox.inbox import put_blocks
from sql.inbox.quarantine import put_quarantined
from sql.inbox.takes import Block
from sql.pool import BEAT_EVERY_S, Connection, connect, is_away, is_lost, tell_time
from sql.track.lanes import try_lock_lanes
from sql.track.live import tell_live
from work.upkeep.partitions import make_partitions

log = logging.getLogger(__name__)

TAKE_SECONDS = Histogram(
    "reparto_take_seconds",
    "Time of a take, from its transaction's begin to its commit, seconds",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)
PINGS = Counter("reparto_pings_taken_total", "Pings that takes stored, copies included; re-runs are not counted")
RERUNS = Counter("reparto_reruns_total", "Drivers who were folded again from an earlier place")
CATCHING_UP = Gauge("reparto_take_drivers_behind", "Drivers of the last take of whom more waits to be folded")
TAKES_FAILED = Counter("reparto_takes_failed_total", "Takes that were rolled back, but for a database that was away")

SETTLED_S = 60.0
"""No block with a smaller id than one taken so long ago should still come: neither a receiver's statement nor its pause
before the commit may take that long (`sql/pool.py`)."""

LOOK_AGAIN_S = 600.0
"""One that comes all the same is found when all dead rows are looked through, so often."""

NEARLY_SETTLED_S = 2.0
"""After so long nearly every commit is through. Beyond are the dead rows of a minute, and to walk past those costs more
than to delete the blocks of a take."""

LOOK_BACK_S = 1.0
"""A block whose commit took longer is found so often."""

SUSPECT_ATTEMPTS = 2
"""From this attempt on (the take before did not commit) a lane gives one block at a time."""

DEADLY_ATTEMPTS = 6
"""At this attempt four processes have ended with the block alone in their take, which no three kills from outside
can do; the block goes to quarantine, whole and unread. One of several devices is cut first: one may be to blame."""

REST_S = 60.0
"""A lane whose takes fail even so is not to blame on a block; it is tried so often, and does not stop the others."""

NO_BLOCKS_FAULT = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError, asyncpg.DiskFullError)
"""What Postgres cannot do now, whatever is in the blocks: such an attempt does not count."""

BLOCKS_AT_ONCE = 256
"""Blocks of one lane in one take; many small requests make many small blocks."""


class Hints:
    """For each lane the highest block id taken long ago: the search for blocks starts there, past the dead rows.

    Attributes:
        after: ids taken `SETTLED_S` ago.
        nearly: ids taken `NEARLY_SETTLED_S` ago.
    """

    def __init__(self, lanes: int) -> None:
        self.after = dict.fromkeys(range(lanes), 0)
        self.nearly = self.after.copy()
        self._since_s = self._looked_back_s = time.monotonic()
        self._lately: deque[tuple[float, dict[int, int]]] = deque()
        self._nearly_settled: deque[tuple[float, dict[int, int]]] = deque()

    def note(self, taken: list[Block]) -> None:
        """Remember what was taken. Only after the commit."""
        now_s = time.monotonic()
        highest: dict[int, int] = {}
        for block in taken:
            highest[block.lane] = max(highest.get(block.lane, 0), block.id)
        self._lately.append((now_s, highest))
        for one in _older(self._lately, now_s - NEARLY_SETTLED_S):
            _raise(self.nearly, one[1])
            self._nearly_settled.append(one)
        for one in _older(self._nearly_settled, now_s - SETTLED_S):
            _raise(self.after, one[1])

    def start(self) -> Mapping[int, int]:
        """Give the ids after which to search now: mostly the nearer ones, once in `LOOK_BACK_S` the others."""
        now_s = time.monotonic()
        if now_s - self._looked_back_s < LOOK_BACK_S:
            return self.nearly
        self._looked_back_s = now_s
        return self.after

    def look_again(self) -> None:
        """Once in a while, start the next search from the very first block."""
        now_s = time.monotonic()
        if now_s - self._since_s >= LOOK_AGAIN_S:
            self.after = dict.fromkeys(self.after, 0)
            self._since_s = now_s


def _older(notes: deque[tuple[float, dict[int, int]]], than_s: float) -> Iterator[tuple[float, dict[int, int]]]:
    """Take the notes of before a time out of their queue."""
    while notes and notes[0][0] < than_s:
        yield notes.popleft()


def _raise(known: dict[int, int], highest: Mapping[int, int]) -> None:
    """Let the highest id of each lane be what is known."""
    for lane, block_id in highest.items():
        known[lane] = max(known[lane], block_id)


class Tracker:
    """Two connections and what is remembered between takes; made anew after any error."""

    def __init__(
        self,
        db: Connection,
        aside: Connection,
        config: IngestConfig,
        lanes: int,
        *,
        steps: Sequence[Step] | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._db = db
        self._aside = aside  # for what is recorded outside the take
        self._config = config
        self._steps = STEPS if steps is None else steps
        self._limits = limits or Limits()
        self._hints = Hints(lanes)
        self._lanes_at_once = config.lanes_at_once
        self._cache = TrackCache()
        self._looked_s = time.monotonic()  # takes come first, also for a tracker that failed here
        self._ended_s = self._asked_time_s = self._looked_s
        self.under_way: list[int] = []
        """Lanes whose attempt was counted and has not ended."""
        self.may_gather = False
        """The last take was a small one of all that waited: the next is worth more if it begins later."""

    async def turn(self) -> bool:
        """Take what waits in some lanes; False when there was nothing to do.

        Raises:
            Exception: anything; the transaction is rolled back and this tracker must be made anew.
        """
        self._hints.look_again()
        after = self._hints.start()
        waiting = await takes.waiting_lanes(
            self._db,
            after,
            rerun_every_s=self._config.rerun_every_s,
            attempts=DEADLY_ATTEMPTS,
            rest_s=REST_S,
        )
        lanes = random.sample(waiting, min(len(waiting), self._lanes_at_once))
        if not lanes:
            return False
        began_s = time.perf_counter()
        async with self._db.transaction(isolation="read_committed"):
            held = await try_lock_lanes(self._db, lanes)
            if not held:
                return False
            suspects = await takes.suspect_lanes(self._db, held, attempts=SUSPECT_ATTEMPTS - 1)
            chosen = [random.choice(suspects)] if suspects else held
            attempts = await takes.count_attempts(self._aside, chosen)
            self.under_way = chosen
            try:
                taken = await self._pop_blocks(after, chosen, attempts[chosen[0]] if suspects else 0)
                sent = await self._read(taken)
                batch = await take(self._db, chosen, sent, self._cache, self._known(), self._steps)
                await takes.forget_attempts(self._db, chosen)
            except NO_BLOCKS_FAULT:
                await takes.forget_attempts(self._aside, chosen)
                raise
        self.under_way = []
        TAKE_SECONDS.observe(time.perf_counter() - began_s)
        PINGS.inc(len(sent))
        RERUNS.inc(int(batch.progress.began.sum()))
        behind = int((~batch.progress.caught_up).sum())
        CATCHING_UP.set(behind)
        self._lanes_at_once = self._lanes_worth_a_take(len(sent), len(batch.drivers), len(chosen))
        self.may_gather = not behind and len(chosen) == len(waiting) and len(sent) < self._config.pings_worth_a_take
        self._cache.remember(batch.drivers, batch.records, batch.shown)
        self._hints.note(taken)
        await tell_live(self._db, moved_triples(batch))
        await self._cache.models.read_newer(self._db)
        return True

    async def look(self) -> None:
        """Keep time; notice who fell silent, once in a while, and that they are not any more where they were."""
        if time.monotonic() - self._asked_time_s >= BEAT_EVERY_S:
            await tell_time(self._db)
            self._asked_time_s = time.monotonic()
        if time.monotonic() - self._looked_s >= LOOK_EVERY_S:
            await notice_silence(
                self._db,
                list(self._hints.after),
                now=self._db.clock.now(),
                after_s=self._config.silent_after_s,
                longest_shift_s=self._config.longest_shift_hours * 3600,
            )
            self._looked_s = time.monotonic()
        if time.monotonic() - self._ended_s >= END_EVERY_S:
            await end_visits(
                self._db, list(self._hints.after), now=self._db.clock.now(), silent_after_s=self._config.silent_after_s
            )
            self._ended_s = time.monotonic()

    def _lanes_worth_a_take(self, pings: int, drivers: int, lanes: int) -> int:
        """Tell how many lanes hold pings and drivers enough, if all hold as many as these did."""
        known = len(self._hints.after)
        enough = self._config.pings_worth_a_take * lanes // max(pings, 1)
        beside = min(self._config.drivers_worth_a_take * lanes // max(drivers, 1), known // 2)
        return min(max(enough, beside, self._config.lanes_at_once), known)

    def _known(self) -> Known:
        return Known(
            config=self._config,
            limits=self._limits,
            plans=self._cache.plans,
            models=self._cache.models,
            now=self._db.clock.now(),
        )

    async def _pop_blocks(self, after: Mapping[int, int], lanes: list[int], attempts: int) -> list[Block]:
        """Take blocks of locked lanes; `attempts` counts those of a suspect lane, 0 for lanes nobody suspects."""
        if not attempts:
            each = max(self._config.pings_at_once // len(lanes), 1)
            return await takes.pop_blocks(self._db, after, lanes, pings=each, blocks=BLOCKS_AT_ONCE)
        taken = await takes.pop_blocks(self._db, after, lanes, pings=1, blocks=1)
        if attempts < DEADLY_ATTEMPTS or not taken:
            return taken
        await self._set_aside(taken[0], is_cut=attempts == DEADLY_ATTEMPTS)
        return []

    async def _set_aside(self, block: Block, *, is_cut: bool) -> None:
        """Take a block out that ended every take that it was alone in.

        Args:
            is_cut: one of several devices comes back as a block of each, to be tried alone.
        """
        devices = blocks.devices_in(block.body)
        if is_cut and len(devices) > 1:
            log.error("block %d of lane %d ended its takes; it is cut into its devices'", block.id, block.lane)
            cut = blocks.cut(block.body, block.lane)
            await put_blocks(
                self._db,
                received_at=block.received_at,
                lanes=[one.lane for one in cut],
                pings=[one.pings for one in cut],
                bodies=[one.body for one in cut],
            )
            return
        log.error("block %d of lane %d ended every take it was alone in; it goes to quarantine", block.id, block.lane)
        whose = devices[0] if len(devices) == 1 else None
        await put_quarantined(self._db, [unreadable_block(block, "ended-the-tracker", whose)])

    async def _read(self, taken: list[Block]) -> Sent:
        pings, counts, wrong = blocks.decode_all([block.body for block in taken])
        for place, error in wrong.items():
            block = taken[place]
            log.error("block %d of lane %d: %s; it goes to quarantine", block.id, block.lane, error)
            await put_quarantined(self._db, [unreadable_block(block, "unreadable-block")])
        return Sent(pings, np.repeat(np.array([block.lane for block in taken], np.int64), counts))


async def run_tracker(config: IngestConfig, database: DatabaseConfig, *, stop: asyncio.Event) -> None:
    """Track until told to stop; the take under way is finished first.

    After any error the outcome of a commit is unknown: connections, tracks and plans are all read anew.
    """
    pause_s = 0.1
    forgiven: list[int] = []
    while not stop.is_set():
        began_s = time.monotonic()
        try:
            await _track(config, database, stop, forgiven)
        except Exception as error:
            if not is_lost(error):
                forgiven.clear()
            if is_away(error):
                log.warning("tracker: the database is away (%s)", type(error).__name__)
            else:
                TAKES_FAILED.inc()
                log.exception("tracker: a take failed and was rolled back")
        if not stop.is_set():
            await _rest(stop, pause_s * random.uniform(0.5, 1.5))
            pause_s = 0.1 if time.monotonic() - began_s > REST_S else min(pause_s * 2, 5.0)


async def _rest(stop: asyncio.Event, seconds: float) -> None:
    """Wait so long, or until told to stop."""
    if seconds > 0:
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)


async def _track(config: IngestConfig, database: DatabaseConfig, stop: asyncio.Event, under_way: list[int]) -> None:
    """Track until told to stop, or until something fails.

    Args:
        under_way: lanes of the take that a lost connection ended, whose attempt does not count: no block did that. What
            is under way when this fails is put there.
    """
    db = await connect(database)
    try:
        aside = await connect(database)
        try:
            await takes.take_back_attempts(aside, under_way)
            under_way.clear()
            await takes.plan_once(db)
            await make_partitions(
                db, config.oldest_ping_days
            )  # a take that found a day missing failed, and comes by here
            tracker = Tracker(db, aside, config, (await read_instance(db)).lanes)
            try:
                while not stop.is_set():
                    await tracker.look()
                    began_s = time.monotonic()
                    if not await tracker.turn():
                        await _rest(stop, config.tracker_poll_ms / 1000)
                    elif tracker.may_gather:
                        await _rest(stop, began_s + config.tracker_gather_ms / 1000 - time.monotonic())
            finally:
                under_way += tracker.under_way
        finally:
            await aside.close(timeout=5)
    finally:
        await db.close(timeout=5)
