"""Going through an erasure to its end, or as far as there is time; the job goes on with it."""

import time

from sql.operate import erasure
from sql.operate.erasure import ErasureRow
from sql.operate.erasure_driver import remains_of_driver, waits_in_inbox
from sql.pool import Pool, is_lost
from work.erasure.steps import OF_A_DRIVER, OF_A_RECIPIENT
from work.job import Job
from work.proofs.store import ProofStore

SETTLED_S = 120.0
"""Requests that were under way when it was asked are over then, and caches of devices: it is gone through again."""

_AGAIN_S, _AGAIN_AFTER_FAILURE_S = 10.0, 60.0
_TURN_S = 60.0


async def erase(pool: Pool, store: ProofStore, erasure_id: int, *, within_s: float) -> ErasureRow:
    """Erase what is left of a person; tell how it stands.

    Raises:
        work.away.Away: the store of proofs cannot be reached; asked again, it goes on.
    """
    until_s = time.monotonic() + within_s
    who = await erasure.find(pool, erasure_id)
    assert who is not None
    waits = who.lane is not None and await waits_in_inbox(pool, lane=who.lane, since=who.asked_at)
    for step in OF_A_RECIPIENT if who.driver_id is None else OF_A_DRIVER:
        while await step(pool, store, who):
            if time.monotonic() > until_s:
                await erasure.put_off(pool, erasure_id, 0)
                return await _now(pool, erasure_id)
    if waits:
        await erasure.put_off(pool, erasure_id, _AGAIN_S)
    else:
        await erasure.finish(pool, erasure_id, await _remains(pool, who), settled_s=SETTLED_S)
    return await _now(pool, erasure_id)


async def _remains(pool: Pool, who: ErasureRow) -> dict[str, int]:
    if who.driver_id is None or who.lane is None:
        found = await erasure.remains_of_stops(pool, who.stop_ids, who.order_ids)
    else:
        found = await remains_of_driver(pool, lane=who.lane, driver_id=who.driver_id)
    return {name.replace("_", " "): count for name, count in found.items()}


async def _now(pool: Pool, erasure_id: int) -> ErasureRow:
    row = await erasure.find(pool, erasure_id)
    assert row is not None
    return row


def erasure_job(store: ProofStore) -> Job:
    """Give the job that goes on with erasures."""

    async def do(pool: Pool) -> bool:
        found = await erasure.due(pool, at_most=1)
        for one in found:
            try:
                await erase(pool, store, one, within_s=_TURN_S)
            except Exception as error:
                if not is_lost(error):  # the next one has its turn first
                    await erasure.put_off(pool, one, _AGAIN_AFTER_FAILURE_S)
                raise
        return bool(found)

    return Job(name="erasures", do=do, pause_s=5.0)
