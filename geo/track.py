"""The fold: where every driver is on their tour, ping by ping.

`advance` is the one function that live tracking, re-runs, replay, tests and the simulator share. It sees no clock, no
`received_at` and no border of a batch: the same pings in any batches give the same history.
`tick` holds what depends on the clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo import clean, fence, pace, plane, snap, stops, tour
from geo.facts import HAPPENED, JUDGED, REJUDGED, Facts, FactType
from geo.pings import UNKNOWN_MS, Bools, Floats, Ints, Pings, Rows
from geo.plans import MAX_STOPS, Plan, Timeline

__all__ = [
    "HAPPENED", "JUDGED", "MAX_STOPS", "REJUDGED", "STATE_VERSION", "TRACK", "FactType", "Facts",
    "advance", "decode", "encode", "fresh", "tick",
]  # fmt: skip

STATE_VERSION = 3
"""Raised when `TRACK` changes: a stored state of another version is not read, its driver is folded from the start."""

MAX_FINISHED = 16
"""Finished routes a track remembers, newest first."""

AT_ONCE = 1_000
"""Drivers folded together: what they need stays in a processor's cache."""

SILENT_MS = 600_000
"""A driver on a route who was not heard for this long is silent."""

TRACK = np.dtype(
    [
        ("driver_id", "<i8"),
        # the last input folded, judged believable or not: (at_ms, at_lat_e6, at_lon_e6, at_device_id)
        ("at_ms", "<i8"),  # UNKNOWN_MS: nothing folded yet
        ("at_lat_e6", "<i4"),
        ("at_lon_e6", "<i4"),
        ("at_device_id", "<i8"),
        # the newest believed ping: what the live row shows
        ("device_id", "<i8"),
        ("recorded_ms", "<i8"),  # UNKNOWN_MS: none yet
        ("received_ms", "<i8"),  # carried for showing; no judgement looks at it
        ("lat_e6", "<i4"),
        ("lon_e6", "<i4"),
        ("accuracy_m", "<f4"),
        ("speed_mps", "<f4"),
        ("heading_deg", "<f4"),
        ("battery", "<f4"),
        # the tour
        ("route_id", "<i8"),  # 0: on no route
        ("route_version", "<i4"),
        ("on_route", "?"),
        ("along_m", "<f8"),  # the last place on the path, kept while off the route; NaN: none yet
        ("along_sd_m", "<f4"),  # how sure along_m is; NaN: not snapped
        ("on_route_p", "<f4"),  # probability of being on the route; NaN: on no route
        ("offset_m", "<f4"),  # NaN: not snapped
        ("snapped_lat_e6", "<i4"),  # of along_m
        ("snapped_lon_e6", "<i4"),
        ("next_stop_id", "<i8"),  # 0: none left
        ("delay_s", "<f4"),  # behind the plan, negative ahead; NaN: the plan has no times
        ("started", "?"),
        ("finished", "<i8", (MAX_FINISHED,)),  # routes that are done, newest first; 0: none
        # what each step of the fold remembers
        ("clean", clean.CLEAN),
        ("snap", snap.SNAP),
        ("standing", stops.STANDING),
        ("pace", pace.PACE),
        ("visits", "u1", (MAX_STOPS,)),  # visits of each stop of the plan in force, in the plan's order
        ("fences", fence.FENCES),
    ]
)


def fresh(driver_ids: NDArray[np.int64]) -> Rows:
    """Make the tracks of drivers of whom nothing is known."""
    tracks = np.zeros(len(driver_ids), TRACK)
    tracks["driver_id"] = driver_ids
    for name in ("at_ms", "recorded_ms", "received_ms"):
        tracks[name] = UNKNOWN_MS
    for name in ("accuracy_m", "speed_mps", "heading_deg", "battery"):
        tracks[name] = np.nan
    tracks["clean"] = clean.fresh(len(driver_ids))
    tracks["fences"] = np.zeros((), fence.FENCE_VISIT)
    _leave_tour(tracks)
    return tracks


