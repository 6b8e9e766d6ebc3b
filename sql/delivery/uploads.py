"""Uploads on their way. Postgres is the referee: who may append, how much has come, who finishes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)

TAKE_OVER_S = 5.0
"""Another request may append when no bytes of the one before became durable for so long: its phone has gone."""

FINISHING_S = 15.0
"""Another attempt to finish an upload may begin so long after the last one; two at once do no harm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadKey:
    """Which upload: a phone's id counts only among its driver's."""

    driver_id: int
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUpload:
    """An upload to begin.

    Attributes:
        metadata: as the phone sent them.
        said_at, said_lat, said_lon, said_sha256: when and where it was taken and what its bytes are, as they say.
    """

    key: UploadKey
    account_id: int
    device_id: int
    stop_id: int
    kind: str
    metadata: str
    length: int
    filename: str | None
    said_at: datetime | None
    said_lat: float | None
    said_lon: float | None
    said_sha256: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """An upload and the proof it is for.

    Attributes:
        received: bytes that are durable.
        is_ended: given up, by the phone or because it expired.
        is_finished: its proof is stored or refused.
        proof_id, kind, state, why, whole: of its proof; None: it was given up, and no event names it.
    """

    id: UUID
    driver_id: int
    stop_id: int
    metadata: str
    length: int
    received: int
    expires_at: datetime
    is_expired: bool
    is_ended: bool
    is_finished: bool
    proof_id: int | None
    kind: str | None
    state: str | None
    why: str | None
    whole: bool | None

    @property
    def key(self) -> UploadKey:
        return UploadKey(driver_id=self.driver_id, id=self.id)

    @property
    def is_over(self) -> bool:
        """Nothing can be added any more, and it never became complete."""
        return self.is_ended or self.is_expired


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What a driver's uploads have reserved, bytes."""

    open_bytes: int
    day_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finishing:
    """A complete upload to make a proof of. `attempts`: this one, and those that ended their process."""

    account_id: int
    proof_id: int
    kind: str
    length: int
    attempts: int
    timezone: str


async def hold_driver(db: Db, driver_id: int) -> None:
    """Let nobody else begin an upload of this driver until the transaction ends."""
    await db.execute(_SQL["hold_driver"], driver_id)


async def used(db: Db, driver_id: int) -> Used:
    """Count what a driver's uploads have reserved."""
    row = await db.fetchrow(_SQL["used"], driver_id)
    assert row is not None
    return Used(**row)


async def find_upload(db: Db | Pool, key: UploadKey) -> Upload | None:
    """Read an upload; None when the driver has none of this id."""
    row = await db.fetchrow(_SQL["find_upload"], key.driver_id, key.id)
    return None if row is None else Upload(**row)


async def begin_upload(db: Db, new: NewUpload, *, expiry_h: float) -> bool:
    """Begin an upload and its proof, or begin again one that was given up.

    Returns:
        False when an event has named this id for another stop or kind, or its proof is over; nothing was changed then.
    """
    key = new.key
    said = (new.filename, new.said_at, new.said_lat, new.said_lon, new.said_sha256)
    about = (new.account_id, key.driver_id, new.device_id, key.id, new.stop_id, new.kind)
    if await db.fetchval(_SQL["begin_proof"], *about, *said) is None:
        return False
    await db.execute(
        _SQL["make_upload"],
        *(key.driver_id, key.id, new.account_id, new.device_id, new.stop_id, new.metadata, new.length, expiry_h),
    )
    return True


async def start_writing(db: Db | Pool, key: UploadKey, *, writer: UUID, offset: int) -> bool:
    """Let one request append from `offset`; False when that is not where the upload is, or another one appends."""
    values = (key.driver_id, key.id, writer, offset, TAKE_OVER_S)
    return await db.fetchval(_SQL["start_writing"], *values) is not None


async def still_writing(db: Db | Pool, key: UploadKey, writer: UUID) -> bool:
    """Keep the right to append while bytes come that cannot be counted yet; False when it is lost."""
    return await db.fetchval(_SQL["still_writing"], key.driver_id, key.id, writer) is not None


