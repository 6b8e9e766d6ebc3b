"""Starting Postgres's programs: as the server's user, without our environment, and so that they end with us."""

import ctypes
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from reparto.postgres.error import PostgresError
from reparto.postgres.user import User

_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h


def run(command: list[str], user: User, *, data: Path | None = None, told: str = "") -> str:
    """Run a program to its end; give what it said.

    Args:
        data: the cluster it works on, or None.
        told: its stdin.

    Raises:
        PostgresError: it failed; with what it said.
        OSError: the user cannot reach it, or we cannot become that user.
    """
    with spawn(command, user, data=data, end_with=signal.SIGKILL) as process:
        try:
            said = process.communicate(told.encode())[0].decode(errors="replace").strip()
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise PostgresError(f"{command[0]} fails (exit code {process.returncode}). It says:\n{said[-2000:]}")
    return said


def spawn(
    command: list[str],
    user: User,
    *,
    data: Path | None,
    end_with: signal.Signals,
    output: int = subprocess.PIPE,
) -> subprocess.Popen[bytes]:
    """Start a program.

    Args:
        data: the cluster it works on, or None.
        end_with: the signal it gets when we are gone.
        output: a descriptor for what it says; then it has no stdin. PIPE: both are pipes.
    """
    with _opened(data) as (fds, path), warnings.catch_warnings():
        # Python 3.12 warns of any fork when there are threads (NumPy has some); ours only makes two system calls.
        warnings.simplefilter("ignore", DeprecationWarning)
        return subprocess.Popen(  # noqa: S603  # our own words, no shell
            command,
            pass_fds=fds,
            cwd="/",  # before 16, Postgres's programs change their directory and then back by its name
            # Nothing else of ours: PG* variables would change the server, REPARTO_* hold secrets.
            env={
                "PATH": os.defpath,
                "LC_ALL": "C",
                "LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH", ""),
                "PGDATA": path,
            },
            stdin=subprocess.PIPE if output == subprocess.PIPE else subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in a terminal is for us; we stop the server last
            user=user.uid if user.switch else None,
            group=user.gid if user.switch else None,
            extra_groups=[] if user.switch else None,
            umask=0o077,
            preexec_fn=end_with_parent(end_with) if sys.platform == "linux" else None,
        )


@contextmanager
def _opened(data: Path | None) -> Iterator[tuple[tuple[int, ...], str]]:
    """Open a cluster for a program; give the descriptors it needs and what it shall call the directory.

    The server's user may not be able to walk there from `/` (a parent like /root is closed). Linux's link to a
    descriptor, opened by us and inherited, needs no walk.
    """
    if data is None:
        yield (), ""
    elif sys.platform != "linux":
        yield (), str(data)
    else:
        fd = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield (fd,), f"/proc/self/fd/{fd}"
        finally:
            os.close(fd)


def end_with_parent(sign: signal.Signals) -> Callable[[], None]:
    """Give a `preexec_fn` that asks Linux for a signal when the parent ends, even by kill -9.

    A change of user clears the request; `preexec_fn` runs after it. Elsewhere the next start ends what was left
    (`ending`).
    """
    prctl = ctypes.CDLL(None).prctl  # found before the fork: after it, a lock may be held for ever
    parent = os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, int(sign), 0, 0, 0)
        if os.getppid() != parent:  # it ended before we asked
            os._exit(1)

    return ask
