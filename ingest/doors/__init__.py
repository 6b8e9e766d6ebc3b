"""Everything that takes pings, as one part of an application.

May live here: doors, each with the manner of its kind of client, and what keeps one client from hurting the others.
"""

from collections.abc import AsyncIterator

from aiohttp import web

from ingest.config import IngestConfig
from ingest.doors import apps, websocket
from ingest.doors import native as receive
from ingest.doors.app_keys import INBOX, INGEST_CONFIG
from ingest.doors.bodies import BODIES, Bodies
from ingest.doors.rates import RATES, Rates
from ingest.doors.websocket import SOCKETS
from ingest.inbox import Inbox
from sql.config import DatabaseConfig

WELCOME = apps.WELCOME
OPERATIONS = (receive.operations, websocket.operations, apps.operations)


def add_to(app: web.Application, database: DatabaseConfig, config: IngestConfig) -> None:
    """Add the doors, and the inbox that lives as long as the application.

    The application also needs `api.http.auth.DEVICES` and the middleware `api.http.problem.problems`.
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
