"""Whose turn it is at a few connections that many want."""

import asyncio
from collections import Counter, deque
from collections.abc import Hashable

WAITING_EACH_SEAT = 25
"""So many wait for each connection at most: with statements of some milliseconds all of them have their turn in time,
with slower ones they would wait in vain."""


class NoTurnError(ConnectionError):
    """Too many wait already, or nobody is served just now."""


class ConnectionTurns:
    """Some seats. One party has three quarters of them at most, and whoever has fewest is next.

    What belongs to no party (None) may have all.
    """

    def __init__(self, seats: int) -> None:
        self._seats = seats
        self._each = seats - max(1, seats // 4) if seats > 1 else 1
        self._most_waiting = seats * WAITING_EACH_SEAT
        self._taken: Counter[Hashable] = Counter()
        self._waiting: dict[Hashable, deque[asyncio.Future[None]]] = {}

    @property
    def taken(self) -> int:
        """How many seats are taken."""
        return self._taken.total()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(map(len, self._waiting.values()))

    async def enter(self, who: Hashable) -> None:
        """Take a seat, in turn; `leave` gives it back.

        Raises:
            NoTurnError: too many wait; of one party, half of those who may.
        """
        if self._may_sit(who):
            self._taken[who] += 1
            return
        own = self._waiting.get(who, ())
        if self.waiting >= self._most_waiting or (who is not None and 2 * len(own) >= self._most_waiting):
            raise NoTurnError("too many wait for a connection")
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(who, deque()).append(turn)
        try:
            await turn
        except BaseException:
            if turn.cancelled():
                self._forget(who, turn)
            else:
                self.leave(who)  # it came, and nobody is there to take it
            raise

    def leave(self, who: Hashable) -> None:
        """Give a seat back."""
        self._taken[who] -= 1
        if not self._taken[who]:
            del self._taken[who]
        while able := [one for one in self._waiting if self._may_sit(one)]:
            chosen = min(able, key=lambda one: self._taken[one])  # of those who have as few, who waits longest
            turn = self._waiting[chosen][0]
            self._forget(chosen, turn)
            if not turn.done():  # else who waited gave up just now
                self._taken[chosen] += 1
                turn.set_result(None)

    def _may_sit(self, who: Hashable) -> bool:
        return self.taken < self._seats and (who is None or self._taken[who] < self._each)

    def _forget(self, who: Hashable, turn: "asyncio.Future[None]") -> None:
        own = self._waiting.get(who, deque())
        if turn in own:
            own.remove(turn)
        if not own:
            self._waiting.pop(who, None)
