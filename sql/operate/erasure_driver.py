"""Erasing a driver: where they were, what they wrote, who they are."""

from datetime import UTC, date, datetime, time, timedelta

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


async def waits_in_inbox(db: Db | Pool, *, lane: int, since: datetime) -> bool:
    """Tell whether pings that came before a time still wait for their tracker: some may be the driver's."""
    found: bool = await db.fetchval(_SQL["waits_in_inbox"], lane, since)
    return found


async def drop_pings_of_day(db: Db | Pool, *, driver_id: int, day: date) -> int:
    """Forget a driver's pings of one UTC day; return how many."""
    begin = datetime.combine(day, time(), UTC)
    return len(await db.fetch(_SQL["drop_pings_of_day"], driver_id, begin, begin + timedelta(days=1)))


async def drop_track(db: Db, *, lane: int, driver_id: int) -> int:
    """Forget where a driver is and was, in every form; return how many rows. The caller holds the lane."""
    gone = await db.fetch(_SQL["drop_detours"], driver_id)
    for statement in (
        *(_SQL["drop_held"], _SQL["drop_live"], _SQL["blank_track"], _SQL["drop_marks"], _SQL["drop_reruns"]),
    ):
        gone += await db.fetch(statement, lane, driver_id)
    return len(gone)


async def blank_feed(db: Db, driver_id: int, *, at_most: int) -> int:
    """Forget in the feed where a driver was and what they wrote; return of how many entries."""
    return len(await db.fetch(_SQL["blank_feed_of_driver"], driver_id, at_most))


async def blank_words(db: Db, driver_id: int, *, at_most: int) -> int:
    """Forget where a driver said things, and their notes; return of how many events."""
    return len(await db.fetch(_SQL["blank_words_of_driver"], driver_id, at_most))


async def drop_visits_of_fences(db: Db, *, lane: int, driver_id: int) -> int:
    """Forget a driver's visits of geofences; return how many."""
    return len(await db.fetch(_SQL["drop_visits_of_fences"], driver_id, lane))


async def drop_manifest(db: Db, driver_id: int) -> int:
    """Forget what a driver's phone was shown; return how many manifests."""
    await db.execute(_SQL["drop_manifest_parts"], driver_id)
    return len(await db.fetch(_SQL["drop_manifest"], driver_id))


async def drop_learned(db: Db, *, account_id: int, driver_id: int) -> int:
    """Forget how a driver drives and serves; return how many rows."""
    drives = await db.fetch(_SQL["drop_learned_drives"], account_id, str(driver_id))
    return len(drives) + len(await db.fetch(_SQL["drop_learned_services"], account_id, str(driver_id)))


async def blank_driver(db: Db, driver_id: int) -> int:
    """Forget who a driver is, and what their devices are called; return 1 when that was still known."""
    await db.execute(_SQL["blank_devices"], driver_id)
    return len(await db.fetch(_SQL["blank_driver"], driver_id))


async def remains_of_driver(db: Db | Pool, *, lane: int, driver_id: int) -> dict[str, int]:
    """Count what stays of a driver: numbers without persons."""
    row = await db.fetchrow(_SQL["remains_of_driver"], driver_id, lane)
    assert row is not None
    return dict(row)
