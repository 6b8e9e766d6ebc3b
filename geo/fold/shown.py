"""What a track shows of its driver after a fold: the newest believed ping, the next stop, how late they are."""

from collections.abc import Sequence

import numpy as np

from geo.fold.results import Results, e6
from geo.pings import UNKNOWN_MS, Bools, Ints, Rows
from geo.plan.plans import Plan
from geo.shape import plane
from geo.visits import tour

_SHOWN = (
    "device_id", "recorded_ms", "received_ms", "lat_e6", "lon_e6", "accuracy_m", "speed_mps", "heading_deg", "battery"
)  # fmt: skip
"""What the track shows of the newest believed ping."""


def show_fixes(tracks: Rows, results: Results, planned: Bools) -> None:
    """Show each driver's newest believed ping; writes into `tracks`.

    Args:
        planned: (m,) who is on a plan.
    """
    starts = results.fixes.starts
    vans = np.flatnonzero(np.diff(starts))
    last = starts[1:][vans] - 1
    given, rows = results.fixes.rows[last], results.rows[last]
    for name in _SHOWN:
        tracks[name][vans] = given[name]
    for name in ("on_route", "offset_m", "along_sd_m", "on_route_p"):
        tracks[name][vans] = rows[name]
    memory = tracks["snap"][vans]
    tracks["along_m"][vans] = memory["along_m"]
    driving = np.flatnonzero(~np.isnan(memory["along_m"]) & planned[vans])
    lon, lat = plane.unproject(
        memory["path_x_m"][driving], memory["path_y_m"][driving], rows["lon0"][driving], rows["lat0"][driving]
    )
    tracks["snapped_lon_e6"][vans[driving]], tracks["snapped_lat_e6"][vans[driving]] = e6(lon), e6(lat)


def show_next(tracks: Rows, vans: Ints, plans: Sequence[Plan | None]) -> None:
    """Show the next stop of drivers and how late they are; writes into `tracks`.

    Args:
        vans: (k,) whose.
        plans: (m) of all drivers.
    """
    standing, visits = tracks["standing"][vans], tracks["visits"][vans]
    next_stop_id, delay_s = tracks["next_stop_id"][vans], tracks["delay_s"][vans]
    names = ("last", "arrived_ms")
    columns = (
        *(standing[name] for name in names),
        *(tracks["snap"]["along_m"][vans], tracks["recorded_ms"][vans], tracks["worded"][vans]),
    )
    at_stop = np.flatnonzero(standing["open"])
    here = dict(zip(at_stop.tolist(), tour.rows_here_of(visits[at_stop]), strict=True))
    for i, (last_row, arrived_ms, along_m, ms, worded) in enumerate(
        zip(*(column.tolist() for column in columns), strict=True)
    ):
        plan = plans[vans[i]]
        if plan is not None:
            row = tour.next_row(plan, visits[i], last_row, along_m, worded=worded)
            next_stop_id[i] = plan.stop_ids[row] if row < len(plan.stop_ids) else 0
            if ms != UNKNOWN_MS:
                delay_s[i] = tour.delay_s(plan, row, along_m, ms, at=here.get(i, ()), arrived_ms=arrived_ms)
    tracks["next_stop_id"][vans], tracks["delay_s"][vans] = next_stop_id, delay_s
