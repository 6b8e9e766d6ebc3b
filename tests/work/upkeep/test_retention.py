"""What is too old goes, of every class, and no more; nothing goes when a clock is wrong."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from sql.account.accounts import ensure_account
from sql.pings.partitions import ensure_partitions, partition_days
from sql.pool import Pool
from sql.track.lanes import lock_lanes
from tests.api.tour_rows import Tour
from work.retention.guard import RetentionGuard
from work.upkeep import retention
from work.upkeep.config import RetentionConfig
from work.upkeep.retention import retention_guard, retention_jobs

CONFIG = RetentionConfig(
    ping_retention_days=40,
    driver_event_retention_days=100,
    history_retention_days=120,
    people_retention_days=60,
    retention_most_days=30,
)
NOW = datetime.now(UTC)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def _guard(clock: Callable[[], datetime] | None = None, config: RetentionConfig = CONFIG) -> RetentionGuard:
    made = retention_guard(config, proof_retention_days=110)
    return made if clock is None else RetentionGuard(keep=made.keep, most_days=made.most_days, clock=clock)


async def _run(pool: Pool, name: str, *, guard: RetentionGuard | None = None, config: RetentionConfig = CONFIG) -> None:
    jobs = retention_jobs(config, oldest_ping_days=30, proof_retention_days=110, guard=guard or _guard(config=config))
    (job,) = [job for job in jobs if job.name == name]
    for _ in range(100):
        if not await job.do(pool):
            return
    raise AssertionError("it does not end")


@pytest.fixture
async def account_id(pool: Pool) -> int:
    return await ensure_account(pool, "mensajeria")


async def _see(pool: Pool, account_id: int, driver_id: int, at: datetime) -> None:
    await pool.execute(
        "INSERT INTO live (lane, driver_id, account_id, recorded_at, received_at, lat_e6, lon_e6)"
        " VALUES ($1 % 64, $1, $2, $3, $3, 1, 1)",
        driver_id,
        account_id,
        at,
    )
    await pool.execute(
        "INSERT INTO track (lane, driver_id, account_id, state, folded_until, head_at, stored_until, version)"
        " VALUES ($1 % 64, $1, $2, 'x', $3, $3, $3, 7)",
        driver_id,
        account_id,
        at,
    )
    await pool.execute("INSERT INTO checkpoint VALUES ($1 % 64, $1, $2, 'x')", driver_id, at)


@pytest.mark.parametrize("name", ["retention of live", "retention of tracks"])
async def test_where_drivers_were_last_is_forgotten_with_their_pings(
    pool: Pool, account_id: int, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(retention, "_AT_ONCE", 2)
    for driver_id, days in enumerate((60, 55, 50, 45, 42, 39, 0), start=1):
        await _see(pool, account_id, driver_id, ago(days))
    await _run(pool, name)
    assert await pool.fetchval("SELECT array_agg(driver_id ORDER BY 1) FROM live") == [6, 7]
    assert await pool.fetchval("SELECT array_agg(driver_id ORDER BY 1) FROM track WHERE state IS NOT NULL") == [6, 7]
    assert await pool.fetchval("SELECT array_agg(driver_id ORDER BY 1) FROM checkpoint") == [6, 7]
    # the row stays, with another version: no tracker takes what it remembers for what is there
    assert await pool.fetchval("SELECT array_agg(version ORDER BY driver_id) FROM track") == [8] * 5 + [7] * 2


async def test_a_driver_with_a_tour_who_sent_nothing_yet_has_nothing_that_is_too_old(
    pool: Pool, account_id: int
) -> None:
    await _run(pool, "retention of tracks")
    await _see(pool, account_id, 1, ago(50))
    await pool.execute("INSERT INTO track (lane, driver_id, account_id, state) VALUES (2, 2, $1, 'x')", account_id)
    async with pool.acquire() as db:
        told = {one.name: one for one in await _guard().forecast(db)}
    assert (told["tracks"].things, told["tracks"].why_held) == (1, None)
    await _run(pool, "retention of tracks")
    assert await pool.fetchval("SELECT array_agg(driver_id) FROM track WHERE state IS NOT NULL") == [2]


async def test_a_driver_whose_tracker_is_at_work_waits(pool: Pool, account_id: int) -> None:
    await _see(pool, account_id, 1, ago(60))
    await _see(pool, account_id, 2, ago(60))
    async with pool.acquire() as db, db.transaction():
        await lock_lanes(db, [1])
        await _run(pool, "retention of live")
        assert await pool.fetchval("SELECT array_agg(driver_id) FROM live") == [1]
    await _run(pool, "retention of live")
    assert await pool.fetchval("SELECT count(*) FROM live") == 0


async def _happen(pool: Pool, account_id: int, seq: int | None, known_at: datetime, data: dict[str, Any]) -> None:
    await pool.execute(
        "INSERT INTO event (account_id, seq, fact_id, revision, state, type, occurred_at, known_at, lane, driver_id,"
        " late, data) VALUES ($1, $2, $3, 1, 'asserted', 'stop.arrived', $4, $4, 1, 1, false, $5)",
        account_id,
        seq,
        uuid4(),
        known_at,
        data,
    )


async def test_the_feed_forgets_where_before_it_forgets_what(
    pool: Pool, account_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_AT_ONCE", 2)
    place = {"lat": 6.1, "lon": -75.1, "along_m": 5.0, "offset_m": 1.0, "source": "auto"}
    for seq, days in enumerate((60, 55, 50, 45, 39, 1), start=1):
        await _happen(pool, account_id, seq, ago(days), place)
    await _run(pool, "retention of places in the feed")
    rows = await pool.fetch("SELECT data FROM event ORDER BY seq")
    assert [row["data"] for row in rows] == [{"source": "auto"}] * 4 + [place] * 2


async def test_the_feed_goes_from_its_begin_and_has_no_gap(
    pool: Pool, account_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_AT_ONCE", 3)
    other = await ensure_account(pool, "otra")
    for seq, days in enumerate((140, 139, 138, 137, 136, 3, 135, 1), start=1):  # the seventh was told before the sixth
        await _happen(pool, account_id, seq, ago(days), {})
        await _happen(pool, other, seq, ago(days if seq < 3 else 1), {})
    await _happen(pool, account_id, None, ago(130), {})  # not in the feed yet
    await _run(pool, "retention of feed")
    seqs = "SELECT array_agg(seq ORDER BY seq) FROM event WHERE account_id = $1 AND seq IS NOT NULL"
    dropped = "SELECT events_dropped FROM account WHERE id = $1"
    assert (await pool.fetchval(seqs, account_id), await pool.fetchval(dropped, account_id)) == ([6, 7, 8], 5)
    assert (await pool.fetchval(seqs, other), await pool.fetchval(dropped, other)) == ([3, 4, 5, 6, 7, 8], 2)
    assert await pool.fetchval("SELECT count(*) FROM event WHERE seq IS NULL") == 1


async def test_visits_geofences_and_manifests_go_with_history(pool: Pool, account_id: int) -> None:
    tour = await Tour.put(pool, account_id, start_at=ago(1))
    for days in (140, 121, 119, 0):
        await pool.execute(
            "INSERT INTO visit (lane, visit_id, driver_id, account_id, arrived_at, source)"
            " VALUES (0, gen_random_uuid(), 1, $1, $2, 'auto')",
            account_id,
            ago(days),
        )
        fence = await pool.fetchval(
            "INSERT INTO geofence (account_id, external_id, version, deleted_at) VALUES ($1, $2, 2, $3) RETURNING id",
            account_id,
            str(days),
            ago(days) if days == 140 else None,
        )
        await pool.execute(
            "INSERT INTO geofence_version (geofence_id, version, account_id, effective_at, ended_at, feature)"
            " VALUES ($1, 1, $2, $3, $3, '{}')",
            fence,
            account_id,
            ago(days),
        )
        if days:
            driver = await pool.fetchval(
                "INSERT INTO driver (account_id, lane, external_id, name) VALUES ($1, 0, $2, 'x') RETURNING id",
                account_id,
                str(days),
            )
        else:
            driver = tour.driver_id
        await pool.execute("INSERT INTO manifest VALUES ($1, $2, 0)", driver, int(ago(days).timestamp()))
        await pool.execute(
            "INSERT INTO manifest_part (driver_id, kind, id, route_id, digest, added_in, changed_in,"
            " placed_in) VALUES ($1, 'stop', 1, 1, '', 1, 1, 1)",
            driver,
        )
    for name in ("visits", "geofences", "manifests"):
        await _run(pool, f"retention of {name}")
    for table in ("visit", "geofence_version", "manifest", "manifest_part"):
        assert await pool.fetchval(f"SELECT count(*) FROM {table}") == 2, table
    assert await pool.fetchval("SELECT count(*) FROM geofence") == 3  # the one that was deleted is gone


async def test_recipients_are_blanked_and_the_numbers_of_their_stops_stay(
    pool: Pool, account_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_ROUTES_AT_ONCE", 1)
    for days in (75, 65, 1):
        tour = await Tour.put(pool, account_id, start_at=ago(days), external_id=f"t{days}", driver=f"d{days}")
        await pool.execute(
            "UPDATE stop SET address = 'Cra. 46', phone = '+573', email = 'a@b.co', locale = 'es', instructions = 'x',"
            " status = 'completed' WHERE route_id = $1",
            tour.route_id,
        )
        await pool.execute("INSERT INTO parcel VALUES ($1, 0, 'MDE1', 'de Ana', 2)", tour.stop_ids[0])
    await _run(pool, "retention of recipients")
    rows = await pool.fetch(
        "SELECT route_id, bool_or(name <> '' OR num_nonnulls(address, phone, email, locale, instructions) > 0) AS told,"
        " bool_and(lat > 6 AND status = 'completed' AND external_id <> '') AS kept FROM stop GROUP BY 1 ORDER BY 1"
    )
    assert [(row["told"], row["kept"]) for row in rows] == [(False, True), (False, True), (True, True)]
    rows = await pool.fetch("SELECT description, quantity FROM parcel ORDER BY stop_id")
    assert [tuple(row) for row in rows] == [(None, 2), (None, 2), ("de Ana", 2)]
    assert await pool.fetchval("SELECT array_agg(people_gone ORDER BY id) FROM route") == [True, True, False]


async def test_deleted_drivers_are_blanked(pool: Pool, account_id: int) -> None:
    for days in (75, 59, None):
        await pool.execute(
            "INSERT INTO driver (account_id, lane, external_id, name, phone, deleted_at)"
            " VALUES ($1, 0, $2, 'Ana', '1', $3)",
            account_id,
            str(days),
            None if days is None else ago(days),
        )
    await _run(pool, "retention of drivers")
    assert await pool.fetchval("SELECT array_agg(name ORDER BY id) FROM driver") == ["", "Ana", "Ana"]
    assert await pool.fetchval("SELECT array_agg(phone ORDER BY id) FROM driver") == [None, "1", "1"]


async def test_tours_go_whole_when_nothing_of_them_is_kept(pool: Pool, account_id: int) -> None:
    tours = [
        await Tour.put(pool, account_id, start_at=ago(days), external_id=f"t{days}", driver=f"d{days}")
        for days in (145, 140, 135, 3)
    ]
    for tour in tours:
        await tour.expect({0: NOW}, as_of=NOW)
        await pool.execute(
            "INSERT INTO message (account_id, route_id, stop_id, attempt, kind, channel, address, locale, state,"
            " happened_at, next_try_at, expires_at, created_at) SELECT $1, route_id, id, 1, 'pin', 'email', 'a@b.co',"
            " 'es', 'sent', now(), now(), now(), now() FROM stop WHERE id = $2",
            account_id,
            tour.stop_ids[0],
        )
    said, proven = tours[0], tours[1]
    await said.say("note", at=NOW, place=0)
    await pool.execute(
        "INSERT INTO proof (account_id, driver_id, upload_id, stop_id, kind)"
        " VALUES ($1, $2, gen_random_uuid(), $3, 'photo')",
        account_id,
        proven.driver_id,
        proven.stop_ids[0],
    )
    await _run(pool, "retention of routes")
    left = {said.route_id, proven.route_id, tours[3].route_id}
    assert {row["id"] for row in await pool.fetch("SELECT id FROM route")} == left
    for table in ("stop", "route_version", "route_eta"):
        assert {row["route_id"] for row in await pool.fetch(f"SELECT route_id FROM {table}")} == left, table
    assert await pool.fetchval("SELECT count(*) FROM message") == 3


async def test_a_wrong_clock_of_this_process_deletes_nothing(pool: Pool, account_id: int) -> None:
    await _see(pool, account_id, 1, ago(50))
    await _see(pool, account_id, 2, ago(1))
    async with pool.acquire() as db:
        await ensure_partitions(db, ago(50).date(), NOW.date())
    wrong = _guard(lambda: datetime.now(UTC) + timedelta(days=1100))
    for job in retention_jobs(CONFIG, oldest_ping_days=30, proof_retention_days=110, guard=wrong):
        await job.do(pool)
    async with pool.acquire() as db:
        assert ago(50).date() in await partition_days(db)
        forecast = {one.name: one for one in await wrong.forecast(db)}
    assert await pool.fetchval("SELECT count(*) FROM live") == 2
    assert "differ by 1100 days" in (forecast["live"].why_held or "")
    assert await pool.fetchval("SELECT held_why FROM retention WHERE class = 'live'") == forecast["live"].why_held
    await _run(pool, "retention of live")
    assert await pool.fetchval("SELECT count(*) FROM live") == 1
    assert await pool.fetchval("SELECT held_why FROM retention WHERE class = 'live'") is None


async def test_a_clock_that_jumped_deletes_nothing_until_somebody_says_yes(pool: Pool, account_id: int) -> None:
    await _see(pool, account_id, 1, ago(50))
    await _run(pool, "retention of live")
    await _see(pool, account_id, 2, ago(50))
    await pool.execute("UPDATE retention SET ran_at = ran_at - interval '1100 days'")
    await _run(pool, "retention of live")
    assert await pool.fetchval("SELECT count(*) FROM live") == 1
    async with pool.acquire() as db:
        assert [one.name for one in await _guard().confirm(db)] == ["live"]
    await _run(pool, "retention of live")
    assert await pool.fetchval("SELECT count(*) FROM live") == 0


async def test_a_lowered_setting_deletes_no_more_than_so_much(pool: Pool, account_id: int) -> None:
    await _see(pool, account_id, 1, ago(35))
    await _run(pool, "retention of live")
    lower = RetentionConfig(ping_retention_days=2, retention_most_days=30)
    await _run(pool, "retention of live", config=lower)
    assert await pool.fetchval("SELECT count(*) FROM live") == 1
    lower = RetentionConfig(ping_retention_days=10, retention_most_days=30)
    await _run(pool, "retention of live", config=lower)
    assert await pool.fetchval("SELECT count(*) FROM live") == 0


async def test_alerts_go_that_could_not_be_told_for_a_week(pool: Pool, account_id: int) -> None:
    await pool.executemany(
        "INSERT INTO alert (fact_id, way, account_id, next_try_at) VALUES (gen_random_uuid(), 'service', $1, $2)",
        [(account_id, ago(days)) for days in (6.9, 7.1, 400.0)],
    )
    wrong = _guard(clock=lambda: datetime.now(UTC) + timedelta(days=30))
    await _run(pool, "alert retention", guard=wrong)
    assert await pool.fetchval("SELECT count(*) FROM alert") == 3
    await _run(pool, "alert retention")
    assert await pool.fetchval("SELECT count(*) FROM alert") == 1
