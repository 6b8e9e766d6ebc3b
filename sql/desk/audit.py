"""The audit log: who did what to which thing, when and from where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditDeed:
    """What somebody did.

    Attributes:
        key_id, person_id: whose API key, or who was signed in; both None: the command line, or a rule.
        operation: method and path as the API's description has them, the command, or `rule` and its setting.
        thing: what the path named, and the id of what was made.
        address: of the network; empty: the command line, or a rule.
        before, after: what was changed, where that is little; None: not kept.
    """

    account_id: int
    operation: str
    key_id: int | None = None
    person_id: int | None = None
    thing: Mapping[str, str]
    address: str = ""
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """An entry, as its account sees it; `email` and `key_label` are None of who and what is gone."""

    id: int
    at: datetime
    key_id: int | None
    key_label: str | None
    person_id: int | None
    email: str | None
    operation: str
    thing: dict[str, str]
    address: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which entries; None: whatever it is."""

    person_id: int | None = None
    key_id: int | None = None
    operation: str | None = None
    thing: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def write_entry(db: Db | Pool, deed: AuditDeed) -> None:
    """Add an entry; in the transaction of the change, wherever there is one."""
    who = (deed.account_id, deed.key_id, deed.person_id)
    await db.execute(_SQL["write_entry"], *who, deed.operation, deed.thing, deed.address, deed.before, deed.after)


async def write_for_all(db: Db, operation: str, after: Mapping[str, Any] | None = None) -> None:
    """Add an entry to the log of every account: somebody who runs the machine did what concerns them all."""
    await db.execute(_SQL["write_for_all"], operation, after)


async def list_entries(
    pool: Pool, account_id: int, only: AuditFilter, *, before: tuple[datetime, int], limit: int
) -> list[AuditRow]:
    """List entries from before a time, or of that time with ids below `before`, the newest first."""
    names = (only.person_id, only.key_id, only.operation, only.thing, only.since, only.until)
    async with pool.acquire() as db, db.transaction():
        await db.execute(_SQL["plan_anew"])
        return [AuditRow(**row) for row in await db.fetch(_SQL["list_entries"], account_id, *before, *names, limit)]


async def drop_audit(db: Db, before: datetime, *, at_most: int) -> int:
    """Forget the oldest of the entries from before a time; return how many. Call it in a transaction."""
    await db.execute(_SQL["may_forget"])
    return len(await db.fetch(_SQL["drop_entries"], before, at_most))


async def blank_audit(db: Db, account_id: int, *, driver_id: int | None = None, words: Sequence[str] = ()) -> int:
    """Forget in entries what a driver was called, or what holds an address of a person; return in how many.

    Call it in a transaction, before the driver's own name is gone.
    """
    await db.execute(_SQL["may_forget"])
    if driver_id is not None:
        return len(await db.fetch(_SQL["blank_driver"], account_id, driver_id))
    return len(await db.fetch(_SQL["blank_words"], account_id, list(words)))
