"""A `reparto` command in a process of its own, for whoever needs the real thing beside them: demo, bench, tests."""

import asyncio
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from reparto.command import CannotRun

READY_S = 120.0
"""How long a process may take until it is ready: a first start makes a database, one after a crash replays its log."""

_PROGRAM = """
import sys
from reparto.cli import main
from reparto.process.process import end_with_parent
end_with_parent(int(sys.argv.pop(1)))
sys.exit(main())
"""
"""`python -m reparto`, but it ends with us."""

_STOP_S = 45.0
_POLL_S = 0.05


class Child:
    """A running command; over with `stop` or `kill`, and with us (on Linux however we end)."""

    def __init__(self, *command: str, settings: Mapping[str, str], log: Path) -> None:
        """Start it.

        Args:
            command: the subcommand and its arguments.
            settings: REPARTO_* in force there, in place of our own.
            log: is added to with what it writes.
        """
        others = {name: value for name, value in os.environ.items() if not name.startswith("REPARTO_")}
        self.name = command[0]
        self._log = log
        with log.open("ab") as said:
            self._process = subprocess.Popen(  # noqa: S603 (our own program)
                [sys.executable, "-c", _PROGRAM, str(os.getpid()), *command],
                env={**others, **settings},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,  # Ctrl-C in a terminal is for us; we stop it when its turn comes
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative when a signal ended it."""
        return self._process.poll()

    def stop(self) -> int:
        """Ask it to end in order and wait for that; give its exit code. May be repeated.

        Raises:
            CannotRun: it did not end in time, and was killed.
        """
        if self.exit_code is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise CannotRun(f"`reparto {self.name}` did not end in order. {self.last_words()}") from None

    def wait(self) -> int:
        """Wait until it ends by itself; give its exit code."""
        return self._process.wait()

    def kill(self) -> None:
        """End it as a power failure would: SIGKILL, without a word."""
        self._process.kill()
        self._process.wait()

    async def ready(self, url: str) -> None:
        """Wait until its /health/ready answers 200 at `url`.

        Raises:
            CannotRun: it ended, or is not ready in time; with the last lines it wrote.
        """
        until_s = time.monotonic() + READY_S
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            while self.exit_code is None and time.monotonic() < until_s:
                try:
                    async with session.get(f"{url}/health/ready") as response:
                        if response.status == 200:
                            return
                except (aiohttp.ClientError, TimeoutError):
                    pass
                await asyncio.sleep(_POLL_S)
        raise CannotRun(f"`reparto {self.name}` does not become ready. {self.last_words()}")

    def last_words(self) -> str:
        """Give the last lines it wrote."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:]
        return f"The last lines of {self._log}:\n" + "\n".join(lines)


def free_port() -> int:
    """Find a port of this machine that nobody listens on, from where systems take none for outgoing connections.

    One that the system gives out could be taken again, by any connection, before a process that starts listens on it.
    """
    while True:
        port = secrets.randbelow(10_000) + 20_000
        with socket.socket() as found:
            try:
                found.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
