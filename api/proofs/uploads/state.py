"""How an upload stands: what is shown of it, and what may be done with it."""

from enum import Enum, auto

from msgspec import Struct

from api.http.ids import PROOF, shown
from api.http.problem import Gone, NotFound, Problem
from api.proofs.uploads.tus import OffsetDiffers, http_date
from sql.delivery.uploads import Upload
from work.proofs.finish import WHY


class ProofRefused(Problem):
    """The file came whole, and cannot be a proof. Another try needs another file, in an upload of its own."""

    status = 422
    type = "proof-refused"
    title = "This file cannot be a proof"


class UploadState(Struct, frozen=True, kw_only=True):
    """How far an upload is, and what became of it.

    `state` is of its proof: pending, stored or refused; `why` of a refusal. `whole` of a stored one is false where
    bytes of the picture are missing or damaged and only what can be seen is shown: ask for another one at the door.
    """

    id: str
    offset: int
    length: int
    state: str
    why: str | None
    whole: bool | None
    proof_id: str


def state_of(upload: Upload) -> UploadState:
    """Show how far an upload is that was not given up."""
    assert upload.state is not None
    assert upload.proof_id is not None
    return UploadState(
        id=str(upload.id),
        offset=upload.received,
        length=upload.length,
        state=upload.state,
        why=upload.why,
        whole=upload.whole if upload.state == "stored" else None,
        proof_id=shown(PROOF, upload.proof_id),
    )


def headers_of(upload: Upload) -> dict[str, str]:
    """Say how far an upload is, as tus does."""
    told = {"Upload-Offset": str(upload.received)}
    if upload.received < upload.length:
        told["Upload-Expires"] = http_date(upload.expires_at)
    return told


class Action(Enum):
    """What a phone may want of an upload."""

    SEE = auto()  # ask for it by its id
    APPEND = auto()  # go on from a byte
    PROVE = auto()  # have it as a proof


def may(upload: Upload | None, action: Action, *, offset: int | None = None) -> Upload:
    """Make sure that something may be done with an upload as it is now.

    Args:
        upload: None: the driver has none of this id, or not any more.
        offset: the byte to append at.

    Raises:
        NotFound: there is none to see.
        Gone: it was given up; the phone begins again.
        OffsetDiffers: it is at another byte.
        ProofRefused: it came whole, and is no proof.
    """
    if upload is None and action is Action.SEE:
        raise NotFound("There is no upload of this id.")
    if upload is None or upload.is_over:
        raise Gone("This upload was given up. Begin it again.")
    if action is Action.APPEND and upload.received != offset:
        raise OffsetDiffers(f"The upload is at byte {upload.received}, not {offset}; go on from there.")
    if action is Action.PROVE and upload.state == "refused":
        raise ProofRefused(f"{WHY.get(upload.why or '', '')} ({upload.why})", headers=headers_of(upload))
    return upload
