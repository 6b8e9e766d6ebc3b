"""Real parts for every test: a Postgres of the suite's own, a migrated template, a copy of it for each test.

`REPARTO_TEST_PG_BIN` runs the suite on another server, for example /usr/lib/postgresql/15/bin.
"""

import asyncio
import gc
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
import time_machine
from hypothesis import HealthCheck, settings

from reparto.postgres import EmbeddedPostgres
from sql.config import DatabaseConfig
from sql.migrate import migrate
from sql.pool import Pool, create_pool
from tests.stores.azure import azure_bucket
from tests.stores.gcs import gcs_bucket
from tests.stores.s3 import s3_bucket
from tests.stores.server import Bucket
from work.outgoing.sealed import Sealer, keys_in, new_key

settings.register_profile("suite", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")  # the same examples every time, however slow the machine is

IN_MEMORY, ENOUGH_BYTES = Path("/dev/shm"), 4 << 30
"""Where files cost nothing, and what must be free there: the copy of the template for a test takes a tenth of the time.
"""

if IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free > ENOUGH_BYTES:
    os.environ["TMPDIR"] = str(IN_MEMORY)  # for `tempfile`, for pytest and for whatever tests start
    tempfile.tempdir = None

if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):  # as in containers: every process would compile all it loads
    sys.dont_write_bytecode = False

FOR_SMALL_DATABASES = {
    "shared_buffers": "32MB",  # each drop looks through all of them
    "wal_level": "minimal",  # nobody copies what is written
    "max_wal_senders": "0",
}
"""Thousands are made and dropped, and each lasts for a test."""

WHOLE_PRODUCTS = ("acceptance", "journeys", "reparto/run")
"""The tests that take longest: they begin, so that at the end no process waits for another."""

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a case with raw bytes by its place: bytes may hold the time, and every process must find the same names."""
    return argname if isinstance(val, bytes) else None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage among what is loaded and found here, now or in any test: it stays to the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest begin; see `WHOLE_PRODUCTS`."""
    first = tuple(str(Path(__file__).parent / room) for room in WHOLE_PRODUCTS)
    items.sort(key=lambda item: not str(item.path).startswith(first))


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """The suite's own server; nothing survives it."""
    binaries = os.environ.get("REPARTO_TEST_PG_BIN")
    with (
        tempfile.TemporaryDirectory(prefix="reparto-test-") as directory,
        EmbeddedPostgres.start(
            Path(directory), binaries=Path(binaries) if binaries else None, durable=False, settings=FOR_SMALL_DATABASES
        ) as server,
    ):
        yield server


@pytest.fixture(scope="session")
def template(postgres: EmbeddedPostgres) -> str:
    """The name of a migrated database that each test copies."""

    async def make() -> None:
        admin = await asyncpg.connect(postgres.dsn)
        await admin.execute("CREATE DATABASE reparto_template")
        await admin.close()
        await migrate(DatabaseConfig(database_url=dsn_of(postgres, "reparto_template")))

    asyncio.run(make())
    return "reparto_template"


def dsn_of(postgres: EmbeddedPostgres, database: str) -> str:
    """Give the address of a database of the server."""
    return postgres.dsn.replace("/reparto?", f"/{database}?")


_copies = iter(range(1_000_000))
_over: list[str] = []
"""Databases of tests that are over: a drop waits a tenth of a second for connections that were closed just now, and for
those of the test before no more."""


@pytest.fixture
async def database(postgres: EmbeddedPostgres, template: str) -> AsyncIterator[DatabaseConfig]:
    """The settings of this test's own database, whose locks are waited for longer than any test takes."""
    name = f"test_{next(_copies)}"
    admin = await asyncpg.connect(postgres.dsn)
    # block by block through the WAL, as by default, it takes up to twice the CPU
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    patient = DatabaseConfig(lock_timeout_s=60, statement_timeout_s=60)
    yield replace(patient, database_url=dsn_of(postgres, name))
    while _over:
        await admin.execute(f"DROP DATABASE {_over.pop()} WITH (FORCE)")
    _over.append(name)
    await admin.close()


@pytest.fixture
async def pool(database: DatabaseConfig) -> AsyncIterator[Pool]:
    """A pool on this test's own database."""
    async with await create_pool(database) as made:
        yield made


@pytest.fixture(params=[-7, 7], ids=["a-week-behind", "a-week-ahead"])
def misdated(request: pytest.FixtureRequest) -> Callable[[], AbstractContextManager[object]]:
    """`with misdated():` this machine's clock is a week off, and the database's is right."""
    return lambda: time_machine.travel(datetime.now(UTC) + timedelta(days=request.param), tick=True)


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    """A bucket of an S3 server; nothing survives it."""
    with s3_bucket(tmp_path_factory.mktemp("s3")) as bucket:
        yield bucket


@pytest.fixture(scope="session")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    """A container of Microsoft's own server for tests."""
    with azure_bucket(tmp_path_factory.mktemp("azure")) as bucket:
        yield bucket


@pytest.fixture(scope="session")
def gcs() -> Iterator[Bucket]:
    """A bucket of a stand-in for Google's."""
    with gcs_bucket() as bucket:
        yield bucket


@pytest.fixture
def sealer() -> Sealer:
    """Seals what the application under test keeps sealed."""
    return Sealer(keys_in(new_key()))


@pytest.fixture
def shared_data() -> Path:
    """Real recordings with ground truth, where they are at hand."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"the recordings are not at {SHARED_DATA}")
    return SHARED_DATA
