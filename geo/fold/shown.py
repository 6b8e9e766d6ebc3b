"""What a track shows of its driver after a fold: the newest believed ping, the next stop, how late they are."""

from collections.abc import Sequence

import numpy as np

from geo.fold.results import Results, e6
from geo.pings import UNKNOWN_MS, Bools, Ints, Rows
from geo.plan.plans import Plan
from geo.shape import plane
from geo.step.stepped import FixStep
from geo.step.told import GOING

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


def show_next(tracks: Rows, vans: Ints, plans: Sequence[Plan | None], step: FixStep) -> None:
    """Show the next stop of drivers and how late they are; writes into `tracks`.

    Args:
        vans: (k,) whose.
        plans: (m) of all drivers.
    """
    driving = [(van, plan) for van in vans.tolist() if (plan := plans[van]) is not None]
    if not driving:
        return
    vans, standing, ms = np.array([van for van, _ in driving]), tracks["standing"], tracks["recorded_ms"]
    going = np.zeros(len(vans), GOING)
    going["along_m"], going["ms"] = tracks["snap"]["along_m"][vans], ms[vans]
    going["arrived_ms"], going["last"] = standing["arrived_ms"][vans], standing["last"][vans]
    going["at_stop"], going["worded"] = standing["open"][vans] != 0, tracks["worded"][vans]
    on = [plan for _, plan in driving]
    tracks["next_stop_id"][vans], delay_s = step.next_stops(vans, on, tracks["visits"][vans], going)
    tracks["delay_s"][vans] = np.where(going["ms"] == UNKNOWN_MS, tracks["delay_s"][vans], delay_s)