def encode(track: np.void) -> bytes:
    """Pack one track for storing: a version byte and the record without its trailing zero bytes."""
    return bytes((STATE_VERSION,)) + track.tobytes().rstrip(b"\0")


def decode(state: bytes) -> np.void | None:
    """Unpack `encode`; None when the state is of another version."""
    if not state or state[0] != STATE_VERSION or len(state) > TRACK.itemsize + 1:
        return None
    return np.frombuffer(state[1:].ljust(TRACK.itemsize, b"\0"), TRACK).copy()[0]  # type: ignore[no-any-return]


def advance(tracks: Rows, pings: Pings, timelines: Sequence[Timeline]) -> tuple[Rows, Facts]:
    """Fold pings into tracks.

    Each ping is judged (`geo.clean`); the believed ones go to the fences (`geo.fence`) and, the k-th of all drivers at
    a time, to their place along the path (`geo.snap`), the stops (`geo.stops`) and the tour (`geo.tour`).

    Args:
        tracks: (m,) of dtype `TRACK`, one a driver, driver_id ascending and unique. Not changed.
        pings: (n,) in the order of `geo.pings.in_order`; every driver occurs in `tracks`; each driver's first ping
            comes after that track's position in the total order.
        timelines: (m,) the plans and fences of each track's driver.

    Returns:
        New tracks (m,), and what follows. A ping that is CLOCK_AHEAD is judged and changes nothing, not even the
        position.

    Raises:
        ValueError: the columns differ in length, or pings are not in order.
    """
    rows = pings.rows
    starts = _check(tracks, rows, timelines)
    new = tracks.copy()
    new["clean"], flags, again = clean.judge(tracks["clean"], tracks, rows, starts)
    judged = np.zeros(len(rows), JUDGED)
    judged["flags"] = flags
    judged["along_m"] = judged["offset_m"] = np.nan

    fixes = _fixes(tracks, rows, starts, flags, again)
    drive = _Drive(new, fixes, timelines)
    drive.run()
    result = drive.judged()
    passages = _follow(new, tracks, fixes, timelines)

    driver = np.repeat(np.arange(len(tracks)), np.diff(starts))
    live = fixes.source == fixes.ping  # the others were suspects: their second judgement goes into `rejudged`
    judged[fixes.ping[live]] = result[live]
    _name_route_of_unbelieved(judged, flags, driver, tracks, fixes, result)
    rejudged = np.zeros(np.count_nonzero(~live), REJUDGED)
    for name in ("device_id", "recorded_ms", "lat_e6", "lon_e6"):
        rejudged[name] = fixes.rows[name][~live]
    rejudged["track"], rejudged["judged"] = fixes.driver[~live], result[~live]

    _move_position(new, rows, starts, flags)
    return new, Facts(judged, rejudged, drive.happened(passages, result))


def tick(tracks: Rows, silent: Bools, now_ms: int, *, silent_after_ms: int = SILENT_MS) -> Rows:
    """Tell who fell silent or was heard again.

    Args:
        tracks: (m,) of dtype `TRACK`.
        silent: (m,) whom we hold for silent.
        now_ms: our clock.
        silent_after_ms: how long without a believed ping is silence.

    Returns:
        (h,) of dtype `HAPPENED`: DRIVER_SILENT for drivers on a route of whom nothing believable was received for
        longer, DRIVER_SEEN for those who are silent no longer.
    """
    quiet = (tracks["recorded_ms"] != UNKNOWN_MS) & (now_ms - tracks["received_ms"] > silent_after_ms)
    fell, seen = quiet & ~silent & (tracks["route_id"] != 0), silent & ~quiet
    which = np.flatnonzero(fell | seen)
    happened = np.zeros(len(which), HAPPENED)
    happened["track"] = which
    happened["type"] = np.where(fell[which], FactType.DRIVER_SILENT, FactType.DRIVER_SEEN)
    for name in ("folded_ms", "occurred_ms", "ordinal"):
        happened[name] = tracks["recorded_ms"][which]
    for name in ("route_id", "route_version", "offset_m", "lat_e6", "lon_e6"):
        happened[name] = tracks[name][which]
    happened["along_m"] = np.where(tracks["on_route"][which], tracks["along_m"][which], np.nan)
    return happened


