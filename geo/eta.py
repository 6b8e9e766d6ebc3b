"""When a driver will be at each stop ahead.

First version: the plan's own times moved by the present delay, or path length at a typical speed and planned service
where the plan has none; a window that widens with the lead. One that learns will replace the lead and the spread.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geo import tour
from geo.eta_model import Model
from geo.pings import UNKNOWN_MS, Floats, Ints, Rows
from geo.plans import TYPICAL_MPS, Plan, Timeline

FASTEST_MPS = 22.0
"""Nobody is expected sooner than the rest of the path at this speed takes."""

SPREAD_S, SPREAD_PART = 60.0, 0.18
"""Half of the 80 % window: a minute and this part of the lead. Off the route it is half as wide again."""


@dataclass(frozen=True, slots=True, eq=False)
class Eta:
    """When tracks will be at the stops ahead of them, by the last believed ping of each (`recorded_ms`).

    Attributes:
        track: (k,) row in `tracks`, ascending; each track's stops in the order of the tour.
        stop_id: (k,).
        expected_ms, low_ms, high_ms: (k,) epoch milliseconds; low never before the ping; none of them before the same
            of the stop before.
        remaining_m: (k,) metres of path to the stop, at least 0.
        stops_before: (k,) how many stops come before it.
    """

    track: Ints
    stop_id: Ints
    expected_ms: Ints
    low_ms: Ints
    high_ms: Ints
    remaining_m: Floats
    stops_before: Ints


def estimate(tracks: Rows, timelines: Sequence[Timeline], models: Sequence[Model] | None = None) -> Eta:
    """Estimate the arrivals of many drivers at all stops ahead of each.

    A stop where the van already is, was, or which was passed over is not ahead. A driver on no route has none.

    Args:
        tracks: (m,) of dtype `geo.track.TRACK`.
        timelines: (m,) of the same drivers.
        models: (m,) what the account of each has learned; None: nothing.
    """
    vans: list[int] = []
    plans: list[Plan] = []
    rows: list[int] = []
    known = (tracks["route_id"] != 0) & (tracks["recorded_ms"] != UNKNOWN_MS)
    last, along_m = tracks["standing"]["last"].tolist(), tracks["along_m"].tolist()
    for van in np.flatnonzero(known).tolist():
        mine = tracks[van]
        plan = timelines[van].plan(int(mine["route_id"]), int(mine["route_version"]))
        if plan is None or plan.route_id in mine["finished"].tolist():
            continue
        row = tour.next_row(plan, mine["visits"], last[van], along_m[van])
        if row < len(plan.stop_ids):
            vans.append(van)
            plans.append(plan)
            rows.append(row)
    if not vans:
        none = np.zeros(0, np.int64)
        return Eta(none, none, none, none, none, np.zeros(0), none)

    count = np.array([len(plan.stop_ids) for plan in plans], np.int64) - np.array(rows, np.int64)
    which = np.repeat(np.arange(len(vans)), count)
    begin = np.cumsum(count) - count
    stop_id = np.concatenate([plan.stop_ids[row:] for plan, row in zip(plans, rows, strict=True)])
    stops = np.concatenate([plan.stops[row:] for plan, row in zip(plans, rows, strict=True)])
    due_ms = np.concatenate([plan.stop_due_ms[row:] for plan, row in zip(plans, rows, strict=True)])
    visited = np.concatenate(
        [tracks["visits"][van, row : len(plan.stop_ids)] for van, plan, row in zip(vans, plans, rows, strict=True)]
    )
    mine = tracks[vans]
    as_of_ms = mine["recorded_ms"]

    from_m = np.where(np.isnan(mine["along_m"]), 0.0, mine["along_m"])
    remaining_m = np.maximum(stops[:, 3] - from_m[which], 0.0)
    service_s = np.where(visited > 0, 0.0, stops[:, 4])
    served_s = np.cumsum(service_s) - service_s
    served_s -= served_s[begin][which]  # at the stops before this one
    delay_s = mine["delay_s"].astype(np.float64)
    paced_s = remaining_m / TYPICAL_MPS + served_s + _service_left_s(mine, plans)[which]
    lead_s = (due_ms - as_of_ms[which]) / 1000 + delay_s[which]
    lead_s = np.where(np.isnan(lead_s), paced_s, lead_s)
    lead_s = np.maximum(lead_s, remaining_m / FASTEST_MPS)

    spread_s = SPREAD_S + SPREAD_PART * lead_s
    spread_s = np.where(mine["on_route"][which], spread_s, 1.5 * spread_s)
    ahead = visited == 0
    which, lead_s, spread_s = which[ahead], lead_s[ahead], spread_s[ahead]
    track = np.array(vans, np.int64)[which]
    return Eta(
        track=track,
        stop_id=stop_id[ahead],
        expected_ms=_in_order(which, lead_s) + as_of_ms[which],
        low_ms=_in_order(which, np.maximum(lead_s - spread_s, 0.0)) + as_of_ms[which],
        high_ms=_in_order(which, lead_s + spread_s) + as_of_ms[which],
        remaining_m=remaining_m[ahead],
        stops_before=np.arange(len(which)) - np.searchsorted(which, which, "left"),
    )


def _service_left_s(mine: Rows, plans: Sequence[Plan]) -> Floats:
    """Tell how much longer each van will stay where it is, by the planned service."""
    left_s = np.zeros(len(mine))
    for i in np.flatnonzero(mine["standing"]["open"]).tolist():
        standing = mine["standing"][i]
        first = int(standing["open"]) - 1
        planned_s = float(plans[i].stops[first : first + int(standing["open_count"]), 4].sum())
        left_s[i] = max(planned_s - (int(mine["recorded_ms"][i]) - int(standing["arrived_ms"])) / 1000, 0.0)
    return left_s


def _in_order(which: Ints, seconds: Floats) -> Ints:
    """Make seconds of each van's stops never decrease, in whole milliseconds."""
    tall = np.int64(1) << 42  # 139 years in milliseconds: every van on a floor of its own
    floor = which * tall
    ordered: Ints = np.maximum.accumulate(np.rint(seconds * 1000).astype(np.int64) + floor) - floor
    return ordered
