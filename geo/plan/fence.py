"""The geofences of an account under one tree: which are near, how far outside one is, whether a way leads through."""

from collections.abc import Mapping, Sequence
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
        ("seen", "u1"),  # fixes of a standing phone that the next two rest on
        ("mean_m", "<f8"),  # how far outside they are on the mean
        ("scatter_m2", "<f8"),  # their variance
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
    _versions: Mapping[int, tuple[tuple[int, int, int], ...]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        versions, until_ms = _in_force(self.fences)
        boxes, leaf = _boxes(self.fences)
        object.__setattr__(self, "_tree", shapely.STRtree(shapely.box(*boxes.T)) if self.fences else None)
        object.__setattr__(self, "_leaf", leaf)
        object.__setattr__(self, "_columns", _columns(self.fences, until_ms))
        object.__setattr__(self, "_versions", versions)

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

    def row_at(self, geofence_id: int, ms: int) -> int | None:
        """Give the row of the version of a geofence that is in force; None: it is not."""
        versions = self._versions.get(geofence_id, ())
        return next((row for begin, end, row in versions if begin <= ms < end), None)

    def ended_ms(self, geofence_id: int, ms: int) -> int:
        """Tell when a geofence that is not in force at `ms` ended."""
        return max((end for _, end, _ in self._versions.get(geofence_id, ()) if end <= ms), default=ms)


def _in_force(fences: Sequence[Fence]) -> tuple[dict[int, tuple[tuple[int, int, int], ...]], Ints]:
    """Tell from when until when each version counts.

    Returns:
        Of each geofence its versions in their order: from, until, row; and (n,) until when by row.
    """
    ever = np.iinfo(np.int64).max
    until_ms = np.array([ever if one.ended_ms == UNKNOWN_MS else one.ended_ms for one in fences], np.int64)
    versions: dict[int, list[int]] = {}
    for row in sorted(range(len(fences)), key=lambda row: (fences[row].effective_ms, fences[row].version)):
        versions.setdefault(fences[row].geofence_id, []).append(row)
    for rows in versions.values():
        for row, following in pairwise(rows):
            until_ms[row] = min(until_ms[row], fences[following].effective_ms)
    spans = {
        geofence_id: tuple((fences[row].effective_ms, int(until_ms[row]), row) for row in rows)
        for geofence_id, rows in versions.items()
    }
    return spans, until_ms


def _boxes(fences: Sequence[Fence]) -> tuple[Floats, Ints]:
    """Give the bounds of fences, degrees, and whose each is: near the antimeridian one has another box, a turn away."""
    boxes = np.array([fence.bounds for fence in fences]).reshape(-1, 4)
    east_too, west_too = np.flatnonzero(boxes[:, 0] < -178), np.flatnonzero(boxes[:, 2] > 178)
    turn = np.array([360.0, 0.0, 360.0, 0.0])
    leaf = np.concatenate((np.arange(len(fences)), east_too, west_too))
    return np.concatenate((boxes, boxes[east_too] + turn, boxes[west_too] - turn)), leaf


def _columns(fences: Sequence[Fence], until_ms: Ints) -> dict[str, NDArray[Any]]:
    """Put fences side by side."""
    return {
        "geofence_id": np.array([one.geofence_id for one in fences], np.int64),
        "from_ms": np.array([one.effective_ms for one in fences], np.int64),
        "until_ms": until_ms,
        "lon0": np.array([one.lon0 for one in fences], np.float64),
        "lat0": np.array([one.lat0 for one in fences], np.float64),
        "radius_m": np.array([one.radius_m for one in fences], np.float64),
        "shape": np.array([one.shape for one in fences], object),
    }