@dataclass(frozen=True, slots=True, eq=False)
class _Fixes:
    """The believed pings of a call in the order of folding; a suspect just before the ping that clears it.

    Attributes:
        rows: (f,) of dtype `PING`.
        source: (f,) which ping of the call it is; -2 for a suspect from before.
        ping: (f,) the ping of the call that made it believed.
        driver: (f,) row in `tracks`.
        flags: (f,) of dtype int64, as judged now.
        starts: (m + 1,) where each driver's fixes begin.
    """

    rows: Rows
    source: Ints
    ping: Ints
    driver: Ints
    flags: Ints
    starts: Ints


def _check(tracks: Rows, rows: Rows, timelines: Sequence[Timeline]) -> Ints:
    """Find where each track's pings begin; raise ValueError unless all is in order."""
    m, n = len(tracks), len(rows)
    if len(timelines) != m:
        raise ValueError("tracks and timelines differ in length")
    if m and not (np.diff(tracks["driver_id"]) > 0).all():
        raise ValueError("tracks are not in the order of their drivers, each once")
    starts = np.append(np.searchsorted(rows["driver_id"], tracks["driver_id"], "left"), n).astype(np.int64)
    driver = np.repeat(np.arange(m), np.diff(starts))
    if len(driver) != n or not (tracks["driver_id"][driver] == rows["driver_id"]).all():
        raise ValueError("a ping's driver has no track, or pings are not driver by driver")
    if n:
        later = np.zeros(n, np.bool_)
        same = np.r_[False, rows["driver_id"][1:] == rows["driver_id"][:-1]]
        for name in ("device_id", "lon_e6", "lat_e6", "recorded_ms"):
            column = rows[name]
            before = np.where(
                same, np.roll(column, 1), tracks[f"at_{name}" if name != "recorded_ms" else "at_ms"][driver]
            )
            later = (column > before) | ((column == before) & later)
        ahead = (rows["flags"] & clean.Flag.CLOCK_AHEAD) != 0
        if not (later | (ahead & ~same)).all():
            raise ValueError("pings are not in order, or not after their track's position")
    return starts


def _fixes(tracks: Rows, rows: Rows, starts: Ints, flags: Ints, again: Ints) -> _Fixes:
    believed, cleared = np.flatnonzero((flags & clean.UNBELIEVED) == 0), np.flatnonzero(again != -1)
    driver = np.repeat(np.arange(len(tracks)), np.diff(starts))
    ping = np.concatenate((cleared, believed))
    source = np.concatenate((again[cleared], believed))
    order = np.argsort(ping, kind="stable")
    ping, source = ping[order], source[order]
    picked, marks = rows[np.maximum(source, 0)], flags[np.maximum(source, 0)]
    old = np.flatnonzero(source == -2)
    picked[old] = tracks["clean"]["suspect"][driver[ping[old]]]
    marks[old] = picked["flags"][old]
    at = np.searchsorted(driver[ping], np.arange(len(tracks) + 1))
    return _Fixes(picked, source, ping, driver[ping], marks & ~int(clean.Flag.JUMP), at)


def _follow(new: Rows, tracks: Rows, fixes: _Fixes, timelines: Sequence[Timeline]) -> list[fence.Passage]:
    new["fences"], passages = fence.follow(
        tracks["fences"], [timeline.fences for timeline in timelines], fixes.starts,
        fixes.rows["recorded_ms"], fixes.rows["lon_e6"] * 1e-6, fixes.rows["lat_e6"] * 1e-6,
        fixes.rows["accuracy_m"].astype(np.float64),
        tracks["recorded_ms"], tracks["lon_e6"] * 1e-6, tracks["lat_e6"] * 1e-6,
    )  # fmt: skip
    return passages


