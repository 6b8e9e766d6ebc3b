"""Where this process keeps proofs, and the jobs of `work` that look after them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from obstore.exceptions import BaseError

from api import proofs_upkeep
from api.proofs_store import ProofStore, open_proof_store
from ingest.config import IngestConfig
from ingest.work import Job
from reparto.command import CannotRun
from reparto.settings import Settings
from sql.pool import Pool


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


def proof_jobs(store: ProofStore) -> list[Job]:
    """Make the jobs of `work` that look after uploads and proofs."""

    def job(name: str, do: Callable[[Pool, ProofStore], Awaitable[bool]], pause_s: float) -> Job:
        async def with_store(pool: Pool, config: IngestConfig) -> bool:
            return await do(pool, store)

        return Job(name=name, do=with_store, pause_s=pause_s)

    async def keep_fixes(pool: Pool, config: IngestConfig) -> bool:
        return await proofs_upkeep.keep_fixes(pool, datetime.now(UTC) - timedelta(days=config.oldest_ping_days + 1))

    return [
        job("finish uploads", proofs_upkeep.finish_uploads, 2.0),
        job("expire uploads", proofs_upkeep.expire_uploads, 60.0),
        job("sweep uploads", proofs_upkeep.sweep, 3600.0),
        job("proof retention", proofs_upkeep.forget_proofs, 3600.0),
        Job(name="fixes of proofs", do=keep_fixes, pause_s=3600.0),
    ]
