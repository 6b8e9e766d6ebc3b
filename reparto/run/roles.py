"""`reparto ingest`, `track`, `api`, `work`: one role each, in as many processes as wanted, on a Postgres they share."""

import argparse
import asyncio
from collections.abc import Callable, Coroutine
from contextlib import nullcontext, suppress
from functools import partial
from typing import Any

import aiohttp

from ingest.track.tracker import run_tracker
from reparto.command import CannotRun, Subparsers, out
from reparto.process import logs
from reparto.process.process import end_with_parent, run_until_stopped
from reparto.process.serve import bind, serving
from reparto.run.app import create_app, create_system_app
from reparto.run.jobs import jobs_of
from reparto.settings.config import address_of
from reparto.settings.database import check_schema, given_database
from reparto.settings.proof_store import proofs_of
from reparto.settings.road_engine import roads_of
from reparto.settings.settings import Settings
from sql.config import DatabaseConfig
from work.job import run_work
from work.roads.choose import STRAIGHT

_SERVERS = {
    "ingest": "the doors that phones send pings to",
    "api": "what people and programs ask: the API, tracking pages, the live map",
}
_LOOPS = {
    "track": "fold pings from the inbox into tracks, visits, ETAs and events",
    "work": "number events, send messages and webhooks, match detours, finish uploads, drop what is too old",
}

_TELLS_APART = {"ingest": ("/v1/account", 401, "api"), "api": ("/v1/pings", 405, "ingest")}
"""For a role: a path, what another role answers to it, and which role that is."""


def add_parser(subparsers: Subparsers) -> None:
    """Declare the four roles."""
    for name, words in _SERVERS.items():
        subparsers.add_parser(name, help=words, description=f"{name}: {words}.").set_defaults(
            run=partial(_run, role=name, main=_serve)
        )
    for name, words in _LOOPS.items():
        parser = subparsers.add_parser(name, help=words, description=f"{name}: {words}.")
        parser.add_argument("--parent", type=int, metavar="PID", help=argparse.SUPPRESS)  # end when this process ends
        parser.set_defaults(run=partial(_run, role=name, main=_loop))


def _run(
    args: argparse.Namespace,
    *,
    role: str,
    main: Callable[[str, Settings, DatabaseConfig, asyncio.Event], Coroutine[Any, Any, None]],
) -> int:
    if getattr(args, "parent", None):
        end_with_parent(args.parent)
    settings = Settings.read()
    logs.configure(settings.server.log_level, role)
    database = given_database(settings, role)
    run_until_stopped(partial(main, role, settings, database))
    return 0


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


async def _serve(role: str, settings: Settings, database: DatabaseConfig, stop: asyncio.Event) -> None:
    """Serve HTTP until stopped."""
    await _check_nobody_else(role, settings.server.listen)
    with bind(settings.server.listen, "REPARTO_LISTEN", shared=True) as listener:
        await check_schema(database)
        async with roads_of(settings) if role == "api" else nullcontext(STRAIGHT) as roads:
            app = create_app(settings, database, takes_pings=role == "ingest", is_asked=role == "api", roads=roads)
            async with serving(app, listener) as url:
                out.print(f"reparto {role} listens on {url}", markup=False)
                await stop.wait()


async def _loop(role: str, settings: Settings, database: DatabaseConfig, stop: asyncio.Event) -> None:
    """Work until stopped; /health and /metrics are served where REPARTO_HEALTH_LISTEN says."""
    where = settings.server.health_listen
    with bind(where, "REPARTO_HEALTH_LISTEN") if where else nullcontext() as listener:
        await check_schema(database)
        async with serving(create_system_app(settings, database), listener) if listener else nullcontext():
            if role == "track":
                await run_tracker(settings.ingest, database, stop=stop)
                return
            async with roads_of(settings) as roads, proofs_of(settings) as store:
                await run_work(database, stop=stop, jobs=jobs_of(settings, roads, store))
