"""A product to throw away: an embedded Postgres that is durable like the real one, and real processes on it."""

import asyncio
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from api.http.auth import KEY_PREFIX, hash_of, new_secret
from reparto.child import Child, free_port
from reparto.postgres import EmbeddedPostgres
from sql.account.accounts import ensure_account
from sql.account.keys import create_key
from sql.config import DatabaseConfig
from sql.migrate import migrate
from sql.pool import connect


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A running product.

    Attributes:
        ingest_url, api_url: where the doors and the API listen.
        key: an admin key.
        postgres_pid: the server's first process.
        more_apis: where the other processes of the API listen, if there are any, and the processes.
        more_work: other processes that work.
    """

    ingest_url: str
    api_url: str
    key: str
    database: DatabaseConfig
    postgres_pid: int
    api: Child
    ingest: Child
    tracker: Child
    work: Child
    more_apis: Sequence[tuple[str, Child]] = ()
    more_work: Sequence[Child] = ()


@contextmanager
def throw_away(*, apis: int = 1, workers: int = 1, more: Mapping[str, str] | None = None) -> Iterator[Product]:
    """Run one process of each role for the block. Call it in the main thread, outside of an event loop.

    Args:
        apis, workers: so many processes of the API, and of those that work, instead of one.
        more: settings of all processes.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="reparto-bench-")))
        postgres = stack.enter_context(EmbeddedPostgres.start(folder / "postgres"))
        database = replace(DatabaseConfig(), database_url=postgres.dsn)
        key = asyncio.run(_prepare(database))

        def start(role: str) -> tuple[Child, str]:
            listen = f"127.0.0.1:{free_port()}"
            settings = {
                "REPARTO_DATABASE_URL": postgres.dsn,
                "REPARTO_DATA_DIR": str(folder),
                "REPARTO_HEALTH_LISTEN" if role in ("track", "work") else "REPARTO_LISTEN": listen,
                **(more or {}),
            }
            child = Child(role, settings=settings, log=folder / f"{role}.log")
            stack.callback(child.stop)
            return child, f"http://{listen}"

        started = {role: start(role) for role in ("work", "track", "api", "ingest")}
        others = [start("api") for _ in range(apis - 1)]
        more_work = [start("work") for _ in range(workers - 1)]
        for child, url in (*started.values(), *others, *more_work):
            asyncio.run(child.ready(url))
        yield Product(
            ingest_url=started["ingest"][1],
            api_url=started["api"][1],
            key=key,
            database=database,
            postgres_pid=postgres.pid,
            api=started["api"][0],
            ingest=started["ingest"][0],
            tracker=started["track"][0],
            work=started["work"][0],
            more_apis=[(url, child) for child, url in others],
            more_work=[child for child, _ in more_work],
        )


async def _prepare(database: DatabaseConfig) -> str:
    """Make the tables and an admin key."""
    await migrate(database)
    secret = new_secret(KEY_PREFIX)
    connection = await connect(database)
    try:
        account_id = await ensure_account(connection, "bench")
        await create_key(connection, account_id=account_id, role="admin", label="bench", secret_hash=hash_of(secret))
    finally:
        await connection.close()
    return secret
