"""Everything that the `work` role does: what follows from pings alone, and what needs roads or the store of proofs."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from api import proofs_upkeep
from api.proofs_store import ProofStore
from api.roads.detours import match_detours
from api.roads.protocol import Roads
from ingest.config import IngestConfig
from ingest.work import JOBS, Job
from sql.pool import Pool


def jobs_of(roads: Roads, store: ProofStore) -> tuple[Job, ...]:
    """Give all jobs of the role, in no order."""

    def upkeep(name: str, do: Callable[[Pool, ProofStore], Awaitable[bool]], pause_s: float) -> Job:
        async def with_store(pool: Pool, config: IngestConfig) -> bool:
            return await do(pool, store)

        return Job(name=name, do=with_store, pause_s=pause_s)

    async def detours(pool: Pool, config: IngestConfig) -> bool:
        return await match_detours(pool, roads)

    return (
        *JOBS,
        Job(name="detours", do=detours, pause_s=10.0),
        upkeep("finish uploads", proofs_upkeep.finish_uploads, 2.0),
        upkeep("expire uploads", proofs_upkeep.expire_uploads, 60.0),
        upkeep("sweep uploads", proofs_upkeep.sweep, 3600.0),
        upkeep("proof retention", proofs_upkeep.forget_proofs, 3600.0),
        Job(name="fixes of proofs", do=_keep_fixes, pause_s=3600.0),
    )


async def _keep_fixes(pool: Pool, config: IngestConfig) -> bool:
    return await proofs_upkeep.keep_fixes(pool, datetime.now(UTC) - timedelta(days=config.oldest_ping_days + 1))
