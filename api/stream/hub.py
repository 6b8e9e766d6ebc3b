"""What changes, told to those who watch: one database connection listens for a whole process, memory does the rest.

A stream never holds what its client is too slow to read: a `Watch` keeps the newest value only. What is told while the
connection is down is lost, so whoever watches also looks by itself now and then.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, suppress
from types import TracebackType
from typing import Any, Generic, Self, TypeAlias, TypeVar

from aiohttp import web

from api.http.auth import DeviceCache
from api.http.problem import Unavailable
from sql.account.devices import REVOKED_CHANNEL
from sql.config import DatabaseConfig
from sql.feed.events import EVENTS_CHANNEL
from sql.operate.health import alive
from sql.pool import DATABASE_AWAY, Pool, connect
from sql.track.live import LIVE_CHANNEL

log = logging.getLogger(__name__)

T = TypeVar("T")
Follow: TypeAlias = Callable[["Hub", int], AsyncIterator[T]]
"""Gives the value of a thing, then again whenever it may have changed, for as long as anybody watches."""

_RECONNECT_S = 1.0
_PROBE_S = 15.0  # a connection that a router forgot says nothing, like one over which nothing happens
_MOST_DRIVERS = 10_000  # names kept for one waiter; beyond, everything is read again


class Signal:
    """Wakes one who waits for changes of one thing; names the drivers who changed meanwhile."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._drivers: set[int] = set()
        self._all = True

    def raise_for(self, driver_id: int | None) -> None:
        """Tell of a change; of everybody, perhaps, when `driver_id` is None."""
        if driver_id is None or len(self._drivers) >= _MOST_DRIVERS:
            self._all = True
        else:
            self._drivers.add(driver_id)
        self._event.set()

    async def wait(self, timeout_s: float) -> bool:
        """Wait until something changed; False when nothing did in that time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._event.wait()
        return self._event.is_set()

    def take(self) -> frozenset[int] | None:
        """Give the drivers who changed since last asked; None when it may be any of them, as at first."""
        drivers = None if self._all else frozenset(self._drivers)
        self._event.clear()
        self._drivers.clear()
        self._all = False
        return drivers


class Watch(Generic[T]):
    """The newest value of a watched thing, for one who watches."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._value: T | None = None

    def put(self, value: T | None) -> None:
        """Replace what was not taken yet; None only wakes."""
        self._value = value
        self._event.set()

    async def next(self, timeout_s: float) -> T | None:
        """Wait for a value that was not given yet; None when there is none in that time, or the hub closes."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._event.wait()
        self._event.clear()
        value, self._value = self._value, None
        return value


class _Shared:
    """One watched thing: who watches, what they were last told, and the task that looks."""

    def __init__(self) -> None:
        self.watches: set[Watch[Any]] = set()
        self.value: Any = None
        self.task: asyncio.Task[None] | None = None


class Hub:
    """Listens to the database and wakes who watches; used as `async with Hub(…) as hub`."""

    def __init__(self, database: DatabaseConfig, pool: Pool, devices: DeviceCache, *, stream_clients: int) -> None:
        self.pool = pool
        self.closing = False
        self._database = database
        self._devices = devices
        self._seats = stream_clients
        self._accounts: dict[int, set[Signal]] = {}
        self._routes: dict[int, set[Signal]] = {}
        self._feeds: dict[int, set[Signal]] = {}
        self._shared: dict[tuple[Follow[Any], int], _Shared] = {}
        self._listening = asyncio.Event()
        self._listener: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._listener = asyncio.create_task(self._listen(), name="hub")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close_streams()
        tasks = [self._listener, *(shared.task for shared in self._shared.values())]
        running = [task for task in tasks if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def listening(self) -> None:
        """Wait until changes are heard."""
        await self._listening.wait()

    def close_streams(self) -> None:
        """Let every stream end; for shutdown, before open requests are waited for."""
        self.closing = True
        for shared in self._shared.values():
            for watch in shared.watches:
                watch.put(None)
        for signals in (*self._accounts.values(), *self._routes.values(), *self._feeds.values()):
            for signal in signals:
                signal.raise_for(None)

    @contextmanager
    def seat(self) -> Iterator[None]:
        """Hold a place among the open streams.

        Raises:
            Unavailable: all are taken, or the process is ending.
        """
        if self._seats <= 0 or self.closing:
            raise Unavailable("Too many streams are open here. Ask again without /stream, or a little later.")
        self._seats -= 1
        try:
            yield
        finally:
            self._seats += 1

    def on_account(self, account_id: int) -> AbstractContextManager[Signal]:
        """Hear of every driver of an account."""
        return _joined(self._accounts, account_id)

    def on_route(self, route_id: int) -> AbstractContextManager[Signal]:
        """Hear of the driver of a route."""
        return _joined(self._routes, route_id)

    def on_events(self, account_id: int) -> AbstractContextManager[Signal]:
        """Hear when an account's feed has grown."""
        return _joined(self._feeds, account_id)

    @asynccontextmanager
    async def watch(self, follow: Follow[T], key: int) -> AsyncIterator[Watch[T]]:
        """Watch a thing together with everybody else who does: it is read once for all of them.

        Args:
            follow: how it is read; runs as long as somebody watches.
            key: which one.
        """
        shared = self._shared.setdefault((follow, key), _Shared())
        watch: Watch[T] = Watch()
        shared.watches.add(watch)
        if shared.value is not None:
            watch.put(shared.value)
        if shared.task is None:
            shared.task = asyncio.create_task(self._run(follow, key, shared), name=f"watch {follow.__name__}")
        try:
            yield watch
        finally:
            shared.watches.discard(watch)
            if not shared.watches and self._shared.get((follow, key)) is shared:
                del self._shared[follow, key]
                shared.task.cancel()
                await asyncio.wait({shared.task})

    async def _run(self, follow: Follow[Any], key: int, shared: _Shared) -> None:
        while True:
            try:
                async for value in follow(self, key):
                    shared.value = value
                    for watch in shared.watches:
                        watch.put(value)
            except DATABASE_AWAY as error:
                log.warning("cannot read for streams: %s", type(error).__name__)
            except Exception:
                log.exception("%s failed; trying again", follow.__name__)
            await asyncio.sleep(_RECONNECT_S)

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except DATABASE_AWAY as error:
                log.warning("not listening to the database: %s", type(error).__name__)
            self._listening.clear()
            await asyncio.sleep(_RECONNECT_S)

    async def _listen_once(self) -> None:
        connection = await connect(self._database)
        try:
            lost = asyncio.Event()
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(LIVE_CHANNEL, self._on_live)
            await connection.add_listener(EVENTS_CHANNEL, self._on_events)
            await connection.add_listener(REVOKED_CHANNEL, self._on_revoked)
            for topics in (self._accounts, self._routes, self._feeds):
                for key in topics:
                    _raise(topics, key, None)  # what was told while nobody listened is lost
            self._listening.set()
            while not lost.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(_PROBE_S):
                        await lost.wait()
                await alive(connection)
        finally:
            with suppress(*DATABASE_AWAY):
                await connection.close(timeout=2)

    def _on_live(self, _connection: Any, _process: int, _channel: str, payload: Any) -> None:
        for account_id, driver_id, route_id in _numbers(payload, 3):
            if not driver_id and not route_id:  # settings: rare, so that it is not known here whose a route is
                for watched in self._routes:
                    _raise(self._routes, watched, None)
                continue
            _raise(self._accounts, account_id, driver_id)
            _raise(self._routes, route_id, driver_id)

    def _on_events(self, _connection: Any, _process: int, _channel: str, payload: Any) -> None:
        for (account_id,) in _numbers(payload, 1):
            _raise(self._feeds, account_id, None)

    def _on_revoked(self, _connection: Any, _process: int, _channel: str, payload: Any) -> None:
        for (device_id,) in _numbers(payload, 1):
            self._devices.forget(device_id)


HUB: web.AppKey[Hub] = web.AppKey("hub")


@contextmanager
def _joined(topics: dict[int, set[Signal]], key: int) -> Iterator[Signal]:
    signal = Signal()
    topics.setdefault(key, set()).add(signal)
    try:
        yield signal
    finally:
        topics[key].discard(signal)
        if not topics[key]:
            del topics[key]


def _raise(topics: dict[int, set[Signal]], key: int, driver_id: int | None) -> None:
    for signal in topics.get(key, ()):
        signal.raise_for(driver_id)


def _numbers(payload: str, each: int) -> list[tuple[int, ...]]:
    """Read `1:2:3 4:5:6`; nothing of a payload of another kind: anybody with the database can send one."""
    words = [word.split(":") for word in payload.split()]
    if not all(len(word) == each and all(number.isdecimal() for number in word) for word in words):
        log.warning("a notification cannot be read")
        return []
    return [tuple(map(int, word)) for word in words]
