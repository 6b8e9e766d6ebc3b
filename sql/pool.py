"""Connections: one way to open them, with the timeouts that let a dead process's locks go.

Waiting is bounded: for a connection by `wait_s`, for an answer by the statement timeout, and for a server that answers
nobody any more by its pulse.
"""

import asyncio
import logging
import weakref
from collections.abc import Hashable
from contextvars import ContextVar
from typing import Any, TypeAlias

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy

from sql.clock import ServerClock
from sql.config import DatabaseConfig
from sql.turns import ConnectionTurns, NoTurnError

log = logging.getLogger(__name__)

Connection: TypeAlias = asyncpg.Connection
Db: TypeAlias = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy
Pool: TypeAlias = asyncpg.Pool

ASKS: ContextVar[Hashable] = ContextVar("asks", default=None)
"""For whom connections of a pool are taken, so that they are shared out; None: for the product itself, in no turn."""

WAIT_S = 4.0
"""How long a request waits for a connection: with what follows, whoever asks has an answer within 5 s."""

BEAT_EVERY_S = 1.0
HUNG_AFTER_S = 2.5
"""A server that does not tell the time for so long answers nobody: with the beat before, noticed within 4 s. One
that is only slow answers that at once, and what takes long there goes on."""

_OUR_DELAY_S = 0.2
"""The answer may be here, and only we were late to read it."""

DATABASE_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that broke in the middle of an answer
    asyncpg.OperatorInterventionError,  # shut down, killed, starting, cancelled, idle for too long
    asyncpg.InsufficientResourcesError,  # disk, memory, connections
    asyncpg.PostgresSystemError,  # the server's disk fails
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby, until the new primary has the address
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    OSError,  # no route, no socket, reset, timed out
)
"""What a caller sees when the database cannot take more now: HTTP answers 503, a tracker reconnects."""


def is_away(error: BaseException) -> bool:
    """Tell whether the database cannot take more now; a value it cannot take at all is a defect of ours."""
    if isinstance(error, BaseExceptionGroup):
        return all(is_away(one) for one in error.exceptions)
    return isinstance(error, DATABASE_AWAY) and not isinstance(error, asyncpg.DataError)


def is_lost(error: BaseException) -> bool:
    """Tell whether the connection, or the server behind it, went while something was done: whatever that was."""
    by_itself = (asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)
    return is_away(error) and not isinstance(error, by_itself)


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


