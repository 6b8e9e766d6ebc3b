"""Routes that recipients follow or poll, kept in memory for as long as they do.

A route is read once for all of its recipients, and again only when something of it was written; what a link shows is
made and encoded once for each change, whether the change was written or only time went by. Everything kept is bounded,
and what is dropped is read again when it is asked for.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import msgspec
from cachetools import LRUCache, TTLCache

from api.recipient.lasting import lasts_until
from api.recipient.looks import RouteLook, Seen, look_at, seen_in
from api.recipient.standing import stop_of_link
from api.recipient.view import Ended, TrackingView
from api.stream.batch import Batched
from api.stream.hub import Hub
from sql.delivery.changes import moved_routes
from sql.delivery.tracking import find_tracked_routes

MOST_STOPS = 100_000
"""Stops of all routes that are kept, about 1 kB each with what their links show: 100 MB at most in a process."""

MOST_LINKS = 100_000
"""Links of which the route is known, about 250 bytes each."""

LINGERS_S = 60.0
"""A route that nobody asked for is forgotten after so long: the slowest page asks once a minute."""

COALESCE_S = 0.25
"""Changes are gathered for so long before pages that follow get them."""

LOOK_AGAIN_S = 15.0
"""Pages that follow are told so often what time alone changes."""

_UNKNOWN_FOR_S = 1.0  # a link that is not there is not looked for again: another process may make it
_MOST_UNKNOWN = 20_000
_LINKS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownLink:
    """What a link shows until a moment, encoded once.

    Attributes:
        ended: it shows nothing any more; then there is no body.
        tag: strong enough to tell two bodies apart.
    """

    until: datetime
    ended: Ended | None
    body: bytes = b""
    tag: str = ""


@dataclass(slots=True, eq=False)
class _Route:
    """A route in memory.

    Attributes:
        written, read: how often something of it was written, and how much of that the look has seen.
        all_anew: nothing of the last look may be taken over.
        shown: by link, what was made of the look.
    """

    look: RouteLook | None = None
    written: int = 1
    read: int = 0
    all_anew: bool = True
    asked_s: float = 0.0
    shown: dict[bytes, ShownLink] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def stale(self) -> bool:
        """Tell whether it must be read (again); while somebody does, the look before is no good for anybody."""
        return self.read != self.written

    @property
    def size(self) -> int:
        """How many stops are kept."""
        return 1 if self.look is None else 1 + len(self.look.route.stops)


class HeldRoutes:
    """The followed routes of a process; `hub.part(HeldRoutes)`."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._clock = asyncio.get_running_loop()
        self._routes: LRUCache[int, _Route] = LRUCache(MOST_STOPS, getsizeof=lambda route: route.size)
        self._route_of: LRUCache[bytes, int] = LRUCache(MOST_LINKS)
        self._unknown: TTLCache[bytes, bool] = TTLCache(_MOST_UNKNOWN, _UNKNOWN_FOR_S)
        self._find = Batched(partial(find_tracked_routes, hub.pool), at_once=_LINKS_AT_ONCE)
        hub.looks.told.append(self._on_written)
        hub.looks.also.append(self._look_at_vans)
        hub.moved.append(self._on_moved)

    async def shown(self, link_hash: bytes, now: datetime) -> ShownLink | None:
        """Give what a link shows; None when there is no such link.

        Raises:
            asyncpg.PostgresError: the database is away, or another of `sql.pool.DATABASE_AWAY`.
        """
        looks = self._hub.looks
        if not looks.is_fresh():
            await looks.fresh()
        route_id = self._route_of.get(link_hash)
        route = None if route_id is None else self._routes.get(route_id)
        if route is not None and not route.stale:
            shown = route.shown.get(link_hash)
            if shown is not None and now < shown.until:
                route.asked_s = self._clock.time()
                return shown
        look = await self._look_of(link_hash)
        return None if look is None else self._show(look, link_hash, now)

    async def seen(self, link_hash: bytes) -> Seen | None:
        """Give the view itself of a link, with its stop and route; None when there is no such link."""
        await self._hub.looks.fresh()
        look = await self._look_of(link_hash)
        return None if look is None else seen_in(look, link_hash, self._hub.pool.clock.now())

    def shown_in(self, look: RouteLook, link_hash: bytes, now: datetime) -> ShownLink | None:
        """Give what a link shows of a look at its route; None when it is, by now, not a link of one of its stops."""
        route = self._routes.get(look.route.id)
        shown = None if route is None or route.look is not look else route.shown.get(link_hash)
        return shown if shown is not None and now < shown.until else self._show(look, link_hash, now)

    async def follow(self, hub: Hub, route_id: int) -> AsyncIterator[RouteLook]:
        """Give a route, again at every change and every `LOOK_AGAIN_S`."""
        with hub.on_route(route_id) as signal:
            while True:
                signal.read()
                yield await self._look(route_id)
                await asyncio.sleep(COALESCE_S)
                await signal.wait(LOOK_AGAIN_S)

    async def _look_of(self, link_hash: bytes) -> RouteLook | None:
        for _ in range(2):  # a stop may have gone to another route, with its link
            route_id = await self._find_route(link_hash)
            if route_id is None:
                return None
            look = await self._look(route_id)
            stop = stop_of_link(look.route, link_hash)
            if stop is not None and stop.status != "removed":
                return look
            self._route_of.pop(link_hash, None)
        return None if stop is None else look

    async def _find_route(self, link_hash: bytes) -> int | None:
        route_id = self._route_of.get(link_hash)
        if route_id is None and link_hash and link_hash not in self._unknown:
            route_id = await self._find.one(link_hash)
            if route_id is None:
                self._unknown[link_hash] = True
            else:
                self._route_of[link_hash] = route_id
        return route_id

    async def _look(self, route_id: int) -> RouteLook:
        route = self._routes.get(route_id)
        if route is None:
            route = self._routes[route_id] = _Route()
        route.asked_s = self._clock.time()
        written = route.written
        if route.read < written:
            async with route.lock:
                if route.read < written:
                    await self._read(route_id, route)
        assert route.look is not None
        return route.look

    async def _read(self, route_id: int, route: _Route) -> None:
        """Read what was written of a route; for what is written meanwhile it must be read once more."""
        written, all_anew, route.all_anew = route.written, route.all_anew, False
        try:
            look = await look_at(self._hub.pool, route_id, None if all_anew else route.look)
        except BaseException:
            route.all_anew = route.all_anew or all_anew
            raise
        if look != route.look:
            route.shown = {}
        route.look, route.read = look, written
        self._routes.pop(route_id, None)
        if route.size <= self._routes.maxsize:
            self._routes[route_id] = route  # by its size now

    def _show(self, look: RouteLook, link_hash: bytes, now: datetime) -> ShownLink | None:
        seen = seen_in(look, link_hash, now)
        if seen is None:
            return None
        until = lasts_until(seen.route, seen.stop, now)
        if isinstance(seen.view, TrackingView):
            body = msgspec.json.encode(seen.view)
            shown = ShownLink(until=until, ended=None, body=body, tag=hashlib.sha256(body).hexdigest()[:24])
        else:
            shown = ShownLink(until=until, ended=seen.view)
        route = self._routes.get(look.route.id)
        if route is not None and route.look is look:
            route.shown[link_hash] = shown
        return shown

    def _on_written(self, _account_id: int, driver_id: int | None, route_id: int | None) -> None:
        if route_id is not None:
            self._forget(route_id, all_anew=True)
        elif driver_id is None:
            for known in list(self._routes):
                self._forget(known, all_anew=True)
            self._route_of.clear()

    def _on_moved(self, _account_id: int, _driver_id: int | None, route_id: int | None) -> None:
        if route_id:
            self._forget(route_id, all_anew=False)

    def _forget(self, route_id: int, *, all_anew: bool) -> None:
        route = self._routes.get(route_id)
        if route is not None:
            route.written += 1
            route.all_anew = route.all_anew or all_anew

    async def _look_at_vans(self, _seen: str) -> None:
        since_s = self._clock.time() - LINGERS_S
        for route_id in [one for one, route in self._routes.items() if route.asked_s < since_s]:
            del self._routes[route_id]
        known = {one: route.look.route for one, route in self._routes.items() if route.look and not route.stale}
        if not known:
            return
        columns = zip(*((one, route.live_written, route.eta_written) for one, route in known.items()), strict=True)
        for route_id in await moved_routes(self._hub.pool, *columns):
            self._forget(route_id, all_anew=False)
            self._hub.told_of_route(route_id)
