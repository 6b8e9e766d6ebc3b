"""What must happen to uploads and proofs again and again: `work` does it."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from sql.delivery import proofs, uploads
from sql.pool import Pool
from sql.portal import photos
from work.away import Away
from work.job import Job
from work.proofs.blobs import UNFINISHED
from work.proofs.finish import finish
from work.proofs.store import IMAGE_WORKERS, ORIGINAL, SHOWN, THUMBNAIL, ProofStore, blob_name, drop_photo_files
from work.retention.classes import PHOTOS, PROOFS
from work.retention.guard import RetentionGuard

log = logging.getLogger(__name__)

_AT_ONCE = 100
_UPLOADS_KEPT = timedelta(days=7)
"""An upload that is over is still found for so long, by a phone that missed the answer; the quota counts a day."""

_LITTER_AFTER = timedelta(days=1)
"""Longer than any request: what was written so long ago and belongs to nothing belongs to a process that died."""


async def finish_uploads(pool: Pool, store: ProofStore) -> bool:
    """Finish complete uploads that nobody finishes; tell whether there may be more."""
    found = await uploads.unfinished(pool, at_most=IMAGE_WORKERS)
    for key in found:
        try:
            await finish(pool, store, key)
        except Away as away:
            log.warning("upload %s waits: %s", key.id, away.detail)
    return len(found) == IMAGE_WORKERS


async def expire_uploads(pool: Pool, store: ProofStore, guard: RetentionGuard) -> bool:
    """Give uploads up to which nothing was added for too long, and forget what was over long ago."""
    now = await guard.now(pool)
    if now is None:
        return False
    async with pool.acquire() as db, db.transaction():
        expired, blobs = await uploads.expire_uploads(db, at_most=_AT_ONCE)
    await store.blobs.drop(blobs)
    forgotten = await uploads.forget_uploads(pool, now - _UPLOADS_KEPT, at_most=_AT_ONCE)
    return _AT_ONCE in (expired, forgotten)


async def sweep(pool: Pool, store: ProofStore, guard: RetentionGuard) -> bool:
    """Delete what processes that died left in the store: parts that were never counted, files half written."""
    now = await guard.now(pool)
    if now is None:
        return False
    before = now - _LITTER_AFTER
    for prefix in (UNFINISHED.rstrip("/"), "parts"):
        old = [blob.name for blob in await store.blobs.list(prefix) if blob.modified_at < before]
        for first in range(0, len(old), _AT_ONCE):
            names = old[first : first + _AT_ONCE]
            known = await uploads.known_parts(pool, names)
            await store.blobs.drop([name for name in names if name not in known])
    return False


async def keep_fixes(pool: Pool, before: datetime) -> bool:
    """Keep the nearest ping of proofs stored before a time; from then on no nearer one comes."""
    return await proofs.keep_fixes(pool, before, at_most=_AT_ONCE) == _AT_ONCE


async def forget_proofs(pool: Pool, store: ProofStore, guard: RetentionGuard) -> bool:
    """Forget proofs that are older than they are kept: first their bytes, then that they were there."""
    before = await guard.horizon(pool, PROOFS)
    if before is None:
        return False
    old = await proofs.old_proofs(pool, before, at_most=_AT_ONCE)
    names = [blob_name(account_id, one, what) for one, account_id in old for what in (ORIGINAL, SHOWN, THUMBNAIL)]
    await store.blobs.drop(names)
    await proofs.forget_proofs(pool, [one for one, _ in old])
    return len(old) == _AT_ONCE


async def forget_photos(pool: Pool, store: ProofStore, guard: RetentionGuard) -> bool:
    """Forget photos of recipients that are older than they are kept: first their bytes, then that they were there."""
    before = await guard.horizon(pool, PHOTOS)
    if before is None:
        return False
    old = await photos.old_photos(pool, before, at_most=_AT_ONCE)
    await drop_photo_files(store, old)
    await photos.drop_photos(pool, [one for one, _ in old])
    return len(old) == _AT_ONCE


def proof_jobs(store: ProofStore, guard: RetentionGuard, *, oldest_ping_days: float) -> tuple[Job, ...]:
    """Give the jobs of this room, in no order.

    Args:
        guard: says what may be deleted by age.
    """

    def upkeep(name: str, do: Callable[[Pool, ProofStore, RetentionGuard], Awaitable[bool]], pause_s: float) -> Job:
        return Job(name=name, do=lambda pool: do(pool, store, guard), pause_s=pause_s)

    async def finishing(pool: Pool) -> bool:
        return await finish_uploads(pool, store)

    async def fixes(pool: Pool) -> bool:
        now = await guard.now(pool)
        return now is not None and await keep_fixes(pool, now - timedelta(days=oldest_ping_days + 1))

    return (
        Job(name="finish uploads", do=finishing, pause_s=2.0),
        upkeep("expire uploads", expire_uploads, 60.0),
        upkeep("sweep uploads", sweep, 3600.0),
        upkeep("proof retention", forget_proofs, 3600.0),
        upkeep("photo retention", forget_photos, 3600.0),
        Job(name="fixes of proofs", do=fixes, pause_s=3600.0),
    )
