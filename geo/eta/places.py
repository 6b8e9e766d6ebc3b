"""What ETAs look at in a plan before anything was learned: how long its legs take, and which rows they concern."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import floor
from weakref import WeakKeyDictionary

import numpy as np

from geo.eta.numbers import CELL_DEG, SAMPLE_M
from geo.eta.rows import RowKey, hour_and_weekday
from geo.numbers import TYPICAL_MPS
from geo.pings import UNKNOWN_MS, Floats, Ints
from geo.plan.plans import Plan

Parts = tuple[tuple[RowKey, float], ...]
"""Rows of one level, and the part each has; the parts add up to 1."""

SPEEDS_MPS = (4.0, 6.0, 8.0, 11.0, 16.0)
"""Borders of the classes of planned speed: yards, streets, main roads, ring roads, out of town."""


_EDGES_KMH = (0, *(round(3.6 * edge) for edge in SPEEDS_MPS))
_SPEED_NAMES = (
    *(f"{low}-{high} km/h" for low, high in pairwise(_EDGES_KMH)),
    f"{_EDGES_KMH[-1]} km/h and more",
)


@dataclass(frozen=True, slots=True, eq=False)
class FlatLevel:
    """One level of all stops of a plan.

    Attributes:
        keys: (p) the rows it concerns, stop by stop.
        part, row: (p,) of each: the part it has, and in which stop.
    """

    keys: tuple[RowKey, ...]
    part: Floats
    row: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """What is known of a plan's stops and the legs to them.

    Attributes:
        drive_s: (s,) the plan's own drive from the stop before; of the first, from the path's start.
        service_s: (s,) the plan's own.
        due_ms: (s,) when each is planned to be reached, guessed where the plan has no times.
        drive_keys, service_keys: (s) of each, level by level, the rows it concerns.
        drive_levels, service_levels: the same, level by level of all stops.
        start_keys: those of the start.
    """

    drive_s: Floats
    service_s: Floats
    due_ms: Floats
    drive_keys: tuple[tuple[Parts, ...], ...]
    service_keys: tuple[tuple[Parts, ...], ...]
    drive_levels: tuple[FlatLevel, ...]
    service_levels: tuple[FlatLevel, ...]
    start_keys: tuple[Parts, ...]


_KNOWN: WeakKeyDictionary[Plan, Places] = WeakKeyDictionary()


def places(plan: Plan) -> Places:
    """Look at a plan; what was found is kept as long as the plan lives."""
    found = _KNOWN.get(plan)
    if found is None:
        found = _KNOWN[plan] = _look(plan)
    return found


def planned_drive_s(plan: Plan) -> Floats:
    """Tell the plan's own drive to each stop from the one before, of the first from the path's start, seconds.

    From planned arrivals and services where there are any; else what routing says, or path length at a typical speed,
    and the way between the path and doors far from it.
    Where the plan waits for a window to open, the wait is not driving. Where what was learned is in the plan's times
    already, they say nothing more.
    """
    along_m, service_s = plan.stops[:, 3], plan.stops[:, 4]
    paced_s = np.diff(along_m, prepend=0.0) / TYPICAL_MPS
    doors_s = (plan.door_m + np.concatenate(([0.0], plan.door_m[:-1]))) / TYPICAL_MPS if len(along_m) else paced_s
    known_s = np.where(np.isnan(plan.stop_drive_s), paced_s, plan.stop_drive_s) + doors_s
    if not len(along_m) or plan.times_learned or np.isnan(plan.stop_due_ms).any():
        return known_s
    opens_ms = np.where(plan.wait_for_window, plan.stop_window_ms[:, 0], UNKNOWN_MS)
    served_ms = np.maximum(plan.stop_due_ms, opens_ms) + 1000 * service_s
    before_ms = np.concatenate(([float(plan.start_ms)], served_ms[:-1]))
    drive_s = np.maximum((plan.stop_due_ms - before_ms) / 1000, 0.0)
    on_opening = np.abs(plan.stop_due_ms - opens_ms) <= 60_000
    return np.where(on_opening, np.minimum(drive_s, known_s), drive_s)


def _look(plan: Plan) -> Places:
    drive_s, service_s = planned_drive_s(plan), plan.stops[:, 4]
    count = len(drive_s)
    paced_ms = plan.start_ms + 1000 * (np.cumsum(drive_s) + np.cumsum(service_s) - service_s)
    due_ms = np.where(np.isnan(plan.stop_due_ms), paced_ms, plan.stop_due_ms)
    when = [hour_and_weekday(at_ms, plan.utc_offset_s) for at_ms in due_ms.tolist()]
    names = [_place(lat, lon) for lat, lon in zip(plan.stop_lat.tolist(), plan.stop_lon.tolist(), strict=True)]
    driver = str(plan.driver_id)
    length_m = np.diff(plan.stops[:, 3], prepend=0.0)
    cells = _cells(plan)
    drive_keys, service_keys = [], []
    for row in range(count):
        hour, weekday = when[row]
        leg = f"{names[row - 1] if row else 'start'} > {names[row]}"
        drive_keys.append(
            (
                _common("drive"),
                _common("drive_speed", speed_name(float(length_m[row] / drive_s[row]) if drive_s[row] > 0 else 0.0)),
                _common("drive_hour", "", hour, weekday),
                tuple((RowKey("drive_cell", cell), part) for cell, part in cells[row]),
                _common("drive_driver", driver),
                _one("drive_leg", leg),
                _one("drive_leg_hour", leg, hour, weekday),
                _one("drive_leg_now", leg),
            )
        )
        place = float(plan.stop_lat[row]), float(plan.stop_lon[row])
        service_keys.append(service_parts(plan.stop_kinds[row], int(plan.stop_parcels[row]), *place, driver=driver))
    start = _place(float(plan.path_lat[0]), float(plan.path_lon[0]))
    start_keys = (_common("start"), _one("start_place", start))
    return Places(
        drive_s=drive_s,
        service_s=service_s,
        due_ms=due_ms,
        drive_keys=tuple(drive_keys),
        service_keys=tuple(service_keys),
        drive_levels=_flat(drive_keys),
        service_levels=_flat(service_keys),
        start_keys=start_keys,
    )


def _flat(keys: Sequence[tuple[Parts, ...]]) -> tuple[FlatLevel, ...]:
    levels = []
    for level in zip(*keys, strict=True):
        parts = [part for of_stop in level for part in of_stop]
        row = np.repeat(np.arange(len(level)), [len(of_stop) for of_stop in level])
        levels.append(FlatLevel(tuple(key for key, _ in parts), np.array([part for _, part in parts]), row))
    return tuple(levels)


def _one(scope: str, key: str = "", *classes: int) -> Parts:
    return ((RowKey(scope, key, *classes), 1.0),)


_common = lru_cache(maxsize=8_192)(_one)
"""The same, made once for all whom it concerns: a plan of a hundred stops names a thousand rows."""


def _place(lat: float, lon: float) -> str:
    return f"{lat:.4f},{lon:.4f}"  # 11 m


def _cell(lat: float, lon: float) -> str:
    return f"{floor(lat / CELL_DEG) * CELL_DEG:.2f},{floor(lon / CELL_DEG) * CELL_DEG:.2f}"


def _cells(plan: Plan) -> list[list[tuple[str, float]]]:
    """Tell of the leg to each stop through which cells it goes, and which part of it."""
    bounds_m = np.concatenate(([0.0], plan.stops[:, 3]))
    counts = np.maximum(np.diff(bounds_m) // SAMPLE_M, 1).astype(np.int64)
    leg = np.repeat(np.arange(len(counts)), counts)
    within = (np.arange(len(leg)) - (np.cumsum(counts) - counts)[leg] + 0.5) / counts[leg]
    at_m = bounds_m[leg] + within * np.diff(bounds_m)[leg]
    lat = np.floor(np.interp(at_m, plan.path_along_m, plan.path_lat) / CELL_DEG).astype(np.int64)
    lon = np.floor(np.interp(at_m, plan.path_along_m, plan.path_lon) / CELL_DEG).astype(np.int64)
    found: list[list[tuple[str, float]]] = [[] for _ in counts]
    rows, times = np.unique(np.column_stack((leg, lat, lon)), axis=0, return_counts=True)
    for (row, y, x), n in zip(rows.tolist(), times.tolist(), strict=True):
        found[row].append((f"{y * CELL_DEG:.2f},{x * CELL_DEG:.2f}", n / float(counts[row])))
    return found


def speed_name(mps: float) -> str:
    """Name the class of a planned speed."""
    return _SPEED_NAMES[bisect_right(SPEEDS_MPS, mps)]


def service_parts(kind: str, parcels: int, lat: float, lon: float, *, driver: str) -> tuple[Parts, ...]:
    """Name the rows that a service concerns, level by level.

    Args:
        kind: of the stop; lat, lon: its place, degrees.
        driver: their id as text; empty: nobody knows who.
    """
    return (
        _common("service"),
        _common("service_kind", f"{kind}, {_parcels(parcels)}"),
        _common("service_area", _cell(lat, lon)),
        _common("service_driver", driver),
        _one("service_place", _place(lat, lon)),
    )


def _parcels(count: int) -> str:
    return "1 parcel" if count <= 1 else "2-4 parcels" if count <= 4 else "5 and more parcels"
