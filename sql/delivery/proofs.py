"""Proofs of delivery: what was uploaded, which event names it, and what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)

KINDS = ("photo", "signature", "document")

FIX_BEFORE_S, FIX_AFTER_S = 900.0, 300.0
"""How far in time a ping may lie from a proof and still say something of where it was taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """A driver's event that names uploads.

    Attributes:
        stop_id: known to be one that this driver may speak of.
        lat, lon: degrees, both None where the phone did not know.
        proofs: `data.proofs` of the event, as it was sent: `{upload_id, kind, sha256?}`, where `upload_id` is the uuid
            of the upload or the address that tus gave it, `kind` one of `KINDS`, `sha256` 64 hexadecimal digits.
    """

    event_id: UUID
    stop_id: int
    occurred_ms: int
    lat: float | None
    lon: float | None
    proofs: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What became of one proof that an event names.

    Attributes:
        upload_id: as the event names it.
        state: pending (its upload is not over, or not begun), stored, or refused.
        why: of a refusal: `bad-proof` (not an object with a usable upload_id, kind and sha256), `another-stop`,
            `another-kind` (the upload was made for that), `sha256-differs`, or why its bytes are none.
    """

    upload_id: str
    state: Literal["pending", "stored", "refused"]
    why: str | None


async def claim_uploads(
    db: Db, *, account_id: int, driver_id: int, device_id: int | None, namings: Sequence[Naming]
) -> list[list[Claim]]:
    """Tie uploads to the events that name them, in two statements. Call it inside the events' transaction.

    An upload that is under way or not even begun is accepted as pending and becomes stored by itself when it is over,
    in whatever order event and upload come. The first event that names an upload keeps it; calling this again changes
    nothing and tells what became of it since. An id counts among the driver's own; whether it is somebody else's too is
    never looked at.

    Args:
        device_id: of the events; None for a dispatcher's.
        namings: in the order in which they count.

    Returns:
        For each event one claim for each of its proofs, in the same order; never raises for anything a phone can put
        there.
    """
    rows = [[_row(naming, proof) for proof in naming.proofs] for naming in namings]
    usable = [row for of_one in rows for row in of_one if row is not None]
    if usable:
        in_order = [{"place": place, **row} for place, row in enumerate(usable)]
        await db.execute(_SQL["claim_uploads"], account_id, driver_id, device_id, in_order)
    found = await db.fetch(_SQL["claimed"], driver_id, {row["upload_id"] for row in usable})
    known = {row["upload_id"]: row for row in found}
    return [
        [_claim(proof, row, known) for proof, row in zip(naming.proofs, of_one, strict=True)]
        for naming, of_one in zip(namings, rows, strict=True)
    ]


def _row(naming: Naming, proof: Any) -> dict[str, Any] | None:
    """Give the columns of what is named; None when it cannot be used."""
    upload_id, kind, sha256 = _upload_id(proof), _kind(proof), _sha256(proof)
    if upload_id is None or kind is None or sha256 is False:
        return None
    return {
        "upload_id": upload_id,
        "stop_id": naming.stop_id,
        "kind": kind,
        "event_id": naming.event_id,
        "occurred_ms": naming.occurred_ms,
        "lat": naming.lat,
        "lon": naming.lon,
        "sha256": None if sha256 is None else sha256.hex(),
    }


def _claim(proof: Any, row: Mapping[str, Any] | None, known: Mapping[UUID, Mapping[str, Any]]) -> Claim:
    upload_id = str(proof.get("upload_id", "")) if isinstance(proof, Mapping) else ""
    if row is None:
        return Claim(upload_id=upload_id, state="refused", why="bad-proof")
    there = known[row["upload_id"]]
    if there["stop_id"] != row["stop_id"]:
        return Claim(upload_id=upload_id, state="refused", why="another-stop")
    if there["kind"] != row["kind"]:
        return Claim(upload_id=upload_id, state="refused", why="another-kind")
    return Claim(upload_id=upload_id, state=there["state"], why=there["why"])


def _upload_id(proof: Any) -> UUID | None:
    """Read the id, which may be the last step of the upload's address."""
    text = proof.get("upload_id") if isinstance(proof, Mapping) else None
    if not isinstance(text, str):
        return None
    try:
        return UUID(text.rstrip("/").rpartition("/")[2])
    except ValueError:
        return None


def _kind(proof: Any) -> str | None:
    kind = proof.get("kind") if isinstance(proof, Mapping) else None
    return kind if isinstance(kind, str) and kind in KINDS else None


def _sha256(proof: Any) -> bytes | Literal[False] | None:
    """Read the digest; None where none is given, False where it is none."""
    text = proof.get("sha256") if isinstance(proof, Mapping) else None
    if text is None:
        return None
    try:
        digest = bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        return False
    return digest if len(digest) == 32 else False


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What was found in the bytes of an upload, all of it good.

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
class Outcome:
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


async def store_proof(db: Db, proof_id: int, judged: Judged) -> None:
    """Keep what the bytes of a pending proof are; it is refused if event or metadata speak of other bytes."""
    await db.execute(
        _SQL["store"],
        proof_id,
        *(judged.size_bytes, judged.sha256, judged.media_type),
        *(judged.served_bytes, judged.served_sha256, judged.served_type, judged.width_px, judged.height_px),
        *(judged.exif_at, judged.exif_lat, judged.exif_lon, judged.whole),
    )


async def refuse_proof(db: Db, proof_id: int, *, size: int, sha256: bytes, why: str) -> None:
    """Say that the bytes of a pending proof are none."""
    await db.execute(_SQL["refuse"], proof_id, size, sha256, why)


async def proofs_of_stop(db: Db | Pool, *, account_id: int, stop_id: int) -> list[ProofRow] | None:
    """Read the proofs of a stop in the order they were taken; None when the account has no such stop."""
    if not await db.fetchval(_SQL["stop_exists"], account_id, stop_id):
        return None
    rows = await db.fetch(_SQL["read_proofs"], account_id, stop_id, None, FIX_BEFORE_S, FIX_AFTER_S)
    return [ProofRow(**row) for row in rows]


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


async def read_outcome(db: Db | Pool, stop_id: int) -> Outcome | None:
    """Read how a stop ended; None when nobody has said so, or it was opened again after."""
    row = await db.fetchrow(_SQL["outcome"], stop_id)
    return None if row is None else Outcome(**row)
