"""Everything that takes pings, as one part of an application."""

from collections.abc import AsyncIterator

from aiohttp import web

from ingest import apps, receive, websocket
from ingest.bodies import BODIES, Bodies
from ingest.config import IngestConfig
from ingest.inbox import INBOX, Inbox
from ingest.rates import RATES, Rates
from ingest.receive import INGEST_CONFIG
from ingest.websocket import SOCKETS
from sql.config import DatabaseConfig

OPERATIONS = (receive.operations, websocket.operations, apps.operations)


def add_to(app: web.Application, database: DatabaseConfig, config: IngestConfig) -> None:
    """Add the doors, and the inbox that lives as long as the application.

    The application also needs `api.auth.DEVICES` and the middleware `api.problem.problems`.
    """

    async def inbox(app: web.Application) -> AsyncIterator[None]:
        async with Inbox(database, config) as app[INBOX]:
            yield

    app[INGEST_CONFIG] = config
    app[RATES] = Rates(config.pings_per_minute)
    app[BODIES] = Bodies(max_bytes=config.max_ping_bytes, max_total_bytes=config.inbox_waiting_bytes)
    app[SOCKETS] = set()
    app.cleanup_ctx.append(inbox)
    app.on_shutdown.append(websocket.close_all)
    for operations in OPERATIONS:
        operations.add_to(app)
