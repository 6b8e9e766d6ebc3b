"""Tying uploads to the events that name them, whichever of the two comes first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from api.proofs.said import read_kind, read_sha256, read_upload_id
from sql.delivery.proofs import NamedProof, TiedProof, tie_uploads
from sql.pool import Db


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
class ProofClaim:
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
) -> list[list[ProofClaim]]:
    """Tie uploads to the events that name them, in two statements. Call it inside the events' transaction.

    An upload that is under way or not even begun is accepted as pending and becomes stored by itself when it is over,
    in whatever order event and upload come. The first event that names an upload keeps it, unless it can have no effect
    (a wrong PIN) and one that can names it too. Calling this again changes nothing and tells what became of it since.
    An id counts among the driver's own; whether it is somebody else's too is never looked at.

    Args:
        device_id: of the events; None for a dispatcher's.
        namings: in the order in which they count.

    Returns:
        For each event one claim for each of its proofs, in the same order; never raises for anything a phone can put
        there.
    """
    named = [[(proof, _named(naming, proof)) for proof in naming.proofs] for naming in namings]
    usable = [one for of_one in named for _, one in of_one if one is not None]
    tied = await tie_uploads(db, account_id=account_id, driver_id=driver_id, device_id=device_id, named=usable)
    return [[_claim(proof, one, tied) for proof, one in of_one] for of_one in named]


def _named(naming: Naming, proof: Any) -> NamedProof | None:
    """Read what is named; None when it cannot be used."""
    if not isinstance(proof, Mapping):
        return None
    upload_id, kind = read_upload_id(proof.get("upload_id")), read_kind(proof.get("kind"))
    sha256 = read_sha256(proof.get("sha256"))
    if upload_id is None or kind is None or (sha256 is None and proof.get("sha256") is not None):
        return None
    return NamedProof(
        upload_id=upload_id,
        stop_id=naming.stop_id,
        kind=kind,
        event_id=naming.event_id,
        occurred_ms=naming.occurred_ms,
        lat=naming.lat,
        lon=naming.lon,
        sha256=sha256,
    )


def _claim(proof: Any, named: NamedProof | None, tied: Mapping[UUID, TiedProof]) -> ProofClaim:
    upload_id = str(proof.get("upload_id", "")) if isinstance(proof, Mapping) else ""
    if named is None:
        return ProofClaim(upload_id=upload_id, state="refused", why="bad-proof")
    there = tied[named.upload_id]
    if there.stop_id != named.stop_id:
        return ProofClaim(upload_id=upload_id, state="refused", why="another-stop")
    if there.kind != named.kind:
        return ProofClaim(upload_id=upload_id, state="refused", why="another-kind")
    return ProofClaim(upload_id=upload_id, state=there.state, why=there.why)
