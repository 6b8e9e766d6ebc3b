"""Which plan each driver is on, until when, and what begins and ends with it: tours, and visits left open."""

from collections.abc import Sequence

import numpy as np

from geo.fold import parking
from geo.fold.moments import Diary, Moment
from geo.fold.state import leave_tour
from geo.pings import UNKNOWN_MS, Ints, Rows
from geo.plan.facts import FactType
from geo.plan.numbers import DEPOT_M
from geo.plan.plans import Plan, Timeline
from geo.visits import pace, stops, tour


class InForce:
    """The plan of each driver in force; writes into `tracks`.

    Attributes:
        plans: (m) None: on no plan.
        planned: (m,) who is on one.
        until_ms: (m,) until then nothing is to be done but to fold fixes.
        plan_until_ms: (m) until then the same plan is in force, if nobody says anything.
        start_ms: (m,) when their tours are planned to begin.
        home_m: (m,) from here on along the path a tour that returns to the depot may be done.
        ask: (m,) whether the tour is done is to be asked at the next fix.
    """

    def __init__(self, tracks: Rows, timelines: Sequence[Timeline], diary: Diary) -> None:
        self.tracks, self.timelines, self.diary = tracks, timelines, diary
        m = len(tracks)
        self.plans: list[Plan | None] = [None] * m
        self.planned = np.zeros(m, np.bool_)
        self.until_ms = np.full(m, UNKNOWN_MS)
        self.plan_until_ms = [UNKNOWN_MS] * m
        self.start_ms = np.zeros(m, np.int64)
        self.home_m = np.full(m, np.inf)
        self.ask = np.zeros(m, np.bool_)

    def plans_of(self, vans: Ints) -> list[Plan]:
        """Give the plans of drivers who are on one."""
        return [plan for plan in (self.plans[van] for van in vans.tolist()) if plan is not None]

    def choose_again(self, van: int) -> None:
        """Have the plan chosen anew at the next input."""
        self.plan_until_ms[van] = UNKNOWN_MS

    def choose(self, van: int, moment: Moment, at_ms: int) -> None:
        """Put a driver on the plan in force, if that may have changed."""
        if at_ms < self.plan_until_ms[van]:
            return
        timeline, track = self.timelines[van], self.tracks[van]
        finished = parking.finished_of(track)
        over = finished
        if track["standing"]["open"] and int(track["route_id"]) in finished:
            # the van is at the depot: its tour lasts until it leaves
            over = {route_id: version for route_id, version in finished.items() if route_id != track["route_id"]}
        plan, self.plan_until_ms[van] = timeline.plan_at(at_ms, over, int(track["chosen"]))
        if plan is None or (track["route_id"], track["route_version"]) != (plan.route_id, plan.version):
            self._change(van, moment, plan)
        if plan is not None:
            if plan.route_id in finished and timeline.new_stops(plan, finished[plan.route_id]):
                parking.drive_on(track, timeline, plan, finished[plan.route_id])
            self.start_ms[van] = plan.start_ms
            self.home_m[van] = plan.length_m - DEPOT_M if plan.return_to_depot else np.inf
        self.plans[van], self.planned[van] = plan, plan is not None

    def _change(self, van: int, moment: Moment, plan: Plan | None) -> None:
        """Put a driver on another plan, closing or carrying over what was open on the one before."""
        mine, track, timeline = self.tracks[van : van + 1], self.tracks[van], self.timelines[van]
        before = timeline.plan(int(track["route_id"]), int(track["route_version"])) if track["route_id"] else None
        if before is not None and plan is not None and plan.route_id == before.route_id:
            open_row = int(mine["standing"]["open"][0]) - 1
            if open_row >= 0 and before.stop_ids[open_row] not in plan.stop_ids:
                self._close(van, moment, before)
            parking.carry_over(mine, before, plan)
        else:
            self._close(van, moment, before)
            parking.park(track)
            leave_tour(mine)
            if plan is not None:
                parking.take_up(mine, timeline, plan)
        if plan is not None:
            mine["route_id"], mine["route_version"] = plan.route_id, plan.version
            self.ask[van] = True

    def _close(self, van: int, moment: Moment, plan: Plan | None) -> None:
        """End an open visit because its stop or route is no longer the driver's."""
        standing = self.tracks["standing"][van : van + 1]
        for visit in stops.close(standing, 0, self.tracks["visits"][van], int(standing["inside_ms"][0])):
            if plan is not None:
                self.visited(van, moment, visit, plan)

    def start(self, van: int, moment: Moment, at_ms: int, plan: Plan) -> None:
        """Begin a tour as the driver says; once a stop was visited it had begun, and they have come back to it."""
        mine = self.tracks[van]
        if mine["started"] == 0 or (mine["started"] == 1 and not (mine["visits"] & tour.VISITS).any()):
            mine["started"] = 2
            self.diary.happened(moment, FactType.ROUTE_STARTED, at_ms, plan)

    def visited(self, van: int, moment: Moment, visit: stops.Visit, plan: Plan) -> None:
        """Tell of an arrival or departure."""
        pace.visited(self.tracks["pace"][van], plan, visit)
        kind = FactType.STOP_ARRIVED if visit.arrived else FactType.STOP_DEPARTED
        stop_id = int(plan.stop_ids[visit.row])
        self.diary.happened(moment, kind, visit.occurred_ms, plan, stop_id=stop_id, ordinal=visit.ordinal)

    def finish_if_done(self, van: int, moment: Moment, at_ms: int, along_m: float, *, slow: bool) -> None:
        """Complete a tour that is done (`geo.visits.tour.is_done`) and take its driver off it once at no stop.

        Args:
            along_m: place along the path; NaN off it.
            slow: the van stands.
        """
        mine, plan = self.tracks[van], self.plans[van]
        assert plan is not None
        self.ask[van] = False
        at_a_stop = bool(mine["standing"]["open"])
        if plan.route_id not in mine["finished"]:
            if not tour.is_done(plan, mine["visits"], mine["standing"], along_m, slow=slow):
                return
            if at_a_stop and tour.ends_at_depot(plan):
                at_ms = int(mine["standing"]["arrived_ms"])
            mine["completed"] = min(int(mine["completed"]) + 1, 255)
            self.diary.happened(moment, FactType.ROUTE_COMPLETED, at_ms, plan, ordinal=int(mine["completed"]))
            parking.finish(mine, plan)
        if at_a_stop:
            return  # what is said and seen of the visit still counts
        if mine["chosen"] == plan.route_id:
            mine["chosen"] = 0
        self.choose_again(van)  # the next input is on another plan or none
        self.until_ms[van] = UNKNOWN_MS
