"""The picture of the way, while there is no map: where on its curve the van stands, and a dot for each stop before."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import dist

_CURVES = (
    ((44, 216), (58, 213), (70, 210), (82, 206)),
    ((82, 206), (160, 180), (118, 128), (182, 112)),
    ((182, 112), (240, 98), (262, 140), (322, 112)),
)
"""The way in api/static/page/scene.html: cubic Bézier curves."""

_BEFORE_HOME = 42
_MOST = 6
"""Many stops are as good as six."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Places in the picture; `name` says which one it is: planned, way, yes, no or none."""

    name: str
    lorry: Point
    dots: Sequence[Point]


def scene_of(name: str, stops_before: int | None = None) -> Scene:
    """Draw it; `stops_before` None: nobody says how many."""
    if name not in ("planned", "way"):
        return Scene(name=name, lorry=(0, 0), dots=())
    before = _MOST if name == "planned" else min(3 if stops_before is None else stops_before, _MOST)
    van = 0.0 if name == "planned" else 1 - before / (_MOST + 1)
    counted = before if name == "way" and stops_before is not None else 0
    dots = [_at(van + (1 - van) * n / (before + 1)) for n in range(1, counted + 1)]
    return Scene(name=name, lorry=_at(van * 0.92), dots=dots)


def _cubic(curve: Sequence[tuple[int, int]], share: float) -> Point:
    weights = ((1 - share) ** 3, 3 * share * (1 - share) ** 2, 3 * share**2 * (1 - share), share**3)
    x, y = (sum(weight * point[axis] for weight, point in zip(weights, curve, strict=True)) for axis in (0, 1))
    return x, y


_LINE = [_cubic(curve, n / 32) for curve in _CURVES for n in range(33)]
_ALONG = [0.0, *accumulate(dist(*pair) for pair in pairwise(_LINE))]


def _at(share: float) -> Point:
    place = bisect_left(_ALONG, share * (_ALONG[-1] - _BEFORE_HOME))
    return round(_LINE[place][0], 1), round(_LINE[place][1], 1)
