"""What the `work` role does about webhooks: tells them, and forgets what was long ago."""

from sql.pool import Pool
from sql.webhooks.webhooks import drop_deliveries
from work.job import Job
from work.outgoing.guard import Guard
from work.outgoing.sealed import Sealer
from work.retention.classes import DELIVERIES
from work.retention.guard import RetentionGuard
from work.webhooks.send import WebhookSender
from work.webhooks.written import WrittenEvents

_AT_ONCE = 5_000


def webhook_jobs(
    sealer: Sealer, guard: Guard, *, public_url: str, retention: RetentionGuard
) -> tuple[Job | WebhookSender, ...]:
    """Give the jobs of this room, in no order.

    Args:
        public_url: where this installation is reached, without a slash at its end.
        retention: says what may be deleted by age.
    """

    async def forget(pool: Pool) -> bool:
        before = await retention.horizon(pool, DELIVERIES)
        return before is not None and await drop_deliveries(pool, before, at_most=_AT_ONCE) == _AT_ONCE

    return (
        Job(name="webhook retention", do=forget, pause_s=3600.0),
        WebhookSender(sealer=sealer, guard=guard, events=WrittenEvents(f"{public_url}/v1/events")),
    )
