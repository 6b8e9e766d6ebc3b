"""API keys."""

from dataclasses import dataclass
from datetime import datetime

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """Whose key it is and what it may do."""

    id: int
    account_id: int
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedKey:
    """A key as its account sees it; the secret is not kept."""

    id: int
    role: str
    label: str | None
    created_at: datetime


async def find_key(db: Db | Pool, secret_hash: bytes) -> KeyRow | None:
    """Find a key that works; None when there is none."""
    row = await db.fetchrow(_SQL["find_key"], secret_hash)
    return None if row is None else KeyRow(**row)


async def create_key(
    db: Db | Pool, *, account_id: int, role: str, label: str | None, secret_hash: bytes
) -> tuple[int, datetime]:
    """Keep a new key; return its id and when it was made."""
    row = await db.fetchrow(_SQL["create_key"], account_id, role, label, secret_hash)
    assert row is not None
    return row["id"], row["created_at"]


async def list_keys(db: Db | Pool, account_id: int) -> list[ListedKey]:
    """List the keys that work."""
    return [ListedKey(**row) for row in await db.fetch(_SQL["list_keys"], account_id)]


async def revoke_key(db: Db | Pool, *, account_id: int, key_id: int) -> bool:
    """End a key at once; False when the account has no such working key."""
    return await db.fetchval(_SQL["revoke_key"], account_id, key_id) is not None
