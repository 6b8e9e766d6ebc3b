"""Settings of everything that talks to Postgres."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseConfig:
    """Field `lanes` is REPARTO_LANES in the environment (reparto/run/settings.py)."""

    database_url: str = field(repr=False, default="")  # holds a password: never printed; empty: the embedded server
    lanes: int = 64  # only read when the database is made; never changes after
    pool_connections: int = 8  # a process's connections for requests
    statement_timeout_s: float = 25.0  # well below the 60 s after which a tracker's search starts behind what it took
    lock_timeout_s: float = 2.0  # a write that waits longer for a driver's lane answers 503
