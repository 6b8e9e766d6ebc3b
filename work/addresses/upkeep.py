"""What was seen of addresses goes when it is too old, if the guard lets it; what geocoders said goes by itself."""

from datetime import timedelta

from sql.addresses.book import drop_sightings
from sql.addresses.geocoding import drop_answers
from sql.pool import Pool
from work.addresses.geocoders.protocol import KEPT_DAYS
from work.job import Job
from work.retention.classes import ADDRESSES
from work.retention.guard import RetentionGuard

_AT_ONCE = 1_000
"""Rows dropped in one statement."""


def address_retention_jobs(guard: RetentionGuard) -> tuple[Job, ...]:
    """Give the jobs that forget by age."""

    async def seen(pool: Pool) -> bool:
        before = await guard.horizon(pool, ADDRESSES)
        return before is not None and await drop_sightings(pool, before, at_most=_AT_ONCE) == _AT_ONCE

    async def answers(pool: Pool) -> bool:
        before = pool.clock.now() - timedelta(days=KEPT_DAYS)
        return await drop_answers(pool, before, at_most=_AT_ONCE) == _AT_ONCE

    return (
        Job(name="retention of addresses", do=seen, pause_s=3600.0),
        Job(name="answers of geocoders", do=answers, pause_s=3600.0),
    )
