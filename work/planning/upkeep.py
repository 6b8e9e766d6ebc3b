"""Orders, plans and shifts that have become too old go, some rows at a time, if the guard lets it."""

from sql.operate import planning
from sql.pool import Pool
from work.job import Job
from work.retention.classes import ORDERS, PLANS
from work.retention.guard import RetentionGuard

_AT_ONCE = 1_000
"""Rows dropped in one statement."""

_PLANS_AT_ONCE = 20
"""Each with the matrices of its day: some megabytes."""


def planning_retention_jobs(guard: RetentionGuard) -> tuple[Job, ...]:
    """Give the jobs that forget by age."""

    async def orders(pool: Pool) -> bool:
        before = await guard.horizon(pool, ORDERS)
        if before is None:
            return False
        async with pool.acquire() as db, db.transaction():
            return await planning.drop_orders(db, before.date(), at_most=_AT_ONCE) == _AT_ONCE

    async def plans(pool: Pool) -> bool:
        before = await guard.horizon(pool, PLANS)
        if before is None:
            return False
        async with pool.acquire() as db, db.transaction():
            return await planning.drop_plans(db, before.date(), at_most=_PLANS_AT_ONCE) == _PLANS_AT_ONCE

    return (
        Job(name="retention of orders", do=orders, pause_s=3600.0),
        Job(name="retention of plans", do=plans, pause_s=3600.0),
    )
