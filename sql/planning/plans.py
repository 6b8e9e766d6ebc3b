"""Plans: waiting, being made, done, published. A plan is written as a whole or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import asyncpg

from sql.planning.day import SAME_DEPOT_DEG
from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TourPlanRow:
    """A plan.

    Attributes:
        asked: what was asked for.
        attempts: who plans it now is told apart by this.
        why: of a failed one, a sentence.
        result: tours as they are now; None before there are any.
    """

    id: int
    account_id: int
    state: str
    date: date
    depot: str
    asked: dict[str, Any]
    progress: float
    version: int
    attempts: int
    why: str | None
    result: dict[str, Any] | None


async def create_plan(db: Db | Pool, *, account_id: int, on: date, depot: str, asked: dict[str, Any]) -> int:
    """Let a plan be made; return its id."""
    return int(await db.fetchval(_SQL["create_plan"], account_id, on, depot, asked))


async def find_plan(db: Db | Pool, *, account_id: int, plan_id: int) -> TourPlanRow | None:
    """Find a plan; None when the account has none such."""
    row = await db.fetchrow(_SQL["find_plan"], account_id, plan_id)
    return None if row is None else TourPlanRow(**row)


async def hold_plan(db: Db, *, account_id: int, plan_id: int) -> TourPlanRow | None:
    """Be the only one who changes a plan until the transaction ends; None when the account has none such."""
    row = await db.fetchrow(_SQL["hold_plan"], account_id, plan_id)
    return None if row is None else TourPlanRow(**row)


async def problem_of_plan(db: Db | Pool, plan_id: int) -> bytes:
    """Read what was planned, as `work.planning.protocol` wrote it."""
    return bytes(await db.fetchval(_SQL["problem_of_plan"], plan_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class DayBegins:
    """What a day's tours begin with: a plan in a version, else how many resources there are and when one changed.

    Attributes:
        routes: tells routes of the plan from what they become; None: it is not published.
        from_depot: the same of the routes that start at the depot, whoever made them; None: there are none.
    """

    plan_id: int | None
    version: int | None
    routes: str | None
    from_depot: str | None
    resources_at: datetime | None
    resources: int | None


async def day_begins(db: Db | Pool, *, account_id: int, on: date, depot: str) -> DayBegins:
    """Tell with what the tours of a day and depot begin."""
    row = await db.fetchrow(_SQL["day_begins"], account_id, on, depot, *SAME_DEPOT_DEG)
    assert row is not None
    return DayBegins(**row)


async def planned_days(db: Db | Pool, account_id: int, days: Sequence[date]) -> list[tuple[date, str]]:
    """Read for which days and depots vans are planned."""
    return [tuple(row) for row in await db.fetch(_SQL["planned_days"], account_id, list(days), *SAME_DEPOT_DEG)]


async def due_orders(db: Db | Pool, account_id: int, *, on: date, depot: str, limit: int) -> dict[str, datetime]:
    """Read which orders have to be on a day's tours and are on no route, and when each was changed last."""
    rows = await db.fetch(_SQL["due_orders"], account_id, on, depot, limit)
    return {row["external_id"]: row["updated_at"] for row in rows}


async def last_tours(db: Db | Pool, *, account_id: int, on: date, depot: str) -> tuple[int, int, dict[str, Any]] | None:
    """Read id, version and tours of the last plan of a day and depot; None when there is none."""
    row = await db.fetchrow(_SQL["last_tours"], account_id, on, depot)
    return None if row is None else (row["id"], row["version"], row["result"])


async def take_plan(db: Db | Pool, *, hold_s: float) -> TourPlanRow | None:
    """Take one that waits to be made; None when there is none."""
    row = await db.fetchrow(_SQL["take_plan"], hold_s)
    return None if row is None else TourPlanRow(**row)


async def keep_plan(db: Db | Pool, plan: TourPlanRow, *, hold_s: float, progress: float) -> bool:
    """Say that it is still being made; False when nobody wants it any more."""
    return bool(await db.fetchval(_SQL["keep_plan"], plan.id, plan.attempts, hold_s, progress))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanEnd:
    """What came of a plan.

    Attributes:
        state: done or failed.
        why: of a failed one, a sentence.
        problem: what was planned, for edits; None: it cannot be edited.
        for_rule: a proposal that a rule of the account is to be asked about.
    """

    state: str
    why: str | None = None
    problem: bytes | None = None
    result: dict[str, Any] | None = None
    for_rule: bool = False


async def end_plan(db: Db | Pool, plan: TourPlanRow, end: PlanEnd) -> bool:
    """Write what came of it, all at once; False when nobody wants it any more."""
    values = (end.state, end.why, end.problem, end.result, end.for_rule)
    return bool(await db.fetchval(_SQL["end_plan"], plan.id, plan.attempts, *values))


async def proposal_for_rule(db: Db | Pool) -> TourPlanRow | None:
    """Find a proposal that its account's rule was not asked about yet; None: there is none."""
    row = await db.fetchrow(_SQL["proposal_for_rule"])
    return None if row is None else TourPlanRow(**row)


async def leave_to_person(db: Db | Pool, plan: TourPlanRow) -> None:
    """Write what a rule said of a proposal that it does not accept; nothing when somebody decided meanwhile."""
    await db.execute(_SQL["leave_to_person"], plan.id, plan.version, plan.result)


async def change_plan(db: Db, plan_id: int, *, state: str, result: dict[str, Any]) -> None:
    """Write a plan that is held."""
    await db.execute(_SQL["change_plan"], plan_id, state, result)


async def cancel_plan(db: Db | Pool, *, account_id: int, plan_id: int) -> bool:
    """Cancel a plan; False when there is none such to cancel."""
    return bool(await db.fetchval(_SQL["cancel_plan"], account_id, plan_id))


async def past_tours(db: Db | Pool, *, account_id: int, since: datetime, at_most: int) -> list[asyncpg.Record]:
    """Read past tours: names, lon and lat of their stops in the order they were reached."""
    return list(await db.fetch(_SQL["past_tours"], account_id, since, at_most))
