"""How one role runs, in as many processes as wanted, on a Postgres they share."""

import argparse
import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeAlias

from reparto.command import Subparsers
from reparto.process import logs
from reparto.process.process import end_with_parent, run_until_stopped
from reparto.settings.database import check_schema, given_database
from reparto.settings.settings import Settings
from sql.config import DatabaseConfig

Role: TypeAlias = Callable[[Settings, DatabaseConfig, asyncio.Event], Coroutine[Any, Any, None]]
"""Runs until the event is set."""


def add_role(subparsers: Subparsers, name: str, words: str, main: Role) -> argparse.ArgumentParser:
    """Declare the command of a role and give its parser."""
    parser = subparsers.add_parser(name, help=words, description=f"{name}: {words}.")
    parser.set_defaults(run=partial(_run, role=name, main=main))
    return parser


def add_loop(subparsers: Subparsers, name: str, words: str, main: Role) -> None:
    """Declare the command of a role that only works."""
    parser = add_role(subparsers, name, words, main)
    parser.add_argument("--parent", type=int, metavar="PID", help=argparse.SUPPRESS)  # end when this process ends


def _run(args: argparse.Namespace, *, role: str, main: Role) -> int:
    if getattr(args, "parent", None):
        end_with_parent(args.parent)
    settings = Settings.read()
    logs.configure(settings.server.log_level, role)
    run_until_stopped(partial(main, settings, given_database(settings, role)))
    return 0


@asynccontextmanager
async def healthy(settings: Settings, database: DatabaseConfig) -> AsyncIterator[None]:
    """Serve /health and /metrics during the block, where REPARTO_HEALTH_LISTEN says.

    Raises:
        CannotRun: the database cannot be used by this release.
    """
    where = settings.server.health_listen
    if not where:
        await check_schema(database)
        yield
        return
    from reparto.process.serve import bind, serving  # a tracker without it is 40 MB smaller
    from reparto.run.system import create_system_app

    with bind(where, "REPARTO_HEALTH_LISTEN") as listener:
        await check_schema(database)
        async with serving(create_system_app(settings, database), listener):
            yield
