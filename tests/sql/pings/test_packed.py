"""Pings as they are kept: small, and read as they were when the fold saw them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import numpy as np
import pytest

from geo.fold.fold import JUDGED, fresh
from geo.pings import PING, Pings
from geo.plan.numbers import MOST_OFFSET_M
from geo.times import ms_of
from geo.trust.clean import Flag
from reparto.postgres import EmbeddedPostgres
from sql.migrate import migrations
from sql.pings.packed import round_as_kept
from sql.pings.partitions import ensure_partitions
from sql.pings.pings import add_late_pings, copy_pings, judge_pings, pings_after
from sql.pool import Pool
from tests.conftest import dsn_of

DAY = datetime(2026, 3, 2, tzinfo=UTC)
LATE_MS = [-86_399_000, -1, 0, 1, 1_234, 16_777_217, 2_592_000_001]
N = 300


def some_pings(seed: int) -> Pings:
    """Make pings of one phone of whom anything a door lets in is said, or is not."""
    random = np.random.default_rng(seed)
    pings = Pings.empty(N)
    rows = pings.rows
    rows["driver_id"] = rows["device_id"] = 1
    rows["recorded_ms"] = ms_of(DAY) + np.sort(random.integers(0, 86_400_000, N) // 7 * 7)
    rows["received_ms"] = rows["recorded_ms"] + random.choice(
        [-86_399_000, -1, 0, 1, 1_234, 16_777_217, 2_592_000_001], N
    )
    rows["lat_e6"], rows["lon_e6"] = random.integers(-90_000_000, 90_000_001, (2, N))
    for name, most in (
        ("accuracy_m", 1e7), ("altitude_m", 1e5), ("speed_mps", 1e3), ("heading_deg", 359.9999), ("battery", 1.0),
    ):  # fmt: skip
        said = np.where(random.random(N) < 0.5, random.random(N), random.random(N) / 100) * most
        rows[name] = np.where(random.random(N) < 0.2, np.nan, said)
    rows["accuracy_m"] = np.fmax(rows["accuracy_m"], 1e-3)
    rows["battery"][:3] = 0, 0.005, 1
    for name in ("charging", "mock"):
        rows[name] = random.integers(-1, 2, N)
    rows["flags"] = random.choice([0, int(Flag.RECEIVE_TIME), int(Flag.CLOCK_CORRECTED)], N)
    pings.texts[:, 0] = random.choice(["still", None], N)
    pings.texts[:, 1] = [f"ñ{i}" if i % 3 else None for i in range(N)]
    return pings


def some_judged(seed: int) -> np.ndarray:
    """Make judgements: noise, off every route, on one, off it."""
    random = np.random.default_rng(seed)
    judged = np.zeros(N, JUDGED)
    judged["flags"] = random.integers(0, 2048, N)
    judged["flags"] &= ~np.uint32(Flag.CLOCK_AHEAD)
    judged["believed"] = random.random(N) < 0.8
    judged["route_id"] = random.choice([0, 7, 2**31 - 1], N)
    judged["route_version"] = np.where(judged["route_id"] != 0, random.integers(1, 100_000, N), 0)
    on = judged["on_route"] = (judged["route_id"] != 0) & judged["believed"] & (random.random(N) < 0.7)
    judged["along_m"] = np.where(on, random.random(N) * 1e6, np.nan)
    judged["offset_m"] = np.where(on, np.rint((random.random(N) * 2 - 1) * MOST_OFFSET_M * 10) / 10, np.nan)
    for name in ("snapped_lat_e6", "snapped_lon_e6"):
        judged[name] = np.where(on, random.integers(-90_000_000, 90_000_001, N), 0)
    return judged


def test_to_round_again_changes_nothing() -> None:
    rows = some_pings(1).rows
    round_as_kept(rows)
    again = rows.copy()
    round_as_kept(again)
    assert again.tobytes() == rows.tobytes()
    off_ms = rows["received_ms"] - some_pings(1).rows["received_ms"]
    assert not off_ms[np.abs(rows["received_ms"] - rows["recorded_ms"]) < 16_000_000].any()
    assert off_ms.min() == 0
    assert 0 < off_ms.max() <= 256


_PHONE = """
INSERT INTO account (name) VALUES ('a');
INSERT INTO driver (account_id, lane, external_id, name) VALUES (1, 5, 'ana', 'Ana');
INSERT INTO device (account_id, driver_id, app, ingest_token_hash) VALUES (1, 1, 'native', '1');
"""


@pytest.fixture
async def phone(pool: Pool) -> None:
    """A driver with a phone, both number 1."""
    await pool.execute("INSERT INTO account (name) VALUES ('a')")
    await pool.execute("INSERT INTO driver (account_id, lane, external_id, name) VALUES (1, 5, 'ana', 'Ana')")
    await pool.execute(
        "INSERT INTO device (account_id, driver_id, app, ingest_token_hash) VALUES (1, 1, 'native', '1')"
    )
    async with pool.acquire() as db:
        await ensure_partitions(db, DAY.date(), DAY.date())


@pytest.mark.parametrize("way", ["new", "judged later", "late"])
async def test_what_is_read_is_what_was_stored(pool: Pool, phone: None, way: str) -> None:
    pings, judged = some_pings(2), some_judged(3)
    round_as_kept(pings.rows)
    order = np.lexsort(tuple(pings.rows[name] for name in ("lon_e6", "lat_e6", "recorded_ms")))
    pings = pings.rows_at(order)
    async with pool.acquire() as db:
        if way == "late":
            assert len(await add_late_pings(db, pings.rows_at(slice(0, N, 2)))) == N / 2
            assert len(await add_late_pings(db, pings)) == N / 2
            assert await add_late_pings(db, pings) == []
            judged["flags"] = pings.rows["flags"]
        else:
            await copy_pings(db, pings, judged if way == "new" else None)
        if way == "judged later":
            await judge_pings(db, pings.rows, judged)
        read, stored = await pings_after(db, np.array([5]), fresh(np.array([1])), at_most=N)
        assert (stored["was_judged"] == (way != "late")).all()
        assert await db.fetchval("SELECT bool_and(lane = 5 AND driver_id = 1) FROM ping")
    assert (read.texts == pings.texts).all()
    for name in PING.names or ():
        expected = judged["flags"] if name == "flags" else pings.rows[name]
        assert np.array_equal(read.rows[name], expected, equal_nan=expected.dtype.kind == "f"), name
    if way != "late":
        assert stored["judged"].tolist().__repr__() == judged.tolist().__repr__()


async def test_a_ping_on_a_route_takes_56_bytes_of_columns(pool: Pool, phone: None) -> None:
    ping, judged = Pings.empty(1), np.zeros(1, JUDGED)
    ping.rows["device_id"], ping.rows["recorded_ms"], ping.rows["received_ms"] = 1, ms_of(DAY), ms_of(DAY) + 900
    for name in ("accuracy_m", "speed_mps", "heading_deg", "battery", "charging", "mock"):
        ping.rows[name] = 1
    for name in ("route_id", "route_version", "along_m", "offset_m", "on_route", "believed", "snapped_lat_e6"):
        judged[name] = 1
    async with pool.acquire() as db:
        await copy_pings(db, ping, judged)
    header = 32  # with the bits of what is null
    assert await pool.fetchval("SELECT pg_column_size(packed_ping.*) FROM packed_ping") == header + 56


_OLD = """
SELECT make_ping_partition(date '2026-03-01' + i) FROM generate_series(0, 2) AS i;
INSERT INTO ping (lane, device_id, recorded_at, lat_e6, lon_e6, driver_id, received_at, accuracy_m, altitude_m,
                  speed_mps, heading_deg, battery, charging, mock, activity, client_id, flags, believed, on_route,
                  route_id, route_version, along_m, offset_m, snapped_lat_e6, snapped_lon_e6)
