"""What a tracker says of pings while they come in: one answer for each, from what had arrived until then.

The measure of live tracking. History may know better later: a ping that comes late is folded in its place by a re-run,
and a fix may be judged again in the light of the next one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geo.fold.fold import advance, fresh
from geo.pings import UNKNOWN_MS, Bools, Floats, Pings, Rows, in_order
from geo.plan.facts import FactType
from geo.plan.plans import Timeline


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What was said when each ping arrived.

    Attributes:
        along_m: (n,) the last place on the path; NaN: none yet.
        off: (n,) bool: off the route.
        visits: (v,) of dtype `geo.plan.facts.HAPPENED`: arrivals and departures at stops, in the order they were told.
    """

    along_m: Floats
    off: Bools
    visits: Rows


def answer(pings: Pings, timelines: Sequence[Timeline]) -> Answers:
    """Answer pings one by one, each from those before it.

    A ping that is not after all of its driver's before it (late, or a copy) gets the answer given last; so does one
    that is not believed when it comes.

    Args:
        pings: (n,) in the order of their arrival; every driver has a timeline.
        timelines: of the drivers, driver_id ascending and unique.
    """
    known = timely(pings.rows)
    folded = known[in_order(pings.rows[known])]
    ids = np.array([timeline.driver_id for timeline in timelines], np.int64)
    # no border of a batch changes history, so that all pings at once are answered like each alone
    _, facts = advance(fresh(ids), pings.rows_at(folded), timelines)
    along_m, off = np.full(len(pings), np.nan), np.full(len(pings), np.nan)
    judged = facts.judged
    along_m[folded] = judged["along_m"]
    told = judged["believed"] & (judged["route_id"] != 0)
    off[folded] = np.where(told, ~judged["on_route"], np.nan)
    for driver_id in ids:
        mine = np.flatnonzero(pings.rows["driver_id"] == driver_id)
        along_m[mine], off[mine] = _last_known(along_m[mine]), _last_known(off[mine])
    visits = facts.happened[np.isin(facts.happened["type"], (FactType.STOP_ARRIVED, FactType.STOP_DEPARTED))]
    return Answers(along_m, off == 1, visits)


def timely(rows: Rows) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Find the pings that are after all earlier arrivals of their driver in the order of history."""
    newest: dict[int, tuple[int, ...]] = {}
    found: list[int] = []
    keys = rows[["driver_id", "recorded_ms", "lat_e6", "lon_e6", "device_id"]].tolist()
    for row, (driver_id, *key) in enumerate(keys):
        if tuple(key) > newest.get(driver_id, (UNKNOWN_MS,)):
            newest[driver_id] = tuple(key)
            found.append(row)
    return np.array(found, np.int64)


def _last_known(column: Floats) -> Floats:
    """Fill gaps with the value before."""
    known = np.maximum.accumulate(np.where(np.isnan(column), -1, np.arange(len(column))))
    return np.where(known >= 0, column[known], np.nan)
