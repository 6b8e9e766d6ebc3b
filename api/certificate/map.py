"""The small map of a certificate: lines and dots in a box, north up, made of what we know. No tiles, no network."""

from dataclasses import dataclass

import numpy as np

from geo.pings import Floats
from geo.shape.plane import project

WIDTH, HEIGHT = 320.0, 240.0
"""Of the box; both pages scale it."""

_LEAST_M = 90.0  # from the centre to the nearer edge: the streets around are recognized
_ROOM = 1.5  # the farther of stop and place lies so much inside the edge
_BARS_M = (10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)

Point = tuple[float, float]
"""x to the right and y down, in units of the box."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallMap:
    """What to draw, in this order.

    Attributes:
        path: the way of the van; empty where it has none here. May leave the box: clip it.
        fence: radius of the circle around the stop.
        stop: the address.
        place: where it was recorded; None: nobody knows.
        bar, bar_words: the scale, how long it is drawn and what it stands for.
    """

    path: list[Point]
    fence: float
    stop: Point
    place: Point | None
    bar: float
    bar_words: str


def reach_m(distance_m: float | None) -> float:
    """Tell how far from the stop the map reaches, metres: how much of the path it needs."""
    return max(_LEAST_M, _ROOM * (distance_m or 0.0)) * WIDTH / HEIGHT


def draw_map(
    *,
    path_lon: Floats,
    path_lat: Floats,
    stop: Point,
    radius_m: float,
    place: Point | None,
    distance_m: float | None,
) -> SmallMap:
    """Lay it out around the stop.

    Args:
        path_lon, path_lat: the part of the path that may be seen, degrees; may be empty.
        stop, place: (lon, lat), degrees.
        radius_m: of the circle around the stop, metres.
        distance_m: from the place to the stop, metres.
    """
    half_m = max(_LEAST_M, _ROOM * (distance_m or 0.0))
    scale = HEIGHT / 2 / half_m

    def placed(lon: Floats, lat: Floats) -> list[Point]:
        x_m, y_m = project(lon, lat, stop[0], stop[1])
        return [
            (round(WIDTH / 2 + float(x) * scale, 1), round(HEIGHT / 2 - float(y) * scale, 1))
            for x, y in zip(x_m, y_m, strict=True)
        ]

    bar_m = max((one for one in _BARS_M if one * scale <= WIDTH / 3), default=_BARS_M[0])
    return SmallMap(
        path=placed(path_lon, path_lat) if len(path_lon) > 1 else [],
        fence=round(radius_m * scale, 1),
        stop=(WIDTH / 2, HEIGHT / 2),
        place=None if place is None else placed(np.array([place[0]]), np.array([place[1]]))[0],
        bar=round(bar_m * scale, 1),
        bar_words=f"{bar_m} m" if bar_m < 1_000 else f"{bar_m // 1_000} km",
    )
