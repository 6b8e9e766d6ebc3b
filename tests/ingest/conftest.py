"""The doors over real HTTP and a real Postgres, with a driver's phone that may knock."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import fields
from typing import Any, TypeVar

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from api.http.app_keys import CONFIG, POOL
from api.http.auth import INGEST_TOKEN_PREFIX, TOKEN_PREFIX, hash_of, new_secret
from api.http.config import ApiConfig
from api.http.itself.rights import guard_rights
from api.http.known.devices import DEVICES, DeviceCache
from api.http.problem import problems
from api.http.shares.bodies import BODIES, Bodies
from api.http.shares.rates import QUARANTINE_RATE, Rates
from geo.pings import Pings
from ingest.blocks import decode
from ingest.config import InboxConfig, IngestConfig
from ingest.doors import doors
from ingest.doors.config import DoorsConfig
from ingest.inbox import Inbox
from sql.account.accounts import ensure_account
from sql.account.devices import create_device
from sql.config import DatabaseConfig
from sql.pool import Pool
from tests.ingest.doors.phones import Client, Doors, OurServer, Phone

T = TypeVar("T", bound=InboxConfig | ApiConfig)


@pytest.fixture
def make_phone(pool: Pool) -> Callable[..., Awaitable[Phone]]:
    """`await make_phone("luis", lane=3)`: a driver of the account "mensajeria" with a device."""

    async def make(name: str, *, lane: int = 7, app: str = "native") -> Phone:
        account_id = await ensure_account(pool, "mensajeria")
        driver_id = await pool.fetchval(
            "INSERT INTO driver (account_id, lane, external_id, name) VALUES ($1, $2, $3, $3) RETURNING id",
            account_id, lane, name,
        )  # fmt: skip
        token, ingest_token = new_secret(TOKEN_PREFIX), new_secret(INGEST_TOKEN_PREFIX)
        device_id = await create_device(
            pool, account_id=account_id, driver_id=driver_id, label=None, app=app,
            token_hash=hash_of(token), ingest_token_hash=hash_of(ingest_token),
        )  # fmt: skip
        assert device_id is not None
        return Phone(
            id=device_id, account_id=account_id, driver_id=driver_id, lane=lane, token=token, ingest_token=ingest_token
        )

    return make


@pytest.fixture
async def phone(make_phone: Callable[..., Awaitable[Phone]]) -> Phone:
    """Ana's phone."""
    return await make_phone("ana")


def _configured(kind: type[T], settings: dict[str, Any]) -> T:
    """Take those of some settings that are of this kind, and leave the others."""
    return kind(**{one.name: settings.pop(one.name) for one in fields(kind) if one.name in settings})  # type: ignore[arg-type]


@pytest.fixture
def open_doors(pool: Pool, database: DatabaseConfig) -> Doors:
    """`async with open_doors(max_batch=10) as client`: the doors with settings of their own."""

    @asynccontextmanager
    async def opened(**settings: Any) -> AsyncIterator[Client]:
        app = web.Application(middlewares=[problems])
        app.on_response_prepare.append(guard_rights)
        app[POOL] = pool
        app[DEVICES] = DeviceCache(pool, ttl_s=60)
        app[CONFIG] = api = _configured(ApiConfig, settings)
        app[BODIES] = Bodies(api.body_bytes_at_once, wait_s=api.body_wait_s)
        app[QUARANTINE_RATE] = Rates(api.quarantine_bytes_per_minute, of="bytes that nobody can use")
        inbox = Inbox(database, _configured(InboxConfig, settings), gather_s=settings.pop("gather_s", 0.001))
        oldest_ping_days = settings.pop("oldest_ping_days", IngestConfig().oldest_ping_days)
        by_application = settings.pop("by_application", False)
        doors.add_to(app, inbox, DoorsConfig(**settings), oldest_ping_days=oldest_ping_days)
        async with TestClient((TestServer if by_application else OurServer)(app)) as client:
            yield client

    return opened


@pytest.fixture
async def client(open_doors: Doors) -> AsyncIterator[Client]:
    """The doors with the settings that they come with."""
    async with open_doors() as made:
        yield made


@pytest.fixture
def kept(pool: Pool) -> Callable[[], Awaitable[Pings]]:
    """`await kept()`: every ping in the inbox, in the order of its blocks."""

    async def read() -> Pings:
        return Pings.concat([decode(row["body"]) for row in await pool.fetch("SELECT body FROM inbox ORDER BY id")])

    return read
