"""What streams of positions tell, written once for all who follow the same: many desks cost little more than one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TypeAlias

import msgspec
import numpy as np
from cachetools import LRUCache

from api.fleet.position_view import Box, Filter, feature_of, is_in, state_of
from api.http.ids import DRIVER, shown
from api.stream.hub import Hub
from geo.pings import Floats, Ints
from sql.track.live import LivePosition

MOST_KINDS = 256
"""Accounts and filters that are followed at once; others are written for each stream."""

Seen: TypeAlias = Mapping[int, LivePosition]
Told: TypeAlias = list[tuple[str, bytes]]
"""Events of a stream: names and data."""


_SAME_MOMENT = timedelta(seconds=1)
"""Who is woken by the same change asks within this; later the time alone may have changed who is asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class SeenAt:
    """Drivers as they were told at a moment: by it their states are other ones than now."""

    vans: Seen
    at: datetime


class _Encoded(msgspec.Struct, frozen=True, kw_only=True, tag="FeatureCollection", tag_field="type"):
    features: list[msgspec.Raw]


class Delta:
    """What lies between what a stream has seen and what is now.

    Attributes:
        changed: drivers who are another object than before, or new.
        gone: drivers who are no longer there.
    """

    def __init__(self, before: SeenAt | None, now: SeenAt) -> None:
        was, self._now = before.vans if before else {}, now.vans
        self.changed = frozenset(driver_id for driver_id, one in self._now.items() if was.get(driver_id) is not one)
        self.gone = frozenset(driver_id for driver_id in was if driver_id not in self._now)
        self._was, self._was_at, self._at = was, before.at if before else now.at, now.at

    def within(self, box: Box) -> list[int]:
        """Give who of those that changed is in a box, or was."""
        ids, places = self._places
        was_there, are_there = is_in(box, *places[:2]), is_in(box, *places[2:])
        there: list[int] = ids[was_there | are_there].tolist()
        return there

    @cached_property
    def stirred(self) -> frozenset[int]:
        """Who of those that changed has another state than before, or none before."""
        return frozenset(driver_id for driver_id in self.changed if not self._has_the_same_state(driver_id))

    @cached_property
    def _places(self) -> tuple[Ints, Floats]:
        """Who changed (n,), and longitude and latitude of each before and now (4, n), degrees; NaN: nowhere."""
        pairs = [(self._was.get(driver_id), self._now[driver_id]) for driver_id in self.changed]
        e6 = [
            (*((np.nan, np.nan) if before is None else (before.lon_e6, before.lat_e6)), now.lon_e6, now.lat_e6)
            for before, now in pairs
        ]
        return np.array([now.driver_id for _, now in pairs], np.int64), np.array(e6, float).reshape(-1, 4).T / 1e6

    def _has_the_same_state(self, driver_id: int) -> bool:
        was = self._was.get(driver_id)
        return was is not None and state_of(was, self._was_at) == state_of(self._now[driver_id], self._at)


class Newest:
    """What was known at a moment, and what tells it; each driver is encoded at most once.

    Attributes:
        now: who of an account's drivers is asked for.
    """

    def __init__(self, positions: Seen, wanted: Filter, before: SeenAt | None, at: datetime) -> None:
        self.now = SeenAt({driver_id: one for driver_id, one in positions.items() if wanted.takes(one, at)}, at)
        self._positions, self._before = positions, before
        self._features: dict[int, msgspec.Raw] = {}
        self._changed: dict[frozenset[int], bytes] = {}

    def holds(self, positions: Seen, at: datetime) -> bool:
        """Tell whether this is what is known now."""
        return self._positions is positions and at - self.now.at <= _SAME_MOMENT

    def delta(self, seen: SeenAt) -> Delta:
        """Give what lies between what a stream has seen and this."""
        return self._delta if seen is self._before else Delta(seen, self.now)

    def told(self, seen: SeenAt | None) -> Told:
        """Give the events that tell all of it to a stream; None: it begins."""
        return self._told if seen is self._before else self._events(seen)

    def changed(self, driver_ids: frozenset[int]) -> Told:
        """Give the events that tell of some drivers, the same to all who are told of the same; none where nobody is."""
        if not driver_ids:
            return []
        data = self._changed.get(driver_ids)
        if data is None:
            features = [self._feature(driver_id) for driver_id in driver_ids]
            data = self._changed[driver_ids] = msgspec.json.encode(_Encoded(features=features))
        return [("changed", data)]

    @staticmethod
    def gone(driver_ids: Iterable[int]) -> Told:
        """Give the events that tell who is no longer there; none where everybody is."""
        gone = [shown(DRIVER, driver_id) for driver_id in driver_ids]
        return [("gone", msgspec.json.encode({"driver_ids": gone}))] if gone else []

    @cached_property
    def _delta(self) -> Delta:
        return Delta(self._before, self.now)

    @cached_property
    def _told(self) -> Told:
        return self._events(self._before)

    def _events(self, seen: SeenAt | None) -> Told:
        if seen is None:
            features = [self._feature(driver_id) for driver_id in self.now.vans]
            return [("snapshot", msgspec.json.encode(_Encoded(features=features)))]
        delta = self.delta(seen)
        return [*self.changed(delta.changed), *self.gone(delta.gone)]

    def _feature(self, driver_id: int) -> msgspec.Raw:
        feature = self._features.get(driver_id)
        if feature is None:
            encoded = msgspec.json.encode(feature_of(self.now.vans[driver_id], self.now.at))
            feature = self._features[driver_id] = msgspec.Raw(encoded)
        return feature


class SharedChanges:
    """The newest of each account and filter that somebody follows; `hub.part(SharedChanges)`."""

    def __init__(self, _hub: Hub) -> None:
        self._newest: LRUCache[tuple[int, Filter], Newest] = LRUCache(MOST_KINDS)

    def newest(self, account_id: int, wanted: Filter, positions: Seen, before: SeenAt | None, at: datetime) -> Newest:
        """Give what is known now, for all who follow it.

        Args:
            before: what the stream that asks has seen, and when; None: it begins. Others have mostly seen the same.
            at: now.
        """
        newest = self._newest.get((account_id, wanted))
        if newest is None or not newest.holds(positions, at):
            newest = self._newest[account_id, wanted] = Newest(positions, wanted, before, at)
        return newest
