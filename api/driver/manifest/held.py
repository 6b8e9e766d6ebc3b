"""Manifests in memory: which version a driver's is, for as long as nothing of it is written, and encoded bodies.

Of a manifest only the look is kept, from which its version follows: a hundredth of what it takes to show it. What was
read to look is at hand for the answer that follows.
"""

import asyncio
import zlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
from cachetools import LRUCache

from api.driver.manifest.changes import changes, whole
from api.driver.manifest.version import Current, bring_up_to_date
from api.driver.manifest.view import PRECISION, Manifest, ManifestPath, ManifestRoute
from api.http import ids
from api.stream.hub import Hub
from geo.shape.lines import encode_polyline
from sql.delivery.manifest import ManifestLook, look_at, note_told
from sql.delivery.plans import read_path
from sql.pool import Pool

MOST_MANIFESTS = 20_000
"""Drivers whose version is known, about 3 kB each."""

MOST_JUST_READ = 50
"""Manifests that were read to look and not shown yet, up to half a megabyte each."""

MOST_BODY_BYTES = 64 * 1024 * 1024
"""Of encoded bodies; one of 200 stops has 120 kB, packed 15 kB."""

LOOK_AGAIN_S = 600.0
"""A version is believed for so long at most, whatever was told or not."""

EARLY, LATE = timedelta(hours=2), timedelta(hours=4)
"""From when before its start a route is due, and until when after its end it is shown: as `look_at` has them."""

_WORTH_PACKING_BYTES = 1_400  # what fits into one packet on the network is not made smaller
_JUST_AFTER = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What of a manifest is asked for, and how.

    Attributes:
        since: only what changed since this version, which is told of; None: everything.
    """

    since: int | None
    with_path: bool
    msgpack: bool
    gzip: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """An encoded answer; `version` is the manifest's that it shows."""

    version: int
    data: bytes
    is_packed: bool


@dataclass(slots=True, eq=False)
class _Known:
    """A manifest that is known.

    Attributes:
        told: the look that the phone is known to have.
        written, read: how often something of it was written, and how much of that the look has seen: while somebody
            looks again, the look before is no good for anybody.
    """

    look: ManifestLook | None = None
    told: ManifestLook | None = None
    written: int = 1
    read: int = 0
    until: datetime | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def holds(self, now: datetime, written: int) -> bool:
        """Tell whether the look has seen what had been written when somebody asked."""
        return self.read >= written and self.until is not None and now < self.until


