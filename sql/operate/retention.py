"""Forgetting what has become useless; pings go by the day, in sql/pings/partitions.py."""

from datetime import datetime

from sql.delivery.stop_states import hold_stops
from sql.pool import Db, Pool
from sql.queries import load
from sql.track.lanes import try_lock_lanes

_SQL = load(__name__)


async def drop_quarantined(db: Db | Pool, before: datetime, *, at_most: int) -> int:
    """Forget the oldest of what was received before a time and could not be used; return how many."""
    return len(await db.fetch(_SQL["drop_quarantined"], before, at_most))


async def drop_detours(db: Db | Pool, before: datetime, *, at_most: int) -> int:
    """Forget the oldest of the detours that ended before a time; return how many."""
    return len(await db.fetch(_SQL["drop_detours"], before, at_most))


async def drop_driver_events(db: Db, before: datetime, stops_before: datetime, *, at_most: int) -> int:
    """Forget some of what drivers said, the oldest first; return how many events. Call it in a transaction.

    Of a stop all goes at once, when nothing was said of it from `stops_before` on and none of its proofs is kept; the
    stop stays as it was. Of shifts, breaks and starts of routes the last word in force before the limit stays.

    Args:
        before: no ping from so long ago may be folded again.
        stops_before: at or before it.
    """
    stop_ids = [row["stop_id"] for row in await db.fetch(_SQL["stops_to_forget"], stops_before, at_most)]
    await hold_stops(db, stop_ids)
    of_stops = await db.fetch(_SQL["drop_words_of_stops"], stop_ids, stops_before)
    await db.execute(_SQL["drop_unproven"], {row["stop_id"] for row in of_stops})
    return len(of_stops) + len(await db.fetch(_SQL["drop_other_words"], before, at_most))


async def drop_checkpoints(db: Db | Pool, oldest_ping: datetime, *, at_most: int) -> int:
    """Forget checkpoints that no ping from `oldest_ping` on can need; return how many."""
    return len(await db.fetch(_SQL["drop_checkpoints"], oldest_ping, at_most))


async def drop_last_places(db: Db, before: datetime, *, at_most: int) -> int:
    """Forget where drivers were who were not heard of since a time: what is shown, and what their fold remembers.

    Call it in a transaction. Drivers whose tracker is at work now are left to the next time.

    Returns:
        How many rows went; 0 when nothing is too old, or all of it waits.
    """
    lanes = [row["lane"] for row in await db.fetch(_SQL["old_lanes"], before, at_most)]
    lanes = await try_lock_lanes(db, lanes)
    shown = await db.fetch(_SQL["drop_live"], lanes, before, at_most)
    blanked = await db.fetch(_SQL["blank_tracks"], lanes, before, at_most)
    whose = [row["lane"] for row in blanked], [row["driver_id"] for row in blanked]
    await db.execute(_SQL["drop_marks"], *whose)
    await db.execute(_SQL["drop_reruns"], *whose)
    return len(shown) + len(blanked)


async def blank_places(db: Db | Pool, before: datetime, *, at_most: int) -> int:
    """Forget in the feed where things happened before a time; return of how many entries."""
    return len(await db.fetch(_SQL["blank_places"], before, at_most))


async def drop_entries(db: Db | Pool, before: datetime, *, at_most: int) -> int:
    """Forget the begin of an account's feed that was told before a time; return how many entries, 0 at the end."""
    for row in await db.fetch(_SQL["old_feeds"], before, 1):
        return len(await db.fetch(_SQL["drop_entries"], row["id"], before, at_most))
    return 0


async def drop_visits(db: Db | Pool, before: datetime, *, at_most: int) -> int:
    """Forget the oldest of the visits that began before a time; return how many."""
    return len(await db.fetch(_SQL["drop_visits"], before, at_most))


async def drop_geofence_versions(db: Db, before: datetime, *, at_most: int) -> int:
    """Forget versions of geofences that ended before a time, and deleted geofences with their last; return how many."""
    gone = await db.fetch(_SQL["drop_geofence_versions"], before, at_most)
    await db.execute(_SQL["drop_geofences"], {row["geofence_id"] for row in gone})
    return len(gone)


async def drop_manifests(db: Db, before: datetime, *, at_most: int) -> int:
    """Forget manifests that were made before a time, so that drivers' phones read all anew; return how many.

    Call it in a transaction.
    """
    old = [row["driver_id"] for row in await db.fetch(_SQL["old_manifests"], int(before.timestamp()), at_most)]
    await db.execute(_SQL["drop_manifest_parts"], old)
    await db.execute(_SQL["drop_manifests"], old)
    return len(old)


async def drop_route_etas(db: Db | Pool, before: datetime, *, at_most: int) -> int:
    """Forget the ETAs of tours that ended before a time; return how many."""
    return len(await db.fetch(_SQL["drop_route_etas"], before, at_most))
