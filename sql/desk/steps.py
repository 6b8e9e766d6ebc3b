"""Sign-ins that are half done: between two requests of one browser."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfSignIn:
    """What was said so far, and who it is; None: nobody knows yet."""

    person_id: int | None
    said: dict[str, Any]


async def keep_step(
    db: Db | Pool, secret_hash: bytes, kind: str, *, person_id: int | None, said: Mapping[str, Any], lasts_s: float
) -> None:
    """Keep a half-done sign-in for a while."""
    await db.execute(_SQL["keep_step"], secret_hash, kind, person_id, said, lasts_s)


async def find_step(db: Db | Pool, secret_hash: bytes, kind: str) -> HalfSignIn | None:
    """Read one that is not over."""
    row = await db.fetchrow(_SQL["find_step"], secret_hash, kind)
    return None if row is None else HalfSignIn(**row)


async def use_step(db: Db | Pool, secret_hash: bytes, kind: str) -> HalfSignIn | None:
    """Take one up, once; None: it is over, or was taken up."""
    row = await db.fetchrow(_SQL["use_step"], secret_hash, kind)
    return HalfSignIn(person_id=row["person_id"], said=row["said"]) if row is not None and row["is_open"] else None


async def drop_steps(db: Db | Pool) -> None:
    """Forget those that are over."""
    await db.execute(_SQL["drop_steps"])
