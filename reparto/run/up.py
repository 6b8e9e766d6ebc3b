"""`reparto up`: everything on this machine, in one command.

Started: Postgres, tracker, work, HTTP. Stopped the other way round: first nobody new comes in and what came in is on
disk, then the tracker ends its transaction, then Postgres.
"""

import argparse
import asyncio
import logging
import os
import socket
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from reparto.command import CannotRun, Subparsers, out
from reparto.postgres import EmbeddedPostgres, PostgresError
from reparto.process import logs
from reparto.process.process import alongside, keep_running, run_until_stopped, stopped_within
from reparto.process.serve import bind, serving, url_of
from reparto.run.app import create_app
from reparto.run.first import FirstLink, first_admin_key, first_link, print_first_link
from reparto.run.jobs import jobs_of
from reparto.run.migrate import prepare
from reparto.run.mqtt import beside, bind_mqtt
from reparto.run.servers import bind_bare, serving_bare
from reparto.settings.database import given_database, named, postgres_dir
from reparto.settings.proof_store import proofs_of
from reparto.settings.road_engine import roads_of
from reparto.settings.settings import Settings
from reparto.version import __version__
from sql.config import DatabaseConfig
from work.job import run_work

log = logging.getLogger(__name__)

_TRACKER_PATIENCE_S = 30.0  # a take in progress ends within the statement timeout
_LOOK_EVERY_S = 0.5
_LONGEST_PAUSE_S = 2.0  # between two tries to start Postgres: phones wait for it


def add_parser(subparsers: Subparsers) -> None:
    """Declare `up`."""
    words = "start everything on this machine, with a Postgres of its own unless REPARTO_DATABASE_URL names one"
    subparsers.add_parser("up", help=words, description=f"up: {words}.").set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run until stopped."""
    settings = Settings.read()
    logs.configure(settings.server.log_level, "up")
    with (
        bind(settings.server.listen, "REPARTO_LISTEN") as listener,
        bind_bare(settings) as bare,
        bind_mqtt(settings) as mqtt,
    ):
        listeners = _Listeners(listener, bare, mqtt)
        _make_data_dir(settings)
        if settings.database.database_url:
            run_until_stopped(partial(_up, settings, given_database(settings, "up"), listeners, None))
        else:
            with KeptPostgres(postgres_dir(settings)) as postgres:
                database = named(settings.database, postgres.dsn, "up")
                run_until_stopped(partial(_up, settings, database, listeners, postgres))
    return 0


@dataclass(frozen=True, slots=True)
class _Listeners:
    """Where it listens; None: the door is not asked for."""

    http: socket.socket
    bare: socket.socket | None
    mqtt: socket.socket | None


async def _up(
    settings: Settings,
    database: DatabaseConfig,
    listeners: "_Listeners",
    postgres: "KeptPostgres | None",
    stop: asyncio.Event,
) -> None:
    await prepare(settings, database)
    key_file = Path(settings.server.data_dir) / "admin.key"
    is_first_start = await first_admin_key(database, key_file)
    link = await first_link(database, settings.api.public_url.rstrip("/") or url_of(listeners.http))
    url = postgres.dsn if postgres else settings.database.database_url
    env = {**os.environ, "REPARTO_DATABASE_URL": url}
    async with (
        roads_of(settings) as roads,
        proofs_of(settings) as store,
        alongside(postgres.keep) if postgres else nullcontext(),
        alongside(lambda stop: keep_running(_again("track"), env, stop=stop, patience_s=_TRACKER_PATIENCE_S)),
        alongside(lambda stop: run_work(database, stop=stop, jobs=jobs_of(settings, roads, store))),
    ):
        app = create_app(settings, database, roads=roads)
        async with (
            serving(app, listeners.http) as address,
            serving_bare(app, listeners.bare) as bare_address,
            beside(app, listeners.mqtt) as mqtt_address,
        ):
            _greet(address, key_file, link, is_first_start=is_first_start)
            for other, what in ((bare_address, "those that know no path"), (mqtt_address, "those that speak MQTT")):
                if other:
                    out.print(f"  phones     {other}, {what}", markup=False)
            await stop.wait()


def _greet(address: str, key_file: Path, link: FirstLink | None, *, is_first_start: bool) -> None:
    said = "made for account `default`; keep it" if is_first_start else "account `default`"
    out.print(f"Reparto {__version__} at {address}", markup=False)
    out.print(f"  API docs   {address}/docs", markup=False)
    if key_file.exists():
        out.print(f"  admin key  {key_file} ({said})", markup=False)
    if link is None:
        out.print(f"  desk       {address}/desk", markup=False)
    else:
        print_first_link(link)


def _make_data_dir(settings: Settings) -> None:
    data_dir = Path(settings.server.data_dir)
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CannotRun(f"The directory {data_dir} cannot be made ({error.strerror}): set REPARTO_DATA_DIR.") from error


def _again(role: str) -> list[str]:
    """Give the command that runs this program in another role, with the packages that this one runs with.

    `-P` keeps folders of the current directory that happen to be called `api` or `sql` out.
    """
    return [sys.executable, *([] if os.getcwd() in sys.path else ["-P"]), "-m", "reparto", role]


class KeptPostgres:
    """The embedded Postgres, started again whenever it ends without being asked, for as long as it takes."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._server: EmbeddedPostgres | None = EmbeddedPostgres.start(data_dir)
        self.dsn = self._server.dsn
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="postgres")
        """Starts it again while everything else goes on; one thread that lasts, because the server ends with it."""

    async def keep(self, stop: asyncio.Event) -> None:
        """Look after the server until `stop` is set: while it recovers, or has no room on its disk, it is tried on."""
        pause_s = _LOOK_EVERY_S
        while not await stopped_within(stop, pause_s):
            if self._server is not None and self._server.exit_code is None:
                continue
            if self._server is not None:
                log.error("Postgres ended (code %d) and is started again", self._server.exit_code)
            try:
                await asyncio.get_running_loop().run_in_executor(self._thread, self._start_again, stop.is_set)
                log.warning("Postgres takes connections again")
                pause_s = _LOOK_EVERY_S
            except PostgresError as error:
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
                log.error(
                    "Postgres does not start and is tried again in %.0f s; requests are answered 503 meanwhile. %s",
                    pause_s,
                    error,
                )

    def _start_again(self, is_over: Callable[[], bool]) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None
        self._server = EmbeddedPostgres.start(self._data_dir, is_lasting_thread=True, is_over=is_over)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.stop()
        self._thread.shutdown()
