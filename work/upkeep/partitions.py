"""Days of pings: each has a partition, made before it is needed and dropped whole."""

import logging
from datetime import date, timedelta
from math import ceil

from sql.operate.horizons import read_clock
from sql.pings.partitions import drop_partitions_before, ensure_partitions, tighten_key
from sql.pool import Db, Pool

log = logging.getLogger(__name__)

KEY_ROW_BYTES = 35.0
"""A key written in order takes 32 bytes a row. Phones send in turn, so that each new entry lies between others: pages
are split in the middle, and the key of a day takes 40."""

_LEAST_KEY_BYTES = 8 * 2**20

_DAYS_AHEAD = 3  # a ping may be 24 hours ahead of us; this is also how long `work` may stand still


async def make_partitions(db: Db, oldest_ping_days: float) -> None:
    """Make a partition of `ping` for every day that a ping accepted in the next days may come from.

    By the clock of the database, as everything that makes or deletes.
    """
    today = (await read_clock(db)).date()
    await ensure_partitions(db, today - timedelta(days=ceil(oldest_ping_days) + 1), today + timedelta(days=_DAYS_AHEAD))


async def drop_old_partitions(db: Db, before: date) -> None:
    """Drop the pings of the days before one."""
    for day in await drop_partitions_before(db, before):
        log.info("dropped the pings of %s", day)


async def tighten_keys(pool: Pool) -> bool:
    """Write the key of one day that is over anew, if much of it is empty; tell whether there may be another."""
    async with pool.acquire() as db:
        key = await tighten_key(db, row_bytes=KEY_ROW_BYTES, least_bytes=_LEAST_KEY_BYTES)
    if key is not None:
        log.info("wrote the key %s anew", key)
    return key is not None
