"""A new upload: whose stop it is for, and whether there is room for it."""

from datetime import datetime
from uuid import UUID

import numpy as np

from api.http.problem import Conflict, FieldError, Invalid, NotFound, Problem, TooLarge
from api.proofs.uploads.about import About
from geo.times import ms_of, time_of
from geo.trust.clock import lost_ms, shown_ahead_ms
from geo.trust.numbers import CLOCK_OFF_MS
from sql.account.devices import DeviceRow, clock_ahead_ms
from sql.delivery import uploads
from sql.delivery.proofs import is_stop_of_driver
from sql.delivery.uploads import NewUpload, Upload, UploadKey
from sql.pool import Pool
from work.proofs.store import ProofStore

_WAIT_S = 3_600

_OLDEST_MS = 30 * 86_400_000
"""What is dated before is rather of a clock that counts from another beginning than of a phone so long offline."""


class UploadQuota(Problem):
    """The driver's uploads have reserved all the bytes that one driver may."""

    status = 429
    type = "upload-quota"
    title = "This driver's uploads are over their quota"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"Retry-After": str(_WAIT_S)})


def check_length(store: ProofStore, length: int) -> None:
    """Hold a length against the limit of one file.

    Raises:
        Invalid: it is 0.
        TooLarge: it is over the limit.
    """
    most = store.config.max_upload_bytes
    if length == 0:
        raise Invalid("A proof has bytes.", errors=[FieldError(at="Upload-Length", why="must be 1 or more")])
    if length > most:
        raise TooLarge(f"The file has {length} bytes; at most {most} are taken.", headers={"Tus-Max-Size": str(most)})


async def begin(
    pool: Pool, store: ProofStore, device: DeviceRow, upload_id: UUID, about: About, *, metadata: str, length: int
) -> tuple[Upload, bool]:
    """Begin an upload and reserve its bytes, or find the one that this phone began before.

    Returns:
        The upload, and whether it is new.

    Raises:
        NotFound: the driver has no such stop.
        UploadQuota: there is no room.
        Conflict: the id is another file's, or one that is over.
        Invalid: an event has named it for something else.
    """
    key = UploadKey(driver_id=device.driver_id, id=upload_id)
    ours = {"account_id": device.account_id, "driver_id": device.driver_id}
    if not await is_stop_of_driver(pool, **ours, stop_id=about.stop_id):
        raise NotFound("This driver has no stop of this id.")
    new = NewUpload(
        key=key,
        account_id=device.account_id,
        device_id=device.id,
        stop_id=about.stop_id,
        kind=about.kind,
        metadata=metadata,
        length=length,
        filename=about.filename,
        said_at=None if about.taken_at is None else await _by_our_clock(pool, device.id, about.taken_at),
        said_lat=about.lat,
        said_lon=about.lon,
        said_sha256=about.sha256,
    )
    async with pool.acquire() as db, db.transaction():
        await uploads.hold_driver(db, device.driver_id)
        known = await uploads.find_upload(db, key)
        if known is not None and not known.is_over:
            if (known.length, known.stop_id, known.kind) != (length, about.stop_id, about.kind):
                raise Conflict("Another file was begun with this upload_id; each file needs its own.")
            return known, False
        if known is not None and not known.is_ended:  # expired, and nobody has noticed yet
            await uploads.terminate(db, key)
        _check_quota(store, await uploads.used(db, device.driver_id), length)
        if not await uploads.begin_upload(db, new, expiry_h=store.config.upload_expiry_h):
            errors = [FieldError(at="upload_id", why="names a proof that is over, or of another stop or kind")]
            raise Invalid("This upload_id cannot be begun; each file needs its own.", errors=errors)
        made = await uploads.find_upload(db, key)
        assert made is not None
        return made, True


async def _by_our_clock(pool: Pool, device_id: int, said_at: datetime) -> datetime | None:
    """Date by our clock what a phone's says, as far as that is seen to be wrong; None: it can mean nothing."""
    now_ms, said_ms, doubt_ms = ms_of(pool.clock.now()), ms_of(said_at), pool.clock.doubt_ms
    said_ms += int(lost_ms(np.array([said_ms]), now_ms - _OLDEST_MS, now_ms + doubt_ms)[0])
    shown_ms = shown_ahead_ms(np.array([said_ms]), now_ms, doubt_ms=doubt_ms)
    if shown_ms:
        said_ms -= await clock_ahead_ms(pool, device_id, shown_ms, now_ms, is_said=False)
    return time_of(said_ms) if said_ms <= now_ms + CLOCK_OFF_MS + doubt_ms else None


def _check_quota(store: ProofStore, used: uploads.Used, length: int) -> None:
    most_open, most_a_day = store.config.driver_open_upload_bytes, store.config.driver_day_upload_bytes
    if used.open_bytes + length > most_open:
        raise UploadQuota(
            f"{used.open_bytes} bytes of uploads are under way; {most_open} are allowed. Finish or delete some first."
        )
    if used.day_bytes + length > most_a_day:
        raise UploadQuota(f"{used.day_bytes} bytes were begun in the last 24 hours; {most_a_day} are allowed.")
