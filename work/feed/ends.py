"""When a shift or a break was over, told as a fact: docs/reference/closing.md tells the rules to people.

What is told is what `GET /v1/drivers/{driver}/shifts` shows. `driver.shifts_look_at` says when that may have become
other: by the clock, or by what was said or seen since.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from geo.times import ms_of
from sql.account.shifts import (
    LONGEST_BREAK,
    BreakRow,
    DriverToLookAt,
    ShiftRow,
    breaks_of_driver,
    drivers_to_look_at,
    ends_told,
    looked_at_shifts,
    looks_from,
    shifts_of_driver,
)
from sql.feed.facts import LATE_AFTER_S, Revision, known_facts, put_revisions
from sql.pool import Db, Pool
from sql.track.lanes import lock_lanes
from work.feed.entries import anew, taken_back
from work.feed.types import BREAK_ENDED, SHIFT_ENDED, fact_id
from work.job import Job, in_turn

_AT_ONCE = 100  # drivers found in one statement; each is looked at in a transaction of its own


async def tell_ends_due(pool: Pool, now: datetime, *, longest: timedelta) -> bool:
    """Look at the drivers whose shifts or breaks may be over; tell whether there may be more of them.

    Args:
        longest: how long a shift lasts at most that nobody ended.
    """
    due = await drivers_to_look_at(pool, now=now, at_most=_AT_ONCE)
    await in_turn(due, lambda driver: _look_at(pool, driver, now, longest))
    return len(due) == _AT_ONCE


async def _look_at(pool: Pool, driver: DriverToLookAt, now: datetime, longest: timedelta) -> None:
    async with pool.acquire() as db, db.transaction():
        await lock_lanes(db, [driver.lane])
        await _tell_ends(db, driver, now, longest)


async def _tell_ends(db: Db, driver: DriverToLookAt, now: datetime, longest: timedelta) -> None:
    from_at = await looks_from(db, driver_id=driver.id, now=now)
    if from_at is None:
        return
    told_from = from_at - longest - LONGEST_BREAK  # a limit may move so far back, where what was done is undone
    since, until = told_from - 2 * longest, now + longest
    shifts = await shifts_of_driver(db, driver_id=driver.id, since=since, until=until, now=now, longest=longest)
    breaks = await breaks_of_driver(db, driver_id=driver.id, since=since, until=until, now=now)
    ends = {one.fact_id: one for one in _ends(driver, shifts, breaks) if one.occurred_ms >= ms_of(told_from)}
    told = await ends_told(db, driver_id=driver.id, since=told_from)
    known = await known_facts(db, [*{*ends, *told}], [])
    news = [anew(one, known.get(name)) for name, one in ends.items()]
    news += [taken_back(known[name]) for name in told - ends.keys() if known[name].state != "retracted"]
    if changed := [one for one in news if one is not None]:
        await put_revisions(db, sorted(changed, key=lambda one: one.occurred_ms), late_after_s=LATE_AFTER_S)
    again = [one.limit_at for one in shifts if one.ended_at is None]
    again += [one.started_at + LONGEST_BREAK for one in breaks if one.ended_at is None]
    await looked_at_shifts(db, driver_id=driver.id, again_at=min(again, default=None))


def _ends(driver: DriverToLookAt, shifts: Iterable[ShiftRow], breaks: Iterable[BreakRow]) -> list[Revision]:
    spells: list[tuple[str, ShiftRow | BreakRow]] = [
        *((SHIFT_ENDED, one) for one in shifts),
        *((BREAK_ENDED, one) for one in breaks),
    ]
    return [_end(driver, name, spell, ended_at) for name, spell in spells if (ended_at := spell.ended_at) is not None]


def _end(driver: DriverToLookAt, name: str, spell: ShiftRow | BreakRow, ended_at: datetime) -> Revision:
    """Say that a spell was over: there is one such fact of the event that began it."""
    return Revision(
        fact_id=fact_id(name, driver.id, spell.id),
        revision=1,
        state="asserted",
        type=name,
        occurred_ms=ms_of(ended_at),
        folded_ms=None,
        lane=driver.lane,
        account_id=driver.account_id,
        driver_id=driver.id,
        route_id=None,
        route_version=None,
        stop_id=None,
        geofence_id=None,
        visit_id=None,
        data={"how": spell.ended_by, "started_at": spell.started_at.isoformat(), "event_id": str(spell.id)},
    )


def ends_job(longest: timedelta) -> Job:
    """Make the job of telling ends.

    Args:
        longest: how long a shift lasts at most that nobody ended.
    """

    async def tell(pool: Pool) -> bool:
        return await tell_ends_due(pool, pool.clock.now(), longest=longest)

    return Job(name="tell ends", do=tell, pause_s=1.0)
