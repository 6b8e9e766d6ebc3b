"""The server: its settings, its start, and how we know that it takes connections."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from typing import Final

from reparto.postgres.binaries import Binaries
from reparto.postgres.ending import end_child, mark, pid_file
from reparto.postgres.error import PostgresError
from reparto.postgres.place import NAME, PORT, ServerPlace
from reparto.postgres.programs import spawn

START_TIMEOUT_S: Final = 1_800.0  # after a crash the server first replays up to max_wal_size; cut short, it begins anew
LEFT_BEHIND_TIMEOUT_S: Final = 30.0  # for the last backends of a server that was killed
LOG_LIMIT_BYTES: Final = 10_000_000
_POLL_S: Final = 0.005

# Everything is said on the command line, at every start: there it outranks postgresql.conf and ALTER SYSTEM, so that
# no left-over file undoes a promise, and a new release of Reparto brings its settings to clusters made by an old one.
_SETTINGS: Final = {
    # A 200 to a phone rests on these.
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    # A small machine with bursts of writes: few checkpoints. `replica` lets pg_basebackup copy it. The wheel is built
    # with pglz only, which takes as long for a page as all else that a ping costs here; of many drivers nearly every
    # ping of the first minutes after a checkpoint has one (docs/explanation/benchmarks.md).
    "shared_buffers": "256MB",
    "max_connections": "100",
    "wal_level": "replica",
    "wal_compression": "off",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    # A small log without personal data: `terse` leaves out DETAIL and CONTEXT, which quote keys and rows.
    "log_checkpoints": "off",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "cluster_name": NAME,
}
# For tests: survives kill -9 of every process (synchronous_commit stays on), not the loss of power.
_NOT_DURABLE: Final = {"fsync": "off", "full_page_writes": "off"}
# The door, which nobody may move. `.` is the cluster's directory, where the server changes to.
_FIXED: Final = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_directories": ".",
    "unix_socket_permissions": "0700",
}


def start_server(
    place: ServerPlace,
    binaries: Binaries,
    *,
    durable: bool,
    settings: Mapping[str, str],
    is_over: Callable[[], bool] = lambda: False,
) -> subprocess.Popen[bytes]:
    """Start the server and wait until it takes connections.

    Args:
        durable: False is for tests.
        settings: more of Postgres's settings, or other values for ours.
        is_over: asked again and again: nobody waits for it any more.

    Raises:
        PostgresError: it does not start; with the last lines of its log.
    """
    if place.log.exists() and place.log.stat().st_size > LOG_LIMIT_BYTES:
        place.log.replace(f"{place.log}.1")
    said = _SETTINGS | ({} if durable else _NOT_DURABLE) | dict(settings) | _FIXED
    command = [str(binaries.bin_dir / "postgres")]
    for name, value in said.items():
        command += ["-c", f"{name}={value}"]
    command += ["-c", mark(place)]
    give_up = time.monotonic() + LEFT_BEHIND_TIMEOUT_S
    while True:
        process, log_start = _spawn(command, place, binaries)
        if _is_ready_in_time(process, place, is_over):
            return process
        last_words = place.log.read_bytes()[log_start:].decode(errors="replace").splitlines()[-15:]
        # When a server was killed alone, its last backends hold the shared memory until they notice.
        left_behind = any("is still in use" in line or '"postmaster.pid" already exists' in line for line in last_words)
        if not left_behind or time.monotonic() > give_up:
            raise PostgresError(
                f"The embedded Postgres in {place.data_dir} does not start (exit code {process.returncode})."
                f" The last lines of {place.log}:\n" + "\n".join(last_words)
            )
        time.sleep(0.2)


def _spawn(command: list[str], place: ServerPlace, binaries: Binaries) -> tuple[subprocess.Popen[bytes], int]:
    """Start the process; give also where in the log it begins to speak, bytes."""
    # No following of links: root may work in a directory of somebody else's.
    log_fd = os.open(place.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    try:
        log_start = os.fstat(log_fd).st_size
        return spawn(command, binaries.user, data=place.cluster, end_with=signal.SIGINT, output=log_fd), log_start
    finally:
        os.close(log_fd)


def _is_ready_in_time(process: subprocess.Popen[bytes], place: ServerPlace, is_over: Callable[[], bool]) -> bool:
    """Wait until the server takes connections; tell whether it does, or has ended.

    The eighth line of postmaster.pid is its state (src/include/utils/pidfile.h).
    """
    try:
        give_up = time.monotonic() + START_TIMEOUT_S
        while process.poll() is None:
            lines = pid_file(place)
            if len(lines) >= 8 and lines[0] == str(process.pid) and lines[7].strip() == "ready":
                return True
            if is_over():
                raise PostgresError("The embedded Postgres was not waited for.")
            if time.monotonic() > give_up:
                raise PostgresError(
                    f"The embedded Postgres is not ready after {START_TIMEOUT_S:.0f} s;"
                    f" {place.log} says what it was doing."
                )
            time.sleep(_POLL_S)
    except BaseException:
        end_child(process)
        raise
    return False
