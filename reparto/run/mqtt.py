"""`reparto mqtt`: the door for phones that speak MQTT; and the same beside `up`."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext

from aiohttp import web

from ingest.mqtt.server import serving_mqtt
from reparto.command import Subparsers, out
from reparto.process.serve import bind, serving
from reparto.run.app import create_mqtt_app
from reparto.run.role import add_role
from reparto.settings.database import check_schema
from reparto.settings.settings import Settings
from sql.config import DatabaseConfig

_LISTEN = "127.0.0.1:1883"


def add_parser(subparsers: Subparsers) -> None:
    """Declare `mqtt`."""
    add_role(subparsers, "mqtt", "the door for phones that speak MQTT, as OwnTracks does", _mqtt)


def bind_mqtt(settings: Settings) -> AbstractContextManager[socket.socket | None]:
    """Take the address for `up`, where REPARTO_MQTT_LISTEN says one.

    Raises:
        CannotRun: as `bind`.
    """
    listen = settings.server.mqtt_listen
    return bind(listen, "REPARTO_MQTT_LISTEN") if listen else nullcontext()


@asynccontextmanager
async def beside(app: web.Application, listener: socket.socket | None) -> AsyncIterator[str | None]:
    """Serve it, if there is an address, beside an application that runs; give host:port."""
    if listener is None:
        yield None
        return
    host, port = listener.getsockname()[:2]
    async with serving_mqtt(app, listener):
        yield f"{host}:{port}"


async def _mqtt(settings: Settings, database: DatabaseConfig, stop: asyncio.Event) -> None:
    """Serve MQTT until stopped."""
    health = settings.server.health_listen
    with (
        bind(settings.server.mqtt_listen or _LISTEN, "REPARTO_MQTT_LISTEN", shared=True) as listener,
        bind(health, "REPARTO_HEALTH_LISTEN") if health else nullcontext() as health_listener,
    ):
        await check_schema(database)
        app = create_mqtt_app(settings, database)
        running = serving(app, health_listener) if health_listener else _running(app)
        async with running, beside(app, listener) as address:
            out.print(f"reparto mqtt listens on {address}", markup=False)
            await stop.wait()


@asynccontextmanager
async def _running(app: web.Application) -> AsyncIterator[None]:
    """Let an application live that nobody asks anything by HTTP."""
    runner = web.AppRunner(app, handle_signals=False)
    try:
        await runner.setup()
        yield
    finally:
        await runner.cleanup()
