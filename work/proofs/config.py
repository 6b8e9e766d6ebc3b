"""Settings of uploads and proofs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

SCHEMES = ("s3", "gs", "az", "file")
"""What a REPARTO_BLOB_URL can begin with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofConfig:
    """Field `blob_url` is REPARTO_BLOB_URL in the environment."""

    blob_url: str = ""  # s3://bucket/prefix, gs://, az:// or file:///folder; empty: blobs in REPARTO_DATA_DIR
    max_upload_bytes: int = 25 * 1024 * 1024  # of one file
    upload_expiry_h: float = 72.0  # an upload to which nothing was added for so long is given up
    driver_open_upload_bytes: int = 1024 * 1024 * 1024  # of a driver's uploads under way, by their full lengths
    driver_day_upload_bytes: int = 5 * 1024 * 1024 * 1024  # of those a driver began in 24 hours
    max_photo_pixels: int = 100_000_000  # a picture of more is refused before it is unpacked
    proof_link_s: float = 300.0  # how long a signed link to the bytes of a proof works
    proof_retention_days: float = 730.0

    def contradictions(self) -> Iterator[str]:
        """Say what cannot be meant."""
        if self.proof_link_s < 1:
            yield "REPARTO_PROOF_LINK_S: must be 1 or more"
        if self.blob_url and not re.match(rf"({'|'.join(SCHEMES)})://", self.blob_url):
            yield "REPARTO_BLOB_URL: must begin with s3://, gs://, az:// or file:///, or be empty"
