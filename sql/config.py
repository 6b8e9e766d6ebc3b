"""Settings of everything that talks to Postgres."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_HOST = r"(?:\[[^\]]*\]|[^/?:,\[\]]*)(?::\d+)?"
_POSTGRES = re.compile(rf"postgres(?:ql)?://(?:[^/?]*@)?{_HOST}(?:,{_HOST})*(?:[/?].*)?")
_LONGEST_STATEMENT_S = 30  # a tracker that ends is waited for as long
_MOST_LANES = 1_024  # each is a lock, a row and a query's candidate; more than any fleet keeps busy


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseConfig:
    """Field `lanes` is REPARTO_LANES in the environment (reparto/settings/settings.py)."""

    database_url: str = field(repr=False, default="")  # holds a password: never printed; empty: the embedded server
    lanes: int = 64  # only read when the database is made; never changes after
    pool_connections: int = 8  # a process's connections for requests
    statement_timeout_s: float = 25.0  # well below the 60 s after which a tracker's search starts behind what it took
    lock_timeout_s: float = 2.0  # a write that waits longer for a driver's lane answers 503

    def contradictions(self) -> Iterator[str]:
        """Say what cannot be meant."""
        if self.database_url and not _POSTGRES.fullmatch(self.database_url):
            yield "REPARTO_DATABASE_URL: must look like postgresql://user:password@host:5432/database"
        if not 0 < self.statement_timeout_s < _LONGEST_STATEMENT_S:
            yield f"REPARTO_STATEMENT_TIMEOUT_S: must be more than 0 and less than {_LONGEST_STATEMENT_S}"
        if not 0 < self.lock_timeout_s <= self.statement_timeout_s:
            yield "REPARTO_LOCK_TIMEOUT_S: must be more than 0 and not more than REPARTO_STATEMENT_TIMEOUT_S"
        if self.lanes > _MOST_LANES:
            yield f"REPARTO_LANES: must be from 1 to {_MOST_LANES}"
