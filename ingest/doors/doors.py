"""Everything that takes pings, as one part of an application."""

from collections.abc import AsyncIterator

from aiohttp import web

from api.http.app_keys import AT_ONCE
from api.http.shares.rates import RATES, Rates
from ingest.doors import apps, websocket
from ingest.doors import native as receive
from ingest.doors.app_keys import DOORS_CONFIG, INBOX, OLDEST_PING_DAYS
from ingest.doors.at_once import AtOnce
from ingest.doors.config import DoorsConfig
from ingest.inbox import Inbox

OPERATIONS = (receive.operations, websocket.operations, apps.operations)


def add_to(app: web.Application, inbox: Inbox, config: DoorsConfig, *, oldest_ping_days: float) -> None:
    """Add the doors by HTTP, and what they need (`open_inbox`).

    The application also needs `api.http.known.devices.DEVICES`, `api.http.shares.bodies.BODIES` and the middleware
    `api.http.problem.problems`.
    """
    open_inbox(app, inbox, config, oldest_ping_days=oldest_ping_days)
    app[AT_ONCE] = AtOnce(app)
    websocket.add_to(app, config)
    app.on_shutdown.append(websocket.close_all)
    for operations in OPERATIONS:
        operations.add_to(app)


def open_inbox(app: web.Application, inbox: Inbox, config: DoorsConfig, *, oldest_ping_days: float) -> None:
    """Add what every door needs, HTTP or not: an inbox that is open as long as the application runs, and limits."""

    async def opened(app: web.Application) -> AsyncIterator[None]:
        async with inbox as app[INBOX]:
            yield

    app[DOORS_CONFIG] = config
    app[OLDEST_PING_DAYS] = oldest_ping_days
    app[RATES] = Rates(config.pings_per_minute)
    app.cleanup_ctx.append(opened)
