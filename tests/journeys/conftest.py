"""The product in this process, whole: real HTTP on a real port, a real Postgres, a tracker and `work` beside."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from api.http.auth import KEY_PREFIX, hash_of, new_secret
from ingest.config import IngestConfig
from ingest.track.tracker import run_tracker
from reparto.client.client import Client
from reparto.process.process import alongside
from reparto.run.app import create_app
from reparto.run.migrate import prepare
from reparto.settings.config import ServerConfig
from reparto.settings.settings import Settings
from sql.account.accounts import ensure_account
from sql.account.keys import create_key
from sql.config import DatabaseConfig
from sql.pool import Pool
from tests.settling import settle
from work.feed.numbering import NUMBER_EVENTS
from work.job import run_work
from work.learn.etas import LEARN_ETAS
from work.roads.config import RoadsConfig


async def no_logo(account_id: int, name: str) -> None:
    """Find no logo, as of companies that have none."""


@pytest.fixture
def roads_config() -> RoadsConfig:
    """What makes a path for a route that brings none; a test module may override this fixture."""
    return RoadsConfig()


@pytest.fixture
async def client(
    database: DatabaseConfig, pool: Pool, tmp_path: Path, roads_config: RoadsConfig
) -> AsyncIterator[Client]:
    """An admin's client of the running product."""
    often = replace(IngestConfig(), rerun_every_s=0.2)  # nobody waits for re-runs here
    settings = Settings(
        database=database, ingest=often, server=ServerConfig(data_dir=str(tmp_path)), roads=roads_config
    )
    await prepare(settings, database)
    key = new_secret(KEY_PREFIX)
    account_id = await ensure_account(pool, "journeys")
    await create_key(pool, account_id=account_id, role="admin", label="test", secret_hash=hash_of(key))
    async with (
        alongside(lambda stop: run_tracker(settings.ingest, database, stop=stop)),
        alongside(lambda stop: run_work(database, stop=stop, jobs=(NUMBER_EVENTS, LEARN_ETAS))),
        TestServer(create_app(settings, database)) as server,
        Client(str(server.make_url("")), key) as made,
    ):
        yield made


@pytest.fixture
def settled(pool: Pool) -> Callable[[], Awaitable[None]]:
    """`await settled()`: every ping is folded, every event is in the feed, nothing waits."""

    async def wait() -> None:
        await settle(pool)

    return wait
