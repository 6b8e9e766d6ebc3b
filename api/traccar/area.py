"""The area of a geofence as Traccar writes it: well-known text with latitude before longitude, and circles."""

from collections.abc import Mapping, Sequence
from typing import Any


def area_of(feature: Mapping[str, Any]) -> str:
    """Write the geometry of a geofence, as it was checked when it was put.

    Args:
        feature: GeoJSON: Point with `properties.radius_m`, LineString, Polygon or MultiPolygon; degrees.

    Returns:
        `CIRCLE (lat lon, m)`, `LINESTRING (…)`, `POLYGON ((…))` or `MULTIPOLYGON (((…)))`; holes are further rings.
    """
    geometry = feature["geometry"]
    coordinates = geometry["coordinates"]
    match geometry["type"]:
        case "Point":
            return f"CIRCLE ({_place(coordinates)}, {_number(feature['properties']['radius_m'], 1)})"
        case "LineString":
            return f"LINESTRING {_line(coordinates)}"
        case "Polygon":
            return f"POLYGON {_rings(coordinates)}"
    return f"MULTIPOLYGON ({', '.join(map(_rings, coordinates))})"


def _rings(rings: Sequence[Any]) -> str:
    return f"({', '.join(map(_line, rings))})"


def _line(places: Sequence[Any]) -> str:
    return f"({', '.join(map(_place, places))})"


def _place(place: Sequence[float]) -> str:
    return f"{_number(place[1], 7)} {_number(place[0], 7)}"


def _number(value: float, decimals: int) -> str:
    """Write a number without an exponent, which not everybody reads, and without zeros at its end."""
    return f"{value:.{decimals}f}".rstrip("0").rstrip(".")
