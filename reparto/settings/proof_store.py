"""The store of proofs that the settings name, for whoever needs it here: the API, and `work` for its upkeep."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from obstore.exceptions import BaseError

from reparto.command import CannotRun
from reparto.settings.settings import Settings
from work.proofs.blobs import folder_of
from work.proofs.store import ProofStore, open_proof_store


def folder_of_proofs(settings: Settings) -> Path | None:
    """Give the folder that has the bytes; None: a bucket has them."""
    return folder_of(settings.proofs.blob_url, Path(settings.server.data_dir) / "blobs")


@asynccontextmanager
async def proofs_of(settings: Settings) -> AsyncIterator[ProofStore]:
    """Open the store of proofs for as long as the block runs.

    Raises:
        CannotRun: it cannot be used.
    """
    folder = Path(settings.server.data_dir) / "blobs"
    opened = open_proof_store(settings.proofs, folder=folder)
    try:
        store = await opened.__aenter__()
    except (OSError, ValueError, BaseError) as error:
        where = settings.proofs.blob_url or folder
        raise CannotRun(f"The store of proofs {where} cannot be used: {error}. Set REPARTO_BLOB_URL.") from error
    try:
        yield store
    finally:
        await opened.__aexit__(None, None, None)
