"""Everything that the `work` role does: the jobs of the rooms of `work`, and what a rule does in place of a person."""

from datetime import timedelta

from api.imports.carry_on import import_job
from api.planning.by_rule import rule_job
from reparto.settings.outgoing import guard_of, public_url_of, sealer_of
from reparto.settings.settings import Settings
from work.addresses.find import place_job
from work.addresses.geocode import Geocoding
from work.addresses.learn import LEARN_ADDRESSES
from work.addresses.upkeep import address_retention_jobs
from work.alerts.tell import alert_job
from work.desk.alert_mail import alert_mail_jobs
from work.desk.alerts import ALERT_JOBS
from work.desk.mail import desk_jobs
from work.desk.push import push_jobs
from work.erasure.erase import erasure_job
from work.feed.closing import CLOSE_TOURS
from work.feed.ends import ends_job
from work.feed.numbering import NUMBER_EVENTS
from work.imports.upkeep import import_retention_job
from work.job import Job, Service
from work.learn.etas import LEARN_ETAS
from work.messages.sending.service import message_jobs
from work.planning.make import plan_job
from work.planning.upkeep import planning_retention_jobs
from work.proofs.logos import Logos
from work.proofs.store import ProofStore
from work.proofs.upkeep import proof_jobs
from work.roads.detours import detour_job
from work.roads.in_time import RoadsInTime
from work.roads.protocol import Roads
from work.tickets.upkeep import ticket_jobs
from work.upkeep.retention import retention_guard, retention_jobs
from work.webhooks.service import webhook_jobs


def jobs_of(settings: Settings, roads: Roads, store: ProofStore) -> tuple[Job | Service, ...]:
    """Give all jobs of the role, in no order."""
    oldest_ping_days = settings.ingest.oldest_ping_days
    sealer, guard = sealer_of(settings), guard_of(settings)
    retention = retention_guard(
        settings.retention,
        proof_retention_days=settings.proofs.proof_retention_days,
        outgoing=settings.outgoing,
    )
    return (
        NUMBER_EVENTS,
        CLOSE_TOURS,
        ends_job(timedelta(hours=settings.ingest.longest_shift_hours)),
        LEARN_ETAS,
        LEARN_ADDRESSES,
        place_job(Geocoding(sealer, guard, public_url_of(settings))),
        *address_retention_jobs(retention),
        detour_job(roads),
        plan_job(roads),
        rule_job(RoadsInTime(roads), settings.api),
        import_job(RoadsInTime(roads), settings.api),
        import_retention_job(),
        *planning_retention_jobs(retention),
        *ticket_jobs(),
        erasure_job(store),
        alert_job(sealer, guard, settings.outgoing.alert_urls),
        *ALERT_JOBS,
        *desk_jobs(sealer, guard, public_url=public_url_of(settings)),
        *alert_mail_jobs(sealer, guard, public_url=public_url_of(settings)),
        *push_jobs(sealer, guard, public_url=public_url_of(settings)),
        *message_jobs(
            sealer,
            guard,
            public_url=public_url_of(settings),
            retention=retention,
            find_logo=Logos(store.blobs).find,
        ),
        *webhook_jobs(
            sealer,
            guard,
            public_url=public_url_of(settings),
            retention=retention,
        ),
        *proof_jobs(store, retention, oldest_ping_days=oldest_ping_days),
        *retention_jobs(
            settings.retention,
            oldest_ping_days=oldest_ping_days,
            proof_retention_days=settings.proofs.proof_retention_days,
            guard=retention,
        ),
    )
