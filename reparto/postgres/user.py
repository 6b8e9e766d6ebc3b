"""Whom the server runs as: Postgres refuses to run as root."""

import os
import pwd
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reparto.postgres.error import PostgresError


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user of this machine."""

    name: str  # for messages; the number where only that is known
    uid: int
    gid: int
    switch: bool  # we are root and have to become this user


def server_user(cluster: Path) -> User:
    """Ourselves; for root the cluster's owner, or for a new cluster `postgres`, or else `nobody`."""
    if os.geteuid() != 0:
        return User(name=str(os.geteuid()), uid=os.geteuid(), gid=os.getegid(), switch=False)
    if cluster.exists():
        owner = cluster.stat()
        if owner.st_uid == 0:
            raise PostgresError(
                f"{cluster} belongs to root, and Postgres refuses to run as root."
                f" Give it to another user: chown -R postgres {cluster}"
            )
        return User(name=str(owner.st_uid), uid=owner.st_uid, gid=owner.st_gid, switch=True)
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return User(name=name, uid=entry.pw_uid, gid=entry.pw_gid, switch=True)
    raise PostgresError(
        "Postgres refuses to run as root, and this machine has neither a user `postgres` nor `nobody`."
        " Run reparto as an ordinary user."
    )
