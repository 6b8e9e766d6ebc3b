"""What has become too old goes, a bounded number of rows at a time, if the guard lets it."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime, timedelta

from sql.delivery.changes import drop_changes
from sql.desk.audit import drop_audit
from sql.eta.learning import drop_rows
from sql.eta.told import drop_told
from sql.inbox.quarantine import trim_quarantine
from sql.messages.alerts import drop_alerts
from sql.operate import people, retention
from sql.pings.held import drop_expired
from sql.pool import Db, Pool
from work.job import Job
from work.outgoing.config import OutgoingConfig
from work.retention import classes
from work.retention.classes import DataClass
from work.retention.guard import RetentionGuard
from work.upkeep.config import RetentionConfig
from work.upkeep.partitions import drop_old_partitions, make_partitions, tighten_keys

_AT_ONCE = 1_000  # rows dropped in one statement
_CHANGES_AT_ONCE = 20_000  # small ones, of a table that nobody waits for
_CHANGES_KEPT = timedelta(minutes=5)  # a process that has not looked for one of them reads everything anew
_ALERTS_KEPT = timedelta(days=7)  # after their last try was due; one that can be told is told or given up long before

_ROUTES_AT_ONCE = 20
"""Each with its stops and the paths of all of its versions: some megabytes."""

_OUTGOING = OutgoingConfig()

Drop = Callable[[Db, datetime], Awaitable[bool]]
"""Drops some of what is older than a time, in a transaction; tells whether there may be more."""


def retention_guard(
    config: RetentionConfig, *, proof_retention_days: float, outgoing: OutgoingConfig = _OUTGOING
) -> RetentionGuard:
    """Make the guard of all deletions by age from the settings."""
    keep: dict[str, float] = {
        **asdict(config),
        "proof_retention_days": proof_retention_days,
        "message_retention_days": outgoing.message_retention_days,
        "delivery_retention_days": outgoing.delivery_retention_days,
    }
    return RetentionGuard(keep=keep, most_days=config.retention_most_days)


def retention_jobs(
    config: RetentionConfig,
    *,
    oldest_ping_days: float,
    proof_retention_days: float,
    guard: RetentionGuard | None = None,
) -> tuple[Job, ...]:
    """Give the jobs of this room, in no order.

    Args:
        guard: None for the one that the settings give.
    """
    guard = guard or retention_guard(config, proof_retention_days=proof_retention_days)
    proofs_kept = timedelta(days=max(proof_retention_days - config.driver_event_retention_days, 0))
    return (*_jobs_of_pings(guard, oldest_ping_days), _trim(config), *_jobs_by_class(guard, proofs_kept))


def _trim(config: RetentionConfig) -> Job:
    """Give the job that holds each account, and each device, to its share of the quarantine."""

    async def trim(pool: Pool) -> bool:
        gone = await trim_quarantine(
            pool,
            account_bytes=config.quarantine_account_bytes,
            account_entries=config.quarantine_account_entries,
            at_most=_AT_ONCE,
        )
        return gone == _AT_ONCE

    return Job(name="quarantine", do=trim, pause_s=60.0)


def _jobs_of_pings(guard: RetentionGuard, oldest_ping_days: float) -> tuple[Job, ...]:
    """Give the jobs of what goes with its day or with its pings, or after minutes or days."""

    async def partitions(pool: Pool) -> bool:
        async with pool.acquire() as db:
            await make_partitions(db, oldest_ping_days)
        before = await guard.horizon(pool, classes.PINGS)
        if before is not None:
            async with pool.acquire() as db:
                await drop_old_partitions(db, before.date())
        return False

    async def checkpoints(pool: Pool) -> bool:
        now = await guard.now(pool)
        if now is None:
            return False
        oldest_ping = now - timedelta(days=oldest_ping_days + 1)
        return await retention.drop_checkpoints(pool, oldest_ping, at_most=_AT_ONCE) == _AT_ONCE

    async def alerts(pool: Pool) -> bool:
        now = await guard.now(pool)
        return now is not None and await drop_alerts(pool, now - _ALERTS_KEPT, at_most=_AT_ONCE) == _AT_ONCE

    return (
        _hourly("partitions", partitions),
        _hourly("keys of pings", tighten_keys),
        Job(name="held pings", do=_held, pause_s=60.0),
        Job(name="changes", do=_changes, pause_s=60.0),
        _hourly("checkpoint retention", checkpoints),
        _hourly("alert retention", alerts),
    )


def _jobs_by_class(guard: RetentionGuard, proofs_kept: timedelta) -> tuple[Job, ...]:
    """Give the jobs of what is kept as long as its class says; events with a proof `proofs_kept` longer."""

    async def driver_events(db: Db, before: datetime) -> bool:
        return await retention.drop_driver_events(db, before, before - proofs_kept, at_most=_AT_ONCE) > 0

    def kept(kind: DataClass, drop: Drop, name: str = "") -> Job:
        async def do(pool: Pool) -> bool:
            before = await guard.horizon(pool, kind)
            if before is None:
                return False
            async with pool.acquire() as db, db.transaction():
                return await drop(db, before)

        return _hourly(name or f"retention of {kind.name}", do)

    return (
        kept(classes.PINGS, _detours, "detour retention"),
        kept(classes.SAID, driver_events, "driver event retention"),
        kept(classes.LIVE, _last_places),
        kept(classes.TRACKS, _last_places),
        kept(classes.QUARANTINE, _quarantine, "quarantine retention"),
        kept(classes.ETAS, _etas, "ETA retention"),
        kept(classes.PLACES, _places),
        kept(classes.FEED, _feed),
        kept(classes.VISITS, _visits),
        kept(classes.RECIPIENTS, _recipients),
        kept(classes.DRIVERS, _drivers),
        kept(classes.ROUTES, _routes),
        kept(classes.GEOFENCES, _geofences),
        kept(classes.MANIFESTS, _manifests),
        kept(classes.AUDIT, _audit),
    )


async def _held(pool: Pool) -> bool:
    return await drop_expired(pool, at_most=_AT_ONCE) == _AT_ONCE


async def _changes(pool: Pool) -> bool:
    before = pool.clock.now() - _CHANGES_KEPT
    return await drop_changes(pool, before, at_most=_CHANGES_AT_ONCE) == _CHANGES_AT_ONCE


async def _detours(db: Db, before: datetime) -> bool:
    return await retention.drop_detours(db, before, at_most=_AT_ONCE) == _AT_ONCE


async def _quarantine(db: Db, before: datetime) -> bool:
    return await retention.drop_quarantined(db, before, at_most=_AT_ONCE) == _AT_ONCE


async def _last_places(db: Db, before: datetime) -> bool:
    return await retention.drop_last_places(db, before, at_most=_AT_ONCE) >= _AT_ONCE


async def _places(db: Db, before: datetime) -> bool:
    return await retention.blank_places(db, before, at_most=_AT_ONCE) == _AT_ONCE


async def _feed(db: Db, before: datetime) -> bool:
    return await retention.drop_entries(db, before, at_most=_AT_ONCE) > 0


async def _visits(db: Db, before: datetime) -> bool:
    return await retention.drop_visits(db, before, at_most=_AT_ONCE) == _AT_ONCE


async def _etas(db: Db, before: datetime) -> bool:
    told = await drop_told(db, before, at_most=_AT_ONCE)
    learned = await drop_rows(db, before, at_most=_AT_ONCE)
    shown = await retention.drop_route_etas(db, before, at_most=_AT_ONCE)
    return max(told, learned, shown) >= _AT_ONCE


async def _recipients(db: Db, before: datetime) -> bool:
    return await people.blank_recipients(db, before, at_most=_ROUTES_AT_ONCE) == _ROUTES_AT_ONCE


async def _drivers(db: Db, before: datetime) -> bool:
    return await people.blank_drivers(db, before, at_most=_AT_ONCE) == _AT_ONCE


async def _routes(db: Db, before: datetime) -> bool:
    return await people.drop_routes(db, before, at_most=_ROUTES_AT_ONCE) == _ROUTES_AT_ONCE


async def _geofences(db: Db, before: datetime) -> bool:
    return await retention.drop_geofence_versions(db, before, at_most=_AT_ONCE) == _AT_ONCE


async def _manifests(db: Db, before: datetime) -> bool:
    return await retention.drop_manifests(db, before, at_most=_AT_ONCE) == _AT_ONCE


async def _audit(db: Db, before: datetime) -> bool:
    return await drop_audit(db, before, at_most=_AT_ONCE) == _AT_ONCE


def _hourly(name: str, do: Callable[[Pool], Awaitable[bool]]) -> Job:
    return Job(name=name, do=do, pause_s=3600.0)
