"""What the stores of the tests share: a bucket as an operator sees it, and a server's process."""

import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

READY_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A bucket of a server that runs here.

    Attributes:
        url: what an operator sets as REPARTO_BLOB_URL.
        missing_url: of a bucket that is not there, of the same server.
        credentials: what an operator sets in the environment.
        wrong_credentials: the same, as somebody would who has no right to it.
    """

    port: int
    url: str
    missing_url: str
    credentials: dict[str, str]
    wrong_credentials: dict[str, str]

    def behind(self, port: int) -> Self:
        """Give the same bucket as it is reached through another port."""
        return replace(
            self, credentials={name: one.replace(f":{self.port}", f":{port}") for name, one in self.credentials.items()}
        )


@contextmanager
def running(command: Sequence[str | Path], *, port: int, log: Path) -> Iterator[None]:
    """Run a server until the block ends; it listens when the block begins."""
    with log.open("wb") as file:
        server = subprocess.Popen(command, stdout=file, stderr=file)
    try:
        until = time.monotonic() + READY_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                break
            except OSError:
                assert server.poll() is None, log.read_text()[-2_000:]
                assert time.monotonic() < until, "the server does not listen"
                time.sleep(0.05)
        yield
    finally:
        server.terminate()
        server.wait()
