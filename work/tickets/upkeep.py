"""What the clock does to tickets and returns: an open thing has an end, and somebody hears before it is too late."""

from datetime import datetime, timedelta

from sql.pool import Db, Pool
from sql.returns.returns import fetched_returns, hold_return, move_return, stale_returns
from sql.tickets.tickets import (
    NewEntry,
    add_entry,
    deadline_is_told,
    hold_due,
    hold_unanswered,
    move_ticket,
)
from work.job import Job
from work.tickets.deadlines import NEAR
from work.tickets.facts import tell_return, tell_ticket

WAITS_FOR_RECIPIENT = timedelta(days=14)
"""A ticket that waits longer for its recipient is resolved; they may open it again for a week."""

RETURN_STALE = timedelta(days=30)
"""A return that nobody decides, or nobody fetches, ends; it may be asked for again as long as the account allows."""

_AT_ONCE = 100
_NEAR, _OVER = 1, 2


async def look_at_tickets(pool: Pool, *, now: datetime) -> bool:
    """Tell of deadlines that are near or over, end tickets whose recipient is silent; tell if there may be more."""
    async with pool.acquire() as db, db.transaction():
        due = await hold_due(db, near=now + NEAR, now=now, at_most=_AT_ONCE)
        for ticket in due:
            assert ticket.due_at is not None
            is_over = ticket.due_at <= now
            await deadline_is_told(db, ticket.id, _OVER if is_over else _NEAR)
            name = "ticket.overdue" if is_over else "ticket.due_soon"
            await tell_ticket(db, ticket, name, now=now, due_at=ticket.due_at.isoformat())
    return len(due) == _AT_ONCE or await _end_unanswered(pool, now)


async def _end_unanswered(pool: Pool, now: datetime) -> bool:
    async with pool.acquire() as db, db.transaction():
        silent = await hold_unanswered(db, before=now - WAITS_FOR_RECIPIENT, at_most=_AT_ONCE)
        for ticket in silent:
            await move_ticket(db, ticket.id, state="resolved", due_at=None, now=now)
            await add_entry(db, ticket.id, NewEntry(said_by="clock", state="resolved", words=None), now)
            await tell_ticket(db, ticket, "ticket.closed", now=now, state="resolved", by="clock", why="no-answer")
    return len(silent) == _AT_ONCE


async def look_at_returns(pool: Pool, *, now: datetime) -> bool:
    """End returns that were fetched, and those that nobody goes on with; tell whether there may be more."""
    async with pool.acquire() as db, db.transaction():
        fetched = await fetched_returns(db, at_most=_AT_ONCE)
        await _end(db, fetched, "returned", now)
        stale = await stale_returns(db, before=now - RETURN_STALE, at_most=_AT_ONCE)
        await _end(db, stale, "expired", now)
    return _AT_ONCE in (len(fetched), len(stale))


async def _end(db: Db, ended: list[tuple[int, int]], state: str, now: datetime) -> None:
    for account_id, return_id in ended:
        row = await hold_return(db, account_id=account_id, return_id=return_id)
        if row is not None and row.closed_at is None:
            await move_return(db, return_id, state=state, said=None, now=now)
            await tell_return(db, row, "return.closed", now=now, state=state, by="clock")


def ticket_jobs() -> tuple[Job, ...]:
    """Give the jobs of this room, in no order."""

    async def tickets(pool: Pool) -> bool:
        return await look_at_tickets(pool, now=pool.clock.now())

    async def returns(pool: Pool) -> bool:
        return await look_at_returns(pool, now=pool.clock.now())

    return Job(name="tickets", do=tickets, pause_s=30.0), Job(name="returns", do=returns, pause_s=30.0)
