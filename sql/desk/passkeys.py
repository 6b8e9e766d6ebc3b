"""Passkeys: keys in phones and computers that sign somebody in."""

from dataclasses import dataclass
from datetime import datetime

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyRow:
    """A passkey as its owner sees it; `last_used_at` is None until it signed them in."""

    id: int
    name: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyCheck:
    """Whose a passkey is, and what its answers are held against."""

    id: int
    person_id: int
    public_key: bytes
    sign_count: int


async def add_passkey(
    db: Db | Pool, person_id: int, *, credential_id: bytes, public_key: bytes, sign_count: int, name: str
) -> PasskeyRow | None:
    """Keep a new one; None: somebody has this credential already."""
    row = await db.fetchrow(_SQL["add_passkey"], person_id, credential_id, public_key, sign_count, name)
    return None if row is None else PasskeyRow(**row)


async def list_passkeys(db: Db | Pool, person_id: int) -> list[PasskeyRow]:
    """List somebody's, the oldest first."""
    return [PasskeyRow(**row) for row in await db.fetch(_SQL["list_passkeys"], person_id)]


async def credentials_of(db: Db | Pool, person_id: int) -> list[bytes]:
    """List the credentials of somebody's."""
    return [row["credential_id"] for row in await db.fetch(_SQL["credentials_of"], person_id)]


async def find_passkey(db: Db | Pool, credential_id: bytes) -> PasskeyCheck | None:
    """Find one by its credential."""
    row = await db.fetchrow(_SQL["find_passkey"], credential_id)
    return None if row is None else PasskeyCheck(**row)


async def use_passkey(db: Db | Pool, passkey: PasskeyCheck, sign_count: int) -> bool:
    """Note that it signed somebody in; False: another answer did at the same moment, or it was taken away."""
    return await db.fetchval(_SQL["use_passkey"], passkey.id, passkey.sign_count, sign_count) is not None


async def drop_passkey(db: Db | Pool, person_id: int, passkey_id: int) -> str | None:
    """Take one away; give what it was called, None: they have none such."""
    name: str | None = await db.fetchval(_SQL["drop_passkey"], person_id, passkey_id)
    return name
