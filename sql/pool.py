"""Connections: one way to open them, with the timeouts that let a dead process's locks go."""

from typing import Any, TypeAlias

import asyncpg
import msgspec

from sql.config import DatabaseConfig

Connection: TypeAlias = asyncpg.Connection
Db: TypeAlias = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy
Pool: TypeAlias = asyncpg.Pool

DATABASE_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.QueryCanceledError,
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.DiskFullError,
    OSError,  # no route, no socket, reset, timed out
)
"""What a caller sees when the database cannot take more now: HTTP answers 503, a tracker reconnects."""


def is_away(error: Exception) -> bool:
    """Tell whether the database cannot take more now; a value it cannot take at all is a defect of ours."""
    return isinstance(error, DATABASE_AWAY) and not isinstance(error, asyncpg.DataError)


async def _prepare(connection: Db) -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: msgspec.json.encode(value).decode(),
        decoder=msgspec.json.decode,
    )


def _options(config: DatabaseConfig) -> dict[str, Any]:
    return {
        "dsn": config.database_url,
        "timeout": 10,
        "command_timeout": config.statement_timeout_s + 5,
        "server_settings": {
            "timezone": "UTC",
            "synchronous_commit": "on",
            "statement_timeout": f"{config.statement_timeout_s * 1000:.0f}",
            "lock_timeout": f"{config.lock_timeout_s * 1000:.0f}",
            "idle_in_transaction_session_timeout": "30000",
            "tcp_keepalives_idle": "15",
            "tcp_keepalives_interval": "5",
            "tcp_keepalives_count": "3",
            "jit": "off",
        },
    }


async def connect(config: DatabaseConfig) -> Connection:
    """Open one connection that its owner keeps and closes."""
    connection = await asyncpg.connect(**_options(config))
    await _prepare(connection)
    return connection


async def create_pool(config: DatabaseConfig, *, connections: int | None = None) -> Pool:
    """Open the pool of a process; `connections` is its size, `config.pool_connections` when None."""
    size = connections or config.pool_connections
    return await asyncpg.create_pool(min_size=min(2, size), max_size=size, init=_prepare, **_options(config))
