"""What streams of positions tell, written once for all who follow the same: many desks cost little more than one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from cachetools import LRUCache

from api.fleet.position_view import Filter, collection
from api.http.ids import DRIVER, shown
from api.stream.hub import Hub
from sql.track.live import LivePosition

MOST_KINDS = 256
"""Accounts and filters that are followed at once; others are written for each stream."""

Seen = Mapping[int, LivePosition]
Told = list[tuple[str, bytes]]
"""Events of a stream: names and data."""


_SAME_MOMENT = timedelta(seconds=1)
"""Who is woken by the same change asks within this; later the time alone may have changed who is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Step:
    """What was known at a moment, who of it was asked for, and what tells it to who has seen `before`."""

    positions: Seen
    at: datetime
    before: Seen | None
    now: Seen
    told: Told


class SharedChanges:
    """The newest of each account and filter that somebody follows; `hub.part(SharedChanges)`."""

    def __init__(self, _hub: Hub) -> None:
        self._steps: LRUCache[tuple[int, Filter], _Step] = LRUCache(MOST_KINDS)

    def told(
        self, account_id: int, wanted: Filter, positions: Seen, before: Seen | None, at: datetime
    ) -> tuple[Seen, Told]:
        """Give who of an account's drivers is asked for now, and what tells it to a stream.

        Args:
            before: what this gave for the stream the last time; None: it begins.
            at: now.
        """
        step = self._steps.get((account_id, wanted))
        if step is None or step.positions is not positions or at - step.at > _SAME_MOMENT:
            now = {driver_id: one for driver_id, one in positions.items() if wanted.takes(one, at)}
            step = _Step(positions=positions, at=at, before=before, now=now, told=_events(before, now, at))
            self._steps[account_id, wanted] = step
        if step.before is before:
            return step.now, step.told
        return step.now, _events(before, step.now, at)  # it came later, or took more time; from now on it is with them


def _events(before: Seen | None, now: Seen, at: datetime) -> Told:
    if before is None:
        return [("snapshot", msgspec.json.encode(collection(list(now.values()), at)))]
    told: Told = []
    if changed := [one for driver_id, one in now.items() if before.get(driver_id) is not one]:
        told.append(("changed", msgspec.json.encode(collection(changed, at))))
    if gone := [shown(DRIVER, driver_id) for driver_id in before if driver_id not in now]:
        told.append(("gone", msgspec.json.encode({"driver_ids": gone})))
    return told