def _move_position(new: Rows, rows: Rows, starts: Ints, flags: Ints) -> None:
    """Remember the last input of each driver."""
    counted = np.flatnonzero((flags & clean.Flag.CLOCK_AHEAD) == 0)
    last = np.searchsorted(counted, starts[1:]) - 1
    moved = (last >= 0) & (counted[last] >= starts[:-1]) if len(counted) else np.zeros(len(new), np.bool_)
    which = counted[last[moved]] if len(counted) else np.zeros(0, np.int64)
    for name, source in (
        ("at_ms", "recorded_ms"),
        ("at_lat_e6", "lat_e6"),
        ("at_lon_e6", "lon_e6"),
        ("at_device_id", "device_id"),
    ):
        new[name][moved] = rows[source][which]


def _name_route_of_unbelieved(
    judged: Rows, flags: Ints, driver: Ints, tracks: Rows, fixes: _Fixes, result: Rows
) -> None:
    """A ping that moves nothing counts to the route its driver was on; one whose clock is ahead to none."""
    lost = np.flatnonzero((flags & clean.UNBELIEVED) != 0)
    before = np.searchsorted(fixes.ping, lost) - 1
    before[before >= 0] = np.where(
        fixes.driver[before[before >= 0]] == driver[lost[before >= 0]], before[before >= 0], -1
    )
    for name in ("route_id", "route_version"):
        value = tracks[name][driver[lost]]
        value[before >= 0] = result[name][before[before >= 0]]
        judged[name][lost] = np.where(flags[lost] & clean.Flag.CLOCK_AHEAD, 0, value)


def _leave_tour(tracks: Rows) -> None:
    """Forget plan, place and stops; finished routes stay known."""
    for name in (
        "route_id",
        "route_version",
        "on_route",
        "snapped_lat_e6",
        "snapped_lon_e6",
        "next_stop_id",
        "started",
        "visits",
    ):
        tracks[name] = 0
    for name in ("along_m", "along_sd_m", "on_route_p", "offset_m", "delay_s"):
        tracks[name] = np.nan
    tracks["snap"], tracks["standing"] = snap.fresh(len(tracks)), stops.fresh(len(tracks))
    tracks["pace"] = pace.fresh(len(tracks))


