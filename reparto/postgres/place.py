"""A data directory: what lies where in it, who may use it, and how its server is reached.

The socket lies in the cluster's own directory (mode 0700), and the server trusts whoever reaches it: the server's user
and root, who could read and write the database's files anyway. A password or `peer` would add nothing but ways to fail.
The server binds it by a relative name, so the length of the path is only the client's concern.
"""

import fcntl
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from reparto.postgres.error import PostgresError

NAME: Final = "reparto"  # of the database and of its one user
PORT: Final = 5432  # only part of the socket's name; named everywhere, because PGPORT would change the default
_LONGEST_SOCKET_BYTES: Final = 103  # sun_path: 104 bytes with its NUL on macOS, 108 on Linux


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerPlace:
    """The paths of one data directory."""

    data_dir: Path  # absolute, without symbolic links

    @property
    def cluster(self) -> Path:
        """The database; mode 0700, owned by the server's user; also holds the server's socket."""
        return self.data_dir / "cluster"

    @property
    def making(self) -> Path:
        """A cluster that is not whole yet."""
        return self.data_dir / "making"

    @property
    def log(self) -> Path:
        """What the server says; a large one moves to postgres.log.1 at the next start."""
        return self.data_dir / "postgres.log"

    @property
    def lock(self) -> Path:
        """Held (flock) by the process that runs the server, and names it."""
        return self.data_dir / "postgres.lock"

    @property
    def link(self) -> Path | None:
        """A short way to the cluster for clients; None when the path itself will do.

        Too long is one thing, a comma another: in a DSN it would mean two hosts. The link lies in a private directory
        named after the data directory, so that others find it and a killed supervisor's is used again.
        """
        socket = os.fsencode(self.cluster / f".s.PGSQL.{PORT}")
        if len(socket) <= _LONGEST_SOCKET_BYTES and b"," not in socket:
            return None
        digest = hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()
        return Path(tempfile.gettempdir(), f"reparto-{digest[:16]}", "s")

    @property
    def dsn(self) -> str:
        """Where the server is reached, running or not: a Unix socket, nothing on the network."""
        return f"postgresql://{NAME}@/{NAME}?host={quote(str(self.link or self.cluster))}&port={PORT}"


def dsn_of(data_dir: Path) -> str:
    """Where the server of a data directory is reached, running or not: a Unix socket, nothing on the network."""
    return ServerPlace(data_dir=data_dir.resolve()).dsn


@contextmanager
def locked(place: ServerPlace) -> Iterator[None]:
    """Hold the lock for the block: one supervisor at a time. The kernel lets go of it when we are killed."""
    # No following of links: root may work in a directory of somebody else's.
    fd = os.open(place.lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(fd, 20, 0).decode(errors="replace").strip() or "unknown"
            raise PostgresError(
                f"Another reparto (process {holder}) already runs the Postgres in {place.data_dir}. Stop that process,"
                " or choose another directory (REPARTO_DATA_DIR), or share its server: set REPARTO_DATABASE_URL to"
                f" {place.dsn}."
            ) from None
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(fd)


@contextmanager
def linked(place: ServerPlace) -> Iterator[None]:
    """Keep the link for the block, where one is needed."""
    if (link := place.link) is None:
        yield
        return
    private = link.parent
    private.mkdir(mode=0o700, exist_ok=True)
    found = private.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise PostgresError(
            f"{private} stands in for the long path {place.data_dir}, but is not a private directory of ours."
            " Remove it."
        )
    link.unlink(missing_ok=True)
    link.symlink_to(place.cluster)
    fd = os.open(private, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH)  # systemd-tmpfiles removes what is old in /tmp, except locked directories
        yield
    finally:
        os.close(fd)
        with suppress(OSError):
            link.unlink()
            private.rmdir()
