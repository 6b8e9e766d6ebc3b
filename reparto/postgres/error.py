"""What goes wrong with the embedded Postgres, in words a person can act on."""


class PostgresError(Exception):
    """The embedded Postgres cannot be run; the message says why and what to do."""
