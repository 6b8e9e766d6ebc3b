"""Whose turn it is: before each fix, what the driver said before it, and the plan in force then."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np

from geo.fold import claims, elsewhere, parking
from geo.fold.in_force import InForce
from geo.fold.moments import Diary, Moment, Said
from geo.fold.parking import Over
from geo.fold.state import AFTER_PINGS
from geo.pings import UNKNOWN_MS, Ints, Rows
from geo.plan.plans import FOREVER_MS, Claim, Plan, Timeline
from geo.trust.fixes import Fixes
from geo.visits.tour import HERE


class Turns:
    """The inputs of each driver in their order: fixes and claims; writes into `tracks`.

    Attributes:
        next_claim: of drivers with claims, the place of the next one.
    """

    def __init__(
        self, tracks: Rows, was: Rows, fixes: Fixes, timelines: Sequence[Timeline], in_force: InForce, diary: Diary
    ) -> None:
        """Begin after what the tracks have heard.

        Args:
            tracks: (m,) to be moved on; their position is that of the last ping already.
            was: (m,) the same with the position before.
        """
        self.tracks, self.fixes, self.timelines = tracks, fixes, timelines
        self.in_force, self.diary = in_force, diary
        self.taken_up: set[int] = set()  # whose claim has them go on with a tour that was over
        self.next_claim = {van: _first(was[van], one) for van, one in enumerate(timelines) if one.claims}

    def due(self, vans: Ints, fixes: Ints) -> Ints:
        """Find those of some drivers for whom there is more to do at their fix than to fold it: rows of both."""
        return np.flatnonzero(self.fixes.known_ms[fixes] >= self.in_force.until_ms[vans])

    def come_to(self, vans: Ints, fixes: Ints) -> None:
        """Hear what was said before one fix each of some drivers, and put them on the plans in force: rows of both."""
        in_force, at_ms = self.in_force, self.fixes.rows["recorded_ms"][fixes]
        told = [i for i, van in enumerate(vans.tolist()) if van in self.next_claim] if self.next_claim else []
        for i in told:
            van, fix = int(vans[i]), int(fixes[i])
            self._hear_before(van, fix, int(self.fixes.known_ms[fix]))
            # a suspect is folded with the ping that clears it: time never goes back
            at_ms[i] = max(int(at_ms[i]), self._heard_ms(van))
        for i in in_force.stay(vans, at_ms):
            in_force.choose(int(vans[i]), Moment(int(fixes[i])), int(at_ms[i]))
        in_force.until_ms[vans] = [in_force.plan_until_ms[van] for van in vans.tolist()]
        for van in vans[told].tolist():
            in_force.until_ms[van] = min(in_force.plan_until_ms[van], self._next_claim_ms(van) + 1)

    def end(self, van: int, *, settles: bool) -> bool:
        """Hear what was said before a driver's position, or all; True when anything was."""
        mine, before = self.tracks[van], len(self.diary.said)
        self._hear_before(van, int(self.fixes.starts[van + 1]), FOREVER_MS if settles else int(mine["at_ms"]))
        if len(self.diary.said) == before:
            return False
        last_ms = self.diary.said[-1].claim.at_ms
        if last_ms >= mine["at_ms"]:
            mine["at_ms"] = last_ms
            for name, value in AFTER_PINGS.items():
                mine[name] = value
        return True

    def _next_claim_ms(self, van: int) -> int:
        place, told = self.next_claim[van], self.timelines[van].claims
        return told[place].at_ms if place < len(told) else FOREVER_MS

    def _heard_ms(self, van: int) -> int:
        place = self.next_claim[van]
        return self.timelines[van].claims[place - 1].at_ms if place else UNKNOWN_MS

    def _hear_before(self, van: int, fix: int, before_ms: int) -> None:
        said = self.diary.said
        while self._next_claim_ms(van) < before_ms:
            claim = self.timelines[van].claims[self.next_claim[van]]
            self.next_claim[van] += 1
            self._hear(van, Moment(fix, len(said)), claim)
            mine = self.tracks[van]
            said.append(Said(van, fix, claim, int(mine["route_id"]), int(mine["route_version"])))

    def _hear(self, van: int, moment: Moment, claim: Claim) -> None:
        """Let a claim change the tour: which one it is, what of its stops, whether it is done."""
        self._let_choose(van, moment, claim)
        self._let_end(van, claim)
        elsewhere.hear(self.in_force, van, moment, claim)
        self.in_force.choose(van, moment, claim.at_ms)
        plan = self.in_force.plans[van]
        if plan is None:
            return
        if plan.route_id == claim.route_id:
            self._apply(van, moment, claim, plan)
        memory = self.tracks["snap"][van]
        along_m = np.nan if memory["off"] else float(memory["along_m"])
        self.in_force.finish_if_done(van, moment, claim.at_ms, along_m, slow=False)

    def _let_choose(self, van: int, moment: Moment, claim: Claim) -> None:
        """Let a claim choose the route: by starting on it, or by reopening one that was done."""
        mine, timeline = self.tracks[van], self.timelines[van]
        finished = parking.finished_of(mine)
        is_over = claim.route_id in finished
        version = finished.pop(claim.route_id, 0)
        plan, _ = timeline.plan_at(claim.at_ms, finished, claim.route_id)
        if plan is None or plan.route_id != claim.route_id:
            return
        if claim.kind == "reopened" and is_over:
            done = timeline.plan(claim.route_id, version)
            if done is not None and all(claim.stop_id in one.stop_ids for one in (done, plan)):
                parking.unfinish(mine, claim.route_id)
                self.in_force.choose_again(van)
        elif claim.kind in claims.STARTS:
            if is_over and not self._take_up(van, moment, claim, plan):
                return
            mine["chosen"] = claim.route_id
            self.in_force.choose_again(van)

    def _let_end(self, van: int, claim: Claim) -> None:
        """Take a driver off a tour that is said to be over, or have them not come to it."""
        mine = self.tracks[van]
        if claim.kind not in claims.ENDS or parking.how_over(mine, claim.route_id) is Over.DONE:
            return
        plan, _ = self.timelines[van].plan_at(claim.at_ms, chosen=claim.route_id)
        if plan is not None and plan.route_id == claim.route_id:
            parking.finish(mine, plan.route_id, plan.version, Over.ENDED)
            if mine["chosen"] == plan.route_id:
                mine["chosen"] = 0
            self.in_force.choose_again(van)

    def _take_up(self, van: int, moment: Moment, claim: Claim, plan: Plan) -> bool:
        """Let a driver go on with a tour that was over; False where they only say when they came to its end."""
        mine = self.tracks[van]
        row = np.flatnonzero(plan.stop_ids == claim.stop_id)
        if len(row) and (not plan.owed[row[0]] or _is_at(mine, plan, int(row[0]))):
            return False
        if parking.how_over(mine, claim.route_id) is Over.DONE:
            self.in_force.reopen(van, moment, claim.at_ms, plan)
        parking.unfinish(mine, claim.route_id)
        self.taken_up.add(van)
        return True

    def _apply(self, van: int, moment: Moment, claim: Claim, plan: Plan) -> None:
        mine = self.tracks[van : van + 1]
        row = np.flatnonzero(plan.stop_ids == claim.stop_id)
        if van in self.taken_up or (len(row) and claim.kind in claims.SERVED):
            mine["worded"] = True
        self.taken_up.discard(van)
        if claim.kind == "route_started" or (claim.kind == "arrived" and len(row) and not mine["started"][0]):
            self.in_force.start(van, moment, claim.at_ms, plan)
        if len(row):
            for visit in claims.apply(claim, plan, mine["standing"], mine["visits"][0], int(row[0])):
                self.in_force.visited(van, moment, visit, plan)


def _is_at(track: np.void, plan: Plan, row: int) -> bool:
    """Tell whether the open visit of a driver is at a stop of their tour."""
    is_here = track["standing"]["open"] and track["visits"][row] & HERE
    return bool(track["route_id"] == plan.route_id and is_here)


def _first(track: np.void, timeline: Timeline) -> int:
    """Find the first claim after a track's position."""
    after = all(track[name] == value for name, value in AFTER_PINGS.items())
    return (bisect_right if after else bisect_left)(timeline.claims, int(track["at_ms"]), key=lambda claim: claim.at_ms)
