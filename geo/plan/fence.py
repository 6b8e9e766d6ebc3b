"""Geofences, and which of them a driver is in.

A fence is entered when a fix is clearly inside or two in a row are inside at all, left when one is clearly outside or
two in a row are outside: a phone lying on the border does not flap. One driven through between two pings is crossed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.numbers import UNSAID_AT_FENCE_M, VAGUEST_M
from geo.pings import UNKNOWN_MS, Floats, Ints, Rows
from geo.plan.facts import FactType
from geo.plan.numbers import (
    CHORD_M,
    CLEARLY_M,
    CLEARLY_OUT_M,
    CLEARLY_PART,
    MAX_OPEN,
    OUTS,
    STRAIGHT_EAST_DEG,
    STRAIGHT_MS,
    STRAIGHT_NORTH_DEG,
)
from geo.shape import plane
from geo.shape.fence_shape import Fence

FENCE_VISIT = np.dtype(
    [
        ("geofence_id", "<i8"),  # 0: this place is free
        ("entered_ms", "<i8"),
        ("inside_ms", "<i8"),  # last fix inside
        ("outs", "u1"),  # fixes outside in a row
        ("sure", "?"),  # entered; before that one fix lies shallow inside
        ("dwelled", "?"),
    ]
)
FENCES = np.dtype((FENCE_VISIT, (MAX_OPEN,)))
"""What a track remembers: the fences the driver is in, in the order they were entered."""


@dataclass(frozen=True, slots=True, eq=False)
class Fences:
    """The fences of an account under one tree, shared by its drivers.

    Attributes:
        fences: every version of every geofence that was ever in force.
    """

    fences: tuple[Fence, ...] = ()
    _tree: Any = field(init=False, repr=False)
    _leaf: Ints = field(init=False, repr=False)
    _columns: Mapping[str, NDArray[Any]] = field(init=False, repr=False)
    _versions: Mapping[int, tuple[tuple[int, int], ...]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        fences = self.fences
        boxes = np.array([fence.bounds for fence in fences]).reshape(-1, 4)
        leaf = np.arange(len(fences))
        # near the antimeridian a fence also stands one turn of the earth away
        east_too, west_too = np.flatnonzero(boxes[:, 0] < -178), np.flatnonzero(boxes[:, 2] > 178)
        turn = np.array([360.0, 0.0, 360.0, 0.0])
        boxes = np.concatenate((boxes, boxes[east_too] + turn, boxes[west_too] - turn))
        leaf = np.concatenate((leaf, east_too, west_too))
        ever = np.iinfo(np.int64).max
        until_ms = np.array([ever if f.ended_ms == UNKNOWN_MS else f.ended_ms for f in fences], np.int64)
        versions: dict[int, list[int]] = {}
        for row in sorted(range(len(fences)), key=lambda row: (fences[row].effective_ms, fences[row].version)):
            versions.setdefault(fences[row].geofence_id, []).append(row)
        for rows in versions.values():
            for row, following in pairwise(rows):
                until_ms[row] = min(until_ms[row], fences[following].effective_ms)
        columns: dict[str, NDArray[Any]] = {
            "geofence_id": np.array([f.geofence_id for f in fences], np.int64),
            "from_ms": np.array([f.effective_ms for f in fences], np.int64),
            "until_ms": until_ms,
            "lon0": np.array([f.lon0 for f in fences], np.float64),
            "lat0": np.array([f.lat0 for f in fences], np.float64),
            "radius_m": np.array([f.radius_m for f in fences], np.float64),
            "shape": np.array([f.shape for f in fences], object),
        }
        spans = {
            geofence_id: tuple((fences[row].effective_ms, int(until_ms[row])) for row in rows)
            for geofence_id, rows in versions.items()
        }
        object.__setattr__(self, "_tree", shapely.STRtree(shapely.box(*boxes.T)) if fences else None)
        object.__setattr__(self, "_leaf", leaf)
        object.__setattr__(self, "_columns", columns)
        object.__setattr__(self, "_versions", spans)

    def near(self, west: Floats, south: Floats, east: Floats, north: Floats, ms: Ints) -> tuple[Ints, Ints]:
        """Find the fences in force whose bounds touch boxes in degrees (east may exceed 180, west fall below -180).

        Returns:
            (p,) rows of boxes and (p,) rows of fences, by box, then fence.
        """
        if self._tree is None or not len(ms):
            none = np.zeros(0, np.int64)
            return none, none
        box, leaf = self._tree.query(shapely.box(west, south, east, north))
        pairs = np.unique(np.stack((box, self._leaf[leaf])), axis=1)
        box, fence = pairs[0], pairs[1]
        valid = (self._columns["from_ms"][fence] <= ms[box]) & (ms[box] < self._columns["until_ms"][fence])
        return box[valid], fence[valid]

    def outside_m(self, row: Ints, lon: Floats, lat: Floats) -> Floats:
        """Measure how far places are outside fences, one by one; negative inside."""
        x_m, y_m = plane.project(lon, lat, self._columns["lon0"][row], self._columns["lat0"][row])
        out_m: Floats = np.sqrt(x_m * x_m + y_m * y_m) - self._columns["radius_m"][row]
        other = np.flatnonzero(np.isnan(out_m))
        if len(other):
            shapes, places = self._columns["shape"][row[other]], shapely.points(x_m[other], y_m[other])
            border_m = shapely.distance(shapely.boundary(shapes), places)
            out_m[other] = np.where(shapely.contains(shapes, places), -border_m, border_m)
        return out_m

    def crossing(self, row: int, lon: Floats, lat: Floats) -> float | None:
        """Tell whether the straight way between two places, both outside, leads through a fence.

        Args:
            row: the fence.
            lon, lat: (2,) from and to, degrees.

        Returns:
            How far along the way its middle inside lies, 0 to 1; None when it does not lead through.
        """
        fence = self.fences[row]
        x_m, y_m = plane.project(lon, lat, fence.lon0, fence.lat0)
        way = shapely.LineString(np.column_stack((x_m, y_m)))
        if way.length == 0:
            return None
        if fence.shape is None:
            part = float(way.project(shapely.Point(0, 0), normalized=True))
            off_m = way.distance(shapely.Point(0, 0))
            chord_m = 2 * float(np.sqrt(max(fence.radius_m**2 - off_m**2, 0)))
            return part if chord_m >= CHORD_M else None
        inside = way.intersection(fence.shape)
        if inside.length < CHORD_M:
            return None
        return float(way.project(inside.centroid, normalized=True))

    def ended_ms(self, geofence_id: int, ms: int) -> int | None:
        """Tell when a geofence that is not in force at `ms` ended; None when it is in force."""
        versions = self._versions.get(geofence_id, ())
        if any(begin <= ms < end for begin, end in versions):
            return None
        return max((end for _, end in versions if end <= ms), default=ms)


@dataclass(frozen=True, slots=True)
class Passage:
    """One fact about a driver and a fence.

    Attributes:
        fix: row of the fix that made it known.
        type: FENCE_ENTERED, FENCE_EXITED, FENCE_CROSSED or FENCE_DWELLED.
        geofence_id: which.
        occurred_ms: when.
        ordinal: when it was entered, ms.
    """

    fix: int
    type: FactType
    geofence_id: int
    occurred_ms: int
    ordinal: int


def follow(
    memory: Rows, fences: Sequence[Fences], starts: Ints, ms: Ints, lon: Floats, lat: Floats, accuracy_m: Floats,
    last_ms: Ints, last_lon: Floats, last_lat: Floats,
) -> tuple[Rows, list[Passage]]:  # fmt: skip
    """Follow believed fixes of many drivers through their fences.

    Args:
        memory: (m, MAX_OPEN) of dtype `FENCE_VISIT`. Not changed.
        fences: (m) each driver's; drivers of one account share one object.
        starts: (m + 1,) where each driver's fixes begin.
        ms, lon, lat: (n,) fixes, each driver's in order.
        accuracy_m: (n,) NaN where the phone did not say.
        last_ms, last_lon, last_lat: (m,) each driver's last believed fix before; UNKNOWN_MS for none.

    Returns:
        The new memory, and what happened, driver by driver in order.
    """
    memory = memory.copy()
    happened: list[Passage] = []
    driver = np.repeat(np.arange(len(fences)), np.diff(starts))
    before = np.arange(-1, len(ms) - 1)
    first = before + 1 == starts[driver]
    from_ms = np.where(first, last_ms[driver], ms[before])
    from_lon = np.where(first, last_lon[driver], lon[before])
    from_lat = np.where(first, last_lat[driver], lat[before])

    accounts: dict[int, list[int]] = {}
    for row, account in enumerate(fences):
        if account.fences and starts[row + 1] > starts[row]:
            accounts.setdefault(id(account), []).append(row)
    for rows in accounts.values():
        account = fences[rows[0]]
        mine = np.flatnonzero(np.isin(driver, rows)) if len(accounts) > 1 else np.arange(len(ms))
        known = from_ms[mine] != UNKNOWN_MS
        east = np.where(known, plane.wrap_deg(from_lon[mine] - lon[mine]), 0.0)
        north = np.where(known, from_lat[mine] - lat[mine], 0.0)
        soon = ms[mine] - np.where(known, from_ms[mine], 0) <= STRAIGHT_MS
        straight = known & soon & (np.abs(east) < STRAIGHT_EAST_DEG) & (np.abs(north) < STRAIGHT_NORTH_DEG)
        east, north = np.where(straight, east, 0.0), np.where(straight, north, 0.0)
        lon0, lat0 = lon[mine], lat[mine]
        west_south = lon0 + np.minimum(east, 0), lat0 + np.minimum(north, 0)
        fix, fence = account.near(*west_south, lon0 + np.maximum(east, 0), lat0 + np.maximum(north, 0), ms[mine])
        out_m = account.outside_m(fence, lon0[fix], lat0[fix])
        pairs: dict[int, list[tuple[int, float]]] = {}
        for i, row, out in zip(mine[fix].tolist(), fence.tolist(), out_m.tolist(), strict=True):
            pairs.setdefault(i, []).append((row, out))
        ways: dict[int, tuple[float, float]] = {}
        if pairs:
            columns = (mine[straight].tolist(), east[straight].tolist(), north[straight].tolist())
            ways = {i: (e, n) for i, e, n in zip(*columns, strict=True)}
        busy = {int(row) for row in driver[mine[fix]]} | {row for row in rows if memory[row]["geofence_id"].any()}
        for row in sorted(busy):
            visitor = _Visitor(account, memory[row])
            for i in range(int(starts[row]), int(starts[row + 1])):
                if visitor.open or i in pairs:
                    visitor.see(
                        i, int(ms[i]), float(lon[i]), float(lat[i]), float(accuracy_m[i]),
                        pairs.get(i, []), ways.get(i), int(from_ms[i]),
                    )  # fmt: skip
            memory[row] = visitor.remember()
            happened += visitor.happened
    if len(accounts) > 1:
        happened.sort(key=lambda passage: passage.fix)
    return memory, happened


@dataclass(slots=True)
class _Open:
    entered_ms: int
    inside_ms: int
    outs: int
    sure: bool
    dwelled: bool


class _Visitor:
    """One driver among the fences of an account, fix by fix."""

    def __init__(self, account: Fences, memory: Rows) -> None:
        self.account = account
        self.happened: list[Passage] = []
        self.open: dict[int, _Open] = {
            geofence_id: _Open(entered_ms, inside_ms, outs, sure, dwelled)
            for geofence_id, entered_ms, inside_ms, outs, sure, dwelled in memory.tolist()
            if geofence_id
        }

    def remember(self) -> Rows:
        memory = np.zeros(MAX_OPEN, FENCE_VISIT)
        for slot, (geofence_id, visit) in enumerate(self.open.items()):
            memory[slot] = (geofence_id, visit.entered_ms, visit.inside_ms, visit.outs, visit.sure, visit.dwelled)
        return memory

    def see(
        self, fix: int, ms: int, lon: float, lat: float, accuracy_m: float,
        pairs: list[tuple[int, float]], way: tuple[float, float] | None, from_ms: int,
    ) -> None:  # fmt: skip
        """Take one fix: `pairs` are the fences near it and how far outside it is, `way` leads back."""
        account = self.account
        accuracy_m = UNSAID_AT_FENCE_M if np.isnan(accuracy_m) else min(accuracy_m, VAGUEST_M)
        clearly_m = max(CLEARLY_M, CLEARLY_PART * accuracy_m)
        near = {account.fences[row].geofence_id: (row, out_m) for row, out_m in pairs}
        was_open = set(self.open)
        for geofence_id, visit in list(self.open.items()):
            if geofence_id not in near and (ended_ms := account.ended_ms(geofence_id, ms)) is not None:
                self._leave(fix, geofence_id, visit, max(visit.inside_ms, ended_ms))
                continue
            row, out_m = near.get(geofence_id, (-1, np.inf))
            if out_m <= 0:
                visit.inside_ms, visit.outs = ms, 0
                self._stay(fix, row, geofence_id, visit, sure=True)
            else:
                visit.outs = min(visit.outs + 1, 255)
                if not visit.sure or visit.outs >= OUTS or out_m > clearly_m + CLEARLY_OUT_M:
                    self._leave(fix, geofence_id, visit, visit.inside_ms)
        for geofence_id, (row, out_m) in near.items():
            if geofence_id in was_open:
                continue
            if out_m <= 0:
                if len(self.open) < MAX_OPEN:
                    self.open[geofence_id] = visit = _Open(ms, ms, 0, False, False)
                    self._stay(fix, row, geofence_id, visit, sure=out_m <= -clearly_m)
            elif way is not None:
                # `part` counts from where the driver came from
                part = account.crossing(row, np.array([lon + way[0], lon]), np.array([lat + way[1], lat]))
                if part is not None:
                    at_ms = from_ms + round(part * (ms - from_ms))
                    self.happened.append(Passage(fix, FactType.FENCE_CROSSED, geofence_id, at_ms, at_ms))

    def _stay(self, fix: int, row: int, geofence_id: int, visit: _Open, *, sure: bool) -> None:
        if sure and not visit.sure:
            visit.sure = True
            self.happened.append(Passage(fix, FactType.FENCE_ENTERED, geofence_id, visit.entered_ms, visit.entered_ms))
        dwell_s = self.account.fences[row].dwell_s
        if visit.sure and not visit.dwelled and dwell_s is not None:
            dwelled_ms = visit.entered_ms + round(dwell_s * 1000)
            if visit.inside_ms >= dwelled_ms:
                visit.dwelled = True
                self.happened.append(Passage(fix, FactType.FENCE_DWELLED, geofence_id, dwelled_ms, visit.entered_ms))

    def _leave(self, fix: int, geofence_id: int, visit: _Open, left_ms: int) -> None:
        del self.open[geofence_id]
        # a single shallow fix inside: driven through
        kind, at_ms = (FactType.FENCE_EXITED, left_ms) if visit.sure else (FactType.FENCE_CROSSED, visit.entered_ms)
        self.happened.append(Passage(fix, kind, geofence_id, at_ms, visit.entered_ms))
