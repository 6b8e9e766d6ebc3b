"""What changes, told to those who watch: one database connection listens for a whole process, memory does the rest.

A stream never holds what its client is too slow to read: a `Watch` keeps the newest value only. What is told while the
connection is down is lost, so there are looks besides (`api/stream/look.py`): they wake whom nobody woke.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, suppress
from types import TracebackType
from typing import Any, Self, TypeAlias, TypeVar

from aiohttp import web

from api.http.problem import Unavailable
from api.http.shares.ledger import Ledger
from api.http.who import Party
from api.stream.look import Looks, Told
from api.stream.signals import Signal, Watch
from sql.config import DatabaseConfig
from sql.delivery.changes import moved_drivers
from sql.feed.events import EVENTS_CHANNEL
from sql.operate.health import alive
from sql.pool import DATABASE_AWAY, Pool, connect
from sql.track.live import LIVE_CHANNEL

log = logging.getLogger(__name__)

T = TypeVar("T")
P = TypeVar("P")
Follow: TypeAlias = Callable[["Hub", int], AsyncIterator[T]]
"""Gives the value of a thing, then again whenever it may have changed, for as long as anybody watches."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_RECONNECT_S = 1.0
_PROBE_S = 15.0  # a connection that a router forgot says nothing, like one over which nothing happens


class _Shared:
    """One watched thing: who watches, what they were last told, and the task that looks."""

    def __init__(self) -> None:
        self.watches: set[Watch[Any]] = set()
        self.value: Any = None
        self.task: asyncio.Task[None] | None = None


class Hub:
    """Listens to the database and wakes who watches; used as `async with Hub(…) as hub`.

    Attributes:
        looks: tells what was written, whether it was heard or not.
        moved: who hears at once of every driver who moved; the route is None where it is not known.
        kept_accounts: whose positions somebody keeps.
    """

    def __init__(self, database: DatabaseConfig, pool: Pool, *, stream_clients: int) -> None:
        self.pool = pool
        self.closing = False
        self.looks = Looks(pool, watched=lambda: bool(self._shared))
        self.looks.told.append(self._on_written)
        self.looks.also.append(self._look_at_positions)
        self.moved: list[Told] = []
        self.kept_accounts: set[int] = set()
        self._parts: dict[Callable[[Hub], Any], Any] = {}
        self._database = database
        self._seats = Ledger("streams", stream_clients)
        self._accounts: dict[int, set[Signal]] = {}
        self._routes: dict[int, set[Signal]] = {}
        self._feeds: dict[int, set[Signal]] = {}
        self._shared: dict[tuple[Follow[Any], int], _Shared] = {}
        self._listening = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [
            asyncio.create_task(self._listen(), name="hub"),
            asyncio.create_task(self.looks.run(), name="looks"),
        ]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close_streams()
        tasks = [*self._tasks, *(shared.task for shared in self._shared.values())]
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
                watch.wake()
        for signals in (*self._accounts.values(), *self._routes.values(), *self._feeds.values()):
            for signal in signals:
                signal.raise_for(None)

    def part(self, kind: Callable[["Hub"], P]) -> P:
        """Give what `kind` keeps of the hub's things; made when first asked for, gone with the hub."""
        if kind not in self._parts:
            self._parts[kind] = kind(self)
        return self._parts[kind]  # type: ignore[no-any-return]

    async def note_write(self, request: web.Request, _response: web.StreamResponse) -> None:
        """Let what follows an answer see what was written before it; a signal, `on_response_prepare`."""
        if request.method not in _SAFE_METHODS:
            self.looks.wrote()

    @contextmanager
    def seat(self, parties: Sequence[Party]) -> Iterator[None]:
        """Hold a place among the open streams.

        Args:
            parties: whose stream it is.

        Raises:
            Unavailable: all are taken, or the process is ending.
            TooManyRequests: one of the parties has its share.
        """
        if self.closing:
            raise Unavailable("This process is ending. Ask again in a moment.", retry_after_s=2)
        with self._seats.held(parties):
            yield

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
            self.looks.soon()  # nobody may have asked before
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
            for topics in (self._accounts, self._routes, self._feeds):
                for key in topics:
                    _raise(topics, key, None)  # what was told while nobody listened is lost
            self.looks.soon()
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
            if not driver_id:  # of a plan or of settings: a look tells exactly whose, and of what
                self.looks.soon()
                continue
            self._on_moved(account_id, driver_id, route_id)

    def _on_moved(self, account_id: int, driver_id: int, route_id: int | None) -> None:
        for moved in self.moved:
            moved(account_id, driver_id, route_id)
        _raise(self._accounts, account_id, driver_id)
        if route_id is not None:
            _raise(self._routes, route_id, driver_id)

    def _on_written(self, account_id: int, driver_id: int | None, route_id: int | None) -> None:
        if driver_id is None and route_id is None:
            for topics in (self._routes, self._accounts) if not account_id else (self._routes,):
                for key in topics:
                    _raise(topics, key, None)
            return
        if driver_id is not None:
            _raise(self._accounts, account_id, driver_id)
        if route_id is not None:
            _raise(self._routes, route_id, driver_id)

    async def _look_at_positions(self, seen: str) -> None:
        if accounts := self._accounts.keys() | self.kept_accounts:
            for account_id, driver_id in await moved_drivers(self.pool, accounts, seen):
                self._on_moved(account_id, driver_id, None)

    def told_of_route(self, route_id: int) -> None:
        """Wake who follows a route."""
        _raise(self._routes, route_id, None)

    def _on_events(self, _connection: Any, _process: int, _channel: str, payload: Any) -> None:
        for (account_id,) in _numbers(payload, 1):
            _raise(self._feeds, account_id, None)


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
