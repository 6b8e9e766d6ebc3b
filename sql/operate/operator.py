"""What the operator of an installation asks: every account's keys, what runs, what is stuck, the server."""

from dataclasses import dataclass
from datetime import datetime

from sql.pool import Db
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyKey:
    """A key that is not revoked, of any account."""

    id: int
    account: str
    role: str
    label: str | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """The connections that give one name: those of all processes of a role."""

    name: str
    connections: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Unnumbered:
    """Events that are not in the feed yet; `oldest_s` is 0 when there are none."""

    events: int
    oldest_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The Postgres server; `version` as 150004 for 15.4."""

    version: int
    max_connections: int
    connections: int
    fsync: str
    full_page_writes: str
    standby: bool
    clock: datetime
    size_bytes: int


async def all_keys(db: Db) -> list[AnyKey]:
    """List the keys that work, account by account."""
    return [AnyKey(**row) for row in await db.fetch(_SQL["all_keys"])]


async def revoke_any_key(db: Db, key_id: int) -> int | None:
    """End a key at once; give its account, None when there is no such working key."""
    account_id: int | None = await db.fetchval(_SQL["revoke_any_key"], key_id)
    return account_id


async def processes(db: Db) -> list[Connected]:
    """List what is connected, without this connection itself."""
    return [Connected(**row) for row in await db.fetch(_SQL["processes"])]


async def last_ping(db: Db) -> datetime | None:
    """Tell when the newest believed ping came in; None when none ever did."""
    received_at: datetime | None = await db.fetchval(_SQL["last_ping"])
    return received_at


async def unnumbered_events(db: Db) -> Unnumbered:
    """Count events that wait for their number."""
    row = await db.fetchrow(_SQL["unnumbered_events"])
    assert row is not None
    return Unnumbered(**row)


async def server(db: Db) -> Server:
    """Ask the server about itself."""
    row = await db.fetchrow(_SQL["server"])
    assert row is not None
    return Server(**row)


async def backend(db: Db) -> int:
    """Tell which server process answers this connection; it changes only behind a pooling proxy."""
    pid: int = await db.fetchval(_SQL["backend"])
    return pid
