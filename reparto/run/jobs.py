"""Everything that the `work` role does: the jobs of the rooms of `work`."""

from reparto.run.settings import Settings
from work.feed.numbering import NUMBER_EVENTS
from work.job import Job
from work.learn.etas import LEARN_ETAS
from work.planning.make import plan_job
from work.proofs.store import ProofStore
from work.proofs.upkeep import proof_jobs
from work.roads.detours import detour_job
from work.roads.protocol import Roads
from work.upkeep.retention import retention_jobs


def jobs_of(settings: Settings, roads: Roads, store: ProofStore) -> tuple[Job, ...]:
    """Give all jobs of the role, in no order."""
    oldest_ping_days = settings.ingest.oldest_ping_days
    return (
        NUMBER_EVENTS,
        LEARN_ETAS,
        detour_job(roads),
        plan_job(),
        *proof_jobs(store, oldest_ping_days=oldest_ping_days),
        *retention_jobs(
            settings.retention,
            oldest_ping_days=oldest_ping_days,
            proof_retention_days=settings.proofs.proof_retention_days,
        ),
    )
