"""When a driver will be at each stop ahead: what is left to drive and to do, at the pace of today, and how sure it is.

What a drive or a service takes comes from the account's `geo.eta.model.Model`; without one it is what the plan says, so
that the first ETA of all is the plan moved by the present delay.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geo.eta.by_van import before, in_order, never_less
from geo.eta.model import COLD, Model, Outlook
from geo.eta.numbers import DOOR_NOISE, DRIVE_NOISE_S, PACE_NOISE, PACES, SERVICE_NOISE, TODAY_S
from geo.eta.start import left_s
from geo.eta.way import way_from, ways_of
from geo.eta.window import widen
from geo.numbers import DRIVE_MPS, START_M, TYPICAL_MPS
from geo.pings import UNKNOWN_MS, Bools, Floats, Ints, Rows, picked
from geo.plan.numbers import DEPOT_M
from geo.plan.plans import Plan, Timeline
from geo.visits import tour

# rows of Outlook.columns
WAY, DRIVE, SERVICE, OPENS, DOOR, PATH, DUE = range(7)


@dataclass(frozen=True, slots=True, eq=False)
class Eta:
    """When tracks will be at the stops ahead of them, by the last believed ping of each (`recorded_ms`).

    Attributes:
        track: (k,) row in `tracks`, ascending; each track's stops in the order of the tour.
        stop_id, place: (k,) which stop, and its place in the tour.
        expected_ms, low_ms, high_ms: (k,) epoch milliseconds; low never before the ping; none of them before the same
            of the stop before.
        remaining_m: (k,) metres of path to the stop, and to doors far from it and back, at least 0.
        stops_before: (k,) how many stops come before it.
        spread_s: (k,) how far off the arrival is expected to be: the measure of windows (`geo.eta.window`).
        delay_s: (k,) how late each stop would be reached if none of the delay were made up; NaN without planned times.
        waits: (k,) whether the van waits for its start.
        start_s, service_s: (k,) how much of the time to `expected_ms` is waiting for the start, and being at stops:
            their services, and waiting there for windows. The rest is driving, less what of a delay is made up.
    """

    track: Ints
    stop_id: Ints
    place: Ints
    expected_ms: Ints
    low_ms: Ints
    high_ms: Ints
    remaining_m: Floats
    stops_before: Ints
    spread_s: Floats
    delay_s: Floats
    waits: Bools
    start_s: Floats
    service_s: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Vans:
    """Tracks that have stops ahead.

    Attributes:
        at: (m,) their rows in `tracks`.
        plans, models, outlooks: (m) of each.
        row: (m,) the first stop ahead, its place in the tour.
        way_m: (m,) how far each is on its way (`geo.eta.way`).
    """

    at: list[int]
    plans: list[Plan]
    models: list[Model]
    outlooks: list[Outlook]
    row: list[int]
    way_m: list[float]


@dataclass(frozen=True, slots=True, eq=False)
class _Ahead:
    """The stops ahead of vans and those between that are served already, van by van in the order of the tour.

    Attributes:
        which: (k,) whose, row in `_Vans`.
        begin: (m,) where each van's begin.
        stop_id: (k,).
        served: (k,) whether there is nothing to do any more.
        columns: (7, k) as in `geo.eta.model.Outlook`.
        remaining_m: (k,) metres to each, at least 0.
        doors_m: (k,) of that not on the path, but to doors far from it and back.
        spared_m: (k,) of its way: to doors before it, far from the path, where nothing is to be done any more.
    """

    which: Ints
    begin: Ints
    stop_id: Ints
    served: Bools
    columns: Floats
    remaining_m: Floats
    doors_m: Floats
    spared_m: Floats


def estimate(tracks: Rows, timelines: Sequence[Timeline], models: Sequence[Model] | None = None) -> Eta:
    """Estimate the arrivals of many drivers at all stops ahead of each.

    A stop where the van already is, was, or which was passed over is not ahead. A driver on no route has none.

    Args:
        tracks: (m,) of dtype `geo.fold.fold.TRACK`.
        timelines: (m,) of the same drivers.
        models: (m,) what the account of each has learned; None: nothing.
    """
    vans = _under_way(tracks, timelines, models)
    if not vans.at:
        none = np.zeros(0, np.int64)
        no_s = np.zeros(0)
        return Eta(none, none, none, none, none, none, no_s, none, no_s, no_s, none > 0, no_s, no_s)
    mine = picked(tracks, vans.at)
    vans.way_m.extend(ways_of(vans.plans, mine, vans.row, [look.far_doors for look in vans.outlooks]))
    ahead = _ahead(mine, vans)
    lead_s, spread_s, start_s, service_s = _planned(mine, vans, ahead)
    waits = start_s > 0
    delay_s = lead_s + (mine["recorded_ms"][ahead.which] - ahead.columns[DUE]) / 1000
    early_s, late_s, kept = _learned(vans, ahead.which, lead_s, spread_s, mine["on_route"][ahead.which], waits)
    lead_s = np.where(np.isnan(delay_s), lead_s, lead_s - (1.0 - kept) * delay_s)
    lead_s = np.maximum(lead_s, ahead.remaining_m / DRIVE_MPS)

    left = ~ahead.served
    which = ahead.which[left]
    as_of_ms = mine["recorded_ms"][which]
    # what is farther away is known no better, whatever was learned of each lead by itself
    lead_ms, early_ms, late_ms = (in_order(which, seconds[left]) for seconds in (lead_s, early_s, late_s))
    return Eta(
        track=np.array(vans.at, np.int64)[which],
        stop_id=ahead.stop_id[left],
        place=np.flatnonzero(left) + (np.array(vans.row) - ahead.begin)[which],
        expected_ms=lead_ms + as_of_ms,
        low_ms=never_less(which, np.maximum(lead_ms - early_ms, 0)) + as_of_ms,
        high_ms=lead_ms + late_ms + as_of_ms,
        remaining_m=ahead.remaining_m[left],
        stops_before=np.arange(len(which)) - np.searchsorted(which, np.arange(len(vans.at)))[which],
        spread_s=spread_s[left],
        delay_s=delay_s[left],
        waits=waits[left],
        start_s=start_s[left],
        service_s=service_s[left],
    )


def _ahead(mine: Rows, vans: _Vans) -> _Ahead:
    count = np.array([len(plan.stop_ids) for plan in vans.plans], np.int64) - np.array(vans.row, np.int64)
    which = np.repeat(np.arange(len(vans.at)), count)
    ahead = [slice(row, len(plan.stop_ids)) for plan, row in zip(vans.plans, vans.row, strict=True)]
    columns = np.concatenate([look.columns[:, part] for look, part in zip(vans.outlooks, ahead, strict=True)], axis=1)
    gone = tour.served(np.concatenate([visits[part] for visits, part in zip(mine["visits"], ahead, strict=True)]))
    begin = np.cumsum(count) - count
    spared_m = before(begin, which, np.where(gone, 2 * columns[DOOR], 0.0))
    left_m = np.maximum(columns[WAY] - np.array(vans.way_m)[which] - spared_m, 0.0)
    path_m = np.maximum(columns[PATH] - np.nan_to_num(mine["along_m"])[which], 0.0)
    return _Ahead(
        which=which,
        begin=begin,
        stop_id=np.concatenate([plan.stop_ids[part] for plan, part in zip(vans.plans, ahead, strict=True)]),
        served=gone,
        columns=columns,
        remaining_m=left_m,
        doors_m=np.maximum(left_m - path_m, 0.0),
        spared_m=spared_m,
    )


def _planned(mine: Rows, vans: _Vans, ahead: _Ahead) -> tuple[Floats, Floats, Floats, Floats]:
    """Tell how long it takes to each stop at the pace of today, if no delay is made up, and how far off that may be.

    Returns:
        (k,) seconds from the ping; (k,) the spread: the drives, the services before and the start are each off; (k,)
        of those seconds waiting for the start, above 0 where the van waits for it, and (k,) being at stops.
    """
    which = ahead.which
    wait_s, start_s, start_sd_s, driven_s, pace = _now(mine, vans)
    drive_s = ahead.columns[DRIVE] - driven_s[which] - ahead.spared_m / TYPICAL_MPS
    drive_s = np.maximum(drive_s, 0.0) * pace[which]
    service_s = np.where(ahead.served, 0.0, ahead.columns[SERVICE])
    spread_s = np.sqrt(
        DRIVE_NOISE_S * drive_s
        + (PACE_NOISE * drive_s) ** 2
        + SERVICE_NOISE**2 * (before(ahead.begin, which, service_s**2) + (wait_s**2)[which])
        + (start_sd_s**2)[which]
        + (DOOR_NOISE * ahead.doors_m / TYPICAL_MPS) ** 2
    )
    before_s = before(ahead.begin, which, service_s)
    paced_s = np.maximum(wait_s, start_s)[which] + drive_s + before_s
    lead_s = _after_windows(mine, vans, which, ahead.begin, paced_s, ahead.columns[OPENS])
    at_stops_s = before_s + np.maximum(wait_s - start_s, 0.0)[which] + lead_s - paced_s
    return lead_s, spread_s, start_s[which], at_stops_s


def _under_way(tracks: Rows, timelines: Sequence[Timeline], models: Sequence[Model] | None) -> _Vans:
    vans = _Vans([], [], [], [], [], [])
    known = (tracks["route_id"] != 0) & (tracks["recorded_ms"] != UNKNOWN_MS)
    names = ("route_id", "route_version", "along_m")
    columns = [tracks[name].tolist() for name in names] + [tracks["standing"]["last"].tolist()]
    finished, visits = tracks["finished"].tolist(), tracks["visits"]
    for van in np.flatnonzero(known).tolist():
        route_id, version, along_m, last = (column[van] for column in columns)
        plan = timelines[van].plan(route_id, version)
        if plan is None or route_id in finished[van]:
            continue
        row = tour.ahead_row(plan, visits[van], last, along_m)
        if row < len(plan.stop_ids):
            model = COLD if models is None else models[van]
            vans.at.append(van)
            vans.plans.append(plan)
            vans.models.append(model)
            vans.outlooks.append(model.outlook(plan))
            vans.row.append(row)
    return vans


def _now(mine: Rows, vans: _Vans) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Tell how long each van will stay at its stop, wait for its start, how far off that is, how much of the expected
    drive it has behind it (seconds), and its pace."""
    count = len(vans.at)
    along_m, ms = np.nan_to_num(mine["along_m"]), mine["recorded_ms"]
    driven_s = _driven_s(vans, np.array(vans.way_m))
    standing, memory = mine["standing"], mine["pace"]
    at_s = np.where(standing["open"] > 0, (ms - standing["arrived_ms"]) / 1000, 0.0)
    wait_s, served_s = np.zeros(count), memory["served_ms"] / 1000
    at_stop = np.flatnonzero(standing["open"])
    for i, rows in zip(at_stop.tolist(), tour.rows_here_of(mine["visits"][at_stop]), strict=True):
        columns = vans.outlooks[i].columns
        service_s = float(columns[SERVICE, rows].sum())
        opens_s = columns[OPENS, rows[0]] - (int(standing["arrived_ms"][i]) - vans.plans[i].start_ms) / 1000
        if service_s > 0:
            service_s += max(float(opens_s), 0.0)
            wait_s[i] = max(service_s - at_s[i], 0.0)
            served_s[i] += at_s[i]

    begun = memory["begun_ms"] != UNKNOWN_MS
    begun_m = memory["begun_m"].copy()
    for i in [i for i, outlook in enumerate(vans.outlooks) if outlook.far_doors]:
        begun_m[i] = way_from(vans.plans[i], float(begun_m[i]), vans.row[i])
    spent_s = np.where(begun, (ms - np.where(begun, memory["begun_ms"], ms)) / 1000 - served_s, 0.0)
    expected_s = np.where(begun, driven_s - _driven_s(vans, begun_m), 0.0)
    pace = np.clip((np.maximum(spent_s, 0.0) + TODAY_S) / (np.maximum(expected_s, 0.0) + TODAY_S), *PACES)

    # before its start nobody is under way; at the start a van may leave as late as others did
    due_s = (np.array([plan.start_ms for plan in vans.plans]) - ms) / 1000
    waits = ~begun & ((due_s > 0) & (along_m < START_M) | (along_m < DEPOT_M))
    late_s, late_sd_s = np.array([(outlook.late_s, outlook.late_sd_s) for outlook in vans.outlooks]).T
    start_s, start_sd_s = (np.where(waits, seconds, 0.0) for seconds in left_s(late_s, late_sd_s, -due_s))
    return wait_s, start_s, start_sd_s, np.where(waits, 0.0, driven_s), pace