SELECT 5, 1, at, i, -i, 1, at + late, accuracy, 1540.5, 8.25, 90.5, 0.55, i % 2 = 0, NULL, 'still', 'id' || i, flags,
       believed, CASE WHEN i < 3 THEN believed END, CASE WHEN i < 3 THEN 9 END, CASE WHEN i < 3 THEN 2 END,
       CASE WHEN i < 3 THEN 1234.56789 END, CASE WHEN i < 3 THEN -3.25 END, CASE WHEN i < 3 THEN 11 END,
       CASE WHEN i < 3 THEN -12 END
  FROM (VALUES (0, timestamptz '2026-03-01 00:00Z', interval '900 ms', 6.5::real, 0, true),
               (1, '2026-03-01 23:59:59.999Z', '29 days', 1e6, 1, false),
               (2, '2026-03-02 12:00Z', '-23 hours', 0.01, 8, false),
               (3, '2026-03-02 12:00Z', '0 s', NULL, 0, NULL), (4, '2026-03-02 12:00Z', '1 ms', 65.4, 1024, true))
    AS old (i, at, late, accuracy, flags, believed);
INSERT INTO ping (lane, device_id, recorded_at, lat_e6, lon_e6, driver_id, received_at)
VALUES (5, 1, '2026-03-03 00:00Z', 5, 5, 1, '2026-03-03 00:00Z')
"""

_EXACT = """
SELECT lane, device_id, driver_id, recorded_at, lat_e6, lon_e6, altitude_m, heading_deg, charging, mock, activity,
       client_id, flags, believed, on_route, route_id, route_version, snapped_lat_e6, snapped_lon_e6, battery, speed_mps
  FROM ping WHERE lane = 5 AND device_id = 1 ORDER BY recorded_at, lat_e6
