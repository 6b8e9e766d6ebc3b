"""Which plan each driver is on, until when, and what begins and ends with it: tours, and visits left open.

To have done a tour and to have left it for the next one are two things. A tour with open stops is never done by what
the map says; but who has nothing ahead on it, and is seen on the next one, is on that, and comes back when the driver
says so or nothing else is to be driven.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from geo.fold import onward, parking
from geo.fold.moments import Diary, Moment
from geo.fold.parking import Over
from geo.fold.state import leave_tour
from geo.pings import UNKNOWN_MS, Ints, Rows
from geo.plan.facts import FactType
from geo.plan.numbers import DEPOT_M
from geo.plan.plans import Plan, Timeline
from geo.visits import pace, stops, tour

_NOTHING: Mapping[int, int] = MappingProxyType({})


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
        next_of: of drivers who have another tour to go on to, that one.
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
        self.next_of: dict[int, Plan] = {}

    def plans_of(self, vans: Ints) -> list[Plan]:
        """Give the plans of drivers who are on one."""
        return [plan for plan in (self.plans[van] for van in vans.tolist()) if plan is not None]

    def choose_again(self, van: int) -> None:
        """Have the plan chosen anew at the next input."""
        self.plan_until_ms[van] = UNKNOWN_MS

    def stay(self, vans: Ints, at_ms: Ints) -> list[int]:
        """Put drivers who stay on the plan that their tracks say on it; mostly all do, and come here at every call.

        Args:
            vans: (k,) who.
            at_ms: (k,) when.

        Returns:
            Places in `vans` of the others, to `choose` for.
        """
        columns = [self.tracks[name][vans].tolist() for name in ("route_id", "route_version", "chosen")]
        finished = parking.finished_of_each(self.tracks, vans)
        others: list[int] = []
        stay: list[int] = []
        for i, (van, ms, *on, chosen) in enumerate(zip(vans.tolist(), at_ms.tolist(), *columns, strict=True)):
            if ms < self.plan_until_ms[van]:
                continue
            over = finished.get(i, _NOTHING)
            plan, until_ms = self.timelines[van].plan_at(ms, over, chosen)
            if plan is None and not on[0] and not over:
                self.plan_until_ms[van] = until_ms
            elif plan is None or [plan.route_id, plan.version] != on or plan.route_id in over:
                others.append(i)
            else:
                self.plans[van], self.plan_until_ms[van] = plan, until_ms
                self._note_next(van, ms, plan, over)
                stay.append(van)
        plans = self.plans_of(np.array(stay, np.int64))
        self.planned[stay] = True
        self.start_ms[stay], self.home_m[stay] = [plan.start_ms for plan in plans], [_home_m(plan) for plan in plans]
        return others

    def choose(self, van: int, moment: Moment, at_ms: int) -> None:
        """Put a driver on the plan in force, if that may have changed."""
        if at_ms < self.plan_until_ms[van]:
            return
        timeline, track = self.timelines[van], self.tracks[van]
        finished = parking.finished_of(track)
        plan = self._find(van, at_ms, finished)
        was = int(track["route_id"]), int(track["route_version"])
        if plan is None or was != (plan.route_id, plan.version):
            self._change(van, moment, plan)
        if plan is not None:
            if plan.route_id in finished:
                self._take_up(track, timeline, plan, finished[plan.route_id])
            self.start_ms[van], self.home_m[van] = plan.start_ms, _home_m(plan)
        self.plans[van], self.planned[van] = plan, plan is not None

    def _take_up(self, track: np.void, timeline: Timeline, plan: Plan, version: int) -> None:
        """Go on with a tour that was over: one with new stops, or one that was left."""
        if timeline.new_stops(plan, version):
            parking.drive_on(track, timeline, plan, version)
        elif parking.how_over(track, plan.route_id) is Over.LEFT:
            parking.unfinish(track, plan.route_id)

    def _find(self, van: int, at_ms: int, finished: dict[int, int]) -> Plan | None:
        """Find the plan a driver is on, and note which one comes after it."""
        timeline, track = self.timelines[van], self.tracks[van]
        over = finished
        if finished and int(track["route_id"]) in finished and track["standing"]["open"]:
            # the van is at the depot: its tour lasts until it leaves
            over = {route_id: version for route_id, version in finished.items() if route_id != track["route_id"]}
        plan, self.plan_until_ms[van] = timeline.plan_at(at_ms, over, int(track["chosen"]))
        self._note_next(van, at_ms, plan, over)
        if plan is None:
            # nothing else is to be driven: a tour that was left
            plan, _ = timeline.plan_at(at_ms, parking.finished_of(track, but_left=True), int(track["chosen"]))
        return plan

    def _note_next(self, van: int, at_ms: int, plan: Plan | None, over: Mapping[int, int]) -> None:
        """Note which plan comes after the one that a driver is on."""
        timeline = self.timelines[van]
        self.next_of.pop(van, None)
        if plan is not None and len(timeline.plans) > 1:
            after, _ = timeline.plan_at(at_ms, {**over, plan.route_id: plan.version})
            if after is not None:
                self.next_of[van] = after

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
        self.diary.visited(moment, visit, plan)

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
            worded = bool(mine["worded"])
            if not tour.is_done(plan, mine["visits"], mine["standing"], along_m, slow=slow, worded=worded):
                return
            if at_a_stop and tour.ends_at_depot(plan):
                at_ms = int(mine["standing"]["arrived_ms"])
            self.complete(mine, moment, at_ms, plan)
        if not at_a_stop:  # what is said and seen of an open visit still counts
            self._take_off(van, plan)

    def complete(self, mine: np.void, moment: Moment, at_ms: int, plan: Plan) -> None:
        """Say that a tour is done.

        Args:
            mine: what is remembered of it: the track of its driver, or the tour among those parked there.
        """
        mine["completed"] = min(int(mine["completed"]) + 1, 255)
        self.diary.happened(moment, FactType.ROUTE_COMPLETED, at_ms, plan, ordinal=int(mine["completed"]))
        if mine.dtype == self.tracks.dtype:
            parking.finish(mine, plan.route_id, plan.version, Over.DONE)

    def reopen(self, van: int, moment: Moment, at_ms: int, plan: Plan) -> None:
        """Say that a tour which was done is not: somebody spoke of it after."""
        mine = parking.remembered(self.tracks[van], plan.route_id)
        ordinal = 1 if mine is None else max(int(mine["completed"]), 1)
        self.diary.happened(moment, FactType.ROUTE_REOPENED, at_ms, plan, ordinal=ordinal)

    def move_on(self, van: int, at_ms: int, place: tuple[float, float], along_m: float, *, slow: bool) -> None:
        """Take a driver off a tour with nothing ahead who is seen to be on the next one; its open stops stay open.

        Args:
            place: lon, lat of the fix.
            along_m, slow: as in `finish_if_done`.
        """
        mine, plan = self.tracks[van], self.plans[van]
        assert plan is not None
        if plan.route_id in mine["finished"] or mine["standing"]["open"]:
            return
        left = tour.open_rows(plan, mine["visits"], worded=bool(mine["worded"]))
        said = mine["chosen"] == plan.route_id
        if not onward.seen_on(self.next_of[van], plan, left, at_ms, place, slow=slow, said=said):
            return
        if tour.is_passed(plan, mine["visits"], mine["standing"], along_m, slow=slow):
            parking.finish(mine, plan.route_id, plan.version, Over.LEFT)
            self._take_off(van, plan)

    def _take_off(self, van: int, plan: Plan) -> None:
        """Have the next input be on another plan or none."""
        mine = self.tracks[van]
        if mine["chosen"] == plan.route_id:
            mine["chosen"] = 0
        self.choose_again(van)
        self.until_ms[van] = UNKNOWN_MS


def _home_m(plan: Plan) -> float:
    """Tell from where on along the path a tour may be done; never by the place alone if it does not return."""
    return plan.length_m - DEPOT_M if plan.return_to_depot else np.inf
