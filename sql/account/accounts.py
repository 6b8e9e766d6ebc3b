"""Accounts, and what was fixed when the database was made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """A company that delivers; everything belongs to one."""

    id: int
    name: str
    settings: dict[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """What was fixed when the database was made."""

    lanes: int
    secret: bytes = field(repr=False)


NEW_ACCOUNT: Mapping[str, Any] = {"location_policy": "working"}
"""What an account begins with that an operator makes; those that were there before keep all places."""


async def ensure_account(db: Db | Pool, name: str, settings: Mapping[str, Any] = MappingProxyType({})) -> int:
    """Find the account of this name, or make it with these settings; return its id."""
    account_id: int = await db.fetchval(_SQL["ensure_account"], name, dict(settings))
    return account_id


async def account_by_id(db: Db | Pool, account_id: int) -> AccountRow:
    """Read an account that is known to exist."""
    row = await db.fetchrow(_SQL["account_by_id"], account_id)
    assert row is not None
    return AccountRow(**row)


async def change_account_settings(db: Db | Pool, account_id: int, settings: dict[str, Any]) -> AccountRow:
    """Merge new settings over the old ones. Whoever may change `location_policy` holds the account's lanes."""
    row = await db.fetchrow(_SQL["change_account_settings"], account_id, settings, settings.get("location_policy"))
    assert row is not None
    return AccountRow(**row)


async def read_instance(db: Db | Pool) -> Instance:
    """Read what was fixed when the database was made."""
    row = await db.fetchrow(_SQL["instance"])
    if row is None:
        raise RuntimeError("the database is empty: run `reparto migrate`")
    return Instance(**row)
