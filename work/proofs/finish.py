"""A complete upload becomes a proof: its bytes are put together, judged, drawn anew and kept.

May be done again, by any process, as often as it takes: the blobs of a proof have fixed names, and one transaction says
that it is done. What ends its process four times is refused unread.
"""

import asyncio
import hashlib
import logging
from zoneinfo import ZoneInfo

from sql.delivery import proofs, uploads
from sql.delivery.proofs import Judged
from sql.delivery.uploads import Finishing, UploadKey
from sql.pool import Pool
from work.away import Away
from work.proofs.blobs import BlobMissing
from work.proofs.images import RefusedFile, ShownFile
from work.proofs.pictures import PICTURES
from work.proofs.store import ORIGINAL, SHOWN, THUMBNAIL, ProofStore, blob_name

log = logging.getLogger(__name__)

_MOST_ATTEMPTS = 4
_PARTS_AT_ONCE = 8

WHY = {
    "not-a-photo": "It is no JPEG, PNG, WebP or HEIC picture.",
    "not-a-signature": "It is neither a JPEG, PNG, WebP or HEIC picture nor strokes as JSON.",
    "blank": "There is nothing on it. Sign again.",
    "not-a-pdf": "It is no PDF.",
    "unreadable": "It is damaged, or so little of it is there that nothing can be seen. Take it again.",
    "too-many-pixels": "The picture has more pixels than are read here. Take it smaller.",
    "too-costly": "It takes more memory or time to look into than one file may. Take it again, smaller.",
    "sha256-differs": "The bytes are not those whose SHA-256 was told.",
}
"""Why bytes are no proof, in words for a driver's app."""


class PartsMissing(Away):
    """The database says that all of an upload came, and the store does not have all of it."""

    def __init__(self) -> None:
        super().__init__("A part of this upload cannot be read now; it is tried again.")


async def finish(pool: Pool, store: ProofStore, key: UploadKey) -> None:
    """Make the proof of a complete upload, unless that is done, or somebody is at it.

    Raises:
        PartsMissing: bytes that came are not in the store.
        Away: the store is away; the upload is whole and is finished later, by whoever comes.
    """
    async with store.turn:
        taken = await uploads.begin_finishing(pool, key)
        if taken is None:
            return
        try:
            parts = await uploads.parts_of(pool, key)
            await _finish(pool, store, key, taken, parts)
        except BlobMissing as error:
            await uploads.give_back(pool, key)
            log.error("a part of upload %s is not in the store", key.id)
            raise PartsMissing from error
        except BaseException:
            await uploads.give_back(pool, key)
            raise
    await store.blobs.drop(parts)


async def _finish(pool: Pool, store: ProofStore, key: UploadKey, taken: Finishing, parts: list[str]) -> None:
    try:
        content = await _together(store, parts)
    except BlobMissing:
        content = await _original(store, taken)
    if len(content) != taken.length:
        if await uploads.parts_of(pool, key):
            raise PartsMissing
        return  # somebody else finished it meanwhile
    sha256 = (await store.slow(hashlib.sha256, content)).digest()
    shown: ShownFile | None
    why = None
    try:
        if taken.attempts > _MOST_ATTEMPTS:
            raise RefusedFile("unreadable")
        zone, most = ZoneInfo(taken.timezone), store.config.max_photo_pixels
        shown = await store.slow(PICTURES.judge, taken.kind, content, max_pixels=most, zone=zone, now=pool.clock.now())
    except RefusedFile as refused:
        shown, why = refused.shown, refused.why
    blobs = {ORIGINAL: content}
    if shown is not None:
        blobs[SHOWN] = shown.served
        if shown.thumbnail:
            blobs[THUMBNAIL] = shown.thumbnail
    for what, blob in blobs.items():
        await store.blobs.put(blob_name(taken.account_id, taken.proof_id, what), blob)
    async with pool.acquire() as db, db.transaction():
        if not await uploads.finish_upload(db, key):
            return
        if shown is None:
            await proofs.refuse_proof(db, taken.proof_id, size=len(content), sha256=sha256, why=why or "unreadable")
        else:
            await proofs.store_proof(db, taken.proof_id, _row(shown, len(content), sha256), why=why)


async def _together(store: ProofStore, parts: list[str]) -> bytes:
    gate = asyncio.Semaphore(_PARTS_AT_ONCE)

    async def read(name: str) -> bytes:
        async with gate:
            return await store.blobs.get(name)

    try:
        async with asyncio.TaskGroup() as tasks:
            reading = [tasks.create_task(read(name)) for name in parts]
    except ExceptionGroup as several:
        raise several.exceptions[0] from None
    return b"".join([task.result() for task in reading])


async def _original(store: ProofStore, taken: Finishing) -> bytes:
    """Read what was put together once, where the database is a copy from before that, and the parts are gone since.

    Raises:
        BlobMissing: it was not.
    """
    content = await store.blobs.get(blob_name(taken.account_id, taken.proof_id, ORIGINAL))
    if len(content) != taken.length:
        raise BlobMissing
    return content


def _row(shown: ShownFile, size: int, sha256: bytes) -> Judged:
    return Judged(
        size_bytes=size,
        sha256=sha256,
        media_type=shown.media_type,
        served_bytes=len(shown.served),
        served_sha256=hashlib.sha256(shown.served).digest(),
        served_type=shown.served_type,
        width_px=shown.width_px,
        height_px=shown.height_px,
        exif_at=shown.taken.at,
        exif_lat=shown.taken.lat,
        exif_lon=shown.taken.lon,
        whole=shown.is_whole,
    )
