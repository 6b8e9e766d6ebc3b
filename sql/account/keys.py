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
    expires_at: datetime | None
    last_used_at: datetime | None


async def find_key(db: Db | Pool, secret_hash: bytes) -> KeyRow | None:
    """Find a key that works, and note that it is used; None when there is none, or it is over."""
    row = await db.fetchrow(_SQL["find_key"], secret_hash)
    if row is None:
        return None
    if row["is_use_stale"]:
        await db.execute(_SQL["note_use"], row["id"])
    return KeyRow(id=row["id"], account_id=row["account_id"], role=row["role"])


async def create_key(
    db: Db | Pool,
    *,
    account_id: int,
    role: str,
    label: str | None,
    secret_hash: bytes,
    expires_at: datetime | None = None,
) -> tuple[int, datetime]:
    """Keep a new key; return its id and when it was made.

    Args:
        expires_at: it works until then; None: until it is revoked.
    """
    row = await db.fetchrow(_SQL["create_key"], account_id, role, label, secret_hash, expires_at)
    assert row is not None
    return row["id"], row["created_at"]


async def list_keys(
    db: Db | Pool, account_id: int, *, expires_before: datetime | None = None, unused_since: datetime | None = None
) -> list[ListedKey]:
    """List the keys that are not revoked, those that are over too.

    Args:
        expires_before: only those that end before; None: all.
        unused_since: only those not used since, nor made; None: all.
    """
    rows = await db.fetch(_SQL["list_keys"], account_id, expires_before, unused_since)
    return [ListedKey(**row) for row in rows]


async def has_working_key(db: Db | Pool, account_id: int) -> bool:
    """Tell whether an account can be asked anything."""
    found: bool = await db.fetchval(_SQL["has_working_key"], account_id)
    return found


async def revoke_key(db: Db | Pool, *, account_id: int, key_id: int) -> bool:
    """End a key at once; False when the account has no such working key."""
    return await db.fetchval(_SQL["revoke_key"], account_id, key_id) is not None
