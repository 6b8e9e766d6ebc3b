"""A running server and its lifetime: the steps of a start in their order, undone in the reverse order by `stop`."""

import subprocess
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from reparto.postgres.binaries import find_binaries
from reparto.postgres.cluster import check_cluster, make_cluster
from reparto.postgres.ending import end_child, end_orphan
from reparto.postgres.error import PostgresError
from reparto.postgres.place import ServerPlace, linked, locked
from reparto.postgres.server import start_server
from reparto.postgres.user import server_user


class EmbeddedPostgres:
    """A running server; made by `start`, over with `stop` or the end of the `with` block."""

    def __init__(self, dsn: str, process: subprocess.Popen[bytes], held: ExitStack) -> None:
        self.dsn = dsn
        self._process = process
        self._held = held  # the process, the link, the lock

    @classmethod
    def start(
        cls,
        data_dir: Path,
        *,
        binaries: Path | None = None,
        durable: bool = True,
        settings: Mapping[str, str] | None = None,
        is_lasting_thread: bool = False,
        is_over: Callable[[], bool] = lambda: False,
    ) -> Self:
        """Make the cluster if there is none, end what a killed supervisor left running, start and wait until ready.

        Call it in the main thread, before the event loop, or in one that lasts as long: it blocks (0.7 s the first
        time, 0.05 s later, longer after a crash). The server ends with this process, however that ends; a child made by
        fork without exec keeps the directory locked for as long as it lives.

        Args:
            data_dir: made with mode 0700 if missing; an existing one keeps its mode and owner.
            binaries: a directory with `postgres` and `initdb` (/usr/lib/postgresql/15/bin); None takes the wheel's.
            durable: False is for tests: faster, but the cluster is lost with the machine's power.
            settings: more of Postgres's settings, or other values for ours.
            is_lasting_thread: this is not the main thread, and it ends after `stop`.
            is_over: asked while it waits: nobody needs the server any more.

        Raises:
            PostgresError: with what to do about it.
        """
        if threading.current_thread() is not threading.main_thread() and not is_lasting_thread:
            raise PostgresError(
                "Start the embedded Postgres in the main thread: Linux ends the server with the thread that started it."
            )
        place = ServerPlace(data_dir=data_dir.resolve())
        try:
            place.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            with ExitStack() as held:
                held.enter_context(locked(place))
                chosen = find_binaries(binaries, server_user(place.cluster))
                if not place.cluster.exists():
                    make_cluster(place, chosen, durable=durable)
                check_cluster(place, chosen)
                end_orphan(place)
                held.enter_context(linked(place))
                process = start_server(place, chosen, durable=durable, settings=settings or {}, is_over=is_over)
                held.callback(end_child, process)
                return cls(place.dsn, process, held.pop_all())
        except OSError as error:
            raise PostgresError(f"The embedded Postgres in {place.data_dir} cannot be started: {error}.") from error

    @property
    def exit_code(self) -> int | None:
        """None while the server runs; otherwise it ended without being asked and has to be started again."""
        return self._process.poll()

    @property
    def pid(self) -> int:
        """The server's process number."""
        return self._process.pid

    def stop(self) -> None:
        """End the server as Postgres likes it (fast shutdown); after a minute without its consent. May be repeated."""
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
