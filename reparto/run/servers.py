"""`reparto ingest` and `reparto api`: the roles that serve HTTP; and the second port for phones that know no path."""

import asyncio
import socket
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext, suppress
from functools import partial

import aiohttp
from aiohttp import web

from ingest.doors.bare_port import create_bare_app
from reparto.command import CannotRun, Subparsers, out
from reparto.process.serve import bind, serving
from reparto.run.app import create_app
from reparto.run.role import add_role
from reparto.settings.config import address_of
from reparto.settings.database import check_schema
from reparto.settings.road_engine import roads_of
from reparto.settings.settings import Settings
from sql.config import DatabaseConfig
from work.roads.choose import STRAIGHT

_ROLES = {
    "ingest": "the doors that phones send pings to",
    "api": "what people and programs ask: the API, tracking pages, the live map",
}

_TELLS_APART = {"ingest": ("/v1/account", 401, "api"), "api": ("/v1/pings", 405, "ingest")}
"""For a role: a path, what another role answers to it, and which role that is."""


def add_parser(subparsers: Subparsers) -> None:
    """Declare both."""
    for name, words in _ROLES.items():
        add_role(subparsers, name, words, partial(_serve, name))


async def _check_nobody_else(role: str, listen: str) -> None:
    """Make sure that no other role has the address: the kernel would share connections out between the two.

    Raises:
        CannotRun: one has.
    """
    path, status, other = _TELLS_APART[role]
    host, port = address_of(listen)
    with suppress(aiohttp.ClientError, TimeoutError, OSError):
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as client,
            client.get(f"http://{f'[{host}]' if ':' in host else host}:{port}{path}") as response,
        ):
            if response.status == status:
                raise CannotRun(
                    f"`reparto {other}` already listens on {listen}: set REPARTO_LISTEN to another address."
                )


def bind_bare(settings: Settings, *, shared: bool = False) -> AbstractContextManager[socket.socket | None]:
    """Take the address of the second port, where REPARTO_OSMAND_LISTEN says one; `shared` as `bind` has it.

    Raises:
        CannotRun: as `bind`.
    """
    listen = settings.server.osmand_listen
    return bind(listen, "REPARTO_OSMAND_LISTEN", shared=shared) if listen else nullcontext()


def serving_bare(app: web.Application, listener: socket.socket | None) -> AbstractAsyncContextManager[str | None]:
    """Serve the second port, if there is one, beside an application that is served already; give its address."""
    return serving(create_bare_app(app), listener) if listener else nullcontext()


async def _serve(role: str, settings: Settings, database: DatabaseConfig, stop: asyncio.Event) -> None:
    """Serve HTTP until stopped."""
    await _check_nobody_else(role, settings.server.listen)
    with (
        bind(settings.server.listen, "REPARTO_LISTEN", shared=True) as listener,
        bind_bare(settings, shared=True) if role == "ingest" else nullcontext() as bare,
    ):
        await check_schema(database)
        async with roads_of(settings) if role == "api" else nullcontext(STRAIGHT) as roads:
            app = create_app(settings, database, takes_pings=role == "ingest", is_asked=role == "api", roads=roads)
            async with serving(app, listener) as url, serving_bare(app, bare) as bare_url:
                also = f" and, for phones that know no path, on {bare_url}" if bare_url else ""
                out.print(f"reparto {role} listens on {url}{also}", markup=False)
                await stop.wait()
