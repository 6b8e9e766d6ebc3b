"""What every process that serves HTTP has: health, metrics, limits, the way to the database."""

from collections.abc import AsyncIterator, Callable
from typing import TypeAlias

from aiohttp import web

from api.http.app_keys import CONFIG, POOL
from api.http.host import known_host
from api.http.itself import health, metrics
from api.http.itself.rights import guard_rights
from api.http.known.devices import DEVICES, DeviceCache
from api.http.known.keys import KEYS, KeyCache
from api.http.problem import problems
from api.http.read import paths
from api.http.shares.bodies import BODIES, Bodies
from api.http.shares.rates import ACCOUNT_WRITES, QUARANTINE_RATE, Rates
from reparto.settings.settings import Settings
from sql.config import DatabaseConfig
from sql.pool import create_pool

Part: TypeAlias = Callable[[web.Application], AsyncIterator[None]]
"""Something that lives as long as the application."""

OPERATIONS = (health.operations, metrics.operations)


def create_system_app(settings: Settings, database: DatabaseConfig) -> web.Application:
    """Make the application of a process that only works: /health and /metrics."""
    app = web.Application(
        middlewares=[metrics.timing, problems, known_host], client_max_size=settings.api.max_body_bytes
    )
    app.on_response_prepare.append(guard_rights)
    app[CONFIG] = settings.api
    app[BODIES] = Bodies(settings.api.body_bytes_at_once, wait_s=settings.api.body_wait_s)
    app[QUARANTINE_RATE] = Rates(settings.api.quarantine_bytes_per_minute, of="bytes that nobody can use")
    app[ACCOUNT_WRITES] = Rates(settings.api.account_writes_per_minute, of="changes", whose="account")
    app.cleanup_ctx.append(_pool(settings, database))
    for operations in OPERATIONS:
        operations.add_to(app)
    paths.add_to(app)
    return app


def _pool(settings: Settings, database: DatabaseConfig) -> Part:
    async def opened(app: web.Application) -> AsyncIterator[None]:
        async with await create_pool(database) as pool:
            app[POOL] = pool
            app[DEVICES] = DeviceCache(pool, size=settings.api.known_devices)
            app[KEYS] = KeyCache(pool)
            yield

    return opened
