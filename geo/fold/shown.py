"""What a track shows of its driver after a fold: the newest believed ping, the next stop, how late they are."""

from collections.abc import Sequence

import numpy as np

from geo.fold.results import Results, e6
from geo.pings import UNKNOWN_MS, Bools, Floats, Ints, Rows
from geo.plan.numbers import BIN_M
from geo.plan.plans import Plan
from geo.shape import plane
from geo.visits import tour

_SHOWN = (
    "device_id", "recorded_ms", "received_ms", "lat_e6", "lon_e6", "accuracy_m", "speed_mps", "heading_deg", "battery"
)  # fmt: skip
"""What the track shows of the newest believed ping."""


def show_fixes(tracks: Rows, results: Results, judged: Rows, planned: Bools) -> None:
    """Show each driver's newest believed ping; writes into `tracks`.

    Args:
        judged: of each fix, as `results` gives it.
        planned: (m,) who is on a plan.
    """
    starts = results.fixes.starts
    vans = np.flatnonzero(np.diff(starts))
    last = starts[1:][vans] - 1
    for name in _SHOWN:
        tracks[name][vans] = results.fixes.rows[name][last]
    for name in ("on_route", "offset_m", "along_sd_m", "on_route_p"):
        tracks[name][vans] = results.rows[name][last]
    memory, on_route = tracks["snap"], results.rows["on_route"][last]
    along_m = memory["along_m"][vans]
    tracks["along_m"][vans] = along_m
    for name in ("snapped_lon_e6", "snapped_lat_e6"):
        tracks[name][vans[on_route]] = judged[name][last[on_route]]
    left = np.flatnonzero(~np.isnan(along_m) & planned[vans] & ~on_route)
    if len(left):  # mostly few: they are shown where they left their path
        x_m, y_m = (memory[name][vans[left]] for name in ("path_x_m", "path_y_m"))
        lon, lat = plane.unproject(x_m, y_m, *(results.rows[name][last[left]] for name in ("lon0", "lat0")))
        tracks["snapped_lon_e6"][vans[left]], tracks["snapped_lat_e6"][vans[left]] = e6(lon), e6(lat)


def show_next(tracks: Rows, vans: Ints, plans: Sequence[Plan | None]) -> None:
    """Show the next stop of drivers and how late they are; writes into `tracks`.

    Args:
        vans: (k,) whose.
        plans: (m) of all drivers.
    """
    driving = [(van, plan) for van in vans.tolist() if (plan := plans[van]) is not None]
    if not driving:
        return
    vans, on = np.array([van for van, _ in driving]), [plan for _, plan in driving]
    standing, along_m, ms = tracks["standing"], tracks["snap"]["along_m"][vans], tracks["recorded_ms"][vans]
    rows = _next_rows(tracks, vans, on, along_m)
    tracks["next_stop_id"][vans] = [
        plan.stop_ids[row] if row < len(plan.stop_ids) else 0 for plan, row in zip(on, rows, strict=True)
    ]
    at_stop = np.flatnonzero(standing["open"][vans])
    here = dict(zip(at_stop.tolist(), tour.rows_here_of(tracks["visits"][vans[at_stop]]), strict=True))
    each = zip(on, rows, along_m.tolist(), ms.tolist(), standing["arrived_ms"][vans].tolist(), strict=True)
    delay_s = [
        tour.delay_s(plan, row, at_m, at_ms, at=here.get(i, ()), arrived_ms=arrived_ms)
        for i, (plan, row, at_m, at_ms, arrived_ms) in enumerate(each)
    ]
    tracks["delay_s"][vans] = np.where(ms == UNKNOWN_MS, tracks["delay_s"][vans], delay_s)


def _next_rows(tracks: Rows, vans: Ints, plans: Sequence[Plan], along_m: Floats) -> list[int]:
    """Find the next stop of drivers on plans: mostly the first that does not lie behind, where nobody was yet."""
    at = (np.nan_to_num(along_m) / BIN_M).astype(np.int64).tolist()  # before the first bin's end nothing lies behind
    ahead = [plan.next_from[min(one, len(plan.next_from) - 1)] for plan, one in zip(plans, at, strict=True)]
    last = tracks["standing"]["last"][vans]
    rows = np.maximum(last, ahead)
    is_over = rows >= [len(plan.stop_ids) for plan in plans]
    found: list[int] = rows.tolist()
    for i in np.flatnonzero(is_over | (tracks["visits"][vans, np.where(is_over, 0, rows)] != 0)).tolist():
        visits, worded = tracks["visits"][vans[i]], bool(tracks["worded"][vans[i]])
        found[i] = tour.next_row(plans[i], visits, int(last[i]), float(along_m[i]), worded=worded)
    return found
