"""Whether a place can be right: what software makes up, what was swapped, what is far from where vans start."""

import numpy as np

from geo.shape.plane import in_space

FARTHEST_KM = 300.0
"""From its depot: farther is no last mile, and mostly a typing mistake."""


def doubt(lat: float, lon: float, depots: list[tuple[float, float]]) -> str | None:
    """Say what is doubtful about a place; None when nothing is.

    Args:
        lat, lon: degrees.
        depots: (lat, lon) of those that it may be served from; empty: none is known, and nothing is far.
    """
    if lat == 0 and lon == 0:
        return "is 0, 0: a place in the sea that software makes up"
    if not depots or _nearest_km(lat, lon, depots) <= FARTHEST_KM:
        return None
    if -90 <= lon <= 90 and _nearest_km(lon, lat, depots) <= FARTHEST_KM:
        return "looks swapped: latitude and longitude the other way round are near the depot"
    for flipped_lat, flipped_lon in ((-lat, lon), (lat, -lon), (-lat, -lon)):
        if _nearest_km(flipped_lat, flipped_lon, depots) <= FARTHEST_KM:
            return "has a sign that looks wrong: with the other one it is near the depot"
    return f"is {_nearest_km(lat, lon, depots):.0f} km from the nearest depot"


def _nearest_km(lat: float, lon: float, depots: list[tuple[float, float]]) -> float:
    here = in_space([lon], [lat])
    there = in_space([depot[1] for depot in depots], [depot[0] for depot in depots])
    return float(np.sqrt(((there - here) ** 2).sum(axis=1)).min()) / 1000
