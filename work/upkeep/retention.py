"""What has become too old goes, a bounded number of rows at a time."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from sql.delivery.changes import drop_changes
from sql.eta.learning import drop_rows
from sql.eta.told import drop_told
from sql.operate.retention import drop_checkpoints, drop_detours, drop_driver_events, drop_quarantined
from sql.pool import Pool
from sql.track.held import drop_expired
from work.job import Job
from work.upkeep.config import RetentionConfig
from work.upkeep.partitions import drop_old_partitions, make_partitions

_AT_ONCE = 1_000  # rows dropped in one statement
_CHANGES_AT_ONCE = 20_000  # small ones, of a table that nobody waits for
_CHANGES_KEPT = timedelta(minutes=5)  # a process that has not looked for one of them reads everything anew


def retention_jobs(config: RetentionConfig, *, oldest_ping_days: float, proof_retention_days: float) -> tuple[Job, ...]:
    """Give the jobs of this room, in no order."""

    async def partitions(pool: Pool) -> bool:
        async with pool.acquire() as db:
            await make_partitions(db, oldest_ping_days)
            await drop_old_partitions(db, config.ping_retention_days)
        return False

    async def quarantine(pool: Pool) -> bool:
        return await drop_quarantined(pool, _ago(config.quarantine_retention_days), at_most=_AT_ONCE) == _AT_ONCE

    async def held(pool: Pool) -> bool:
        return await drop_expired(pool, at_most=_AT_ONCE) == _AT_ONCE

    async def changes(pool: Pool) -> bool:
        before = datetime.now(UTC) - _CHANGES_KEPT
        return await drop_changes(pool, before, at_most=_CHANGES_AT_ONCE) == _CHANGES_AT_ONCE

    async def detours(pool: Pool) -> bool:
        return await drop_detours(pool, _ago(config.ping_retention_days), at_most=_AT_ONCE) == _AT_ONCE

    async def checkpoints(pool: Pool) -> bool:
        return await drop_checkpoints(pool, _ago(oldest_ping_days + 1), at_most=_AT_ONCE) == _AT_ONCE

    async def etas(pool: Pool) -> bool:
        before = _ago(config.eta_retention_days)
        told = await drop_told(pool, before, at_most=_AT_ONCE)
        return max(told, await drop_rows(pool, before, at_most=_AT_ONCE)) >= _AT_ONCE

    async def driver_events(pool: Pool) -> bool:
        before = _ago(config.driver_event_retention_days)
        proofs_before = _ago(proof_retention_days)
        async with pool.acquire() as db, db.transaction():
            return await drop_driver_events(db, before, min(before, proofs_before), at_most=_AT_ONCE) > 0

    return (
        _hourly("partitions", partitions),
        _hourly("quarantine retention", quarantine),
        Job(name="held pings", do=held, pause_s=60.0),
        Job(name="changes", do=changes, pause_s=60.0),
        _hourly("detour retention", detours),
        _hourly("checkpoint retention", checkpoints),
        _hourly("ETA retention", etas),
        _hourly("driver event retention", driver_events),
    )


def _hourly(name: str, do: Callable[[Pool], Awaitable[bool]]) -> Job:
    return Job(name=name, do=do, pause_s=3600.0)


def _ago(days: float) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)
