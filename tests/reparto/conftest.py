"""The running product, and a morning in Montevideo that was driven in it."""

import logging
import os
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from api.http.auth import KEY_PREFIX, hash_of, new_secret
from ingest.track.tracker import run_tracker
from reparto.client.client import Client, Phone
from reparto.client.recordings import read_case
from reparto.client.tally import Tally
from reparto.data.importer import import_routes, moved_to_now
from reparto.data.replay import AT_ONCE
from reparto.process.process import alongside
from reparto.run.app import create_app
from reparto.run.migrate import prepare
from reparto.settings.settings import Settings
from sql.account.accounts import ensure_account
from sql.account.keys import create_key
from sql.config import DatabaseConfig
from sql.pool import Pool
from tests.settling import settle

MONTEVIDEO = Path(__file__).parent.parent / "journeys" / "montevideo.route.json"


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """Where a command sends its logs ends with the test: that is the test's own stderr, closed afterwards."""
    root, server = logging.root, logging.getLogger("aiohttp.server")
    handlers, level, filters = root.handlers[:], root.level, server.filters[:]
    yield
    root.handlers[:], server.filters[:] = handlers, filters
    root.setLevel(level)


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Nothing is set but a data directory of the test's own."""
    for name in [name for name in os.environ if name.startswith("REPARTO_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("REPARTO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    return monkeypatch


@pytest.fixture
async def key(database: DatabaseConfig, pool: Pool) -> str:
    """A key of the account whose day is looked at."""
    await prepare(Settings(database=database), database)
    made = new_secret(KEY_PREFIX)
    account_id = await ensure_account(pool, "montevideana")
    await create_key(pool, account_id=account_id, role="admin", label="test", secret_hash=hash_of(made))
    return made


@pytest.fixture
async def client(database: DatabaseConfig, key: str) -> AsyncIterator[Client]:
    """A client of the running product: real HTTP, a tracker beside."""
    settings = Settings(database=database)
    async with (
        alongside(lambda stop: run_tracker(settings.ingest, database, stop=stop)),
        TestServer(create_app(settings, database)) as server,
        Client(str(server.make_url("")), key) as made,
    ):
        yield made


@pytest.fixture
async def morning(client: Client, pool: Pool) -> str:
    """A morning in Montevideo, driven and settled; the route's external id."""
    case = read_case(MONTEVIDEO)
    route, recording = moved_to_now(case, speed=AT_ONCE, timezone="America/Montevideo")
    assert recording is not None
    drivers = await import_routes(client, [route])
    _, token = await client.device(drivers[case.name], "test")
    await Phone(client.session, client.url, token, Tally(), random.Random(0)).send(recording.pings)
    await settle(pool, numbered=False)  # no `work` runs here
    return route.external_id
