"""Days of pings: each has a partition, made before it is needed and dropped whole."""

import logging
from datetime import date, timedelta
from math import ceil

from sql.operate.horizons import read_clock
from sql.pings.partitions import drop_partitions_before, ensure_partitions
from sql.pool import Db

log = logging.getLogger(__name__)

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
