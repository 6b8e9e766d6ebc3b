"""Which Postgres a command works on, and what is said when it cannot be reached."""

import fcntl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, urlsplit

import asyncpg

from reparto.command import CannotRun
from reparto.postgres import EmbeddedPostgres, dsn_of
from reparto.settings.settings import Settings
from sql.config import DatabaseConfig
from sql.migrate import applied, migrations
from sql.pool import Connection, connect


def postgres_dir(settings: Settings) -> Path:
    """Give the directory of the embedded Postgres."""
    return Path(settings.server.data_dir) / "postgres"


def named(database: DatabaseConfig, url: str, role: str) -> DatabaseConfig:
    """Reach the database at `url` under a name that `reparto status` and pg_stat_activity show."""
    if "application_name=" in url:
        return replace(database, database_url=url)
    joint = "&" if urlsplit(url).query else "?"
    return replace(database, database_url=f"{url}{joint}application_name={quote(f'reparto {role}')}")


def given_database(settings: Settings, role: str) -> DatabaseConfig:
    """Give the database that the settings name, for a role that shares it with other processes.

    Raises:
        CannotRun: they name none.
    """
    if not settings.database.database_url:
        raise CannotRun(
            f"`reparto {role}` works beside others on one Postgres: set REPARTO_DATABASE_URL"
            " (postgresql://user:password@host/database). `reparto up` brings a Postgres of its own; while it runs,"
            f" others reach that at {dsn_of(postgres_dir(settings))}"
        )
    return named(settings.database, settings.database.database_url, role)


@contextmanager
def database_at_hand(settings: Settings, role: str) -> Iterator[DatabaseConfig]:
    """Give the database the settings name, or else the embedded one, started for the block unless it already runs.

    Call it in the main thread, outside of an event loop.
    """
    if settings.database.database_url:
        yield given_database(settings, role)
    elif is_embedded_running(settings):
        yield named(settings.database, dsn_of(postgres_dir(settings)), role)
    else:
        with EmbeddedPostgres.start(postgres_dir(settings)) as postgres:
            yield named(settings.database, postgres.dsn, role)


def is_embedded_running(settings: Settings) -> bool:
    """Tell whether somebody, usually `reparto up`, runs the embedded Postgres of this data directory."""
    try:
        with (postgres_dir(settings) / "postgres.lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


@asynccontextmanager
async def connected(database: DatabaseConfig) -> AsyncIterator[Connection]:
    """Open a connection for a block.

    Raises:
        CannotRun: the database cannot be reached, or refuses; in words.
    """
    with in_words():
        connection = await connect(database)
        try:
            yield connection
        finally:
            await connection.close()


async def check_schema(database: DatabaseConfig) -> None:
    """Make sure that the database is reached and has today's schema, or a newer one: a release works under the next.

    Raises:
        CannotRun: it cannot be reached, or its schema is too old.
    """
    async with connected(database) as connection:
        have, want = await applied(connection), len(migrations())
    if have < want:
        raise CannotRun(f"The database is at migration {have} of {want}: run `reparto migrate` first.")


@contextmanager
def in_words() -> Iterator[None]:
    """Turn what Postgres or the way to it makes impossible into a sentence.

    Raises:
        CannotRun: instead of the driver's error. It never quotes the address given to us, which may hold a password.
    """
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        sentence = _explain(error)
        if sentence is None:
            raise
        raise CannotRun(sentence) from error


def _explain(error: Exception) -> str | None:
    match error:
        case asyncpg.InvalidPasswordError() | asyncpg.InvalidAuthorizationSpecificationError():
            return f"Postgres refuses the user or the password in REPARTO_DATABASE_URL: {error.args[0]}."
        case asyncpg.InvalidCatalogNameError():
            return f"Postgres says: {error.args[0]}. Make it (createdb), or correct REPARTO_DATABASE_URL."
        case asyncpg.InsufficientPrivilegeError():
            return f"The database user in REPARTO_DATABASE_URL may not do this: {error.args[0]}."
        case asyncpg.TooManyConnectionsError():
            return f"Postgres has no connection left ({error.args[0]}). Raise max_connections or run fewer processes."
        case asyncpg.DiskFullError():
            return f"Postgres has no room on its disk ({error.args[0]}). Make some: until then phones keep their pings."
        case asyncpg.CannotConnectNowError() | asyncpg.AdminShutdownError():
            return f"Postgres is not ready ({error.args[0]}). Try again in a moment."
        case asyncpg.UndefinedTableError():
            return "The database has no schema yet, or an old one: run `reparto migrate`."
        case asyncpg.LockNotAvailableError():
            return "Others use the tables that a migration changes. Nothing was changed; try again in a quieter moment."
        case asyncpg.ClientConfigurationError():
            return f"REPARTO_DATABASE_URL cannot be used: {error.args[0]}."
        case asyncpg.PostgresConnectionError() | TimeoutError():
            return "Postgres does not answer. Is it running, and is REPARTO_DATABASE_URL right?"
        case OSError():
            why = error.strerror or type(error).__name__
            return f"Postgres cannot be reached ({why}). Is it running, and is REPARTO_DATABASE_URL right?"
    return None