def _driven_s(vans: _Vans, way_m: Floats) -> Floats:
    """Tell how much of the expected drive lies behind a place on each way, seconds."""
    places = zip(vans.outlooks, way_m.tolist(), strict=True)
    from_m, from_s, to_m, to_s = np.array([_around(look.way_m, look.drive_s, at_m) for look, at_m in places]).T
    part = np.clip((way_m - from_m) / np.maximum(to_m - from_m, 1e-9), 0.0, 1.0)
    driven_s: Floats = from_s + part * (to_s - from_s)
    return driven_s


def _around(way_m: Sequence[float], drive_s: Sequence[float], at_m: float) -> tuple[float, float, float, float]:
    """Give the way and the drive to the stops, or the path's start, before and after a place."""
    after = min(bisect_left(way_m, at_m), len(way_m) - 1)
    start = (way_m[after - 1], drive_s[after - 1]) if after else (0.0, 0.0)
    return (*start, way_m[after], drive_s[after])


def _after_windows(mine: Rows, vans: _Vans, which: Ints, begin: Ints, lead_s: Floats, opens_s: Floats) -> Floats:
    """Let a van that comes before a window opens wait there, so that all stops after it move.

    The van leaves a stop no sooner than it opens and is served: every stop is reached no sooner than each window before
    it opens, and what lies between.
    """
    if not np.isfinite(opens_s).any():
        return lead_s
    now_s = (mine["recorded_ms"] - np.array([plan.start_ms for plan in vans.plans])) / 1000
    late_s = opens_s - now_s[which] - lead_s  # how long the van waits at this stop, if it comes as expected
    floor = 1e7 * which  # every van on a floor of its own
    waited_s = np.maximum.accumulate(np.maximum(late_s, 0.0) + floor) - floor
    before_s = np.concatenate(([0.0], waited_s[:-1]))
    before_s[begin] = 0.0
    return lead_s + before_s


def _learned(
    vans: _Vans, which: Ints, lead_s: Floats, spread_s: Floats, on_route: Bools, waits: Bools
) -> tuple[Floats, Floats, Floats]:
    """Tell how far windows reach to both sides, and which part of a delay stays, by what each van's account learned."""
    number = {model: i for i, model in enumerate(dict.fromkeys(vans.models))}
    if len(number) == 1:
        return (*widen(vans.models[0].bands, lead_s, spread_s, on_route, waits), vans.models[0].delay_kept(lead_s))
    of_model = np.array([number[model] for model in vans.models], np.int64)[which]
    early_s, late_s, kept = np.empty((3, len(lead_s)))
    borders = np.cumsum(np.bincount(of_model, minlength=len(number)))[:-1]
    for model, theirs in zip(number, np.split(np.argsort(of_model, kind="stable"), borders), strict=True):
        early_s[theirs], late_s[theirs] = widen(
            model.bands, lead_s[theirs], spread_s[theirs], on_route[theirs], waits[theirs]
        )
        kept[theirs] = model.delay_kept(lead_s[theirs])
    return early_s, late_s, kept
