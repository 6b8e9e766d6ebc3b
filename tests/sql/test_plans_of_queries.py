"""The hot queries read by key: what EXPLAIN says of them on a filled database.

Plans are read as a tracker gets them, made once for all values. Where a table is too small here for its index to pay,
the test forbids sequential scans: one that is left has no index to use.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from reparto.postgres import EmbeddedPostgres
from sql.config import DatabaseConfig
from sql.inbox.takes import plan_once
from sql.pool import Db, create_pool
from sql.queries import load
from tests.conftest import dsn_of

DRIVERS = 200
DAYS = 40
LAST_MS = 1_772_359_200_000  # 2026-03-01 10:00, an hour after the last ping
HOUR_MS, DAY_MS = 3_600_000, 86_400_000

_FILL = f"""
INSERT INTO account (name) VALUES ('a');
INSERT INTO driver (account_id, lane, external_id, name)
SELECT 1, i % 64, i::text, i::text FROM generate_series(1, {DRIVERS}) AS i;
INSERT INTO device (account_id, driver_id, app, ingest_token_hash)
SELECT 1, driver.id, 'native', int8send(driver.id * 2 + k) FROM driver, generate_series(0, 1) AS k;
SELECT make_ping_partition(date '2026-03-01' - i) FROM generate_series(0, {DAYS} - 1) AS i;
INSERT INTO packed_ping (device_id, recorded_at, lat_e6, lon_e6, received_after_ms, bits)
SELECT device.id, timestamptz '2026-03-01 09:00Z' - make_interval(secs => 10 * k), k, 0, 0, 3 << 16
  FROM device, generate_series(0, 299) AS k;
INSERT INTO packed_ping (device_id, recorded_at, lat_e6, lon_e6, received_after_ms, bits)
SELECT device.id, timestamptz '2026-03-01 09:00Z' - make_interval(days => d, secs => k), k, 0, 0, 3 << 16
  FROM device, generate_series(1, {DAYS} - 1) AS d, generate_series(0, 19) AS k;
INSERT INTO delivery_order (account_id, external_id, state, quality, earliest, latest, body)
SELECT 1, i::text, 'ready', 'given', date '2026-03-01', date '2026-03-01',
       jsonb_build_object('name', 'x', 'phone', '+57 ' || i, 'email', i || '@example.com')
  FROM generate_series(1, 5000) AS i;
INSERT INTO inbox (lane, received_at, pings, body) SELECT i % 60, now(), 100, '' FROM generate_series(1, 20000) AS i;
INSERT INTO lane_attempt (lane, attempts) SELECT i, 0 FROM generate_series(0, 63) AS i;
INSERT INTO track (lane, driver_id, account_id, state, folded_until, head_at, stored_until)
SELECT lane, id, 1, '', now(), now(), now() FROM driver;
INSERT INTO checkpoint (lane, driver_id, folded_until, state)
SELECT lane, id, timestamptz '2026-03-01 09:00Z' - make_interval(hours => k), ''
  FROM driver, generate_series(0, 30) AS k;
INSERT INTO live (lane, driver_id, account_id, recorded_at, received_at, lat_e6, lon_e6, look_at)
SELECT lane, id, 1, now(), now(), 0, 0, now() + make_interval(secs => 3 * id - 9) FROM driver;
INSERT INTO route (id, account_id, external_id, version, driver_id, date, timezone, start_at, end_at, return_to_depot,
                   path_source, length_m)
SELECT driver.id * 100 + d, 1, driver.id || '/' || d, 2, driver.id, date '2026-03-01' - d, 'UTC',
       timestamptz '2026-03-01 08:00Z' - make_interval(days => d),
       timestamptz '2026-03-01 16:00Z' - make_interval(days => d), false, 'given', 1
  FROM driver, generate_series(0, {DAYS} - 1) AS d;
INSERT INTO route_version (route_id, version, effective_at, driver_id, start_at, end_at, return_to_depot, path_lon,
                           path_lat, path_along_m, stop_ids, stop_lon, stop_lat, stop_along_m, stop_radius_m,
                           stop_service_s, stop_planned_at)
