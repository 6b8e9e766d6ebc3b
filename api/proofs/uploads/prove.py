"""An upload becomes its proof when its last byte is durable."""

from api.proofs.uploads.state import Action, may
from sql.delivery import uploads
from sql.delivery.uploads import Upload, UploadKey
from sql.pool import Pool
from work.proofs.finish import PartsMissing, finish
from work.proofs.store import ProofStore


async def proven(pool: Pool, store: ProofStore, key: UploadKey) -> Upload:
    """Make the proof if the upload is complete; give the upload as it is now.

    Raises:
        ProofRefused: the file came whole, and is none.
        Gone: it was given up, or bytes of it were lost; the phone begins again.
        Away: the store is away.
    """
    upload = await uploads.find_upload(pool, key)
    if upload is not None and upload.received == upload.length:
        try:
            await finish(pool, store, key)
        except PartsMissing:  # here is who still has the file: better sent again than waited for in vain
            async with pool.acquire() as db, db.transaction():
                left = await uploads.give_up(db, key)
            await store.blobs.drop(left or [])
        upload = await uploads.find_upload(pool, key)
    return may(upload, Action.PROVE)