class TimedConnection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """A connection that knows what the server's clock says: `db.clock.now()`, also inside a transaction of a pool's."""

    __slots__ = ("clock",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Use `connect` or a pool."""
        super().__init__(*args, **kwargs)
        self.clock = ServerClock()


async def connect(config: DatabaseConfig) -> Connection:
    """Open one connection that its owner keeps and closes; who keeps it for long asks it to `tell_time` again."""
    connection = await asyncpg.connect(**_options(config), connection_class=TimedConnection)
    await _prepare(connection)
    await tell_time(connection)
    return connection


async def tell_time(connection: Db) -> None:
    """Ask the server what time it is, and tell the connection's clock."""
    asked_s = connection.clock.steady_s()
    said = await connection.fetchval("SELECT clock_timestamp()")
    connection.clock.hear(said, asked_s)


class FairPool(asyncpg.pool.Pool):  # type: ignore[misc]  # asyncpg has no types
    """The connections of a process. Whoever asks (`ASKS`) has some of them at most, and waits in turn like others."""

    def __init__(self, config: DatabaseConfig, *, size: int, wait_s: float) -> None:
        """Use `create_pool`."""
        super().__init__(
            min_size=min(2, size),
            max_size=size,
            max_queries=50_000,
            max_inactive_connection_lifetime=300.0,
            init=self._prepared,
            connection_class=TimedConnection,
            record_class=asyncpg.Record,
            loop=None,
            **_options(config),
        )
        self._config = config
        self._wait_s = wait_s
        self._turns = ConnectionTurns(size)
        self._whose: dict[int, Hashable] = {}
        self._ours: weakref.WeakSet[asyncpg.Connection[Any]] = weakref.WeakSet()
        self._pulse: asyncio.Task[None] | None = None
        self.is_hung = False
        """Whether the server answers nobody just now."""
        self.clock = ServerClock()

    async def _prepared(self, connection: Connection) -> None:
        self._ours.add(connection)
        await _prepare(connection)
        connection.clock = self.clock
        await tell_time(connection)

    async def _async__init__(self) -> "FairPool":
        await super()._async__init__()
        self._pulse = asyncio.create_task(self._feel_pulse(), name="pulse of the database")
        return self

    async def close(self) -> None:
        """Wait for what is under way, and close all connections."""
        if self._pulse is not None:
            self._pulse.cancel()
            await asyncio.gather(self._pulse, return_exceptions=True)
        await super().close()

    def terminate(self) -> None:
        """Close all connections now."""
        self._end_pulse()
        super().terminate()

    async def _acquire(self, timeout: float | None) -> PoolConnectionProxy:  # noqa: ASYNC109 (asyncpg's own name)
        """Wait in turn for a connection, `wait_s` at most.

        Raises:
            NoTurnError: too many wait, or the server is hung.
            TimeoutError: none came.
        """
        if self.is_hung:
            raise NoTurnError("the server answers nobody")
        who, wait_s = ASKS.get(), self._wait_s if timeout is None else timeout
        async with asyncio.timeout(wait_s):
            await self._turns.enter(who)
            try:
                taken = await super()._acquire(wait_s)
            except BaseException:
                self._turns.leave(who)
                raise
        self._whose[id(taken)] = who
        return taken

    async def release(self, connection: PoolConnectionProxy, *, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Give a connection back."""
        try:
            await super().release(connection, timeout=timeout)
        finally:
            if id(connection) in self._whose:
                self._turns.leave(self._whose.pop(id(connection)))

    async def _feel_pulse(self) -> None:
        """Notice when the server answers nobody, and let go of whoever waits for it: what they asked is undone."""
        connection: Connection | None = None
        beat: asyncio.Task[Connection] | None = None
        try:
            while True:
                beat = asyncio.create_task(self._beat(connection))
                await asyncio.wait({beat}, timeout=HUNG_AFTER_S)
                if not beat.done():
                    await asyncio.sleep(_OUR_DELAY_S)
                is_hung = not beat.done()
                if is_hung:
                    beat.cancel()
                    await asyncio.wait({beat})
                connection = None if beat.cancelled() or beat.exception() else beat.result()
                self._say_hung(is_hung)
                await asyncio.sleep(0 if is_hung else BEAT_EVERY_S)
        finally:
            if beat is not None and not beat.done():
                beat.cancel()
                await asyncio.wait({beat})
            if beat is not None and not beat.cancelled() and not beat.exception():
                beat.result().terminate()

    async def _beat(self, connection: Connection | None) -> Connection:
        if connection is None or connection.is_closed():
            connection = await asyncpg.connect(**_options(self._config), connection_class=TimedConnection)
            connection.clock = self.clock
        try:
            await tell_time(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection

    def _say_hung(self, is_hung: bool) -> None:
        if is_hung != self.is_hung:
            log.warning("the database %s", "answers nobody; whoever waits is let go" if is_hung else "answers again")
        self.is_hung = is_hung
        if is_hung:
            for connection in list(self._ours):
                connection.terminate()

    def _end_pulse(self) -> None:
        if self._pulse is not None:
            self._pulse.cancel()
            self._pulse = None


async def create_pool(config: DatabaseConfig, *, connections: int | None = None, wait_s: float = WAIT_S) -> Pool:
    """Open the pool of a process.

    Args:
        connections: its size; None: `config.pool_connections`.
        wait_s: how long to wait for one of them, at most.
    """
    return await FairPool(config, size=connections or config.pool_connections, wait_s=wait_s)
