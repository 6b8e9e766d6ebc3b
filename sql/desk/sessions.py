"""Browsers that are signed in."""

from dataclasses import dataclass

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)

UNUSED_HOURS = 14
"""A session ends so long after it was used last: not over lunch, but overnight."""

LONGEST_DAYS = 7
"""However much it is used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """Whose session it is, and what they may do now in its account; `by_provider`: which stays with that account."""

    id: int
    account_id: int
    person_id: int
    role: str
    by_provider: bool


async def find_session(db: Db | Pool, secret_hash: bytes) -> SessionRow | None:
    """Find a session that is not over, and note that it is used; None when there is none."""
    row = await db.fetchrow(_SQL["find_session"], secret_hash, UNUSED_HOURS, LONGEST_DAYS)
    if row is None:
        return None
    if row["is_use_stale"]:
        await db.execute(_SQL["note_use"], row["id"])
    return SessionRow(
        id=row["id"],
        account_id=row["account_id"],
        person_id=row["person_id"],
        role=row["role"],
        by_provider=row["by_provider"],
    )


async def open_session(
    db: Db | Pool, *, account_id: int, person_id: int, secret_hash: bytes, by_provider: bool = False
) -> int:
    """Sign somebody in; return the id.

    Args:
        by_provider: the account's provider says who it is, so the session stays with that account.
    """
    return int(await db.fetchval(_SQL["open_session"], account_id, person_id, secret_hash, by_provider))


async def move_session(db: Db | Pool, session_id: int, account_id: int) -> None:
    """Go on in another account of the same person."""
    await db.execute(_SQL["move_session"], session_id, account_id)


async def end_session(db: Db | Pool, session_id: int) -> None:
    """Sign out there."""
    await db.execute(_SQL["end_session"], session_id)


async def end_by_secret(db: Db, secret_hash: bytes) -> tuple[int, int] | None:
    """Sign out whoever has this secret; give the account and the person, None: nobody has."""
    row = await db.fetchrow(_SQL["end_by_secret"], secret_hash)
    return None if row is None else (row["account_id"], row["person_id"])


async def end_sessions(db: Db | Pool, person_id: int, *, but: int | None = None) -> None:
    """Sign somebody out everywhere.

    Args:
        but: the session that stays; None: none does.
    """
    await db.execute(_SQL["end_sessions"], person_id, but)


async def end_sessions_there(db: Db | Pool, account_id: int, person_id: int) -> None:
    """Sign somebody out of an account, in all browsers; other accounts keep them."""
    await db.execute(_SQL["end_sessions_there"], account_id, person_id)


async def drop_sessions(db: Db | Pool) -> None:
    """Forget those that are over."""
    await db.execute(_SQL["drop_sessions"], UNUSED_HOURS, LONGEST_DAYS)
