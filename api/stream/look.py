"""One look a moment at what was written, for all that a process answers from memory.

Notifications tell sooner, but a process may be killed between its commit and its notification, and a connection may die
unseen: what is remembered must be right without them. So whoever answers from memory asks `fresh` first, which returns
at once while the last look is young, and every look tells those who keep something what of it was written.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeAlias

from api.http.problem import Unavailable
from sql.delivery.changes import changes_since
from sql.pool import Pool, is_away

log = logging.getLogger(__name__)

Told: TypeAlias = Callable[[int, int | None, int | None], None]
"""Told of an account, a driver and a route of which something was written; no driver and no route: anything of the
account, account 0: anything at all."""

LookAlso: TypeAlias = Callable[[str], Awaitable[None]]
"""Looks at what changes too often to be noted one by one, given `seen` of an earlier look (`sql.delivery.changes`)."""

LOOK_EVERY_S = 0.5
"""Half of what an answer may be old, so that a look that takes long does not keep polls waiting."""

OLDEST_S = 0.95
"""Nothing is answered from memory unless a look began within so long: with the answer's own way it is a second."""

_ASKED_FOR_S = 30.0  # looks go on for so long after the last question
_REMEMBERED_S = 60.0  # after a longer pause everything is read anew: the database may have forgotten what was written


class Looks:
    """Looks at what was written while anybody asks; `run` does it, for as long as a process answers.

    Attributes:
        told: who hears of it.
        also: what else is looked at, every `LOOK_EVERY_S`.
        watched: tells whether somebody follows something without asking.
    """

    def __init__(self, pool: Pool, *, watched: Callable[[], bool]) -> None:
        self.told: list[Told] = []
        self.also: list[LookAlso] = []
        self._watched = watched
        self._pool = pool
        self._seen: str | None = None
        self._known: frozenset[int] = frozenset()
        self._also_seen: str | None = None
        self._began_s = self._also_began_s = self._wrote_s = self._asked_s = float("-inf")
        self._wanted = asyncio.Event()
        self._next: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def wrote(self) -> None:
        """Answer nothing from memory before another look: whoever asks from now on must see what was just written."""
        self._wrote_s = time.monotonic()

    def distrust(self) -> None:
        """Answer nothing from memory before another look at everything."""
        self._wrote_s, self._also_began_s = time.monotonic(), float("-inf")

    def soon(self) -> None:
        """Look at once: something was written, and is not known exactly."""
        if self._in_use():
            self._wanted.set()

    def is_fresh(self) -> bool:
        """Tell whether what is remembered may be answered now."""
        self._asked_s = now_s = time.monotonic()
        return self._began_s > self._wrote_s and now_s - self._also_began_s < OLDEST_S

    async def fresh(self) -> None:
        """Wait until what is remembered may be answered: not at all, or until a look that is still to begin is over.

        Raises:
            Unavailable: the process is ending.
            asyncpg.PostgresError: the database is away, or another of `sql.pool.DATABASE_AWAY`.
        """
        if not self.is_fresh():
            self._wanted.set()
            # The end of a look that begins from now on. However long it takes: it is as good as reading now.
            await asyncio.shield(self._next)

    async def run(self) -> None:
        """Look, again and again."""
        try:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY_S if self._in_use() else None):
                        await self._wanted.wait()
                self._wanted.clear()
                await self._look()
        finally:
            _fail(self._next, Unavailable("This process is ending. Please ask again."))

    def _in_use(self) -> bool:
        return self._watched() or time.monotonic() - self._asked_s < _ASKED_FOR_S

    async def _look(self) -> None:
        waiting, self._next = self._next, asyncio.get_running_loop().create_future()
        began_s = time.monotonic()
        also = began_s - self._also_began_s >= LOOK_EVERY_S * 0.9
        try:
            await self._look_at_changes(began_s)
            if also:
                seen = self._seen if self._also_seen is None else self._also_seen
                assert seen is not None
                self._also_seen = self._seen
                for look in self.also:
                    await look(seen)
        except Exception as error:
            if is_away(error):
                log.warning("cannot look at what was written: %s", type(error).__name__)
            else:
                log.exception("a look failed")
            self._seen = None  # whatever was told or not: everything is read anew
            _fail(waiting, error)
            await asyncio.sleep(LOOK_EVERY_S)
            return
        self._began_s = began_s
        if also:
            self._also_began_s = began_s
        if not waiting.done():
            waiting.set_result(None)

    async def _look_at_changes(self, began_s: float) -> None:
        if began_s - self._began_s > _REMEMBERED_S:
            self._seen = None
        everything = self._seen is None
        self._seen, changes = await changes_since(self._pool, self._seen)
        if everything:
            self._also_seen = None
            self._tell(0, None, None)
        for change in changes:
            if change.id not in self._known:
                self._tell(change.account_id, change.driver_id, change.route_id)
        self._known = frozenset(change.id for change in changes)

    def _tell(self, account_id: int, driver_id: int | None, route_id: int | None) -> None:
        for told in self.told:
            told(account_id, driver_id, route_id)


def _fail(future: asyncio.Future[None], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # perhaps nobody waits
