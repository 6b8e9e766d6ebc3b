"""The schema: migrations from empty equal `sql/schema`, and every statement prepares against it."""

import re
from pathlib import Path

import asyncpg
import pytest

import sql
from sql.config import DatabaseConfig
from sql.migrate import applied, migrate, migrations
from sql.pool import Pool
from sql.queries import load

HOUSE = Path(sql.__file__).resolve().parents[1]
QUERIES = sorted(path.relative_to(HOUSE) for room in ("sql", "reparto") for path in (HOUSE / room).glob("*/*.sql"))
MODULES = [".".join(path.with_suffix("").parts) for path in QUERIES if path.parts[1] not in ("schema", "migrations")]

_CATALOG = """
SELECT 'column', c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod) || a.attnotnull::text
       || coalesce(pg_get_expr(d.adbin, d.adrelid), '') || a.attidentity::text || a.attstorage::text
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
UNION ALL
SELECT 'options', relname, coalesce(reloptions::text, '') || coalesce(pg_get_partkeydef(oid), '')
  FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
UNION ALL
SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL
SELECT 'constraint', conrelid::regclass::text || '.' || conname, pg_get_constraintdef(oid)
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT 'function', proname, pg_get_functiondef(oid)
  FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind <> 'a'
UNION ALL
SELECT 'trigger', tgrelid::regclass::text || '.' || tgname, pg_get_triggerdef(oid)
  FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT 'view', viewname, definition FROM pg_views WHERE schemaname = 'public'
UNION ALL
SELECT 'unlogged', relname, relpersistence::text
  FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
UNION ALL
SELECT 'aggregate', aggfnoid::text, concat_ws(' ', aggtransfn, aggtranstype::regtype, agginitval)
  FROM pg_aggregate JOIN pg_proc ON pg_proc.oid = aggfnoid WHERE pronamespace = 'public'::regnamespace
"""


async def _catalog(db: asyncpg.Connection) -> set[tuple[str, str, str]]:
    return {tuple(row) for row in await db.fetch(_CATALOG) if not re.match(r"migration(_pkey)?\b", row[1])}


_EVERY_PING_CHANGES = {
    "track": {"version", "state", "folded_until", "head_at", "stored_until", "unmarked"},
    "live": {
        "recorded_at", "received_at", "lat_e6", "lon_e6", "accuracy_m", "speed_mps", "heading_deg", "battery",
        "along_m", "offset_m", "snapped_lat_e6", "snapped_lon_e6", "next_stop_id", "delay_s",
    },
    "lane_attempt": {"attempts", "tried_at"},
}  # fmt: skip

_LOOKED_AT = """
SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid
 WHERE indrelid = $1::text::regclass
   AND (attnum = ANY (indkey)
        OR EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = indexrelid
                                           AND refobjid = indrelid AND refobjsubid = attnum))
"""


@pytest.mark.parametrize("table", _EVERY_PING_CHANGES)
async def test_no_index_looks_at_what_every_ping_changes(pool: Pool, table: str):
    """Not in its condition either: else Postgres cannot rewrite the row in its place."""
    looked_at = {row["attname"] for row in await pool.fetch(_LOOKED_AT, table)}
    assert not looked_at & _EVERY_PING_CHANGES[table]


async def test_the_migrations_make_the_schema(database: DatabaseConfig, pool: Pool):
    text = "\n".join(part.read_text() for part in sorted((HOUSE / "sql" / "schema").glob("*.sql")))
    async with pool.acquire() as db:
        migrated = await _catalog(db)
        await db.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public;")
        await db.execute(text)
        assert await _catalog(db) == migrated


async def test_migrating_again_changes_nothing(database: DatabaseConfig, pool: Pool):
    secret = await pool.fetchval("SELECT secret FROM instance")
    assert await migrate(database) == []
    assert await applied(pool) == len(migrations())
    assert await pool.fetchval("SELECT secret FROM instance") == secret


async def test_every_query_prepares(pool: Pool):
    wrong = {}
    async with pool.acquire() as db:
        for module in MODULES:
            for name, text in load(module).items():
                try:
                    await db.prepare(text)
                except asyncpg.PostgresError as error:
                    wrong[module, name] = str(error)
    assert wrong == {}


@pytest.mark.parametrize("module", MODULES)
def test_every_query_is_asked_for_by_its_name(module: str):
    text = (HOUSE / Path(*module.split("."))).with_suffix(".py").read_text()
    asked = re.findall(r'_SQL\["(\w+)"\]', text)
    assert set(asked) == set(load(module)), "a name that is put together cannot be found by who looks for it"
