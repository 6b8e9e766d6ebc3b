"""Proofs of delivery: what was uploaded, which event names it, and what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sql.pool import Db
from sql.queries import load

_SQL = load("proofs")

KINDS = ("photo", "signature", "document")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What became of one proof that an event names.

    Attributes:
        upload_id: as the event names it.
        state: pending (its upload is not over, or not begun), stored, or refused.
        why: of a refusal: `bad-proof` (not an object with a usable upload_id, kind and sha256), `another-driver`,
            `another-stop`, `another-kind` (the upload was made for that), `sha256-differs`, or why its bytes are none.
    """

    upload_id: str
    state: Literal["pending", "stored", "refused"]
    why: str | None


async def claim_uploads(
    db: Db,
    *,
    account_id: int,
    driver_id: int,
    device_id: int | None,
    stop_id: int,
    event_id: UUID,
    occurred_at: datetime,
    lat: float | None,
    lon: float | None,
    proofs: Sequence[Mapping[str, Any]],
) -> list[Claim]:
    """Tie uploads to the event that names them. Call it inside the event's transaction.

    An upload that is under way or not even begun is accepted as pending and becomes stored by itself when it is over,
    in whatever order event and upload come. The first event that names an upload keeps it; calling this again changes
    nothing and tells what became of it since.

    Args:
        device_id: of the event; None for a dispatcher's.
        stop_id: of the event; known to be one that this driver may speak of.
        occurred_at, lat, lon: of the event; degrees, both None where the phone did not know.
        proofs: `data.proofs` of the event, as it was sent: `{upload_id, kind, sha256?}`, where `upload_id` is the uuid
            of the upload or the address that tus gave it, `kind` one of `KINDS`, `sha256` 64 hexadecimal digits.

    Returns:
        One claim for each proof, in the same order; never raises for anything a phone can put there.
    """
    claims = []
    for proof in proofs:
        upload_id, kind, sha256 = _upload_id(proof), _kind(proof), _sha256(proof)
        shown = str(proof.get("upload_id", "")) if isinstance(proof, Mapping) else ""
        if upload_id is None or kind is None or sha256 is False:
            claims.append(Claim(upload_id=shown, state="refused", why="bad-proof"))
            continue
        if await db.fetchval(_SQL["is_of_another"], driver_id, upload_id):
            claims.append(Claim(upload_id=shown, state="refused", why="another-driver"))
            continue
        event = (event_id, occurred_at, lat, lon, sha256)
        await db.execute(_SQL["claim_upload"], account_id, driver_id, device_id, upload_id, stop_id, kind, *event)
        row = await db.fetchrow(_SQL["claimed"], driver_id, upload_id)
        assert row is not None
        state, why = row["state"], row["why"]
        if row["stop_id"] != stop_id:
            state, why = "refused", "another-stop"
        elif row["kind"] != kind:
            state, why = "refused", "another-kind"
        claims.append(Claim(upload_id=shown, state=state, why=why))
    return claims


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
