"""The part of the fold that goes step by step: the tour, fix by fix, and what drivers say in between."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geo.fold import claims, moments, pace, parking, snap, stops, tour
from geo.fold.fixes import Fixes, Here
from geo.fold.numbers import AT_ONCE, DEPOT_M
from geo.fold.state import AFTER_PINGS, leave_tour
from geo.pings import UNKNOWN_MS, Bools, Floats, Ints, Rows
from geo.plan import fence
from geo.plan.facts import JUDGED, FactType
from geo.plan.plans import FOREVER_MS, Claim, Plan, Timeline, place_at
from geo.shape import plane

_SHOWN = (
    "device_id", "recorded_ms", "received_ms", "lat_e6", "lon_e6", "accuracy_m", "speed_mps", "heading_deg", "battery"
)  # fmt: skip
"""What the track shows of the newest believed ping."""


class Drive:
    """One fold of some fixes and claims. Lives for one call; writes into `tracks`.

    A moment, below, is as in `geo.fold.moments`.
    """

    def __init__(self, tracks: Rows, was: Rows, fixes: Fixes, timelines: Sequence[Timeline]) -> None:
        """Begin.

        Args:
            tracks: (m,) to be moved on; their position is that of the last ping already.
            was: (m,) the same with the position before.
        """
        self.tracks, self.fixes, self.timelines = tracks, fixes, timelines
        m, f = len(tracks), len(fixes.rows)
        self.ms = fixes.rows["recorded_ms"].copy()
        self.lon, self.lat = fixes.rows["lon_e6"] * 1e-6, fixes.rows["lat_e6"] * 1e-6
        self.accuracy_m = fixes.rows["accuracy_m"].astype(np.float64)
        self.speed_mps = fixes.rows["speed_mps"].astype(np.float64)
        self.heading_deg = fixes.rows["heading_deg"].astype(np.float64)
        # per driver: the plan in force, until when that is so, and what is often asked of it
        self.plans: list[Plan | None] = [None] * m
        self.plan_until_ms = [UNKNOWN_MS] * m
        self.until_ms = np.full(m, UNKNOWN_MS)  # until then nothing is to be done but to fold fixes
        self.planned = np.zeros(m, np.bool_)
        self.start_ms = np.zeros(m, np.int64)
        self.home_m = np.full(m, np.inf)  # from here on along the path a tour that returns to the depot may be done
        self.ask = np.zeros(m, np.bool_)  # whether the tour is done is to be asked at the next fix
        # per driver with claims: the next one, and the time of the last
        self.next_claim = {van: _first(was[van], one) for van, one in enumerate(timelines) if one.claims}
        self.said: list[moments.Said] = []
        self.on_after: list[tuple[int, int]] = []  # the route and version after each
        # per fix: place on the plan's plane, and what came of it
        self.lon0, self.lat0 = np.zeros(f), np.zeros(f)
        self.x_m, self.y_m = np.full(f, np.nan), np.full(f, np.nan)
        self.on_route = np.zeros(f, np.bool_)
        self.route_id, self.route_version = np.zeros(f, np.int64), np.zeros(f, np.int32)
        self.along_m, self.offset_m = np.full(f, np.nan), np.full(f, np.nan)
        self.along_sd_m, self.on_route_p = np.full(f, np.nan), np.full(f, np.nan)
        self.path_x_m, self.path_y_m = np.full(f, np.nan), np.full(f, np.nan)
        self.facts: list[moments.Fact] = []

    def run(self, settles: Bools) -> None:
        """Fold all fixes, the k-th of all drivers at a time, and the claims between them.

        Args:
            settles: (m,) whose claims after their last ping are folded too.
        """
        starts = self.fixes.starts
        count = np.diff(starts)
        for k in range(int(count.max(initial=0))):
            vans = np.flatnonzero(count > k)
            fixes = starts[vans] + k
            wake = np.flatnonzero(self.fixes.known_ms[fixes] >= self.until_ms[vans])
            if len(wake):
                for van, fix in zip(vans[wake].tolist(), fixes[wake].tolist(), strict=True):
                    self._come_to(van, fix)
                self._project(vans[wake], fixes[wake])
            self.route_id[fixes], self.route_version[fixes] = (
                self.tracks["route_id"][vans],
                self.tracks["route_version"][vans],
            )
            driving = np.flatnonzero(self.planned[vans])
            for begin in range(0, len(driving), AT_ONCE):
                some = driving[begin : begin + AT_ONCE]
                self._step(vans[some], fixes[some])
        self._show_fixes()
        changed = count > 0
        for van in self.next_claim:
            changed[van] |= self._end(van, bool(settles[van]))
        self._show_next(np.flatnonzero(changed))

    # plans and claims -------------------------------------------------------------------------------------------------

    def _come_to(self, van: int, fix: int) -> None:
        """Hear what was said before a fix, and put its driver on the plan in force."""
        if van in self.next_claim:
            self._hear_before(van, fix, int(self.fixes.known_ms[fix]))
            # a suspect is folded with the ping that clears it: time never goes back
            self._choose_plan(van, fix, max(int(self.ms[fix]), self._heard_ms(van)))
            self.until_ms[van] = min(self.plan_until_ms[van], self._next_claim_ms(van) + 1)
        else:
            self._choose_plan(van, fix, int(self.ms[fix]))
            self.until_ms[van] = self.plan_until_ms[van]

    def _end(self, van: int, settles: bool) -> bool:
        """Hear what was said before a driver's position, or all; True when anything was."""
        mine, before = self.tracks[van], len(self.said)
        self._hear_before(van, int(self.fixes.starts[van + 1]), FOREVER_MS if settles else int(mine["at_ms"]))
        if len(self.said) == before:
            return False
        if self.said[-1][2].at_ms >= mine["at_ms"]:
            mine["at_ms"] = self.said[-1][2].at_ms
            for name, value in AFTER_PINGS.items():
                mine[name] = value
        return True

    def _hear_before(self, van: int, fix: int, before_ms: int) -> None:
        while self._next_claim_ms(van) < before_ms:
            claim = self.timelines[van].claims[self.next_claim[van]]
            self.next_claim[van] += 1
            self.said.append((van, fix, claim))
            self._hear(van, ~(len(self.said) - 1), claim)
            self.on_after.append((int(self.tracks["route_id"][van]), int(self.tracks["route_version"][van])))

    def _next_claim_ms(self, van: int) -> int:
        place, told = self.next_claim[van], self.timelines[van].claims
        return told[place].at_ms if place < len(told) else FOREVER_MS

    def _heard_ms(self, van: int) -> int:
        place = self.next_claim[van]
        return self.timelines[van].claims[place - 1].at_ms if place else UNKNOWN_MS

    def _hear(self, van: int, moment: int, claim: Claim) -> None:
        """Let a claim change the tour."""
        mine, timeline = self.tracks[van : van + 1], self.timelines[van]
        finished = parking.finished_of(mine[0])
        if claim.kind == "reopened" and claim.route_id in finished:
            version = finished.pop(claim.route_id)
            done = timeline.plan(claim.route_id, version)
            plan, _ = timeline.plan_at(claim.at_ms, finished, claim.route_id)
            both = [one for one in (done, plan) if one and one.route_id == claim.route_id]
            if len(both) == 2 and all(claim.stop_id in one.stop_ids for one in both):
                parking.unfinish(mine[0], claim.route_id)
                self.plan_until_ms[van] = UNKNOWN_MS
        elif claim.kind in claims.STARTS:
            plan, _ = timeline.plan_at(claim.at_ms, finished, claim.route_id)
            if plan is not None and plan.route_id == claim.route_id:
                mine["chosen"] = claim.route_id
                self.plan_until_ms[van] = UNKNOWN_MS
        self._choose_plan(van, moment, claim.at_ms)
        plan = self.plans[van]
        if plan is None:
            return
        if plan.route_id == claim.route_id:
            self._apply(van, moment, claim, plan)
        memory = mine["snap"][0]
        along_m = np.nan if memory["off"] else float(memory["along_m"])
        self._ask_done(van, moment, claim.at_ms, plan, along_m, slow=False)

    def _apply(self, van: int, moment: int, claim: Claim, plan: Plan) -> None:
        mine = self.tracks[van : van + 1]
        row = np.flatnonzero(plan.stop_ids == claim.stop_id)
        if claim.kind == "route_started" or (claim.kind == "arrived" and len(row) and not mine["started"][0]):
            self._start(van, moment, claim.at_ms, plan)
        if len(row):
            for visit in claims.apply(claim, mine["standing"], mine["visits"][0], int(row[0])):
                self._visited(moment, visit, plan, van)

    def _start(self, van: int, moment: int, at_ms: int, plan: Plan) -> None:
        """Begin a tour as the driver says; once a stop was visited it had begun, and they have come back to it."""
        mine = self.tracks[van]
        if mine["started"] == 0 or (mine["started"] == 1 and not (mine["visits"] & tour.VISITS).any()):
            mine["started"] = 2
            self._happened(moment, FactType.ROUTE_STARTED, at_ms, plan, -1, 1)

    def _choose_plan(self, van: int, moment: int, at_ms: int) -> None:
        """Put a driver on the plan in force, closing or carrying over what was open on another."""
        if at_ms < self.plan_until_ms[van]:
            return
        timeline, track = self.timelines[van], self.tracks[van]
        old = (int(track["route_id"]), int(track["route_version"]))
        finished = parking.finished_of(track)
        over = finished
        if track["standing"]["open"] and old[0] in finished:  # the van is at the depot: its tour lasts until it leaves
            over = {route_id: version for route_id, version in finished.items() if route_id != old[0]}
        plan, self.plan_until_ms[van] = timeline.plan_at(at_ms, over, int(track["chosen"]))
        if plan is None or old != (plan.route_id, plan.version):
            mine = self.tracks[van : van + 1]
            before = timeline.plan(*old) if old[0] else None
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
        if plan is not None:
            if plan.route_id in finished and timeline.new_stops(plan, finished[plan.route_id]):
                parking.drive_on(track, timeline, plan, finished[plan.route_id])
            self.start_ms[van] = plan.start_ms
            self.home_m[van] = plan.length_m - DEPOT_M if plan.return_to_depot else np.inf
        self.plans[van], self.planned[van] = plan, plan is not None

    def _project(self, vans: Ints, fixes: Ints) -> None:
        """Put the remaining fixes of drivers on the planes of their plans."""
        planned = np.flatnonzero(self.planned[vans])
        plans = [plan for plan in (self.plans[van] for van in vans[planned].tolist()) if plan is not None]
        begin, end = fixes[planned], self.fixes.starts[vans[planned] + 1]
        count = end - begin
        rest = np.repeat(begin - (np.cumsum(count) - count), count) + np.arange(count.sum())
        self.lon0[rest] = np.repeat([plan.lon0 for plan in plans], count)
        self.lat0[rest] = np.repeat([plan.lat0 for plan in plans], count)
        self.x_m[rest], self.y_m[rest] = plane.project(self.lon[rest], self.lat[rest], self.lon0[rest], self.lat0[rest])

    def _close(self, van: int, moment: int, plan: Plan | None) -> None:
        """End an open visit because its stop or route is no longer the driver's."""
        standing = self.tracks["standing"][van : van + 1]
        for visit in stops.close(standing, 0, self.tracks["visits"][van], int(standing["inside_ms"][0])):
            if plan is not None:
                self._visited(moment, visit, plan, van)

    # fixes ------------------------------------------------------------------------------------------------------------

    def _step(self, vans: Ints, fixes: Ints) -> None:
        """Fold one fix each of some drivers who are on a plan."""
        tracks, ms, x_m, y_m = self.tracks, self.ms[fixes], self.x_m[fixes], self.y_m[fixes]
        plans = [plan for plan in (self.plans[van] for van in vans.tolist()) if plan is not None]
        accuracy_m, speed_mps = self.accuracy_m[fixes], self.speed_mps[fixes]
        was_ms, was_along_m = tracks["snap"]["ms"][vans], tracks["snap"]["along_m"][vans]
        here = Here(
            plans=plans, ms=ms, x_m=x_m, y_m=y_m, accuracy_m=accuracy_m, speed_mps=speed_mps,
            heading_deg=self.heading_deg[fixes],
        )  # fmt: skip
        memory, snapped = snap.step(tracks["snap"][vans], here)
        self.on_route[fixes], self.offset_m[fixes] = snapped.on_route, snapped.offset_m
        self.along_sd_m[fixes], self.on_route_p[fixes] = snapped.along_sd_m, snapped.on_route_p

        begun = (
            snapped.on_route
            & (tracks["started"][vans] == 0)
            & ((ms >= self.start_ms[vans]) | (snapped.along_m > DEPOT_M))
        )
        for i in np.flatnonzero(begun | snapped.went_off | snapped.came_back).tolist():
            if begun[i]:
                tracks["started"][vans[i]] = 1
                self._happened(int(fixes[i]), FactType.ROUTE_STARTED, int(ms[i]), plans[i], -1, 1)
            if snapped.went_off[i] or snapped.came_back[i]:
                off_ms = int(snapped.off_ms[i])
                if snapped.went_off[i]:
                    self._happened(int(fixes[i]), FactType.ROUTE_OFF, off_ms, plans[i], -1, off_ms)
                else:
                    self._happened(int(fixes[i]), FactType.ROUTE_BACK, int(ms[i]), plans[i], -1, off_ms)

        visits = tracks["visits"][vans]
        standing, happened, slow = stops.step(
            tracks["standing"][vans], visits, plans, ms, x_m, y_m, snapped.along_m, accuracy_m, speed_mps
        )
        tracks["standing"][vans] = standing
        tracks["pace"][vans] = pace.begin(tracks["pace"][vans], ms, snapped.along_m)
        ask = set(np.flatnonzero(self.ask[vans] | (snapped.along_m >= self.home_m[vans])).tolist())
        for visit in happened:
            i = visit.van
            self._visited(int(fixes[i]), visit, plans[i], int(vans[i]))
            tracks["visits"][vans[i]] = visits[i]
            ask.add(i)
        for i in sorted(ask):
            self._ask_done(
                int(vans[i]), int(fixes[i]), int(ms[i]), plans[i], float(snapped.along_m[i]), slow=bool(slow[i])
            )

        pinned, told_m = stops.pin(standing, slow, ms, snapped.along_m, was_ms, was_along_m)
        for i, along_m in zip(pinned.tolist(), told_m.tolist(), strict=True):
            place = along_m, *place_at(plans[i], along_m)
            snapped.along_m[i], snapped.x_m[i], snapped.y_m[i] = place
            memory["along_m"][i], memory["path_x_m"][i], memory["path_y_m"][i] = place
        tracks["snap"][vans] = memory
        self.along_m[fixes], self.path_x_m[fixes], self.path_y_m[fixes] = snapped.along_m, snapped.x_m, snapped.y_m

    def _ask_done(self, van: int, moment: int, at_ms: int, plan: Plan, along_m: float, *, slow: bool) -> None:
        mine = self.tracks[van]
        self.ask[van] = False
        at_a_stop = bool(mine["standing"]["open"])
        if plan.route_id not in mine["finished"]:
            if not tour.is_done(plan, mine["visits"], mine["standing"], along_m, slow=slow):
                return
            if at_a_stop and tour.ends_at_depot(plan):
                at_ms = int(mine["standing"]["arrived_ms"])
            mine["completed"] = min(int(mine["completed"]) + 1, 255)
            self._happened(moment, FactType.ROUTE_COMPLETED, at_ms, plan, -1, int(mine["completed"]))
            parking.finish(mine, plan)
        if at_a_stop:
            return  # what is said and seen of the visit still counts
        if mine["chosen"] == plan.route_id:
            mine["chosen"] = 0
        self.plan_until_ms[van] = UNKNOWN_MS  # the next input is on another plan or none
        self.until_ms[van] = UNKNOWN_MS

    def _visited(self, moment: int, visit: stops.Visit, plan: Plan, van: int) -> None:
        pace.visited(self.tracks["pace"][van], plan, visit)
        kind = FactType.STOP_ARRIVED if visit.arrived else FactType.STOP_DEPARTED
        self._happened(moment, kind, visit.occurred_ms, plan, visit.row, visit.ordinal)

    def _happened(self, moment: int, kind: FactType, occurred_ms: int, plan: Plan, row: int, ordinal: int) -> None:
        stop_id = int(plan.stop_ids[row]) if row >= 0 else 0
        self.facts.append((moment, kind, occurred_ms, plan.route_id, plan.version, stop_id, ordinal))

    # what is shown ----------------------------------------------------------------------------------------------------

    def _show_fixes(self) -> None:
        """Show each driver's newest believed ping in the track."""
        starts = self.fixes.starts
        vans = np.flatnonzero(np.diff(starts))
        last = starts[1:][vans] - 1
        tracks, rows = self.tracks, self.fixes.rows[last]
        for name in _SHOWN:
            tracks[name][vans] = rows[name]
        memory = tracks["snap"][vans]
        tracks["on_route"][vans], tracks["offset_m"][vans] = self.on_route[last], self.offset_m[last]
        tracks["along_m"][vans] = memory["along_m"]
        tracks["along_sd_m"][vans], tracks["on_route_p"][vans] = self.along_sd_m[last], self.on_route_p[last]
        driving = np.flatnonzero(~np.isnan(memory["along_m"]) & self.planned[vans])
        lon, lat = plane.unproject(
            memory["path_x_m"][driving], memory["path_y_m"][driving], self.lon0[last[driving]], self.lat0[last[driving]]
        )
        tracks["snapped_lon_e6"][vans[driving]], tracks["snapped_lat_e6"][vans[driving]] = _e6(lon), _e6(lat)

    def _show_next(self, vans: Ints) -> None:
        """Show the next stop of drivers and how late they are."""
        tracks = self.tracks
        standing, visits = tracks["standing"][vans], tracks["visits"][vans]
        next_stop_id, delay_s = tracks["next_stop_id"][vans], tracks["delay_s"][vans]
        columns = (
            standing["last"],
            standing["open"],
            standing["open_count"],
            standing["arrived_ms"],
            tracks["snap"]["along_m"][vans],
            tracks["recorded_ms"][vans],
        )
        for i, (last_row, at, count, arrived_ms, along_m, ms) in enumerate(
            zip(*(column.tolist() for column in columns), strict=True)
        ):
            plan = self.plans[vans[i]]
            if plan is not None:
                row = tour.next_row(plan, visits[i], last_row, along_m)
                next_stop_id[i] = plan.stop_ids[row] if row < len(plan.stop_ids) else 0
                if ms != UNKNOWN_MS:
                    delay_s[i] = tour.delay_s(plan, row, along_m, ms, at=at - 1, count=count, arrived_ms=arrived_ms)
        tracks["next_stop_id"][vans], tracks["delay_s"][vans] = next_stop_id, delay_s

    # what follows -----------------------------------------------------------------------------------------------------

    def judged(self) -> Rows:
        """Give what came of every fix, of dtype `JUDGED`."""
        judged = np.zeros(len(self.fixes.rows), JUDGED)
        judged["flags"], judged["believed"] = self.fixes.flags, True
        judged["on_route"], judged["route_id"], judged["route_version"] = (
            self.on_route,
            self.route_id,
            self.route_version,
        )
        judged["along_m"], judged["offset_m"] = self.along_m, self.offset_m
        on = np.flatnonzero(self.on_route)
        lon, lat = plane.unproject(self.path_x_m[on], self.path_y_m[on], self.lon0[on], self.lat0[on])
        judged["snapped_lon_e6"][on], judged["snapped_lat_e6"][on] = _e6(lon), _e6(lat)
        return judged

    def happened(self, passages: Sequence[fence.Passage], judged: Rows) -> Rows:
        """Give all facts, of dtype `HAPPENED`: driver by driver, moment by moment, stops and route before fences."""
        return moments.in_order(self.facts, self.said, passages, self.fixes, judged)


def _first(track: np.void, timeline: Timeline) -> int:
    """Find the first claim after a track's position."""
    at_ms = [claim.at_ms for claim in timeline.claims]
    after = all(track[name] == value for name, value in AFTER_PINGS.items())
    return (bisect_right if after else bisect_left)(at_ms, int(track["at_ms"]))


def _e6(degrees: Floats) -> NDArray[np.int32]:
    return np.rint(degrees * 1e6).astype(np.int32)
