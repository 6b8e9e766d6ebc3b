"""Notices are taken up, some at a time: they go and their messages come in one transaction, so that once is enough."""

from datetime import datetime

from sql.messages.notices import accounts_with_notices, pop_notices
from sql.pool import Pool, is_lost
from work.job import in_turn
from work.messages.deciding.expand import make_messages

NOTICES_AT_ONCE = 200


async def expand(pool: Pool, *, now: datetime) -> bool:
    """Make the messages of the oldest notices; tell whether there may be more.

    Where that fails each account has its own turn: what is strange about one silences no other.
    """
    try:
        return await _expand(pool, now)
    except Exception as error:
        if is_lost(error):
            raise
    await in_turn(await accounts_with_notices(pool), lambda account_id: _expand_all(pool, now, account_id))
    return False


async def _expand_all(pool: Pool, now: datetime, account_id: int) -> None:
    while await _expand(pool, now, account_id):
        pass


async def _expand(pool: Pool, now: datetime, account_id: int | None = None) -> bool:
    async with pool.acquire() as db, db.transaction():
        notices = await pop_notices(db, at_most=NOTICES_AT_ONCE, account_id=account_id)
        if notices:
            await make_messages(db, notices, now)
    return len(notices) == NOTICES_AT_ONCE
