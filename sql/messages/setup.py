"""How an account sends, and what it changed of the kinds of messages."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRow:
    """A channel of an account; `secrets` are sealed, None: it has none."""

    channel: str
    enabled: bool
    settings: dict[str, Any]
    secrets: bytes | None = field(repr=False)
    hook_generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRow(ChannelRow):
    """A channel that sends, of some account."""

    account_id: int
    updated_at: datetime


async def channels_of(db: Db | Pool, account_id: int) -> dict[str, ChannelRow]:
    """Read every channel that an account ever set."""
    return {row["channel"]: ChannelRow(**row) for row in await db.fetch(_SQL["channels_of"], account_id)}


async def put_channel(
    db: Db | Pool, *, account_id: int, channel: str, enabled: bool, settings: dict[str, Any], secrets: bytes | None
) -> None:
    """Set a channel; what it was before is gone."""
    await db.execute(_SQL["put_channel"], account_id, channel, enabled, settings, secrets)


async def providers(db: Db | Pool) -> list[ProviderRow]:
    """Read every channel that sends, of all accounts."""
    return [ProviderRow(**row) for row in await db.fetch(_SQL["providers"])]


async def sealed_channels(db: Db) -> list[tuple[int, str, bytes]]:
    """Read and hold all sealed secrets: account, channel, secrets."""
    return [tuple(row) for row in await db.fetch(_SQL["sealed_channels"])]


async def put_sealed_channel(db: Db, *, account_id: int, channel: str, secrets: bytes) -> None:
    """Seal the same secrets anew."""
    await db.execute(_SQL["put_sealed_channel"], account_id, channel, secrets)


async def kinds_of(db: Db | Pool, account_id: int) -> dict[str, dict[str, Any]]:
    """Read what an account changed of each kind of message."""
    return {row["kind"]: row["settings"] for row in await db.fetch(_SQL["kinds_of"], account_id)}


async def put_kind(db: Db | Pool, *, account_id: int, kind: str, settings: dict[str, Any]) -> None:
    """Set a kind of message."""
    await db.execute(_SQL["put_kind"], account_id, kind, settings)
