"""Imports and what became of their rows go by themselves."""

from datetime import timedelta

from sql.imports.imports import drop_imports
from sql.pool import Pool
from work.job import Job

KEPT = timedelta(days=30)
"""Whoever sent a sheet has looked by then; rejected rows tell of people."""

_AT_ONCE = 20
"""Each with all its rows."""


def import_retention_job() -> Job:
    """Give the job that forgets imports by age."""

    async def do(pool: Pool) -> bool:
        return await drop_imports(pool, pool.clock.now() - KEPT, at_most=_AT_ONCE) == _AT_ONCE

    return Job(name="retention of imports", do=do, pause_s=3600.0)
