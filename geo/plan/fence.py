"""The geofences of an account under one tree: which are near, how far outside one is, whether a way leads through."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.pings import UNKNOWN_MS, Floats, Ints
from geo.plan.numbers import (
    CHORD_M,
    MAX_OPEN,
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
