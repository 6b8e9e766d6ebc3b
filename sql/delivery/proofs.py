"""Proofs of delivery: what was uploaded, which event names it, and what became of it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)

FIX_BEFORE_S, FIX_AFTER_S = 900.0, 300.0
"""How far in time a ping may lie from a proof and still say something of where it was taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedProof:
    """A proof that an event names.

    Attributes:
        occurred_ms, lat, lon: of the event; degrees, both None where the phone did not know.
        sha256: what the event says of its bytes; None: nothing.
    """

    upload_id: UUID
    stop_id: int
    kind: str
    event_id: UUID
    occurred_ms: int
    lat: float | None
    lon: float | None
    sha256: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TiedProof:
    """The proof of an upload as it is kept: for which stop, of which kind, and what became of it."""

    upload_id: UUID
    stop_id: int
    kind: str
    state: Literal["pending", "stored", "refused"]
    why: str | None


async def tie_uploads(
    db: Db, *, account_id: int, driver_id: int, device_id: int | None, named: Sequence[NamedProof]
) -> dict[UUID, TiedProof]:
    """Tie a driver's uploads to the events that name them, as far as they are for the same stop and of the same kind.

    Args:
        device_id: of the events; None for a dispatcher's.
        named: in the order in which they count: the first event that names an upload, and can have an effect, keeps it.

    Returns:
        The proof of each upload that is named, by the upload's id.
    """
    if named:
        rows = [
            {"place": place, **asdict(one), "sha256": one.sha256.hex() if one.sha256 else None}
            for place, one in enumerate(named)
        ]
        await db.execute(_SQL["claim_uploads"], account_id, driver_id, device_id, rows)
    found = await db.fetch(_SQL["claimed"], driver_id, {one.upload_id for one in named})
    return {row["upload_id"]: TiedProof(**row) for row in found}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What was found in the bytes of an upload, and can be shown.

    Attributes:
        sha256: of the bytes as uploaded.
        media_type: as found in them.
        served_bytes, served_sha256, served_type: of what is shown.
        width_px, height_px: of the picture that is shown; None for a document.
        exif_at, exif_lat, exif_lon: when and where the photo itself says that it was taken; degrees.
        whole: False: bytes of the picture are missing or damaged, and what can be seen of it is shown.
    """

    size_bytes: int
    sha256: bytes
    media_type: str
    served_bytes: int
    served_sha256: bytes
    served_type: str
    width_px: int | None
    height_px: int | None
    exif_at: datetime | None
    exif_lat: float | None
    exif_lon: float | None
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofRow:
    """A proof with all that is known of it.

    Attributes:
        why: of a refusal.
        begun_at: when its upload was made; None: only an event has named it.
        event_…: what the event says that names it; said_…: what the upload's metadata say; exif_…: the photo itself.
        fix_…: the believed ping of its driver that is nearest to it in time; None: none within `FIX_BEFORE_S` before
            and `FIX_AFTER_S` after.
    """

    id: int
    stop_id: int
    driver_id: int
    driver_external_id: str
    driver_name: str
    upload_id: UUID
    kind: str
    state: str
    why: str | None
    begun_at: datetime | None
    stored_at: datetime | None
    event_id: UUID | None
    event_at: datetime | None
    event_lat: float | None
    event_lon: float | None
    said_at: datetime | None
    said_lat: float | None
    said_lon: float | None
    exif_at: datetime | None
    exif_lat: float | None
    exif_lon: float | None
    filename: str | None
    size_bytes: int | None
    sha256: bytes | None
    media_type: str | None
    served_bytes: int | None
    served_sha256: bytes | None
    served_type: str | None
    width_px: int | None
    height_px: int | None
    whole: bool
    stop_lat: float
    stop_lon: float
    fix_at: datetime | None
    fix_lat: float | None
    fix_lon: float | None
    fix_accuracy_m: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobRow:
    """Whose bytes they are, and the type of what is shown; None: of a proof that is not stored."""

    account_id: int
    served_type: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopStory:
    """A stop as it was planned, with its route."""

    id: int
    external_id: str
    kind: str
    name: str
    address: str | None
    lat: float
    lon: float
    status: str
    locale: str | None
    arrived_at: datetime | None
    departed_at: datetime | None
    window_start: datetime | None
    window_end: datetime | None
    cash_amount: Decimal | None
    cash_currency: str | None
    required: list[str]
    along_m: float
    radius_m: float
    parcels: list[dict[str, Any]]
    route_id: int
    route_external_id: str
    route_version: int
    date: date
    timezone: str
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class StopOutcome:
    """The last effective word on how a stop ended; `data` as the phone sent it, `outcome` what that means."""

    id: UUID
    type: str
    occurred_at: datetime
    lat: float | None
    lon: float | None
    data: dict[str, Any]
    outcome: dict[str, Any]
    driver_id: int
    driver_external_id: str
    driver_name: str


async def is_stop_of_driver(db: Db | Pool, *, account_id: int, driver_id: int, stop_id: int) -> bool:
    """Tell whether a stop is on a route that a driver drives, or drove before somebody else got it."""
    return await db.fetchval(_SQL["stop_of_driver"], account_id, driver_id, stop_id) is not None


async def store_proof(db: Db, proof_id: int, judged: Judged, *, why: str | None = None) -> None:
    """Keep what the bytes of a pending proof are; it is refused if event or metadata speak of other bytes.

    Args:
        why: it is refused whatever they say, and can be shown all the same; None: it is good.
    """
    await db.execute(
        _SQL["store"],
        proof_id,
        *(judged.size_bytes, judged.sha256, judged.media_type),
        *(judged.served_bytes, judged.served_sha256, judged.served_type, judged.width_px, judged.height_px),
        *(judged.exif_at, judged.exif_lat, judged.exif_lon, judged.whole, why),
    )


async def refuse_proof(db: Db, proof_id: int, *, size: int, sha256: bytes, why: str) -> None:
    """Say that the bytes of a pending proof are none, and that nothing can be shown of them."""
    await db.execute(_SQL["refuse"], proof_id, size, sha256, why)


async def proofs_of_stop(db: Db | Pool, *, account_id: int, stop_id: int) -> list[ProofRow] | None:
    """Read the proofs of a stop in the order they were taken; None when the account has no such stop."""
    if not await db.fetchval(_SQL["stop_exists"], account_id, stop_id):
        return None
    rows = await db.fetch(_SQL["read_proofs"], account_id, stop_id, None, FIX_BEFORE_S, FIX_AFTER_S)
    return [ProofRow(**row) for row in rows]


async def photos_of_stop(db: Db | Pool, stop_id: int) -> list[int]:
    """Give the ids of the stored photos that the words on a delivery name which count, a few at most."""
    return [row["id"] for row in await db.fetch(_SQL["photos_of_stop"], stop_id)]


async def find_proof(db: Db | Pool, *, account_id: int, proof_id: int) -> ProofRow | None:
    """Read a proof; None when the account has none of this id."""
    row = await db.fetchrow(_SQL["read_proofs"], account_id, None, proof_id, FIX_BEFORE_S, FIX_AFTER_S)
    return None if row is None else ProofRow(**row)


async def find_blob(db: Db | Pool, proof_id: int) -> BlobRow | None:
    """Tell whose bytes a proof's are; None when there is no such proof."""
    row = await db.fetchrow(_SQL["find_blob"], proof_id)
    return None if row is None else BlobRow(**row)