"""

_ROUNDED = """
SELECT accuracy_m, along_m, offset_m, extract(epoch FROM received_at)::float8 AS received_s
  FROM ping ORDER BY recorded_at, lat_e6
"""


@pytest.fixture
async def old(postgres: EmbeddedPostgres) -> AsyncIterator[asyncpg.Connection]:
    """A database as it was before pings were packed, with some of every kind."""
    admin = await asyncpg.connect(postgres.dsn)
    await admin.execute("CREATE DATABASE unpacked")
    db = await asyncpg.connect(dsn_of(postgres, "unpacked"))
    for one in migrations():
        if "packed_pings" in one.name:
            break
        await db.execute(one.text)
    await db.execute(_PHONE + _OLD)
    yield db
    await db.close()
    await admin.execute("DROP DATABASE unpacked")
    await admin.close()


async def test_old_pings_are_packed_and_read_as_before(old: asyncpg.Connection) -> None:
    exact, rounded = await old.fetch(_EXACT), await old.fetch(_ROUNDED)
    (packing,) = [one.text for one in migrations() if "packed_pings" in one.name]
    async with old.transaction():
        await old.execute(packing)
    assert await old.fetch(_EXACT) == exact
    assert [row["accuracy_m"] for row in await old.fetch(_ROUNDED)] == pytest.approx(
        [6.5, 3276.7, 0.1, None, 65.4, None]
    )
    for was, row in zip(rounded, await old.fetch(_ROUNDED), strict=True):
        assert row["received_s"] == pytest.approx(was["received_s"], abs=0.128)
        assert row["along_m"] == pytest.approx(was["along_m"], abs=0.01)
        assert row["offset_m"] == pytest.approx(was["offset_m"], abs=0.051)
    assert await old.fetchval("SELECT count(*) FROM pg_class WHERE relname LIKE 'ping\\_2%' AND relkind = 'r'") == 3


async def test_trackers_of_the_release_before_wait_as_for_a_lock(old: asyncpg.Connection) -> None:
    (packing,) = [one.text for one in migrations() if "packed_pings" in one.name]
    row = (5, 1, DAY, 0, 0, 1, DAY + timedelta(seconds=1))
    columns = ["lane", "device_id", "recorded_at", "lat_e6", "lon_e6", "driver_id", "received_at"]
    add = f"INSERT INTO ping ({', '.join(columns)}) VALUES ($1, $2, $3, $4, $5, $6, $7)"
    await old.execute(packing)
    with pytest.raises(asyncpg.LockNotAvailableError):
        await old.copy_records_to_table("ping", records=[row], columns=columns)
    with pytest.raises(asyncpg.LockNotAvailableError):
        await old.execute(f"{add} ON CONFLICT DO NOTHING", *row)
    for change in ("UPDATE ping SET flags = 0, believed = true, route_id = 1", "DELETE FROM ping"):
        with pytest.raises(asyncpg.LockNotAvailableError):
            await old.execute(f"{change} WHERE lane = 5 AND device_id = 1")
