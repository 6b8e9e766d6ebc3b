"""Bring a database to today's schema: numbered files, forward only, one at a time, each in a transaction of its own."""

import re
import secrets
from dataclasses import dataclass
from importlib.resources import files

from sql import locks
from sql.config import DatabaseConfig
from sql.pool import Connection, Db, connect

LONGEST_S = 86_400.0
"""The client waits so long for one migration; the server ends a statement of it earlier, unless that says otherwise."""

_FILE = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One numbered file of `sql/migrations/`."""

    number: int
    name: str
    text: str


def migrations() -> list[Migration]:
    """Read every migration, in order.

    Raises:
        ValueError: numbers are not 1, 2, 3, …
    """
    found = [
        Migration(number=int(match[1]), name=entry.name, text=entry.read_text(encoding="utf-8"))
        for entry in files("sql.migrations").iterdir()
        if (match := _FILE.match(entry.name))
    ]
    found.sort(key=lambda migration: migration.number)
    if [migration.number for migration in found] != list(range(1, len(found) + 1)):
        raise ValueError("migrations are not numbered 1, 2, 3, … without a gap")
    return found


async def applied(db: Db) -> int:
    """Tell the number of the last migration applied; 0 for an empty database."""
    if await db.fetchval("SELECT to_regclass('public.migration')") is None:
        return 0
    return int(await db.fetchval("SELECT coalesce(max(number), 0) FROM migration"))


async def migrate(config: DatabaseConfig) -> list[str]:
    """Apply what is missing and return the names of the files applied.

    Safe to run from any number of processes at once. A migration that cannot get its locks within
    `config.lock_timeout_s` fails and leaves the schema as it was, instead of queueing every driver behind it.

    Raises:
        asyncpg.PostgresError: a statement failed; its migration was rolled back.
        RuntimeError: the database is newer than this program.
    """
    connection = await connect(config)
    try:
        await connection.execute("SET statement_timeout = '10min'")
        await connection.execute("SET lock_timeout = 0")
        await connection.execute("SELECT pg_advisory_lock($1)", locks.MIGRATIONS)
        await connection.execute(f"SET lock_timeout = {config.lock_timeout_s * 1000:.0f}")
        return await _apply(connection, config)
    finally:
        await connection.close()


async def _apply(connection: Connection, config: DatabaseConfig) -> list[str]:
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS migration"
        " (number integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    last = await applied(connection)
    known = migrations()
    if last > len(known):
        raise RuntimeError(f"the database is at migration {last}, this program knows {len(known)}: update the program")
    for migration in known[last:]:
        async with connection.transaction():
            await connection.execute(migration.text, timeout=LONGEST_S)
            await connection.execute(
                "INSERT INTO migration (number, name) VALUES ($1, $2)", migration.number, migration.name
            )
    await connection.execute(
        "INSERT INTO instance (lanes, secret) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        config.lanes,
        secrets.token_bytes(32),
    )
    return [migration.name for migration in known[last:]]
