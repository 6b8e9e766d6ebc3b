"""Who follows positions with a view: at once what is in it, the rest seldom enough; and goes on where a stream ended.

A map shows a part of the fleet, and what moves out of sight needs no quarter of a second. A view moves by opening the
stream again: it goes on from the last event that its client has, so that nothing is told twice and nothing is lost.
"""

import re
import secrets
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from cachetools import TTLCache

from api.fleet.position_view import Box, Filter, is_in
from api.fleet.shared_changes import Delta, Seen, SeenAt, SharedChanges, Told
from api.stream.hub import Hub
from api.stream.signals import Watch
from sql.track.live import LivePosition

SLOTS = 20
"""Who is out of sight is told in so many turns: a long list at once would hold up what is in view."""

MOST_LEFT, LEFT_S = 100, 30.0
"""Streams that ended and can be gone on with, and for how long."""

MOST_UNSURE = 32
"""Events that a client may not have got yet when its stream ends, some seconds of them; with more it begins anew."""

_NUMBER = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What somebody looks at: a part of the map, and drivers wherever they are."""

    box: Box
    drivers: frozenset[int]

    def shows(self, position: LivePosition) -> bool:
        """Tell whether a driver is looked at."""
        lon, lat = position.lon_e6 / 1e6, position.lat_e6 / 1e6
        return position.driver_id in self.drivers or bool(is_in(self.box, lon, lat))


@dataclass(kw_only=True)
class Follower:
    """What one stream has told and what it still owes.

    Attributes:
        name: of the stream, before the numbers of its events.
        view: None: all is told at once.
        elsewhere_s: how long what is out of view may wait.
        is_over: another stream goes on with it.
    """

    account_id: int
    wanted: Filter
    view: View | None
    elsewhere_s: float
    name: str = field(default_factory=lambda: secrets.token_hex(8))
    is_over: bool = False
    _seen: SeenAt | None = None
    _owed: list[dict[int, LivePosition]] = field(default_factory=lambda: [{} for _ in range(SLOTS)])
    _turn: int = 0
    _events: int = 0
    _surely: int = 0
    _unsure: deque[tuple[int, tuple[int, ...]]] = field(default_factory=deque)
    _again: set[int] = field(default_factory=set)

    @property
    def due_in_s(self) -> float:
        """How long the stream may sleep before it owes something, seconds."""
        return self.elsewhere_s / SLOTS if any(self._owed) else float("inf")

    def told(self, shared: SharedChanges, positions: Seen, at: datetime) -> Told:
        """Give what is to be told now.

        Args:
            positions: all that is known of the account.
            at: now.
        """
        newest = shared.newest(self.account_id, self.wanted, positions, self._seen, at)
        if self.view is None or self._seen is None:
            told = newest.told(self._seen)
            self._note(len(told), None)
        else:
            delta = newest.delta(self._seen)
            due = frozenset(self._due(newest.now.vans, delta, self.view, at))
            gone = self._again.difference(newest.now.vans).union(delta.gone)
            told = [*newest.changed(due), *newest.gone(gone)]
            self._note(len(told), (*due, *gone))
        self._seen, self._again = newest.now, set()
        return told

    def _note(self, events: int, told_of: tuple[int, ...] | None) -> None:
        """Note of whom the next events tell: they may not be read; None: of everybody, so nothing goes on before."""
        self._events += events
        if told_of is None:
            self._surely = self._events
        elif events:
            self._unsure.append((self._events, told_of))
            if len(self._unsure) > MOST_UNSURE:
                self._surely, _ = self._unsure.popleft()

    def _due(self, known: Seen, delta: Delta, view: View, at: datetime) -> set[int]:
        """Note what is owed, and give whom to tell of now."""
        assert self._seen is not None
        for driver_id in delta.gone:
            self._owed[driver_id % SLOTS].pop(driver_id, None)
        due = self._again.intersection(known).union(delta.stirred, self._turns(at), delta.within(view.box))
        due |= view.drivers & delta.changed
        for driver_id in delta.changed - due:
            self._owed[driver_id % SLOTS].setdefault(driver_id, self._seen.vans[driver_id])
        for driver_id in due:
            self._owed[driver_id % SLOTS].pop(driver_id, None)
        return due

    def _turns(self, at: datetime) -> set[int]:
        """Give who waited long enough."""
        before, self._turn = self._turn, int(at.timestamp() / self.elsewhere_s * SLOTS)
        turns = min(self._turn - before, SLOTS)
        return {driver_id for n in range(turns) for driver_id in self._owed[(self._turn - n) % SLOTS]}

    def with_view(self, view: View | None, last: int) -> "Follower | None":
        """Give one that goes on with another view from event number `last`; None: that is too long ago."""
        if view is None or self._seen is None or not self._surely <= last <= self._events:
            return None
        other = Follower(
            account_id=self.account_id, wanted=self.wanted, view=view, elsewhere_s=self.elsewhere_s,
            _seen=self._seen, _owed=[dict(some) for some in self._owed], _turn=self._turn, _again=set(self._again),
        )  # fmt: skip
        for number, told_of in self._unsure:
            if number > last:
                other._again.update(told_of)
        for some in self._owed:
            for driver_id, told in some.items():
                if view.shows(told) or view.shows(self._seen.vans[driver_id]):
                    other._again.add(driver_id)
        return other


class Followers:
    """Who follows with a view, and who did until a moment ago; `hub.part(Followers)`."""

    def __init__(self, _hub: Hub) -> None:
        self._open: dict[str, tuple[Follower, Watch[Seen]]] = {}
        self._left: TTLCache[str, Follower] = TTLCache(MOST_LEFT, LEFT_S)

    def begin(self, new: Follower, last_event_id: str) -> Follower:
        """Give one that goes on where another stream is, or was; the new one where there is none to go on with.

        Args:
            new: what is asked for.
            last_event_id: of the last event that the client has, of whatever stream; empty: of none.
        """
        name, _, number = last_event_id.partition(".")
        old, watch = self._open.get(name, (self._left.get(name), None))
        if old is None or not _NUMBER.fullmatch(number) or (old.account_id, old.wanted) != (new.account_id, new.wanted):
            return new
        if watch is not None:
            old.is_over = True
            watch.wake()
        return old.with_view(new.view, int(number)) or new

    @contextmanager
    def following(self, follower: Follower, watch: Watch[Seen]) -> Iterator[None]:
        """Let others go on with it while it is open, and for a moment after."""
        if follower.view is None:
            yield
            return
        self._open[follower.name] = (follower, watch)
        try:
            yield
        finally:
            del self._open[follower.name]
            self._left[follower.name] = follower
