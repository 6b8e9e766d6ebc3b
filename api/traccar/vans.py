"""A fleet in Traccar's words, each driver encoded once for all who ask or follow, and again only when they change."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count

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

LISTED_WITHIN_S = 10.0
"""Whoever follows hears so late, at most, of new names and new drivers who were not seen yet."""

IN_A_FRAME = 500
"""Drivers in one frame, 400 kB: clients take frames of 4 MB, and others get their turn between two."""


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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TraccarFleet:
    """An account's drivers at a moment, by number; who did not change is the same object as in the fleet before.

    Attributes:
        number: greater than that of every fleet before.
        listed_at_s: when it was read which drivers there are, by the loop's clock.
    """

    number: int
    vans: Mapping[int, TraccarVan]
    listed_at_s: float
    _frames: dict[int, list[bytes]] = field(default_factory=dict)

    def frames(self, since: "TraccarFleet | None") -> list[bytes]:
        """Give what tells of everybody who changed since a fleet before, as frames; made once for all who ask.

        A driver's device and position stand in one frame: Home Assistant looks at both.

        Args:
            since: None: nothing was told yet, so all are, in one frame at least.
        """
        number = since.number if since else 0
        if number not in self._frames:
            before = since.vans if since else {}
            changed = [van for n, van in self.vans.items() if before.get(n) is not van]
            starts = range(0, len(changed) if since else max(1, len(changed)), IN_A_FRAME)
            self._frames[number] = [_frame(changed[start : start + IN_A_FRAME]) for start in starts]
        return self._frames[number]


def _frame(vans: Sequence[TraccarVan]) -> bytes:
    return b'{"devices":%b,"positions":%b}' % (devices(vans), positions(vans))


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
        self._clock = asyncio.get_running_loop()
        self._numbers = count(1)
        self._fleets: LRUCache[int, TraccarFleet] = LRUCache(MOST_VANS, getsizeof=lambda fleet: 1 + len(fleet.vans))

    async def read(self, account_id: int) -> TraccarFleet:
        """Give an account's drivers as they are now.

        Raises:
            asyncpg.PostgresError: the database is away, or another of `sql.pool.DATABASE_AWAY`.
        """
        live = await self._hub.part(HeldPositions).of_account(account_id)
        return await self._kept(account_id, live, must_list=True)

    async def known(self, account_id: int) -> TraccarFleet:
        """Give the same as far as it was told, for whoever follows; the next look tells what was not."""
        live = await self._hub.part(HeldPositions).known_of_account(account_id)
        return await self._kept(account_id, live, must_list=False)

    async def _kept(self, account_id: int, live: Mapping[int, LivePosition], *, must_list: bool) -> TraccarFleet:
        """Encode whoever changed since the fleet that is kept, and keep that.

        Args:
            must_list: read which drivers there are; else only if that was long ago, or there is one who is not known.
        """
        listed_at_s, pool = self._clock.time(), self._hub.pool
        before = self._fleets.get(account_id)
        if must_list or before is None or _is_old(before, live, listed_at_s):
            drivers = await list_drivers(pool, account_id=account_id, after=0, limit=MOST_DRIVERS)
        else:
            drivers, listed_at_s = [van.driver for van in before.vans.values()], before.listed_at_s
        inside, now = await inside_fences(pool, account_id), pool.clock.now()
        before = self._fleets.get(account_id)  # somebody else may have read meanwhile
        known = before.vans if before else {}
        vans = {one.id: _van(one, live.get(one.id), inside.get(one.id, []), known.get(one.id), now) for one in drivers}
        if before is not None and vans == known:
            fleet = replace(before, listed_at_s=listed_at_s)
        else:
            fleet = TraccarFleet(number=next(self._numbers), vans=vans, listed_at_s=listed_at_s)
        self._fleets.pop(account_id, None)
        if len(fleet.vans) < self._fleets.maxsize:
            self._fleets[account_id] = fleet  # by its size now
        return fleet


def _is_old(fleet: TraccarFleet, live: Mapping[int, LivePosition], now_s: float) -> bool:
    return now_s - fleet.listed_at_s >= LISTED_WITHIN_S or not live.keys() <= fleet.vans.keys()


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