SELECT id, made.version, '-infinity', driver_id, start_at, end_at, false, '{{0}}', '{{0}}', '{{0}}', '{{1}}', '{{0}}',
       '{{0}}', '{{0}}', '{{50}}', '{{60}}', '{{null}}'
  FROM route, generate_series(1, 2) AS made (version);
INSERT INTO stop (account_id, route_id, external_id, seq, kind, name, lat, lon, along_m, radius_m, service_s, link_hash)
SELECT 1, id, '1', 0, 'delivery', '1', 0, 0, 0, 50, 60, int8send(id) FROM route;
INSERT INTO visit (lane, visit_id, driver_id, account_id, route_id, stop_id, arrived_at, source)
SELECT 0, gen_random_uuid(), 1, 1, route_id, id, now(), 'auto' FROM stop;
INSERT INTO event (account_id, seq, fact_id, revision, state, type, occurred_at, known_at, folded_at, lane, driver_id,
                   route_id, late)
SELECT 1, row_number() OVER (), gen_random_uuid(), 1, 'asserted',
       (ARRAY['stop.arrived', 'stop.departed', 'route.started', 'route.completed'])[1 + k % 4], now(), now(),
       timestamptz '2026-03-01 09:00Z' - make_interval(mins => k), lane, id, id * 100 + k % {DAYS}, false
  FROM driver, generate_series(0, 199) AS k;
INSERT INTO event (account_id, seq, fact_id, revision, state, type, occurred_at, known_at, lane, driver_id, route_id,
                   late)
SELECT 1, 100000 + row_number() OVER (), gen_random_uuid(), 1, 'asserted',
       (ARRAY['eta.late', 'stop.approaching'])[1 + k % 2], now() - make_interval(hours => k), now(), lane, id,
       id * 100 + k % {DAYS}, false
  FROM driver, generate_series(0, 99) AS k;
UPDATE account SET events_numbered = (SELECT max(seq) FROM event WHERE account_id = 1) WHERE id = 1;
INSERT INTO eta_told (route_id, stop_id, bucket, account_id, driver_id, as_of, expected, low, high, spread_s, on_route,
                      came_at, learned_at)
SELECT route.id, stop.id, k, 1, route.driver_id, route.start_at, now(), now(), now(), 60, true, route.start_at,
       CASE WHEN route.id % 100 > 0 THEN now() END
  FROM stop JOIN route ON route.id = stop.route_id, generate_series(0, 4) AS k;
INSERT INTO eta_learned (route_id, driver_id, account_id, due_at)
SELECT id, driver_id, 1, CASE WHEN id % 100 = 0 THEN start_at END FROM route;
INSERT INTO eta_drive (account_id, scope, key, hour_class, weekday_class, n, mean, m2, as_of, version)
SELECT 1, 'drive_cell', k::text, -1, -1, 1, 1, 0, now(), k % 1000 FROM generate_series(1, 20000) AS k;
INSERT INTO driver_event (driver_id, id, account_id, lane, type, route_id, stop_id, occurred_at, effective)
SELECT driver.id, gen_random_uuid(), 1, lane, (ARRAY['arrived', 'departed', 'note'])[1 + k % 3], route_id,
       CASE WHEN k < 20 THEN stop.id END, timestamptz '2026-03-01 09:00Z' - make_interval(mins => 10 * k), true
  FROM driver JOIN stop ON stop.route_id = driver.id * 100, generate_series(0, 999) AS k;
INSERT INTO geofence (account_id, external_id, version) SELECT 1, i::text, 1 FROM generate_series(1, 500) AS i;
INSERT INTO geofence_version (geofence_id, version, account_id, effective_at, feature)
SELECT id, 1, 1, now(), '{{}}' FROM geofence;
INSERT INTO upload (driver_id, id, account_id, device_id, stop_id, metadata, length, received, expires_at, finished_at)
SELECT driver.id, md5(driver.id || '/' || k)::uuid, 1, driver.id * 2, 1, '', 9, 9, now(), now()
  FROM driver, generate_series(1, 50) AS k;