async def keep_fixes(db: Db | Pool, before: datetime, *, at_most: int) -> int:
    """Keep the nearest ping of proofs that were stored before a time; return how many proofs.

    Until then it is looked up at every reading, because pings come late.
    """
    return len(await db.fetch(_SQL["keep_fixes"], before, at_most, FIX_BEFORE_S, FIX_AFTER_S))


async def old_proofs(db: Db | Pool, before: datetime, *, at_most: int) -> list[tuple[int, int]]:
    """Find the oldest of the proofs that were stored before a time: their ids, each with its account's."""
    return [(row["id"], row["account_id"]) for row in await db.fetch(_SQL["old_proofs"], before, at_most)]


async def forget_proofs(db: Db | Pool, proof_ids: Sequence[int]) -> None:
    """Forget proofs."""
    await db.execute(_SQL["forget_proofs"], proof_ids)


async def read_story(db: Db | Pool, *, account_id: int, stop_id: int) -> StopStory | None:
    """Read a stop with its route; None when the account has no such stop."""
    row = await db.fetchrow(_SQL["stop_story"], account_id, stop_id)
    return None if row is None else StopStory(**row)


async def read_outcome(db: Db | Pool, stop_id: int) -> StopOutcome | None:
    """Read how a stop ended; None when nobody has said so, or it was opened again after."""
    row = await db.fetchrow(_SQL["outcome"], stop_id)
    return None if row is None else StopOutcome(**row)