class HeldManifests:
    """The manifests that a process knows; `hub.part(HeldManifests)`."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._known: LRUCache[int, _Known] = LRUCache(MOST_MANIFESTS)
        self._just_read: LRUCache[int, Current] = LRUCache(MOST_JUST_READ)
        self._bodies: LRUCache[tuple[int, int, Shape], Body] = LRUCache(
            MOST_BODY_BYTES, getsizeof=lambda body: len(body.data)
        )
        hub.looks.told.append(self._on_written)

    async def look(self, account_id: int, driver_id: int, now: datetime) -> ManifestLook:
        """Give what a driver's manifest follows from, with the version of its content.

        Raises:
            Unavailable: it changes faster than it can be read.
            asyncpg.PostgresError: the database is away, or another of `sql.pool.DATABASE_AWAY`.
        """
        looks = self._hub.looks
        if not looks.is_fresh():
            await looks.fresh()
        known = self._known.get(driver_id)
        if known is None:
            known = self._known[driver_id] = _Known()
        written = known.written
        if not known.holds(now, written):
            async with known.lock:
                if not known.holds(now, written):
                    await self._look_again(known, account_id, driver_id, now)
        assert known.look is not None
        return known.look

    async def body(self, account_id: int, driver_id: int, look: ManifestLook, shape: Shape) -> Body:
        """Give an answer of a manifest whose look is at hand; one that is as new or newer.

        Raises:
            Unavailable: as `look`.
        """
        body = self._bodies.get((driver_id, look.version, shape))
        if body is not None:
            return body
        if shape.since == look.version:
            shown, version = (
                changes(Current(look=look, pieces=(), parts={}), look.version, with_path=False),
                look.version,
            )
        else:
            current = self._just_read.pop(driver_id, None)
            if current is None or current.look is not look:
                current = await self._read(account_id, driver_id, self._hub.pool.clock.now())
            shown, version = await self._shown(current, shape), current.version
        body = _encoded(shown, version, shape)
        if shape.since in (None, version) and len(body.data) <= self._bodies.maxsize:
            self._bodies[driver_id, version, shape] = body
        return body

    async def note_told(self, driver_id: int, look: ManifestLook) -> None:
        """Note that a phone has what a look shows, so that recipients are told that their driver has it."""
        known = self._known.get(driver_id)
        if known is not None and known.told is not look:
            known.told = look
            if untold := [change_id for route in look.routes for change_id in route.untold]:
                await note_told(self._hub.pool, untold)

    def forget(self, driver_id: int) -> None:
        """Know nothing of a driver's manifest, as a process that has just begun."""
        self._known.pop(driver_id, None)
        self._just_read.pop(driver_id, None)

    async def _look_again(self, known: _Known, account_id: int, driver_id: int, now: datetime) -> None:
        """Look; for what is written meanwhile it must be looked once more."""
        written = known.written
        look = await look_at(self._hub.pool, account_id=account_id, driver_id=driver_id, now=now)
        if look != known.look:
            self._just_read[driver_id] = current = await self._read(account_id, driver_id, now)
            look = current.look
        known.look, known.until, known.read = look, holds_until(look, now), written

    async def _read(self, account_id: int, driver_id: int, now: datetime) -> Current:
        return await bring_up_to_date(self._hub.pool, account_id=account_id, driver_id=driver_id, now=now)

    async def _shown(self, current: Current, shape: Shape) -> Manifest:
        since = shape.since
        if since is not None and current.look.oldest <= since <= current.version:
            shown = changes(current, since, with_path=shape.with_path)
        else:
            shown, since = whole(current), None
        if not shape.with_path:
            return shown
        routes = [await _with_path(self._hub.pool, current, one, since) for one in shown.routes]
        return msgspec.structs.replace(shown, routes=routes)

    def _on_written(self, _account_id: int, driver_id: int | None, route_id: int | None) -> None:
        if driver_id is not None:
            known = self._known.get(driver_id)
            if known is not None:
                known.written += 1
        elif route_id is None:
            for known in self._known.values():
                known.written += 1


def holds_until(look: ManifestLook, now: datetime) -> datetime:
    """Give a moment after `now` until which, itself not among them, a look stays as it is while nothing is written."""
    moments = [now + timedelta(seconds=LOOK_AGAIN_S)]
    if look.begun_until is not None:
        moments.append(look.begun_until)
    for route in look.routes:
        moments += [route.start_at - EARLY, route.end_at + LATE + _JUST_AFTER]
    return min(moment for moment in moments if moment > now)


async def _with_path(pool: Pool, current: Current, shown: ManifestRoute, since: int | None) -> ManifestRoute:
    """Add the line to drive, where it is another one than in the version `since`."""
    [route] = [one for one in current.look.routes if ids.shown(ids.ROUTE, one.id) == shown.id]
    if since is not None and current.parts["path", route.id].changed_in <= since:
        return shown
    line = await read_path(pool, route_id=route.id, version=route.version)
    polyline = encode_polyline([lon for lon, _ in line], [lat for _, lat in line], PRECISION)
    return msgspec.structs.replace(shown, path=ManifestPath(polyline=polyline, precision=PRECISION))


def _encoded(shown: Manifest, version: int, shape: Shape) -> Body:
    data = msgspec.msgpack.encode(msgspec.to_builtins(shown)) if shape.msgpack else msgspec.json.encode(shown)
    is_packed = shape.gzip and len(data) > _WORTH_PACKING_BYTES
    if is_packed:
        packer = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
        data = packer.compress(data) + packer.flush()
    return Body(version=version, data=data, is_packed=is_packed)
