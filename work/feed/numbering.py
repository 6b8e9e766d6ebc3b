"""Events get their place in the feed after their commit: who has seen 41 will never miss 40."""

from sql.feed.events import number_events
from sql.pool import Pool
from work.feed.types import ALERTING
from work.job import Job


async def _number(pool: Pool) -> bool:
    async with pool.acquire() as db:
        return bool(await number_events(db, alerting=ALERTING))


NUMBER_EVENTS = Job(name="number events", do=_number, pause_s=0.2)
