"""One fix each of drivers on a plan: snapped, the facts of its route and its stops, and whether the tour is done."""

import numpy as np

from geo.fold.in_force import InForce
from geo.fold.moments import Diary, Moment
from geo.fold.results import Results
from geo.pings import Bools, Ints, Rows, picked
from geo.plan.facts import FactType
from geo.plan.numbers import DEPOT_M, STOP_SLACK_M
from geo.snap import snap
from geo.snap.snap import Snapped
from geo.step.chosen import step_of
from geo.step.stepped import Stepped
from geo.trust.fixes import Here
from geo.visits import pace, stops, tour


class Steps:
    """The steps of a fix; writes into `tracks` and `results`.

    Attributes:
        step: judges fixes, compiled or in NumPy.
    """

    def __init__(self, tracks: Rows, results: Results, in_force: InForce, diary: Diary) -> None:
        self.tracks, self.results, self.in_force, self.diary = tracks, results, in_force, diary
        self.step = step_of(len(tracks))

    def fold(self, vans: Ints, fixes: Ints) -> None:
        """Fold one fix each of some drivers.

        Args:
            vans, fixes: (n,) rows of both.
        """
        tracks = self.tracks
        here = self.results.here(fixes, self.in_force.plans_of(vans))
        was, visits = picked(tracks["snap"], vans), tracks["visits"][vans]
        stepped = self.step(vans, was, picked(tracks["standing"], vans), visits, here)
        memory, standing, snapped, stood = stepped.snap, stepped.standing, stepped.snapped, stepped.stood
        self._tell_route(vans, fixes, here, snapped)

        happened = stops.come_and_go(standing, visits, here, stood)
        tracks["standing"][vans] = standing
        tracks["pace"][vans] = pace.begin(tracks["pace"][vans], here.ms, snapped.along_m)
        for visit in happened:
            i = visit.van
            self.in_force.visited(int(vans[i]), Moment(int(fixes[i])), visit, here.plans[i])
            tracks["visits"][vans[i]] = visits[i]
            if visit.arrived:
                at_m = float(here.plans[i].stops[visit.row, 3])
                if np.isnan(snapped.along_m[i]):
                    snap.served_off_path(memory, i, at_m)
                elif abs(snapped.along_m[i] - at_m) <= STOP_SLACK_M:
                    snap.served_on_path(memory, i)
        self._finish(vans, fixes, here, snapped, stood.slow, {visit.van for visit in happened})

        self._pin(vans, here, was, stepped)
        tracks["snap"][vans] = memory
        self.results.snapped(fixes, snapped)

    def _tell_route(self, vans: Ints, fixes: Ints, here: Here, snapped: Snapped) -> None:
        """Tell which tours began, and who left their path or came back."""
        begun = (
            snapped.on_route
            & (self.tracks["started"][vans] == 0)
            & ((here.ms >= self.in_force.start_ms[vans]) | (snapped.along_m > DEPOT_M))
        )
        for i in np.flatnonzero(begun | snapped.went_off | snapped.came_back).tolist():
            moment, ms, plan = Moment(int(fixes[i])), int(here.ms[i]), here.plans[i]
            off_ms, mine = int(snapped.off_ms[i]), self.tracks[vans[i]]
            if begun[i]:
                mine["started"] = 1
                self.diary.happened(moment, FactType.ROUTE_STARTED, ms, plan)
            if snapped.went_off[i]:
                # a tour with nothing ahead but open stops goes on without a path
                last, along_m = int(mine["standing"]["last"]), float(mine["snap"]["along_m"])
                mine["off_untold"] = tour.lies_behind(plan, mine["visits"], last, along_m)
            if mine["off_untold"]:
                continue
            if snapped.went_off[i]:
                self.diary.happened(moment, FactType.ROUTE_OFF, off_ms, plan, ordinal=off_ms)
            elif snapped.came_back[i]:
                self.diary.happened(moment, FactType.ROUTE_BACK, ms, plan, ordinal=off_ms)

    def _finish(self, vans: Ints, fixes: Ints, here: Here, snapped: Snapped, slow: Bools, visiting: set[int]) -> None:
        """Ask whether tours are done: of those who are home, who had a visit, and who are new on their plan."""
        moving_on = [i for i, van in enumerate(vans.tolist()) if van in self.in_force.next_of]
        home = self.in_force.ask[vans] | (snapped.along_m >= self.in_force.home_m[vans])
        for i in sorted(visiting.union(np.flatnonzero(home).tolist())):
            moment, ms, along_m = Moment(int(fixes[i])), int(here.ms[i]), float(snapped.along_m[i])
            self.in_force.finish_if_done(int(vans[i]), moment, ms, along_m, slow=bool(slow[i]))
        for i in moving_on:
            van, fix = int(vans[i]), self.results.fixes.rows[fixes[i]]
            place = float(fix["lon_e6"]) * 1e-6, float(fix["lat_e6"]) * 1e-6
            self.in_force.move_on(van, int(here.ms[i]), place, float(snapped.along_m[i]), slow=bool(slow[i]))

    def _pin(self, vans: Ints, here: Here, was: Rows, stepped: Stepped) -> None:
        """Tell those who stand at a stop to be where their fixes are on the mean; writes into what came of the step."""
        memory, snapped = stepped.snap, stepped.snapped
        pinned, told_m = stops.pin(stepped.standing, stepped.stood.slow, here.ms, snapped.along_m, was)
        x_m, y_m = self.step.places_at(vans[pinned], [here.plans[i] for i in pinned.tolist()], told_m)
        snapped.along_m[pinned], snapped.x_m[pinned], snapped.y_m[pinned] = told_m, x_m, y_m
        memory["along_m"][pinned], memory["path_x_m"][pinned], memory["path_y_m"][pinned] = told_m, x_m, y_m
