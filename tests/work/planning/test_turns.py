"""Whose plan is made next: no account waits for all that another one asked for."""

from datetime import date

from sql.account.accounts import ensure_account
from sql.planning import plans
from sql.planning.plans import PlanEnd
from sql.pool import Pool


async def test_accounts_take_turns(pool: Pool) -> None:
    many, few = await ensure_account(pool, "mucho"), await ensure_account(pool, "poco")
    on = date(2026, 3, 2)
    for account_id in (*[many] * 4, few, few):
        await plans.create_plan(pool, account_id=account_id, on=on, depot="centro", asked={})
    turns = []
    while (row := await plans.take_plan(pool, hold_s=30.0)) is not None:
        turns.append(row.account_id)
        await plans.end_plan(pool, row, PlanEnd(state="failed", why="x"))
    assert turns == [many, few, many, few, many, many]


async def test_what_ends_processes_again_and_again_gets_no_turn_before_others(pool: Pool) -> None:
    many, few = await ensure_account(pool, "mucho"), await ensure_account(pool, "poco")
    for account_id in (many, few):
        await plans.create_plan(pool, account_id=account_id, on=date(2026, 3, 2), depot="centro", asked={})
    turns = []
    for _ in range(3):
        row = await plans.take_plan(pool, hold_s=-1.0)  # whoever took it is not heard of again
        assert row is not None
        turns.append(row.account_id)
    assert turns == [many, few, many]
