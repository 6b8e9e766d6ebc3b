"""What made facts known, and so their order.

A moment is a fix (its row), or a claim (~ its place among what was said).
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from geo.fold.fixes import Fixes
from geo.pings import Ints, Rows
from geo.plan.facts import HAPPENED, FactType
from geo.plan.fence import Passage
from geo.plan.plans import Claim

Fact: TypeAlias = tuple[int, FactType, int, int, int, int, int]
"""Moment, type, occurred_ms, route_id, route_version, stop_id, ordinal."""

Said: TypeAlias = tuple[int, int, Claim]
"""Of which driver, before which fix, what."""


def in_order(
    facts: Sequence[Fact], said: Sequence[Said], passages: Sequence[Passage], fixes: Fixes, judged: Rows
) -> Rows:
    """Give all facts, of dtype `HAPPENED`: driver by driver, moment by moment, stops and route before fences.

    Args:
        judged: what came of the fixes, of dtype `JUDGED`.
    """
    both = [*facts, *((one.fix, one.type, one.occurred_ms, -1, -1, 0, one.ordinal) for one in passages)]
    if not both:
        return np.zeros(0, HAPPENED)
    geofences = [0] * len(facts) + [passage.geofence_id for passage in passages]
    table = np.column_stack((np.array(both, np.int64), geofences))
    known = _known(table[:, 0], said, fixes, judged)
    fix = np.maximum(table[:, 0], 0)
    _, kind, at_ms, route_id, version, stop_id, ordinal, geofence_id = table.T
    own = route_id < 0  # a fence's fact happened on the route its fix is on
    if own.any():
        known["route_id"] = np.where(own, judged["route_id"][fix], route_id)
        known["route_version"] = np.where(own, judged["route_version"][fix], version)
    else:
        known["route_id"], known["route_version"] = route_id, version
    known["type"], known["occurred_ms"], known["ordinal"] = kind, at_ms, ordinal
    known["stop_id"], known["geofence_id"] = stop_id, geofence_id
    return known[_order(table[:, 0], said, fixes)]


def _known(moment: Ints, said: Sequence[Said], fixes: Fixes, judged: Rows) -> Rows:
    """Say of each moment whose it is, when and where."""
    known = np.zeros(len(moment), HAPPENED)
    ours = np.flatnonzero(moment >= 0)
    fix = moment[ours]
    known["track"][ours], known["folded_ms"][ours] = fixes.driver[fix], fixes.known_ms[fix]
    known["along_m"][ours], known["offset_m"][ours] = judged["along_m"][fix], judged["offset_m"][fix]
    known["lat_e6"][ours], known["lon_e6"][ours] = fixes.rows["lat_e6"][fix], fixes.rows["lon_e6"][fix]
    for i in np.flatnonzero(moment < 0).tolist():
        van, _, claim = said[~moment[i]]
        known["track"][i], known["folded_ms"][i], known["source"][i] = van, claim.at_ms, 1
        known["along_m"][i] = known["offset_m"][i] = np.nan
        if claim.lat is not None and claim.lon is not None:
            known["lat_e6"][i], known["lon_e6"][i] = round(claim.lat * 1e6), round(claim.lon * 1e6)
    return known


def _order(moment: Ints, said: Sequence[Said], fixes: Fixes) -> Ints:
    """Sort moments as they were folded."""
    van, place = np.zeros(len(moment), np.int64), 2 * moment + 1
    by_fix = moment >= 0
    van[by_fix] = fixes.driver[moment[by_fix]]
    for i in np.flatnonzero(~by_fix).tolist():
        van[i], before, _ = said[~moment[i]]
        place[i] = 2 * before
    return np.lexsort((place, van))
