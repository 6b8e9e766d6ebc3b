"""The `work` role: what is too old goes, what is needed is there, and nothing that fails ends silently."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from sql.account.accounts import ensure_account
from sql.config import DatabaseConfig
from sql.pings.partitions import ensure_partitions, partition_days
from sql.pool import Pool
from work import job as work_job
from work.feed.numbering import NUMBER_EVENTS
from work.job import Job, repeat, run_work
from work.upkeep import retention
from work.upkeep.config import RetentionConfig
from work.upkeep.partitions import make_partitions
from work.upkeep.retention import retention_jobs

CONFIG = RetentionConfig()
OLDEST_PING_DAYS = 30.0
JOBS = (NUMBER_EVENTS, *retention_jobs(CONFIG, oldest_ping_days=OLDEST_PING_DAYS, proof_retention_days=730.0))
NOW = datetime.now(UTC)


def job(name: str) -> Job:
    return next(job for job in JOBS if job.name == name)


async def test_partitions_reach_from_the_oldest_ping_accepted_to_days_ahead(pool: Pool) -> None:
    began = datetime.now(UTC).date()
    async with pool.acquire() as db:
        await make_partitions(db, OLDEST_PING_DAYS)
        days = await partition_days(db)
    assert days[0] <= began - timedelta(days=OLDEST_PING_DAYS)
    assert days[-1] >= began + timedelta(days=2)
    assert len(days) == (days[-1] - days[0]).days + 1


async def test_pings_past_their_retention_go_a_day_at_a_time(pool: Pool) -> None:
    day = timedelta(days=1)
    began = datetime.now(UTC).date()
    oldest = began - day * CONFIG.ping_retention_days
    async with pool.acquire() as db:
        await ensure_partitions(db, oldest - 2 * day, oldest + 2 * day)
        assert await job("partitions").do(pool) is False
        days = await partition_days(db)
    passed = datetime.now(UTC).date() - began  # midnight may have
    assert oldest <= days[0] <= oldest + passed
    assert began in days


async def test_of_the_quarantine_a_device_keeps_an_eighth_and_an_account_its_share(pool: Pool) -> None:
    account_id, other_id = [await ensure_account(pool, name) for name in ("loop", "quiet")]

    async def put(account: int, device: int, n: int, source: str = "pings") -> None:
        await pool.execute(
            "INSERT INTO quarantine (account_id, device_id, received_at, source, reason, body)"
            " SELECT $1, $2, now(), $4, 'x', decode(repeat('00', 1000), 'hex') FROM generate_series(1, $3)",
            account, device, n, source,
        )  # fmt: skip

    await put(account_id, 1, 100)
    await put(account_id, 1, 100, "tracker")  # acknowledged once: they stay
    for device in range(2, 12):
        await put(account_id, device, 8)
    await put(other_id, 50, 8)
    config = RetentionConfig(quarantine_account_bytes=80 * 1_200, quarantine_account_entries=80)
    (trim,) = [
        one for one in retention_jobs(config, oldest_ping_days=30, proof_retention_days=730) if one.name == "quarantine"
    ]
    while await trim.do(pool):
        pass
    counted = "SELECT count(*) FROM quarantine WHERE source = 'pings' AND "
    assert await pool.fetchval(counted + "account_id = $1", account_id) == 80
    assert await pool.fetchval(counted + "device_id = 1") == 0  # the oldest of the account's
    assert await pool.fetchval(counted + "device_id = 50") == 8
    assert await pool.fetchval("SELECT count(*) FROM quarantine WHERE source = 'tracker'") == 100


async def test_quarantine_goes_when_its_time_is_over(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_AT_ONCE", 2)
    account_id = await ensure_account(pool, "mensajeria")
    for days in (40, 35, 31, 29, 0):
        await pool.execute(
            "INSERT INTO quarantine (account_id, received_at, source, reason, body) VALUES ($1, $2, 'pings', 'x', '')",
            account_id,
            NOW - timedelta(days=days),
        )
    assert await job("quarantine retention").do(pool) is True
    assert await job("quarantine retention").do(pool) is False
    assert await pool.fetchval("SELECT count(*) FROM quarantine") == 2


async def test_what_was_written_is_forgotten_when_everybody_has_seen_it(pool: Pool) -> None:
    account_id = await ensure_account(pool, "a")
    now = datetime.now(UTC)
    for minutes_ago in (0, 1, 6, 600):
        await pool.execute(
            "INSERT INTO change (account_id, at) VALUES ($1, $2)", account_id, now - timedelta(minutes=minutes_ago)
        )
    assert not await job("changes").do(pool)
    kept = await pool.fetch("SELECT at FROM change ORDER BY at DESC")
    assert [row["at"] for row in kept] == [now, now - timedelta(minutes=1)]


async def test_each_driver_keeps_the_checkpoint_that_the_oldest_ping_starts_from(pool: Pool) -> None:
    for driver_id, days in [(1, 60), (1, 40), (1, 35), (1, 3), (2, 50)]:
        await pool.execute(
            "INSERT INTO checkpoint (lane, driver_id, folded_until, state) VALUES (0, $1, $2, '')",
            driver_id,
            NOW - timedelta(days=days),
        )
    assert await job("checkpoint retention").do(pool) is False
    left = await pool.fetch("SELECT driver_id, folded_until FROM checkpoint ORDER BY driver_id, folded_until")
    assert [(row["driver_id"], (NOW - row["folded_until"]).days) for row in left] == [(1, 35), (1, 3), (2, 50)]


@pytest.mark.parametrize("error", [asyncpg.CannotConnectNowError("starting"), ValueError("a defect")])
async def test_a_job_that_fails_is_logged_and_tried_again(
    pool: Pool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(work_job, "_LONGEST_BACK_OFF_S", 0.01)
    stop = asyncio.Event()
    tries = 0

    async def fails_twice(pool: Pool) -> bool:
        nonlocal tries
        tries += 1
        if tries <= 2:
            raise error
        stop.set()
        return False

    await asyncio.wait_for(repeat(Job(name="fragile", do=fails_twice, pause_s=60), pool, stop), 60)
    assert tries == 3
    assert sum("fragile" in record.getMessage() for record in caplog.records) == 2
    assert all(record.levelno >= logging.WARNING for record in caplog.records)


async def test_a_busy_job_goes_on_at_once_and_an_idle_one_waits_but_stops_when_told(pool: Pool) -> None:
    stop = asyncio.Event()
    tries = 0

    async def busy_twice(pool: Pool) -> bool:
        nonlocal tries
        tries += 1
        if tries == 3:
            asyncio.get_running_loop().call_later(0.05, stop.set)
        return tries < 3

    await asyncio.wait_for(repeat(Job(name="busy", do=busy_twice, pause_s=3600), pool, stop), 60)
    assert tries == 3


async def test_the_role_runs_beside_others_of_its_kind_until_told_to_stop(database: DatabaseConfig, pool: Pool) -> None:
    stop = asyncio.Event()
    config = RetentionConfig(ping_retention_days=2.0)
    jobs = (NUMBER_EVENTS, *retention_jobs(config, oldest_ping_days=1.0, proof_retention_days=730.0))
    async with asyncio.TaskGroup() as tasks:
        for _ in range(2):
            tasks.create_task(run_work(database, stop=stop, jobs=jobs))
        async with asyncio.timeout(60):
            while NOW.date() not in await partition_days(pool):
                await asyncio.sleep(0.02)
        stop.set()
