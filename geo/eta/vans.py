"""Vans under way: where each is on its way, what it waits for, and at which pace it drives today."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geo.eta.model import COLD, OPENS, SERVICE, Model, Outlook
from geo.eta.numbers import PACES, TODAY_S
from geo.eta.start import left_s, waits_for_start
from geo.eta.way import unseen, way_from, ways_of
from geo.pings import UNKNOWN_MS, Floats, Ints, Rows, picked
from geo.plan.numbers import DEPOT_M
from geo.plan.plans import Plan, Timeline
from geo.visits import tour


@dataclass(frozen=True, slots=True, eq=False)
class UnderWay:
    """Tracks that have stops ahead.

    Attributes:
        at: (m,) their rows in the tracks asked about, ascending.
        tracks: (m,) of dtype `geo.fold.fold.TRACK`.
        plans, models, outlooks: (m) of each.
        row: (m,) the first stop ahead, its place in the tour.
        count: (m,) how many stops the tour has.
        way_m: (m,) how far each is on its way (`geo.eta.way`).
        recorded_ms: (m,) when each was seen last.
    """

    at: Ints
    tracks: Rows
    plans: Sequence[Plan]
    models: Sequence[Model]
    outlooks: Sequence[Outlook]
    row: Ints
    count: Ints
    way_m: Floats
    recorded_ms: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Now:
    """What is known of vans at their last ping, (m,) of each.

    Attributes:
        wait_s: how long each will stay at its stop.
        start_s, start_sd_s: how long it waits for its start, above 0 where it does, and how far off that is.
        driven_s: how much of the expected drive lies behind it.
        pace: how long its drives take, of what was expected of them.
        s_per_m: how long the next metre takes at that pace; 0 while it waits for its start.
    """

    wait_s: Floats
    start_s: Floats
    start_sd_s: Floats
    driven_s: Floats
    pace: Floats
    s_per_m: Floats


def under_way(tracks: Rows, timelines: Sequence[Timeline], models: Sequence[Model] | None) -> UnderWay:
    """Find the tracks that have stops ahead.

    Args:
        tracks: (m,) of dtype `geo.fold.fold.TRACK`.
        timelines: (m,) of the same drivers.
        models: (m,) what the account of each has learned; None: nothing.
    """
    route_ids = tracks["route_id"]
    over = (tracks["finished"] == route_ids[:, None]).any(axis=1)
    asked = np.flatnonzero((route_ids != 0) & (tracks["recorded_ms"] != UNKNOWN_MS) & ~over)
    columns = [tracks[name][asked].tolist() for name in ("route_id", "route_version", "along_m")]
    last, visits = tracks["standing"]["last"][asked].tolist(), tracks["visits"]
    at: list[int] = []
    rows: list[int] = []
    plans: list[Plan] = []
    for van, route_id, version, along_m, last_row in zip(asked.tolist(), *columns, last, strict=True):
        plan = timelines[van].plan(route_id, version)
        if plan is None:
            continue
        row = tour.ahead_row(plan, visits[van], last_row, along_m)
        if row < len(plan.stop_ids):
            at.append(van)
            rows.append(row)
            plans.append(plan)
    theirs = [COLD] * len(at) if models is None else [models[van] for van in at]
    outlooks = [model.outlook(plan) for model, plan in zip(theirs, plans, strict=True)]
    mine = tracks if len(at) == len(tracks) else picked(tracks, at)
    return UnderWay(
        at=np.array(at, np.int64),
        tracks=mine,
        plans=plans,
        models=theirs,
        outlooks=outlooks,
        row=np.array(rows, np.int64),
        count=np.array([len(plan.stop_ids) for plan in plans], np.int64),
        way_m=np.array(ways_of(plans, mine, rows, [look.far_doors for look in outlooks]), np.float64),
        recorded_ms=mine["recorded_ms"].copy(),
    )


def now_of(vans: UnderWay) -> Now:
    """Tell what is known of vans at their last ping."""
    mine, ms, outlooks = vans.tracks, vans.recorded_ms, vans.outlooks
    begun_ms, begun_m, served_ms = (mine["pace"][name].copy() for name in ("begun_ms", "begun_m", "served_ms"))
    start_ms = np.array([plan.start_ms for plan in vans.plans], np.int64)
    wait_s, at_stop_s = _at_stops(vans, start_ms)

    begun = begun_ms != UNKNOWN_MS
    driven_s, s_per_m = _driven(outlooks, vans.way_m)
    for i in [i for i, look in enumerate(outlooks) if look.far_doors]:
        begun_m[i] = way_from(vans.plans[i], float(begun_m[i]), int(vans.row[i]))
    spent_s = np.where(begun, (ms - np.where(begun, begun_ms, ms)) / 1000 - (served_ms / 1000 + at_stop_s), 0.0)
    expected_s = np.where(begun, driven_s - _driven(outlooks, begun_m)[0], 0.0)
    pace = np.clip((np.maximum(spent_s, 0.0) + TODAY_S) / (np.maximum(expected_s, 0.0) + TODAY_S), *PACES)

    # before its start nobody is under way; at the start a van may leave as late as others did
    waits = waits_for_start(mine, start_ms) & ~(unseen(vans.plans, mine) & (vans.way_m >= DEPOT_M))
    start_s, start_sd_s = np.zeros((2, len(ms)))
    if waits.any():
        late_s, late_sd_s = np.array([(look.late_s, look.late_sd_s) for look in outlooks]).T
        start_s[waits], start_sd_s[waits] = left_s(late_s[waits], late_sd_s[waits], ((ms - start_ms) / 1000)[waits])
    return Now(
        wait_s=wait_s,
        start_s=start_s,
        start_sd_s=start_sd_s,
        driven_s=np.where(waits, 0.0, driven_s),
        pace=pace,
        s_per_m=np.where(waits, 0.0, s_per_m * pace),
    )


def _at_stops(vans: UnderWay, start_ms: Ints) -> tuple[Floats, Floats]:
    """Tell how long vans will stay at their stops, and how long those that serve one have been there, seconds."""
    standing = vans.tracks["standing"]
    wait_s, been_s = np.zeros((2, len(vans.at)))
    at_stop = np.flatnonzero(standing["open"])
    arrived_ms = standing["arrived_ms"][at_stop]
    come_s = ((arrived_ms - start_ms[at_stop]) / 1000).tolist()
    here_s = ((vans.recorded_ms[at_stop] - arrived_ms) / 1000).tolist()
    here = tour.rows_here_of(vans.tracks["visits"][at_stop])
    for i, rows, came_s, at_s in zip(at_stop.tolist(), here, come_s, here_s, strict=True):
        columns = vans.outlooks[i].columns
        service_s = float(columns[SERVICE, rows].sum()) if len(rows) > 1 else float(columns[SERVICE, rows[0]])
        if service_s > 0:
            service_s += max(float(columns[OPENS, rows[0]]) - came_s, 0.0)
            wait_s[i], been_s[i] = max(service_s - at_s, 0.0), at_s
    return wait_s, been_s


def _driven(outlooks: Sequence[Outlook], way_m: Floats) -> tuple[Floats, Floats]:
    """Tell how much of the expected drive lies behind a place on each way, and what the next metre takes, seconds."""
    places = zip(outlooks, way_m.tolist(), strict=True)
    from_m, from_s, to_m, to_s = np.array([_around(look.way_m, look.drive_s, at_m) for look, at_m in places]).T
    long_m, takes_s = np.maximum(to_m - from_m, 1e-9), to_s - from_s
    driven_s: Floats = from_s + np.clip((way_m - from_m) / long_m, 0.0, 1.0) * takes_s
    return driven_s, np.where(to_m > from_m, takes_s / long_m, 0.0)


def _around(way_m: Sequence[float], drive_s: Sequence[float], at_m: float) -> tuple[float, float, float, float]:
    """Give the way and the drive to the stops, or the path's start, before and after a place."""
    after = min(bisect_left(way_m, at_m), len(way_m) - 1)
    start = (way_m[after - 1], drive_s[after - 1]) if after else (0.0, 0.0)
    return (*start, way_m[after], drive_s[after])
