"""A fleet in Traccar's words, each driver encoded once for all who ask, and again only when they change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from cachetools import LRUCache

from api.fleet.held_positions import HeldPositions
from api.stream.hub import Hub
from api.traccar.words import alarm_of, device_of, position_of, status_of
from sql.account.drivers import DriverRow, list_drivers
from sql.track.live import LivePosition
from sql.track.visits import inside_fences

MOST_VANS = 100_000
"""Drivers of all accounts that are kept, about 1.5 kB each: 150 MB at most in a process."""

MOST_DRIVERS = 50_000
"""Drivers of one account that are shown, of the oldest."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TraccarVan:
    """A driver, encoded.

    Attributes:
        said_of: what it is made of: while that is the same, so is the rest.
        position_id: 0: there is no position.
        position: None: there is none.
    """

    said_of: tuple[object, ...]
    driver: DriverRow
    device: bytes
    position_id: int
    position: bytes | None


def devices(vans: Sequence[TraccarVan]) -> bytes:
    """Write devices as a list."""
    return b"[%b]" % b",".join(van.device for van in vans)


def positions(vans: Sequence[TraccarVan]) -> bytes:
    """Write the positions of those who have one as a list."""
    return b"[%b]" % b",".join(van.position for van in vans if van.position is not None)


class TraccarFleets:
    """The accounts of a process that Traccar's clients ask for; `hub.part(TraccarFleets)`."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._fleets: LRUCache[int, Mapping[int, TraccarVan]] = LRUCache(
            MOST_VANS, getsizeof=lambda vans: 1 + len(vans)
        )

    async def read(self, account_id: int) -> Mapping[int, TraccarVan]:
        """Give an account's drivers as they are now, by number; who did not change is the same object as before.

        Raises:
            asyncpg.PostgresError: the database is away, or another of `sql.pool.DATABASE_AWAY`.
        """
        pool, live = self._hub.pool, await self._hub.part(HeldPositions).of_account(account_id)
        drivers = await list_drivers(pool, account_id=account_id, after=0, limit=MOST_DRIVERS)
        inside, now = await inside_fences(pool, account_id), pool.clock.now()
        known = self._fleets.pop(account_id, {})
        vans = {one.id: _van(one, live.get(one.id), inside.get(one.id, []), known.get(one.id), now) for one in drivers}
        if len(vans) < self._fleets.maxsize:
            self._fleets[account_id] = vans
        return vans


def _van(
    driver: DriverRow, position: LivePosition | None, geofence_ids: list[int], before: TraccarVan | None, now: datetime
) -> TraccarVan:
    status = status_of(position, now)
    alarm = None if position is None else alarm_of(position, now)
    said_of = (driver, position, geofence_ids, status, alarm)
    if before is not None and before.said_of == said_of:
        return before
    shown = None if position is None else position_of(position, alarm=alarm, geofence_ids=geofence_ids)
    return TraccarVan(
        said_of=said_of,
        driver=driver,
        device=msgspec.json.encode(device_of(driver, position, status)),
        position_id=shown.id if shown else 0,
        position=msgspec.json.encode(shown) if shown else None,
    )
