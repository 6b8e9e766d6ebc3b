"""Geofences and every version of them that was ever in force."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FenceRow:
    """One version of a geofence, as the tracker folds pings against it.

    Attributes:
        ended_at: until when it was in force; None: it still is.
        feature: the GeoJSON Feature as it was given.
        dwell_s: how long inside counts as dwelling; None: dwelling is not told.
    """

    geofence_id: int
    version: int
    account_id: int
    effective_at: datetime
    ended_at: datetime | None
    feature: dict[str, Any]
    dwell_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GeofenceRow:
    """A geofence in force, as its account sees it."""

    id: int
    external_id: str
    version: int
    feature: dict[str, Any]
    name: str | None
    dwell_s: float | None


async def fence_rows_of_accounts(db: Db | Pool, account_ids: Sequence[int]) -> list[FenceRow]:
    """Read every version of every geofence these accounts ever had."""
    return [FenceRow(**row) for row in await db.fetch(_SQL["fence_rows_of_accounts"], list(account_ids))]


async def find_geofence(
    db: Db | Pool, *, account_id: int, geofence_id: int | None, external_id: str | None
) -> GeofenceRow | None:
    """Find a geofence in force by either of its ids; None when the account has none such."""
    row = await db.fetchrow(_SQL["find_geofence"], account_id, geofence_id, external_id)
    return None if row is None else GeofenceRow(**row)


async def list_geofences(db: Db | Pool, *, account_id: int, after: int, limit: int) -> list[GeofenceRow]:
    """Read a page of the geofences in force, in the order they were made."""
    return [GeofenceRow(**row) for row in await db.fetch(_SQL["list_geofences"], account_id, after, limit)]


async def create_geofence(db: Db, *, account_id: int, external_id: str) -> int:
    """Make a geofence, as yet without a version; return its id. The caller holds the account's lanes."""
    geofence_id: int = await db.fetchval(_SQL["create_geofence"], account_id, external_id)
    return geofence_id


async def put_version(
    db: Db,
    *,
    account_id: int,
    geofence_id: int,
    version: int,
    feature: dict[str, Any],
    name: str | None,
    dwell_s: float | None,
) -> datetime:
    """Put a version in force and end the one before; return from when. The caller holds the account's lanes."""
    at = await _end_version(db, geofence_id)
    await db.execute(_SQL["add_geofence_version"], account_id, geofence_id, version, at, feature, name, dwell_s)
    await db.execute(_SQL["move_geofence_version"], geofence_id, version)
    return at


async def delete_geofence(db: Db, geofence_id: int) -> datetime:
    """End a geofence; return from when. The caller holds the account's lanes."""
    at = await _end_version(db, geofence_id)
    await db.execute(_SQL["delete_geofence"], geofence_id)
    return at


async def _end_version(db: Db, geofence_id: int) -> datetime:
    at: datetime = await db.fetchval(_SQL["next_fence_time"], geofence_id)
    await db.execute(_SQL["end_geofence_version"], geofence_id, at)
    return at
