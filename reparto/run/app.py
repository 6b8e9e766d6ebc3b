"""The wiring of everything HTTP, top to bottom."""

from collections.abc import AsyncIterator

from aiohttp import web

from api.http import assets
from api.http.itself import openapi
from api.http.known.devices import DEVICES
from api.stream.revocations import Revocations
from ingest.doors import doors
from ingest.inbox import Inbox
from reparto.run.system import Part, create_system_app
from reparto.settings.settings import Settings
from sql.config import DatabaseConfig
from work.roads.choose import STRAIGHT
from work.roads.protocol import Roads


def create_app(
    settings: Settings,
    database: DatabaseConfig,
    *,
    takes_pings: bool = True,
    is_asked: bool = True,
    roads: Roads = STRAIGHT,
) -> web.Application:
    """Make the application of a process.

    Args:
        takes_pings: it has the doors for phones; the role `ingest`.
        is_asked: it has what people and programs ask; the role `api`.
        roads: makes paths for routes that bring none; open for as long as the application runs.
    """
    app = create_system_app(settings, database)
    if is_asked:
        from reparto.run import asked  # a process of doors alone starts without it in a fraction of time and memory

        asked.add_to(app, settings, database, roads)
    app.cleanup_ctx.append(_revocations(database))
    if takes_pings:
        inbox = Inbox(database, settings.inbox)
        doors.add_to(app, inbox, settings.doors, oldest_ping_days=settings.ingest.oldest_ping_days)
    assets.add_to(app)
    openapi.operations.add_to(app)
    return app


def create_mqtt_app(settings: Settings, database: DatabaseConfig) -> web.Application:
    """Make the application of the role `mqtt`: it holds what doors need, and answers /health and /metrics."""
    app = create_system_app(settings, database)
    app.cleanup_ctx.append(_revocations(database))
    inbox = Inbox(database, settings.inbox)
    doors.open_inbox(app, inbox, settings.doors, oldest_ping_days=settings.ingest.oldest_ping_days)
    return app


def _revocations(database: DatabaseConfig) -> Part:
    async def opened(app: web.Application) -> AsyncIterator[None]:
        async with Revocations(database, app[DEVICES]):
            yield

    return opened
