"""What happened and what made it known: facts as they are found, then in the order of history."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from geo.pings import Ints, Rows
from geo.plan.facts import HAPPENED, FactType
from geo.plan.passages import Passage
from geo.plan.plans import Claim, Plan
from geo.trust.fixes import Fixes
from geo.visits.stops import Visit


class Moment(NamedTuple):
    """What made a fact known: a fix, or a claim heard before it.

    Attributes:
        fix: row in the fixes; of a claim the one before which it is heard, one past the driver's last: after all.
        claim: place among what was said; -1: the fix itself.
    """

    fix: int
    claim: int = -1


FACT = np.dtype(
    [
        ("fix", "<i8"),  # these two: the moment
        ("claim", "<i8"),
        ("type", "<i2"),  # this and the rest as in HAPPENED
        ("occurred_ms", "<i8"),
        ("route_id", "<i8"),  # -1: that of the fix
        ("route_version", "<i4"),
        ("stop_id", "<i8"),
        ("geofence_id", "<i8"),
        ("ordinal", "<i8"),
        ("certainty", "<f4"),
    ]
)


_OF_FACT = ("type", "occurred_ms", "route_id", "route_version", "stop_id", "geofence_id", "ordinal", "certainty")


@dataclass(frozen=True, slots=True)
class Said:
    """A claim that was heard.

    Attributes:
        van: whose, row in `tracks`.
        fix: before which.
        claim: what.
        route_id, route_version: what the driver was on from then on; 0: no route.
    """

    van: int
    fix: int
    claim: Claim
    route_id: int
    route_version: int


class Diary:
    """What was said and what happened, as it becomes known."""

    def __init__(self) -> None:
        self.said: list[Said] = []
        self._facts: list[tuple[float, ...]] = []

    def happened(self, moment: Moment, kind: FactType, occurred_ms: int, plan: Plan, *, ordinal: int = 1) -> None:
        """Note a fact about a route."""
        self._facts.append((*moment, kind, occurred_ms, plan.route_id, plan.version, 0, 0, ordinal, 0.0))

    def visited(self, moment: Moment, visit: Visit, plan: Plan) -> None:
        """Note an arrival or departure."""
        kind = FactType.STOP_ARRIVED if visit.arrived else FactType.STOP_DEPARTED
        place = plan.route_id, plan.version, int(plan.stop_ids[visit.row]), 0
        certainty = visit.certainty if visit.arrived else 0.0
        self._facts.append((*moment, kind, visit.occurred_ms, *place, visit.ordinal, certainty))

    def passed(self, passages: Sequence[Passage]) -> None:
        """Note facts about geofences, after all others."""
        self._facts += [
            (one.fix, -1, one.type, one.occurred_ms, -1, -1, 0, one.geofence_id, one.ordinal, 0.0) for one in passages
        ]

    def in_order(self, fixes: Fixes, judged: Rows) -> Rows:
        """Give all facts, of dtype `HAPPENED`: driver by driver, moment by moment, as they were noted.

        Args:
            judged: what came of the fixes, of dtype `JUDGED`.
        """
        if not self._facts:
            return np.zeros(0, HAPPENED)
        facts = np.array(self._facts, FACT)
        happened = self._known(facts, fixes, judged)
        for name in _OF_FACT:
            happened[name] = facts[name]
        own = np.flatnonzero(facts["route_id"] < 0)  # a fence's fact happened on the route its fix is on
        for name in ("route_id", "route_version"):
            happened[name][own] = judged[name][facts["fix"][own]]
        return happened[self._order(facts, fixes)]

    def _known(self, facts: Rows, fixes: Fixes, judged: Rows) -> Rows:
        """Say of each fact whose it is, and when and where it became known."""
        known = np.zeros(len(facts), HAPPENED)
        seen = np.flatnonzero(facts["claim"] < 0)
        fix = facts["fix"][seen]
        known["track"][seen], known["folded_ms"][seen] = fixes.driver[fix], fixes.known_ms[fix]
        known["along_m"][seen], known["offset_m"][seen] = judged["along_m"][fix], judged["offset_m"][fix]
        known["lat_e6"][seen], known["lon_e6"][seen] = fixes.rows["lat_e6"][fix], fixes.rows["lon_e6"][fix]
        for i in np.flatnonzero(facts["claim"] >= 0).tolist():
            said = self.said[facts["claim"][i]]
            claim = said.claim
            known["track"][i], known["folded_ms"][i], known["source"][i] = said.van, claim.at_ms, 1
            known["along_m"][i] = known["offset_m"][i] = np.nan
            if claim.lat is not None and claim.lon is not None:
                known["lat_e6"][i], known["lon_e6"][i] = round(claim.lat * 1e6), round(claim.lon * 1e6)
        return known

    def _order(self, facts: Rows, fixes: Fixes) -> Ints:
        """Sort facts as they were folded: a claim before the fix before which it was heard."""
        by_fix = facts["claim"] < 0
        van = np.zeros(len(facts), np.int64)
        van[by_fix] = fixes.driver[facts["fix"][by_fix]]
        van[~by_fix] = [self.said[claim].van for claim in facts["claim"][~by_fix].tolist()]
        return np.lexsort((2 * facts["fix"] + by_fix, van))
