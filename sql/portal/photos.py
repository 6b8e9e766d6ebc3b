"""Photos that recipients sent: whose they are, and whether their bytes are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoRow:
    """A photo; `is_stored`: its bytes are in the store."""

    id: int
    account_id: int
    is_stored: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SentPhotos:
    """How much was sent for a stop so far."""

    photos: int
    size_bytes: int


async def sent_photos(db: Db, stop_id: int) -> SentPhotos:
    """Tell how much was sent for a stop."""
    row = await db.fetchrow(_SQL["sent_photos"], stop_id)
    assert row is not None
    return SentPhotos(**row)


async def find_sent(db: Db | Pool, *, account_id: int, stop_id: int, sha256: bytes) -> PhotoRow | None:
    """Find a photo of a stop by the bytes that were sent; None: they were not."""
    row = await db.fetchrow(_SQL["find_sent"], account_id, stop_id, sha256)
    return None if row is None else PhotoRow(**row)


async def begin_photo(
    db: Db, *, account_id: int, stop_id: int, sha256: bytes, size_bytes: int, now: datetime
) -> PhotoRow:
    """Note a photo before its bytes are kept, so that they are never without it; give the one that is there."""
    row = await db.fetchrow(_SQL["begin_photo"], account_id, stop_id, sha256, size_bytes, now)
    assert row is not None
    return PhotoRow(**row)


async def photo_is_stored(db: Db | Pool, photo_id: int, now: datetime) -> None:
    """Note that the bytes are in the store."""
    await db.execute(_SQL["photo_is_stored"], photo_id, now)


async def stored_of_stop(db: Db | Pool, *, account_id: int, stop_id: int, photo_ids: Sequence[int]) -> set[int]:
    """Tell which of some are stored photos of a stop."""
    rows = await db.fetch(_SQL["stored_of_stop"], account_id, stop_id, list(photo_ids))
    return {row["id"] for row in rows}


async def photo_account(db: Db | Pool, photo_id: int) -> int | None:
    """Tell whose a stored photo is; None: there is none."""
    account_id: int | None = await db.fetchval(_SQL["photo_account"], photo_id)
    return account_id


async def old_photos(db: Db | Pool, before: datetime, *, at_most: int) -> list[tuple[int, int]]:
    """Read photos made before a time, oldest first: each with its account."""
    return [(row["id"], row["account_id"]) for row in await db.fetch(_SQL["old_photos"], before, at_most)]


async def photos_of_stops(db: Db | Pool, stop_ids: Sequence[int], *, at_most: int) -> list[tuple[int, int]]:
    """Read photos of stops: each with its account."""
    rows = await db.fetch(_SQL["photos_of_stops"], list(stop_ids), at_most)
    return [(row["id"], row["account_id"]) for row in rows]


async def drop_photos(db: Db | Pool, photo_ids: Sequence[int]) -> int:
    """Forget photos whose bytes are gone; return how many."""
    return len(await db.fetch(_SQL["drop_photos"], list(photo_ids)))
