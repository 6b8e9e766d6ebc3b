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
from sql.retention import drop_driver_events

_AT_ONCE = 1_000  # events of drivers forgotten in one statement


def jobs_of(roads: Roads, store: ProofStore) -> tuple[Job, ...]:
    """Give all jobs of the role, in no order."""

    def upkeep(name: str, do: Callable[[Pool, ProofStore], Awaitable[bool]], pause_s: float) -> Job:
        async def with_store(pool: Pool, config: IngestConfig) -> bool:
            return await do(pool, store)

        return Job(name=name, do=with_store, pause_s=pause_s)

    async def detours(pool: Pool, config: IngestConfig) -> bool:
        return await match_detours(pool, roads)

    async def driver_events(pool: Pool, config: IngestConfig) -> bool:
        now = datetime.now(UTC)
        before = now - timedelta(days=config.driver_event_retention_days)
        proofs_before = now - timedelta(days=store.config.proof_retention_days)
        async with pool.acquire() as db, db.transaction():
            return await drop_driver_events(db, before, min(before, proofs_before), at_most=_AT_ONCE) > 0

    return (
        *JOBS,
        Job(name="detours", do=detours, pause_s=10.0),
        upkeep("finish uploads", proofs_upkeep.finish_uploads, 2.0),
        upkeep("expire uploads", proofs_upkeep.expire_uploads, 60.0),
        upkeep("sweep uploads", proofs_upkeep.sweep, 3600.0),
        upkeep("proof retention", proofs_upkeep.forget_proofs, 3600.0),
        Job(name="driver event retention", do=driver_events, pause_s=3600.0),
        Job(name="fixes of proofs", do=_keep_fixes, pause_s=3600.0),
    )


async def _keep_fixes(pool: Pool, config: IngestConfig) -> bool:
    return await proofs_upkeep.keep_fixes(pool, datetime.now(UTC) - timedelta(days=config.oldest_ping_days + 1))
