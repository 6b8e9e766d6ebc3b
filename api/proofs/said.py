"""What phones say of proofs: the one reader of ids, kinds and digests, in events, upload metadata and forms. Pure."""

from uuid import UUID

KINDS = ("photo", "signature", "document")

_SHA256_BYTES = 32


def read_uuid(said: object) -> UUID | None:
    """Read an id that a phone made; None where it is none."""
    if not isinstance(said, str):
        return None
    try:
        return UUID(said)
    except ValueError:
        return None


def read_upload_id(said: object) -> UUID | None:
    """Read the id of an upload, which may be the last step of the address that tus gave it; None where it is none."""
    return read_uuid(said.rstrip("/").rpartition("/")[2]) if isinstance(said, str) else None


def read_kind(said: object) -> str | None:
    """Read what a proof is, one of `KINDS`; None where it is none of them."""
    return said if isinstance(said, str) and said in KINDS else None


def read_sha256(said: object) -> bytes | None:
    """Read a digest of 64 hexadecimal digits; None where it is none."""
    try:
        digest = bytes.fromhex(said) if isinstance(said, str) else b""
    except ValueError:
        return None
    return digest if len(digest) == _SHA256_BYTES else None
