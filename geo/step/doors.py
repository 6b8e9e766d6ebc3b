"""At which doors vans stand, and which stops are open, whatever place along their path is held for theirs."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geo.pings import Ints
from geo.plan.numbers import MAX_STOPS, STOP_SLACK_M
from geo.plan.plans import Plan, places_at, windows
from geo.snap.doors import Doors
from geo.snap.left_out import OpenStops, keys_of
from geo.snap.numbers import OWN_M, UNSAID_S
from geo.trust.fixes import Here
from geo.visits.near_stops import out_m_of, unseen
from geo.visits.numbers import BESIDE_M
from geo.visits.standing import Stand, has_stayed
from geo.visits.tour import HERE, served

_OPEN = ~served(np.arange(256, dtype=np.uint8))
"""Of each byte that a track counts visits with: nobody was there, and nobody said that there is nothing to do."""


def doors_of(stand: Stand, visits: NDArray[np.uint8], here: Here) -> Doors:
    """Find the doors where vans stand: of those who are at a stop only its own, of the others all that are near.

    The stop of a visit is on no other pass than its own. One that began on a way of its own says that the van is
    not elsewhere on its path, but not that it is there.

    Args:
        stand: of n drivers, as `geo.visits.standing.stand` gives it.
        visits: (n, MAX_STOPS) of each stop so far, as `geo.visits.tour` reads them.
    """
    memory = stand.memory
    at_stop = has_stayed(memory)
    since_ms = np.where(at_stop, memory["arrived_ms"], memory["stands"]["ms"])
    stood_s = np.where(stand.slow, here.ms - np.where(stand.slow, since_ms, here.ms), 0) / 1000
    vans = np.flatnonzero(stood_s >= UNSAID_S)
    if not len(vans):
        return Doors.none()
    tours = [here.plans[van].stops for van in vans.tolist()]
    pieces, starts = windows(tours, [0] * len(vans), [len(tour) for tour in tours])
    van = np.repeat(vans, np.diff(starts))
    row = np.arange(len(pieces)) - np.repeat(starts[:-1], np.diff(starts))
    out_m = out_m_of(here, pieces, van, row) - stand.margin_m[van]
    near = np.flatnonzero((out_m <= BESIDE_M) & (~at_stop[van] | ((visits[van, row] & HERE) != 0)))
    van, along_m = van[near], pieces[near, 3]
    x_m, y_m = places_at([here.plans[each] for each in van.tolist()], along_m)
    low_m, high_m = pieces[near - 1, 3], pieces[np.minimum(near + 1, len(pieces) - 1), 3]
    there = at_stop[van]
    return Doors(
        van=van,
        along_m=along_m,
        x_m=x_m,
        y_m=y_m,
        door_x_m=pieces[near, 0],
        door_y_m=pieces[near, 1],
        low_m=np.where(there, along_m - STOP_SLACK_M, np.where(row[near] == 0, -np.inf, low_m - OWN_M)),
        high_m=np.where(there, along_m + STOP_SLACK_M, np.where(np.isin(near + 1, starts[1:]), np.inf, high_m + OWN_M)),
        inside=out_m[near] <= 0,
        is_open=unseen(visits[van, row[near]]),
        may_enter=~there | (memory["last"][van] == row[near] + 1),
        stood_s=stood_s[van],
    )


class StopsLeft:
    """Which stops of m drivers are open, listed anew where a plan, a visit or a word changed that."""

    def __init__(self, m: int) -> None:
        self._plans: list[Plan | None] = [None] * m
        self._visits = np.zeros((m, MAX_STOPS), np.uint8)
        self._starts, self._key, self._before = np.zeros(m + 1, np.int64), np.zeros(0, np.int64), np.zeros(m, np.int64)

    def of(self, vans: Ints, plans: Sequence[Plan], visits: NDArray[np.uint8]) -> OpenStops:
        """Tell it of n of the drivers.

        Args:
            vans: (n,) which.
            plans: (n) of each.
            visits: (n, MAX_STOPS) of each stop so far, as `geo.visits.tour` reads them.
        """
        changed = vans[(self._visits[vans] != visits).any(axis=1)]
        self._visits[vans] = visits
        anew = [van for van, plan in zip(vans.tolist(), plans, strict=True) if self._plans[van] is not plan]
        if anew:
            for van, plan in zip(vans.tolist(), plans, strict=True):
                self._plans[van] = plan
            self._list_stops()
        else:
            for van in changed.tolist():
                first, past = self._starts[van : van + 2]
                is_open = _OPEN[self._visits[van, : past - first]]
                self._before[first + van + 1 : past + van + 1] = np.cumsum(is_open)
        return OpenStops(self._key, self._before, vans)

    def _list_stops(self) -> None:
        known = [(van, plan) for van, plan in enumerate(self._plans) if plan is not None]
        counts = np.zeros(len(self._plans), np.int64)
        counts[[van for van, _ in known]] = [len(plan.stops) for _, plan in known]
        np.cumsum(counts, out=self._starts[1:])
        tour = np.repeat(np.arange(len(counts)), counts)
        self._key = keys_of(tour, np.concatenate([plan.stops[:, 3] for _, plan in known]))
        so_far = np.concatenate([self._visits[van, : len(plan.stops)] for van, plan in known])
        is_open = np.zeros(len(tour) + len(counts), np.int64)
        is_open[np.arange(len(tour)) + tour] = _OPEN[so_far]
        before = np.cumsum(is_open) - is_open
        slots = self._starts[:-1] + np.arange(len(counts))
        self._before = before - np.repeat(before[slots], counts + 1)