async def append(
    db: Db | Pool,
    key: UploadKey,
    *,
    writer: UUID,
    offset: int,
    sizes: Sequence[int],
    blobs: Sequence[str],
    expiry_h: float,
) -> bool:
    """Count parts that are durable; False when this request may not append any more, and they count for nothing."""
    values = (key.driver_id, key.id, writer, offset, sizes, blobs, expiry_h)
    return bool(await db.fetch(_SQL["append"], *values))


async def stop_writing(db: Db | Pool, key: UploadKey, writer: UUID) -> None:
    """Let the next request append."""
    await db.execute(_SQL["stop_writing"], key.driver_id, key.id, writer)


async def terminate(db: Db, key: UploadKey) -> list[str] | None:
    """Give an upload up; return the blobs that nobody needs any more, or None when it is complete or over.

    Call it in a transaction.
    """
    rows = await db.fetch(_SQL["terminate"], key.driver_id, key.id)
    return await _forget(db, [UploadKey(**row) for row in rows]) if rows else None


async def give_up(db: Db, key: UploadKey) -> list[str] | None:
    """Give a complete upload up of which bytes were lost, so that its phone can begin it again.

    Return the blobs that nobody needs any more; None when it was finished meanwhile, or is over. Call it in a
    transaction.
    """
    rows = await db.fetch(_SQL["give_up"], key.driver_id, key.id)
    return await _forget(db, [UploadKey(**row) for row in rows]) if rows else None


async def expire_uploads(db: Db, *, at_most: int) -> tuple[int, list[str]]:
    """Give up those to which nothing was added for too long; return how many, and blobs that nobody needs any more.

    Call it in a transaction.
    """
    keys = [UploadKey(**row) for row in await db.fetch(_SQL["expire"], at_most)]
    return len(keys), await _forget(db, keys) if keys else []


async def _forget(db: Db, keys: Sequence[UploadKey]) -> list[str]:
    columns = [key.driver_id for key in keys], [key.id for key in keys]
    await db.execute(_SQL["forget_proofs"], *columns)
    return [row["blob"] for row in await db.fetch(_SQL["forget_parts"], *columns)]


async def begin_finishing(db: Db | Pool, key: UploadKey) -> Finishing | None:
    """Take a complete upload to finish it; None when it is not complete, finished, or somebody is at it."""
    row = await db.fetchrow(_SQL["begin_finishing"], key.driver_id, key.id, FINISHING_S)
    return None if row is None else Finishing(**row)


async def give_back(db: Db | Pool, key: UploadKey) -> None:
    """Take an attempt back that failed without ending its process."""
    await db.execute(_SQL["give_back"], key.driver_id, key.id)


async def parts_of(db: Db | Pool, key: UploadKey) -> list[str]:
    """Name the parts of an upload in the blob store, in the order of their bytes."""
    return [row["blob"] for row in await db.fetch(_SQL["parts"], key.driver_id, key.id)]


async def finish_upload(db: Db, key: UploadKey) -> bool:
    """Say that an upload has become its proof; False when somebody else said so before. Its parts are forgotten."""
    if await db.fetchval(_SQL["finish"], key.driver_id, key.id) is None:
        return False
    await db.execute(_SQL["forget_parts"], [key.driver_id], [key.id])
    return True


async def unfinished(db: Db | Pool, *, at_most: int) -> list[UploadKey]:
    """Find complete uploads that nobody finishes: their process ended, or the store was away."""
    return [UploadKey(**row) for row in await db.fetch(_SQL["unfinished"], FINISHING_S, at_most)]


async def forget_uploads(db: Db | Pool, before: datetime, *, at_most: int) -> int:
    """Forget uploads that were over before a time; return how many."""
    return len(await db.fetch(_SQL["forget_uploads"], before, at_most))


async def known_parts(db: Db | Pool, names: Sequence[str]) -> set[str]:
    """Tell which blobs are parts of uploads under way."""
    return {row["blob"] for row in await db.fetch(_SQL["parts_known"], names)}
