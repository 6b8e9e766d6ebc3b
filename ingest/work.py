"""The `work` role: what must happen again and again, in any number of processes, beside the way of a ping.

Events get their numbers, tomorrow gets its partition, ETAs learn, and what has become too old goes.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil

from ingest.config import IngestConfig
from ingest.learn import learn_etas
from sql.config import DatabaseConfig
from sql.eta_learning import drop_rows
from sql.eta_told import drop_told
from sql.events import number_events
from sql.held import drop_expired
from sql.partitions import drop_partitions_before, ensure_partitions
from sql.pool import Db, Pool, create_pool, is_away
from sql.retention import drop_checkpoints, drop_detours, drop_quarantined

log = logging.getLogger(__name__)

_CONNECTIONS = 3
_DAYS_AHEAD = 3  # a ping may be 24 hours ahead of us; this is also how long `work` may stand still
_AT_ONCE = 1_000  # rows dropped in one statement
_LONGEST_BACK_OFF_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something to do again and again; `do` tells whether there is more to do at once, else it waits `pause_s`."""

    name: str
    do: Callable[[Pool, IngestConfig], Awaitable[bool]]
    pause_s: float


async def run_work(config: IngestConfig, database: DatabaseConfig, *, stop: asyncio.Event, jobs: Sequence[Job]) -> None:
    """Do all jobs until `stop` is set. What fails is logged and tried again, later each time; nothing ends silently."""
    async with await create_pool(database, connections=_CONNECTIONS) as pool, asyncio.TaskGroup() as tasks:
        for job in jobs:
            tasks.create_task(repeat(job, pool, config, stop), name=job.name)


async def repeat(job: Job, pool: Pool, config: IngestConfig, stop: asyncio.Event) -> None:
    """Do one job until `stop` is set."""
    failures = 0
    while not stop.is_set():
        try:
            pause_s = 0.0 if await job.do(pool, config) else job.pause_s
            failures = 0
        except Exception as error:
            failures += 1
            pause_s = min(0.5 * 2**failures, _LONGEST_BACK_OFF_S)
            if is_away(error):
                log.warning("%s waits %.0f s for the database: %s", job.name, pause_s, type(error).__name__)
            else:
                log.exception("%s failed and is tried again in %.0f s", job.name, pause_s)
        await _sleep(pause_s, stop)


async def _sleep(pause_s: float, stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(pause_s):
            await stop.wait()
    except TimeoutError:
        pass


async def make_partitions(db: Db, config: IngestConfig) -> None:
    """Make a partition of `ping` for every day that a ping accepted in the next days may come from."""
    today = datetime.now(UTC).date()
    await ensure_partitions(
        db, today - timedelta(days=ceil(config.oldest_ping_days) + 1), today + timedelta(days=_DAYS_AHEAD)
    )


async def _number_events(pool: Pool, config: IngestConfig) -> bool:
    async with pool.acquire() as connection:
        return bool(await number_events(connection))


async def _partitions(pool: Pool, config: IngestConfig) -> bool:
    async with pool.acquire() as connection:
        await make_partitions(connection, config)
        kept = datetime.now(UTC).date() - timedelta(days=ceil(config.ping_retention_days))
        for day in await drop_partitions_before(connection, kept):
            log.info("dropped the pings of %s", day)
    return False


async def _quarantine(pool: Pool, config: IngestConfig) -> bool:
    before = datetime.now(UTC) - timedelta(days=config.quarantine_retention_days)
    return await drop_quarantined(pool, before, at_most=_AT_ONCE) == _AT_ONCE


async def _held(pool: Pool, config: IngestConfig) -> bool:
    return await drop_expired(pool, at_most=_AT_ONCE) == _AT_ONCE


async def _detours(pool: Pool, config: IngestConfig) -> bool:
    before = datetime.now(UTC) - timedelta(days=config.ping_retention_days)
    return await drop_detours(pool, before, at_most=_AT_ONCE) == _AT_ONCE


async def _checkpoints(pool: Pool, config: IngestConfig) -> bool:
    oldest_ping = datetime.now(UTC) - timedelta(days=config.oldest_ping_days + 1)
    return await drop_checkpoints(pool, oldest_ping, at_most=_AT_ONCE) == _AT_ONCE


async def _etas(pool: Pool, config: IngestConfig) -> bool:
    before = datetime.now(UTC) - timedelta(days=config.eta_retention_days)
    told = await drop_told(pool, before, at_most=_AT_ONCE)
    return max(told, await drop_rows(pool, before, at_most=_AT_ONCE)) >= _AT_ONCE


JOBS = (
    Job(name="number events", do=_number_events, pause_s=0.2),
    Job(name="partitions", do=_partitions, pause_s=3600.0),
    Job(name="quarantine retention", do=_quarantine, pause_s=3600.0),
    Job(name="held pings", do=_held, pause_s=60.0),
    Job(name="detour retention", do=_detours, pause_s=3600.0),
    Job(name="checkpoint retention", do=_checkpoints, pause_s=3600.0),
    Job(name="ETA learning", do=learn_etas, pause_s=60.0),
    Job(name="ETA retention", do=_etas, pause_s=3600.0),
)
"""What follows from pings alone, in no order; `reparto.jobs` has all that the role does."""
