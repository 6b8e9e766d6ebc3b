"""What must happen to uploads and proofs again and again: `work` does it."""

import logging
from datetime import UTC, datetime, timedelta

from api.blobs import UNFINISHED
from api.problem import Unavailable
from api.proofs_store import ORIGINAL, SHOWN, THUMBNAIL, ProofStore, blob_name
from api.uploads_finish import finish
from sql import proofs, uploads
from sql.pool import Pool

log = logging.getLogger(__name__)

_AT_ONCE = 100
_UPLOADS_KEPT = timedelta(days=7)
"""An upload that is over is still found for so long, by a phone that missed the answer; the quota counts a day."""

_LITTER_AFTER = timedelta(days=1)
"""Longer than any request: what was written so long ago and belongs to nothing belongs to a process that died."""


async def finish_uploads(pool: Pool, store: ProofStore) -> bool:
    """Finish complete uploads that nobody finishes; tell whether there may be more."""
    found = await uploads.unfinished(pool, at_most=store.config.image_workers)
    for key in found:
        try:
            await finish(pool, store, key)
        except Unavailable as away:
            log.warning("upload %s waits: %s", key.id, away.detail)
    return len(found) == store.config.image_workers


async def expire_uploads(pool: Pool, store: ProofStore) -> bool:
    """Give uploads up to which nothing was added for too long, and forget what was over long ago."""
    async with pool.acquire() as db, db.transaction():
        expired, blobs = await uploads.expire_uploads(db, at_most=_AT_ONCE)
    await store.blobs.drop(blobs)
    before = datetime.now(UTC) - _UPLOADS_KEPT
    forgotten = await uploads.forget_uploads(pool, before, at_most=_AT_ONCE)
    return _AT_ONCE in (expired, forgotten)


async def sweep(pool: Pool, store: ProofStore) -> bool:
    """Delete what processes that died left in the store: parts that were never counted, files half written."""
    before = datetime.now(UTC) - _LITTER_AFTER
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


async def forget_proofs(pool: Pool, store: ProofStore) -> bool:
    """Forget proofs that are older than they are kept: first their bytes, then that they were there."""
    before = datetime.now(UTC) - timedelta(days=store.config.proof_retention_days)
    old = await proofs.old_proofs(pool, before, at_most=_AT_ONCE)
    names = [blob_name(account_id, one, what) for one, account_id in old for what in (ORIGINAL, SHOWN, THUMBNAIL)]
    await store.blobs.drop(names)
    await proofs.forget_proofs(pool, [one for one, _ in old])
    return len(old) == _AT_ONCE