INSERT INTO proof (account_id, driver_id, upload_id, stop_id, kind, state, begun_at, stored_at)
SELECT 1, driver_id, id, stop_id, 'photo', 'stored', now(), now() FROM upload;
INSERT INTO audit_entry (account_id, at, key_id, person_id, operation, thing, address)
SELECT 1, timestamptz '2026-03-01 09:00Z' - make_interval(mins => k), CASE WHEN k % 100 > 0 THEN k % 1000 END,
       CASE WHEN k % 100 = 0 THEN k % 1000 END, 'PUT ' || k % 200, jsonb_build_object('route', 'tour-' || k), ''
  FROM generate_series(1, 20000) AS k;
ANALYZE
"""


@pytest.fixture(scope="module")
def filled_database(postgres: EmbeddedPostgres, template: str) -> DatabaseConfig:
    """A database with some hundred thousand pings, filled once for all tests here."""

    async def fill() -> None:
        admin = await asyncpg.connect(postgres.dsn)
        await admin.execute(f"CREATE DATABASE filled TEMPLATE {template}")
        await admin.close()
        db = await asyncpg.connect(dsn_of(postgres, "filled"))
        for statement in _FILL.split(";\n"):
            await db.execute(statement)
        await db.close()

    asyncio.run(fill())
    return DatabaseConfig(database_url=dsn_of(postgres, "filled"), lock_timeout_s=60, statement_timeout_s=60)


@pytest.fixture
async def filled(filled_database: DatabaseConfig) -> AsyncIterator[Db]:
    """A connection to it, as a tracker has one; what a test changes is undone."""
    async with await create_pool(filled_database) as pool, pool.acquire() as db:
        await plan_once(db)
        changed = db.transaction()
        await changed.start()
        yield db
        await changed.rollback()
        await db.execute("RESET ALL")


@dataclass(frozen=True)
class Read:
    """A table that a plan read, how, and over which index."""

    table: str
    how: str
    index: str | None


async def explain(db: Db, module: str, name: str, *values: Any, seqscan: bool | None = False) -> list[Read]:
    """Run a query and tell what it read, in the order of its plan; nothing is changed. None: as it is."""
    await db.execute(f"PREPARE hot AS {load(f'sql.{module}')[name]}")
    transaction = db.transaction()
    await transaction.start()
    try:
        if seqscan is not None:
            await db.execute(f"SET LOCAL enable_seqscan = {'on' if seqscan else 'off'}")
        text = ", ".join(_literal(value) for value in values)
        plan = await db.fetchval(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE hot ({text})")
    finally:
        await transaction.rollback()
        await db.execute("DEALLOCATE hot")
    return list(_reads(json.loads(plan)[0]["Plan"]))


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "'{" + ",".join("null" if one is None else str(one) for one in value) + "}'"
    return f"'{value}'"


def _reads(node: dict[str, Any]) -> Iterator[Read]:
    if node["Actual Loops"] and "Scan" in node["Node Type"]:
        if "Relation Name" in node:
            yield Read(node["Relation Name"], node["Node Type"], node.get("Index Name"))
        elif "Index Name" in node:  # the half of a bitmap scan that names no table
            yield Read("", node["Node Type"], node["Index Name"])
    for child in node.get("Plans", ()):
        yield from _reads(child)


def _uuids(count: int) -> list[UUID]:
    return [UUID(int=i) for i in range(count)]


_LANES = list(range(8))
_DRIVERS = list(range(1, 9))  # each in the lane of its own number

HOT: list[tuple[str, str, list[Any], set[str]]] = [
    ("account.devices", "find_by_tokens", [[r"\\x00"] * 8], {"device_token_hash_key"}),
    ("account.devices", "find_by_ingest_tokens", [[r"\\x00"] * 8], {"device_ingest_token_hash_key"}),
    (
        "account.devices",
        "not_as_known",
        [["f"] * 8, [r"\\x0000000000000002"] * 8, range(1, 9)],
        {"device_pkey", "driver_pkey"},
    ),
    (
        "inbox.takes",
        "waiting_lanes",
        [range(64), [0] * 64, 2, 4, 60],
        {"inbox_pkey", "track_unsettled", "lane_attempt_pkey"},
    ),
    ("inbox.takes", "suspect_lanes", [_LANES, 1], {"lane_attempt_pkey"}),
    ("inbox.takes", "forget_attempts", [_LANES], {"lane_attempt_pkey"}),
    ("inbox.takes", "pop_blocks", [_LANES, [0] * 8, 500, 256], {"inbox_pkey"}),
    ("track.folds", "drivers_behind", [_LANES, 2, 32], {"track_unsettled"}),
    ("track.folds", "read_tracks", [_DRIVERS, _DRIVERS, [-1] * 8, 2], {"track_pkey", "account_pkey"}),
    (
        "track.folds",
        "write_tracks",
        [_DRIVERS, _DRIVERS, [0] * 8, ["x"] * 8, *([[LAST_MS] * 8] * 3), [None] * 8, ["f"] * 8, [0] * 8],
        {"track_pkey"},
    ),
    ("track.folds", "checkpoints_before", [_DRIVERS, _DRIVERS, [LAST_MS] * 8], {"checkpoint_pkey"}),
    ("track.folds", "drop_checkpoints_from", [_DRIVERS, _DRIVERS, [LAST_MS] * 8], {"checkpoint_pkey"}),
    (
        "feed.facts",
        "known_facts",
        [_uuids(3), _DRIVERS, [LAST_MS - 7_200_000] * 8, [LAST_MS] * 8],
        {"event_fact_id_revision_key", "event_fold"},
    ),
    (
        "feed.facts",
        "move_facts",
        [_uuids(3), [1] * 3, [LAST_MS] * 3, [None] * 3],
        {"event_fact_id_revision_key"},
    ),
    ("feed.facts", "begins_before", [_DRIVERS, [LAST_MS - 7_200_000] * 8], {"event_fold"}),
    (
        "track.claims",
        "claims_of_drivers",
        [_DRIVERS, [LAST_MS - 7_200_000] * 8, ["arrived", "departed"]],
        {"driver_event_order"},
    ),
    ("track.claims", "first_claims", [_DRIVERS, LAST_MS - 7_200_000, ["arrived", "departed"]], {"driver_event_order"}),
    (
        "delivery.plans",
        "plans_of_drivers",
        [_DRIVERS, [LAST_MS - DAY_MS] * 8, 4 * HOUR_MS],
        {"route_version_driver", "route_version_pkey"},
    ),
    ("delivery.plans", "read_plans", [[100, 200], [1, 2]], {"route_version_pkey", "route_pkey"}),
    ("track.visits", "put_departures", [[0], _uuids(1), [LAST_MS], [False]], {"visit_pkey"}),
    ("track.visits", "inside_fences", [1], {"visit_inside"}),
    ("track.visits", "visits_to_end", [range(64), "2026-03-01T10:00:00Z", 600, 14_400], {"visit_open"}),
    ("delivery.stop_states", "hold_stops", [[1, 2, 3]], {"stop_pkey"}),
    ("delivery.stop_states", "settle_stops", [[1, 2, 3]], {"stop_pkey", "visit_stop", "driver_event_stop"}),
    ("delivery.stop_states", "judge_stop_events", [range(1, 81), 5], {"driver_event_stop", "driver_event_pkey"}),
    ("delivery.stop_states", "judge_shift_events", [1, LAST_MS, 14_400, 7_200], {"driver_event_shift"}),
    (
        "account.shifts",
        "look_at_shifts",
        [[1], [LAST_MS], [LAST_MS], [False], "2 h"],
        {"driver_event_shift"},
    ),
    ("account.shifts", "drivers_to_look_at", ["2026-03-01T10:00:00Z", 100], {"driver_look"}),
    ("account.shifts", "ends_told", [1, "2026-03-01T08:00:00Z"], {"event_end"}),
    (
        "account.shifts",
        "breaks_of_driver",
        [1, "2026-02-28T10:00:00Z", "2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z", "2 h"],
        {"driver_event_shift"},
    ),
    ("delivery.driver_events", "said_on_days", [1, "2026-03-01", "2026-03-01"], {"driver_event_order"}),
    ("operate.retention", "blank_places", ["2026-03-01T08:00:00Z", 100], {"event_places", "event_pkey"}),
    ("operate.retention", "old_feeds", ["2026-03-01T08:00:00Z", 1], {"event_feed"}),
    ("operate.retention", "drop_entries", [1, "2026-03-01T08:00:00Z", 100], {"event_feed", "account_pkey"}),
    ("operate.retention", "drop_visits", ["2026-03-01T08:00:00Z", 100], {"visit_age"}),
    ("operate.retention", "drop_geofence_versions", ["2026-03-01T08:00:00Z", 100], {"geofence_version_ended"}),
    ("operate.retention", "drop_quarantined", ["2026-03-01T08:00:00Z", 100], {"quarantine_age"}),
    ("operate.retention", "drop_route_etas", ["2026-03-01T08:00:00Z", 100], {"route_eta_pkey"}),
    ("operate.people", "routes_with_people", ["2026-03-01T08:00:00Z", 20], {"route_people"}),
    ("operate.people", "blank_stops", [[100, 200]], {"stop_route_id_external_id_key"}),
    ("operate.people", "blank_drivers", ["2026-03-01T08:00:00Z", 20], {"driver_people"}),
    ("operate.people", "old_routes", ["2026-03-01T08:00:00Z", 20], {"route_age", "driver_event_route"}),
    ("operate.people", "drop_of_routes", [[101, 202]], {"visit_route", "eta_told_route", "detour_pkey"}),
    ("operate.ages", "age_of_places", ["2026-03-01T08:00:00Z", 1], {"event_places"}),
    ("operate.ages", "age_of_visits", ["2026-03-01T08:00:00Z", 1], {"visit_age"}),
    ("operate.ages", "age_of_driver_events", ["2026-03-01T08:00:00Z", 1], {"driver_event_age"}),
    ("operate.ages", "age_of_proofs", ["2026-03-01T08:00:00Z", 1], {"proof_stored"}),
    ("operate.ages", "age_of_recipients", ["2026-03-01T08:00:00Z", 1], {"route_people"}),
    ("operate.ages", "age_of_drivers", ["2026-03-01T08:00:00Z", 1], {"driver_people"}),
    ("operate.ages", "age_of_routes", ["2026-03-01T08:00:00Z", 1], {"route_age"}),
    ("operate.ages", "age_of_geofences", ["2026-03-01T08:00:00Z", 1], {"geofence_version_ended"}),
    ("operate.ages", "age_of_etas", ["2026-03-01T08:00:00Z", 1], {"eta_told_age"}),
    ("operate.ages", "age_of_quarantine", ["2026-03-01T08:00:00Z", 1], {"quarantine_age"}),
    ("operate.retention", "stops_to_forget", ["2026-03-01T08:00:00Z", 100], {"driver_event_age", "driver_event_stop"}),
    (
        "operate.retention",
        "drop_other_words",
        ["2026-03-01T00:00:00Z", 100],
        {"driver_event_age", "driver_event_order"},
    ),
    (
        "delivery.stop_states",
        "judge_route_starts",
        [1, LAST_MS, 2 * HOUR_MS, 4 * HOUR_MS],
        {"driver_event_start"},
    ),
    ("pings.held", "spells_of_drivers", [_DRIVERS, [LAST_MS - DAY_MS] * 8, HOUR_MS], {"driver_event_shift"}),
    ("delivery.stop_states", "hold_routes", [[100, 200]], {"route_pkey"}),
    ("delivery.stop_states", "settle_routes", [[100, 200]], {"route_pkey", "route_version_pkey", "event_tour"}),
    (
        "track.live",
        "move_live_positions",
        [_DRIVERS, _DRIVERS, *([[LAST_MS] * 8] * 2), *([[0] * 8] * 2), *([[None] * 8] * 13), ["t"] * 8],
        {"live_pkey"},
    ),
    ("track.live", "remove_live_positions", [_DRIVERS, _DRIVERS], {"live_pkey"}),
    (
        "track.silence",
        "silence_candidates",
        [range(64), "now", 600, 57600],
        {"live_due", "track_pkey"},
    ),
    ("track.silence", "put_off_looks", [[1], "now", 600], {"live_due", "track_pkey", "live_pkey"}),
    ("eta.eta", "eta_of_route", [1, 100, None], {"route_pkey", "route_eta_pkey", "live_pkey"}),
    ("track.live", "live_of_drivers", [1, [1, 2], "12 hours"], {"event_alarm", "driver_event_order", "visit_route"}),
    ("eta.eta", "told_facts", [[100, 200], [1, 2]], {"event_eta", "event_eta_driver"}),
    ("eta.told", "settle_told", [[1, 2, 3]], {"eta_told_pkey", "visit_stop"}),
    ("eta.told", "pop_told", [1, 300, 100], {"eta_told_unlearned", "eta_told_pkey"}),
    ("eta.told", "accounts_to_learn_told", [300, 20], {"eta_told_unlearned"}),
    ("eta.told", "drop_told", ["2026-01-21T00:00:00Z", 100], {"eta_told_age"}),
    ("eta.learning", "accounts_to_learn", [300, 20], {"eta_learned_due"}),
    ("eta.learning", "due_drives", [1, 300, 50], {"eta_learned_due", "track_pkey", "route_version_driver"}),
    ("feed.events", "place_of_time", [1, "2026-03-01T08:00:00Z"], {"account_pkey", "event_feed"}),
    (
        "feed.events",
        "facts_known_between",
        [1, 1, 99, "-infinity", "infinity", ["stop.arrived"], None, 9],
        {"event_feed", "event_fact_id_revision_key"},
    ),
    ("eta.learning", "drive_visits", [100, 1], {"visit_route"}),
    ("eta.learning", "note_learned", [[100], [1], ['"{}"'], ["2026-03-01T08:00:00Z"], ["f"]], {"eta_learned_pkey"}),
    ("eta.learning", "rows_since", [1, 995], {"eta_drive_version"}),
    (
        "eta.learning",
        "rows_of_keys",
        [1, ["drive_cell"] * 9, range(9), [-1] * 9, [-1] * 9],
        {"eta_drive_pkey", "eta_service_pkey"},
    ),
    ("operate.erasure", "stops_of_phone", [1, "573001112233", 100], {"stop_phone_end"}),
    ("operate.erasure", "stops_of_email", [1, "a@example.com", 100], {"stop_email"}),
    ("operate.erasure", "due", [1], {"erasure_due"}),
    ("operate.planning", "orders_of_phone", [1, "573001112233", 100], {"delivery_order_phone"}),
    ("operate.planning", "orders_of_email", [1, "a@example.com", 100], {"delivery_order_email"}),
    (
        "pings.working",
        "tours_of_drivers",
        [_DRIVERS, [LAST_MS - DAY_MS] * 8, HOUR_MS, HOUR_MS],
        {"route_version_driver"},
    ),
    ("account.geofences", "fence_rows_of_accounts", [[1]], {"geofence_version_account"}),
    ("delivery.uploads", "used", [7], {"upload_driver"}),
    ("delivery.uploads", "append", [7, UUID(int=1), UUID(int=2), 0, [9], ["a"], 72], {"upload_pkey"}),
    ("delivery.uploads", "unfinished", [15, 2], {"upload_open"}),
    ("delivery.uploads", "expire", [100], {"upload_open"}),
    ("delivery.proofs", "claimed", [7, _uuids(40)], {"proof_driver_id_upload_id_key"}),
    (
        "delivery.manifest",
        "look_at",
        [1, 1, "2026-03-01 09:00Z", "24 h", "2 h", "4 h", 4],
        {"manifest_pkey", "route_to_drive", "driver_event_order", "stop_route_id_external_id_key", "parcel_pkey"},
    ),
    ("delivery.manifest", "parts_of_manifest", [1], {"manifest_part_pkey"}),
    ("delivery.changes", "changes_since", ["999999999"], {"change_by"}),
    ("delivery.changes", "moved_routes", [[100, 200], [None, None], [1, 2]], {"live_route", "route_eta_pkey"}),
    ("delivery.tracking", "find_tracked_routes", [["\\x00", "\\x01"]], {"stop_link_hash_key"}),
]


async def test_hot_queries_read_by_key(filled: Db):
    for module, name, values, indexes in HOT:
        reads = await explain(filled, module, name, *values)
        assert not [read.table for read in reads if read.how == "Seq Scan"], f"{name} has no index to read by"
        assert indexes <= {read.index for read in reads}, name
    # a join on the key would walk through the dead rows of all takes before
    reads = await explain(filled, "inbox.takes", "pop_blocks", _LANES, [0] * 8, 500, 256)
    assert [read.how for read in reads if read.table == "inbox"].count("Tid Scan") == 1


async def test_a_tracker_reads_by_key_what_was_counted_when_it_was_empty(filled: Db):
    """The inbox is empty whenever trackers keep up, and its dead rows lie there until they are vacuumed."""
    await filled.execute("TRUNCATE inbox; ANALYZE inbox")
    for name, values in (
        ("waiting_lanes", [range(64), [0] * 64, 2, 4, 60]),
        ("pop_blocks", [_LANES, [0] * 8, 500, 256]),
    ):
        reads = await explain(filled, "inbox.takes", name, *values, seqscan=None)
        assert [read.index for read in reads if read.table == "inbox" and read.how != "Tid Scan"] == ["inbox_pkey"], (
            name
        )


FEED: list[tuple[str, str, list[Any]]] = [
    ("feed.events", "read_events", [1, 0, 50, ["stop.arrived"], 10]),
    ("feed.events", "number_events", [100, ["driver.sos"]]),
    ("delivery.detours", "news_of_detours", [100]),
    ("delivery.detours", "spells_off_route", [100, 1]),
]


async def test_every_index_of_the_feed_is_asked_for(filled: Db):
    """Each costs every entry of the feed a write."""
    about = [(module, name, values) for module, name, values, of in HOT if any(one.startswith("event_") for one in of)]
    asked: set[str | None] = set()
    await filled.execute("UPDATE event SET seq = NULL WHERE id = (SELECT max(id) FROM event)")
    await filled.execute("UPDATE account SET events_numbered = 1000000")
    await filled.execute("UPDATE event SET type = 'route.off_route' WHERE type = 'stop.departed' AND seq % 10 = 1")
    await filled.execute("ANALYZE event")
    for module, name, values in [*about, *FEED]:
        asked |= {read.index for read in await explain(filled, module, name, *values)}
    rows = await filled.fetch("SELECT indexname FROM pg_indexes WHERE tablename = 'event'")
    assert {row["indexname"] for row in rows} <= asked


_DAY_INDEX = "ping_20260301_device_id_recorded_at_idx"


async def test_a_drive_is_read_within_its_days(filled: Db):
    times = [LAST_MS - 4 * HOUR_MS, LAST_MS]
    reads = await explain(filled, "eta.learning", "drive_places", 1, 100, 1, *times)
    assert {read.table for read in reads if read.table.startswith("ping")} == {"ping_20260301"}
    assert _DAY_INDEX in {read.index for read in reads}


async def test_pings_are_read_and_judged_within_their_days(filled: Db):
    """However many days lie before and behind them."""
    for day in (0, 20):
        at_ms = LAST_MS - 2 * HOUR_MS - day * DAY_MS
        columns = [_DRIVERS, [at_ms] * 8, *([[0] * 8] * 3)]
        reads = await explain(filled, "pings.pings", "pings_after", *columns, 5, 8, seqscan=True)
        assert {read.how for read in reads if read.table.startswith("ping")} == {"Index Scan"}
        assert len({read.table for read in reads if read.table.startswith("ping")}) == 1

    last_ms = LAST_MS - HOUR_MS
    device = await filled.fetchval("SELECT min(id) FROM device WHERE driver_id = 1")
    keys: list[Sequence[Any]] = [[device] * 9, [last_ms - 10_000 * k for k in range(9)], range(9), [0] * 9]
    judged = [[0] * 9, *([[None] * 9] * 6)]
    reads = await explain(filled, "pings.pings", "judge_pings", *keys, *judged, last_ms - 80_000, last_ms, seqscan=True)
    assert [read for read in reads if read.table] == [Read("ping_20260301", "Index Scan", _DAY_INDEX)]


_ALL, _LONG_AGO = [None] * 6, "2026-02-16T09:00Z"
AUDIT: list[tuple[list[Any], str]] = [
    (_ALL, "audit_entry_account"),
    ([100, *_ALL[1:]], "audit_entry_person"),
    ([None, 7, *_ALL[2:]], "audit_entry_key"),
    ([None, None, "PUT 7", *_ALL[3:]], "audit_entry_operation"),
    ([None, None, None, "tour-7", None, None], "audit_entry_thing"),
    ([None, None, None, None, "2026-02-15T09:00Z", _LONG_AGO], "audit_entry_age"),  # of one account alone, shorter
]


async def test_the_audit_log_is_read_by_each_of_its_filters(filled: Db):
    """With the plan that its caller asks for, made anew each time."""
    await filled.execute(load("sql.desk.audit")["plan_anew"].replace("true", "false"))
    for only, index in AUDIT:
        values = [1, "2026-03-02", 2**62, *only, 100]
        reads = await explain(filled, "desk.audit", "list_entries", *values, seqscan=True)
        assert index in {read.index for read in reads}, only
        assert not [read for read in reads if read.table == "audit_entry" and read.how == "Seq Scan"], only


_TOURS = [1, "2026-02-27T00:00Z", "2026-03-04T00:00Z", "2026-03-01", "2026-03-01", None, None]
REPORTS: list[tuple[str, str, list[Any], set[str]]] = [
    (
        "reports.kept",
        "punctuality",
        _TOURS,
        {
            *("route_account", "route_version_pkey", "stop_route_id_external_id_key", "moved_link_stop", "visit_stop"),
            *("driver_event_stop", "parcel_pkey"),
        },
    ),
    (
        "reports.kept",
        "plan_vs_actual",
        _TOURS,
        {"route_account", "stop_route_id_external_id_key", "detour_pkey"},
    ),
    (
        "reports.kept",
        "service_times",
        [*_TOURS, 200],
        {"route_account", "stop_route_id_external_id_key", "visit_stop"},
    ),
    (
        "reports.kept",
        "reasons",
        [*_TOURS, "30 days", 0.005],
        {"route_account", "stop_route_id_external_id_key", "driver_event_stop", "stop_external"},
    ),
    ("reports.exports", "tour_ids", _TOURS, {"route_account"}),
    ("reports.exports", "routes", [[100, 200], "t"], {"route_pkey", "route_version_pkey"}),
    ("reports.exports", "stops", [[100, 200]], {"stop_route_id_external_id_key"}),
    ("reports.exports", "visits", [[100, 200]], {"visit_route", "stop_pkey"}),
    ("reports.exports", "proofs", [[100, 200]], {"stop_route_id_external_id_key", "proof_stop"}),
    ("reports.exports", "messages", [[100, 200]], {"message_route"}),
    ("reports.exports", "orders", [1, "2026-03-01", "2026-03-02", "0001-01-01", 0, 9], {"delivery_order_latest"}),
    ("reports.exports", "known_at", [1, 7], {"event_feed"}),
    ("reports.exports", "spans", [[100, 200], 60, 60], {"route_version_pkey"}),
    ("reports.paid", "messages", _TOURS, {"route_account", "message_route"}),
    ("reports.paid", "ratings", _TOURS, {"route_account", "stop_route_id_external_id_key", "rating_pkey"}),
    (
        "reports.paid",
        "cash",
        _TOURS,
        {"route_account", "stop_route_id_external_id_key", "driver_event_stop"},
    ),
]


async def test_reports_read_the_tours_of_their_period_by_key(filled: Db):
    await filled.execute("UPDATE stop SET status = 'completed', outcome_at = now(), arrived_at = now()")
    await filled.execute("INSERT INTO moved_link (link_hash, stop_id) SELECT link_hash, id FROM stop")
    await filled.execute(
        "INSERT INTO message (account_id, route_id, stop_id, attempt, kind, channel, address, locale, state,"
        " happened_at, next_try_at, expires_at, created_at)"
        " SELECT 1, route_id, id, 1, 'booked', 'sms', '', 'es', 'sent', now(), now(), now(), now() FROM stop"
    )
    await filled.execute(
        "INSERT INTO rating (stop_id, account_id, stars, reasons, rated_at) SELECT id, 1, 5, '{}', now() FROM stop"
    )
    await filled.execute("UPDATE proof SET stop_id = stop.id FROM stop WHERE stop.id = 1 + proof.id % 8000")
    await filled.execute("ANALYZE moved_link, stop, message, rating, proof")
    for module, name, values, indexes in REPORTS:
        reads = await explain(filled, module, name, *values)
        assert not [read.table for read in reads if read.how == "Seq Scan"], name
        assert indexes <= {read.index for read in reads}, (name, indexes - {read.index for read in reads})
