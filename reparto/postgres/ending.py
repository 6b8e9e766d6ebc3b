"""Ending a server: our own, and one that a killed supervisor left."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from reparto.postgres.error import PostgresError
from reparto.postgres.place import PORT, ServerPlace

# SIGINT is a fast shutdown, which writes every dirty page; SIGQUIT ends at once, and the next start replays the WAL:
# no commit is lost. Each with the seconds it is given.
_SIGNALS: Final = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))
_POLL_S: Final = 0.005


def end_child(process: subprocess.Popen[bytes]) -> None:
    """End a server of ours, if it still runs."""
    _end(process.pid, lambda: process.poll() is None)


def end_orphan(place: ServerPlace) -> None:
    """Stop the server that a killed supervisor left on this place. We hold the lock, so it has no supervisor."""
    first_line = (pid_file(place) or [""])[0]
    if not first_line.isdecimal():
        return
    pid = int(first_line)
    _end(pid, lambda: " ".join(command_of(pid)).endswith(f" -c {mark(place)}"))
    command = command_of(pid)
    if command and Path(command[0]).name != "postgres":
        # The number went to another program (usual in containers). If that is of the same user, Postgres would take it
        # for a server and refuse to start; the shared memory still tells it about real ones.
        for stale in ("postmaster.pid", f".s.PGSQL.{PORT}.lock"):
            (place.cluster / stale).unlink(missing_ok=True)


def _end(pid: int, runs: Callable[[], bool]) -> None:
    for sign, patience_s in _SIGNALS:
        if not runs():
            return
        with suppress(ProcessLookupError):
            os.kill(pid, sign)
        give_up = time.monotonic() + patience_s
        while runs() and time.monotonic() < give_up:
            time.sleep(_POLL_S)
    if runs():
        raise PostgresError(f"The Postgres server (process {pid}) does not end, not even killed. End it by hand.")


def mark(place: ServerPlace) -> str:
    """The last setting on the command line of a place's server: it shows `ps` and `end_orphan` whose it is."""
    return f"reparto.data_dir={place.data_dir}"


def pid_file(place: ServerPlace) -> list[str]:
    """Give the lines that a server writes about itself: the first is its process number. [] when there is none."""
    try:
        return (place.cluster / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def command_of(pid: int) -> list[str]:
    """Give the command line of a process; empty when there is none, or a zombie."""
    if sys.platform == "linux":
        try:
            raw = Path("/proc", str(pid), "cmdline").read_bytes()
        except OSError:
            return []
        return os.fsdecode(raw).rstrip("\0").split("\0") if raw else []
    else:  # noqa: RET505  # so that the type checker knows the two for different platforms
        ps = ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)]
        return subprocess.run(ps, capture_output=True, text=True, check=False).stdout.split()  # noqa: S603