class _Drive:
    """The part of the fold that goes step by step. Lives for one call; writes into `tracks`."""

    def __init__(self, tracks: Rows, fixes: _Fixes, timelines: Sequence[Timeline]) -> None:
        self.tracks, self.fixes, self.timelines = tracks, fixes, timelines
        m, f = len(tracks), len(fixes.rows)
        self.ms = fixes.rows["recorded_ms"].copy()
        self.lon, self.lat = fixes.rows["lon_e6"] * 1e-6, fixes.rows["lat_e6"] * 1e-6
        self.accuracy_m = fixes.rows["accuracy_m"].astype(np.float64)
        self.speed_mps = fixes.rows["speed_mps"].astype(np.float64)
        self.heading_deg = fixes.rows["heading_deg"].astype(np.float64)
        # per driver: the plan in force, until when that is so, and what is often asked of it
        self.plans: list[Plan | None] = [None] * m
        self.until_ms = np.full(m, UNKNOWN_MS)
        self.planned = np.zeros(m, np.bool_)
        self.start_ms = np.zeros(m, np.int64)
        self.home_m = np.full(m, np.inf)  # from here on along the path a tour that returns to the depot may be done
        # per fix: place on the plan's plane, and what came of it
        self.lon0, self.lat0 = np.zeros(f), np.zeros(f)
        self.x_m, self.y_m = np.full(f, np.nan), np.full(f, np.nan)
        self.on_route = np.zeros(f, np.bool_)
        self.route_id, self.route_version = np.zeros(f, np.int64), np.zeros(f, np.int32)
        self.along_m, self.offset_m = np.full(f, np.nan), np.full(f, np.nan)
        self.along_sd_m, self.on_route_p = np.full(f, np.nan), np.full(f, np.nan)
        self.path_x_m, self.path_y_m = np.full(f, np.nan), np.full(f, np.nan)
        self.facts: list[tuple[int, FactType, int, int, int, int, int]] = []

    def run(self) -> None:
        """Fold all fixes, the k-th of all drivers at a time."""
        starts = self.fixes.starts
        count = np.diff(starts)
        for k in range(int(count.max(initial=0))):
            vans = np.flatnonzero(count > k)
            fixes = starts[vans] + k
            ms = self.ms[fixes]
            choose = np.flatnonzero(ms >= self.until_ms[vans])
            if len(choose):
                for van, fix, at_ms in zip(
                    vans[choose].tolist(), fixes[choose].tolist(), ms[choose].tolist(), strict=True
                ):
                    self._choose_plan(van, fix, at_ms)
                self._project(vans[choose], fixes[choose])
            self.route_id[fixes], self.route_version[fixes] = (
                self.tracks["route_id"][vans],
                self.tracks["route_version"][vans],
            )
            driving = np.flatnonzero(self.planned[vans])
            for begin in range(0, len(driving), AT_ONCE):
                some = driving[begin : begin + AT_ONCE]
                self._step(vans[some], fixes[some])
        self._show_last()

    def _choose_plan(self, van: int, fix: int, at_ms: int) -> None:
        """Put a driver on the plan in force, closing or carrying over what was open on another."""
        timeline = self.timelines[van]
        old = (int(self.tracks["route_id"][van]), int(self.tracks["route_version"][van]))
        plan, until_ms = timeline.plan_at(at_ms, self.tracks["finished"][van].tolist())
        # an answer holds from here on: fixes of a driver never go back in time
        self.until_ms[van] = until_ms
        if plan is None or old != (plan.route_id, plan.version):
            mine = self.tracks[van : van + 1]
            before = timeline.plan(*old) if old[0] else None
            if before is not None and plan is not None and plan.route_id == before.route_id:
                self._carry_over(van, fix, before, plan)
            else:
                self._close(van, fix, before)
                _leave_tour(mine)
            if plan is not None:
                mine["route_id"], mine["route_version"] = plan.route_id, plan.version
        self.plans[van] = plan
        self.planned[van] = plan is not None
        if plan is not None:
            self.start_ms[van] = plan.start_ms
            self.home_m[van] = plan.length_m - tour.DEPOT_M if plan.return_to_depot else np.inf

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

    def _carry_over(self, van: int, fix: int, before: Plan, plan: Plan) -> None:
        """Move a tour under way to another version of its route: what was visited stays visited."""
        mine = self.tracks[van : van + 1]
        old_visits, old_last = mine["visits"][0].copy(), int(mine["standing"]["last"][0])
        row_of = {int(stop_id): row for row, stop_id in enumerate(plan.stop_ids)}
        old_open = int(mine["standing"]["open"][0]) - 1
        if old_open >= 0 and int(before.stop_ids[old_open]) not in row_of:
            self._close(van, fix, before)
        visits = np.zeros(MAX_STOPS, np.uint8)
        for row, stop_id in enumerate(before.stop_ids.tolist()):
            if stop_id in row_of:
                visits[row_of[stop_id]] = old_visits[row]
        mine["visits"] = visits
        # the last one visited that is still there
        last = 0
        for row in range(old_last - 1, -1, -1):
            if old_visits[row] and int(before.stop_ids[row]) in row_of:
                last = row_of[int(before.stop_ids[row])] + 1
                break
        standing = mine["standing"]
        standing["last"], standing["candidate"], standing["candidate_ms"], standing["idle_ms"] = last, 0, 0, 0
        if standing["open"][0]:
            standing["open"], standing["open_count"] = row_of[int(before.stop_ids[old_open])] + 1, 1
        same_path = np.array_equal(before.path_lon, plan.path_lon) and np.array_equal(before.path_lat, plan.path_lat)
        if not same_path:
            mine["snap"] = snap.fresh(1, float(plan.stops[last - 1, 3]) if last else 0.0)
            standing["base"]["ms"], standing["along_m"] = UNKNOWN_MS, np.nan  # metres of another plane and path
            mine["on_route"], mine["along_m"], mine["offset_m"] = False, np.nan, np.nan
            mine["snapped_lat_e6"] = mine["snapped_lon_e6"] = 0
            mine["pace"] = pace.fresh(1)

    def _close(self, van: int, fix: int, plan: Plan | None) -> None:
        """End an open visit because its stop or route is no longer the driver's."""
        standing = self.tracks["standing"][van : van + 1]
        left_ms = int(standing["inside_ms"][0])
        for visit in stops.close(standing, 0, self.tracks["visits"][van], left_ms):
            if plan is not None:
                self._happened(fix, FactType.STOP_DEPARTED, visit.occurred_ms, plan, visit.row, visit.ordinal)

    def _step(self, vans: Ints, fixes: Ints) -> None:
        """Fold one fix of each of some drivers who are on a plan."""
        tracks, ms, x_m, y_m = self.tracks, self.ms[fixes], self.x_m[fixes], self.y_m[fixes]
        plans = [plan for plan in (self.plans[van] for van in vans.tolist()) if plan is not None]
        accuracy_m, speed_mps = self.accuracy_m[fixes], self.speed_mps[fixes]
        memory, snapped = snap.step(
            tracks["snap"][vans], plans, ms, x_m, y_m, accuracy_m, speed_mps, self.heading_deg[fixes]
        )
        tracks["snap"][vans] = memory
        self.on_route[fixes], self.along_m[fixes], self.offset_m[fixes] = (
            snapped.on_route,
            snapped.along_m,
            snapped.offset_m,
        )
        self.along_sd_m[fixes], self.on_route_p[fixes] = snapped.along_sd_m, snapped.on_route_p
        self.path_x_m[fixes], self.path_y_m[fixes] = snapped.x_m, snapped.y_m

        begun = (
            snapped.on_route
            & ~tracks["started"][vans]
            & ((ms >= self.start_ms[vans]) | (snapped.along_m > tour.DEPOT_M))
        )
        for i in np.flatnonzero(begun | snapped.went_off | snapped.came_back).tolist():
            if begun[i]:
                tracks["started"][vans[i]] = True
                self._happened(int(fixes[i]), FactType.ROUTE_STARTED, int(ms[i]), plans[i], -1, 1)
            if snapped.went_off[i] or snapped.came_back[i]:
                off_ms = int(snapped.off_ms[i])
                if snapped.went_off[i]:
                    self._happened(int(fixes[i]), FactType.ROUTE_OFF, off_ms, plans[i], -1, off_ms)
                else:
                    self._happened(int(fixes[i]), FactType.ROUTE_BACK, int(ms[i]), plans[i], -1, off_ms)

        visits = tracks["visits"][vans]
        arrived_ms = tracks["standing"]["arrived_ms"][vans]
        standing, happened = stops.step(
            tracks["standing"][vans], visits, plans, ms, x_m, y_m, snapped.along_m, accuracy_m, speed_mps
        )
        tracks["standing"][vans] = standing
        tracks["pace"][vans] = pace.step(tracks["pace"][vans], plans, ms, snapped.along_m, arrived_ms, happened)
        ask = {int(i) for i in np.flatnonzero(snapped.along_m >= self.home_m[vans])}
        for visit in happened:
            i = visit.van
            kind = FactType.STOP_ARRIVED if visit.arrived else FactType.STOP_DEPARTED
            self._happened(int(fixes[i]), kind, visit.occurred_ms, plans[i], visit.row, visit.ordinal)
            tracks["visits"][vans[i]] = visits[i]
            ask.add(i)
        for i in sorted(ask):
            if tour.is_done(plans[i], visits[i], standing[i], float(snapped.along_m[i])):
                self._happened(int(fixes[i]), FactType.ROUTE_COMPLETED, int(ms[i]), plans[i], -1, 1)
                finished = tracks["finished"][vans[i]]
                finished[1:] = finished[:-1].copy()
                finished[0] = plans[i].route_id
                self.until_ms[vans[i]] = UNKNOWN_MS  # the next fix is on another plan or none

    def _happened(self, fix: int, kind: FactType, occurred_ms: int, plan: Plan, row: int, ordinal: int) -> None:
        stop_id = int(plan.stop_ids[row]) if row >= 0 else 0
        self.facts.append((fix, kind, occurred_ms, plan.route_id, plan.version, stop_id, ordinal))

    def _show_last(self) -> None:
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
        standing, visits = tracks["standing"][vans], tracks["visits"][vans]
        next_stop_id, delay_s = tracks["next_stop_id"][vans], tracks["delay_s"][vans]
        columns = (
            standing["last"],
            standing["open"],
            standing["open_count"],
            standing["arrived_ms"],
            memory["along_m"],
            rows["recorded_ms"],
        )
        for i, (last_row, at, count, arrived_ms, along_m, ms) in enumerate(
            zip(*(column.tolist() for column in columns), strict=True)
        ):
            plan = self.plans[vans[i]]
            if plan is not None:
                row = tour.next_row(plan, visits[i], last_row, along_m)
                next_stop_id[i] = plan.stop_ids[row] if row < len(plan.stop_ids) else 0
                delay_s[i] = tour.delay_s(plan, row, along_m, ms, at=at - 1, count=count, arrived_ms=arrived_ms)
        tracks["next_stop_id"][vans], tracks["delay_s"][vans] = next_stop_id, delay_s

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
        """Give all facts, of dtype `HAPPENED`: driver by driver, fix by fix, stops and route before fences."""
        facts = self.facts + [
            (passage.fix, passage.type, passage.occurred_ms, -1, -1, 0, passage.ordinal) for passage in passages
        ]
        geofences = [0] * len(self.facts) + [passage.geofence_id for passage in passages]
        if not facts:
            return np.zeros(0, HAPPENED)
        table = np.column_stack((np.array(facts, np.int64), geofences))
        fix, kind, at_ms, route_id, version, stop_id, ordinal, geofence_id = table[
            np.argsort(table[:, 0], kind="stable")
        ].T
        happened = np.zeros(len(table), HAPPENED)
        own = route_id < 0  # a fence's fact happened on the route its fix is on
        happened["track"] = self.fixes.driver[fix]
        happened["folded_ms"] = self._known_ms()[fix]
        happened["type"], happened["occurred_ms"], happened["ordinal"] = kind, at_ms, ordinal
        happened["route_id"] = np.where(own, judged["route_id"][fix], route_id)
        happened["route_version"] = np.where(own, judged["route_version"][fix], version)
        happened["stop_id"], happened["geofence_id"] = stop_id, geofence_id
        happened["along_m"], happened["offset_m"] = judged["along_m"][fix], judged["offset_m"][fix]
        happened["lat_e6"], happened["lon_e6"] = self.fixes.rows["lat_e6"][fix], self.fixes.rows["lon_e6"][fix]
        return happened

    def _known_ms(self) -> Ints:
        """Give when each fix became known: a suspect with the ping that cleared it."""
        known_ms = self.ms.copy()
        cleared = np.flatnonzero(self.fixes.source != self.fixes.ping)
        known_ms[cleared] = self.ms[cleared + 1]
        return known_ms


_SHOWN = (
    "device_id", "recorded_ms", "received_ms", "lat_e6", "lon_e6", "accuracy_m", "speed_mps", "heading_deg", "battery"
)  # fmt: skip
"""What the track shows of the newest believed ping."""


def _e6(degrees: Floats) -> NDArray[np.int32]:
    return np.rint(degrees * 1e6).astype(np.int32)
