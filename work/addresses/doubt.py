"""Whether a place can be right: what software makes up, what was swapped, is at sea or far from vans."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tzfpy

from geo.shape.plane import in_space

FARTHEST_KM = 300.0
"""From its depot: farther is no last mile, and mostly a typing mistake."""

_ZERO_DEG = 0.01
"""About a kilometre: software that rounds puts what it does not know beside 0, 0 too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """What is doubtful about a place.

    Attributes:
        why: goes on a sentence that begins with the place.
        proposed: (lat, lon), degrees, that may be meant; None: nobody can tell.
    """

    why: str
    proposed: tuple[float, float] | None = None


def doubt(lat: float, lon: float, depots: Sequence[tuple[float, float]]) -> Doubt | None:
    """Say what is doubtful about a place; None when nothing is.

    Args:
        lat, lon: degrees.
        depots: (lat, lon) of those that it may be served from; empty: none is known, and nothing is far.
    """
    if abs(lat) < _ZERO_DEG and abs(lon) < _ZERO_DEG:
        return Doubt(why="is 0, 0: a place in the sea that software makes up")
    if depots and _nearest_km(lat, lon, depots) > FARTHEST_KM:
        return _far(lat, lon, depots)
    if _at_sea(lat, lon):
        return Doubt(why="is at sea, far from any coast")
    return None


def _far(lat: float, lon: float, depots: Sequence[tuple[float, float]]) -> Doubt:
    if -90 <= lon <= 90 and _nearest_km(lon, lat, depots) <= FARTHEST_KM:
        return Doubt(
            why="looks swapped: latitude and longitude the other way round are near the depot", proposed=(lon, lat)
        )
    for flipped in ((-lat, lon), (lat, -lon), (-lat, -lon)):
        if _nearest_km(*flipped, depots) <= FARTHEST_KM:
            return Doubt(why="has a sign that looks wrong: with the other one it is near the depot", proposed=flipped)
    return Doubt(why=f"is {_nearest_km(lat, lon, depots):.0f} km from the nearest depot")


def _at_sea(lat: float, lon: float) -> bool:
    """Tell whether no country has the place: the map of time zones follows territorial waters, 22 km from the coast."""
    return tzfpy.get_tz(lon, lat).startswith("Etc/")


def _nearest_km(lat: float, lon: float, depots: Sequence[tuple[float, float]]) -> float:
    here = in_space([lon], [lat])
    there = in_space([depot[1] for depot in depots], [depot[0] for depot in depots])
    return float(np.sqrt(((there - here) ** 2).sum(axis=1)).min()) / 1000
