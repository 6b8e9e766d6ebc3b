"""At which doors vans stand, and which stops are open, whatever place along their path is held for theirs."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geo.plan.plans import Plan, places_at, windows
from geo.snap.doors import Doors
from geo.snap.left_out import OpenStops
from geo.snap.numbers import UNSAID_S
from geo.trust.fixes import Here
from geo.visits.near_stops import out_m_of, unseen
from geo.visits.numbers import BESIDE_M
from geo.visits.stops import Stand
from geo.visits.tour import served

_OPEN = ~served(np.arange(256, dtype=np.uint8))
"""Of each byte that a track counts visits with: nobody was there, and nobody said that there is nothing to do."""


def doors_of(stand: Stand, visits: NDArray[np.uint8], here: Here) -> Doors:
    """Find the doors where vans stand that are at no stop as far as is known.

    Args:
        stand: of n drivers, as `geo.visits.stops.stand` gives it.
        visits: (n, MAX_STOPS) of each stop so far, as `geo.visits.tour` reads them.
    """
    memory = stand.memory
    idle = stand.slow & ((memory["open"] == 0) | (memory["outs"] > 0))
    stood_s = np.where(idle, here.ms - np.where(idle, memory["stands"]["ms"], here.ms), 0) / 1000
    vans = np.flatnonzero(stood_s >= UNSAID_S)
    if not len(vans):
        return Doors.none()
    tours = [here.plans[van].stops for van in vans.tolist()]
    pieces, starts = windows(tours, [0] * len(vans), [len(tour) for tour in tours])
    van = np.repeat(vans, np.diff(starts))
    row = np.arange(len(pieces)) - np.repeat(starts[:-1], np.diff(starts))
    out_m = out_m_of(here, pieces, van, row) - stand.margin_m[van]
    near = np.flatnonzero(out_m <= BESIDE_M)
    van, along_m = van[near], pieces[near, 3]
    x_m, y_m = places_at([here.plans[each] for each in van.tolist()], along_m)
    low_m, high_m = pieces[near - 1, 3], pieces[np.minimum(near + 1, len(pieces) - 1), 3]
    return Doors(
        van=van,
        along_m=along_m,
        x_m=x_m,
        y_m=y_m,
        low_m=np.where(row[near] == 0, -np.inf, low_m),
        high_m=np.where(np.isin(near + 1, starts[1:]), np.inf, high_m),
        inside=out_m[near] <= 0,
        is_open=unseen(visits[van, row[near]]),
        stood_s=stood_s[van],
    )


def open_stops_of(plans: Sequence[Plan], visits: NDArray[np.uint8]) -> OpenStops:
    """List the stops of n tours at which nobody was yet, and of which nobody said that there is nothing to do.

    Args:
        visits: (n, MAX_STOPS) of each stop so far, as `geo.visits.tour` reads them.
    """
    counts = [len(plan.stops) for plan in plans]
    van = np.repeat(np.arange(len(plans)), counts)
    along_m = np.concatenate([plan.stops[:, 3] for plan in plans])
    so_far = np.concatenate([mine[:count] for mine, count in zip(visits, counts, strict=True)])
    is_open = _OPEN[so_far]
    return OpenStops.at(van[is_open], along_m[is_open], len(plans))
