"""The shape of a geofence: a circle, a polygon or a corridor, read from GeoJSON and put on a plane of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from geo.pings import Floats
from geo.shape import plane
from geo.shape.numbers import LEAST_AREA_M2, MAX_BUFFER_M, MAX_LAT_DEG, MAX_RADIUS_M, MAX_VERTICES, MAX_WIDTH_DEG


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fence:
    """One version of a geofence. Make it with `prepare_fence`.

    Attributes:
        geofence_id: > 0.
        version: of the geofence, ascending.
        effective_ms: in force from this time on; UNKNOWN_MS means since ever.
        ended_ms: no longer in force from this time on; UNKNOWN_MS: still is.
        dwell_s: seconds inside after which a FENCE_DWELLED follows; None: never.
        lon0, lat0: origin of its plane, degrees; a circle's centre.
        radius_m: of a circle; NaN for other shapes.
        shape: prepared shapely geometry on the plane; None for a circle.
        bounds: west, south, east, north in degrees; west may be below -180 and east above 180.
    """

    geofence_id: int
    version: int
    effective_ms: int
    ended_ms: int
    dwell_s: float | None
    lon0: float
    lat0: float
    radius_m: float
    shape: Any
    bounds: tuple[float, float, float, float]


def prepare_fence(
    *,
    geofence_id: int,
    version: int,
    effective_ms: int,
    ended_ms: int,
    feature: Mapping[str, Any],
    dwell_s: float | None,
) -> Fence:
    """Check a GeoJSON Feature and put it on a plane of its own.

    Args:
        geofence_id, version, effective_ms, ended_ms, dwell_s: as in `Fence`.
        feature: Point with properties.radius_m, Polygon or MultiPolygon, or LineString with properties.buffer_m.

    Raises:
        ValueError: a sentence about what is wrong with the feature.
    """
    geometry, properties = _mapping(feature, "geometry"), feature.get("properties") or {}
    if feature.get("type") != "Feature":
        raise ValueError("a geofence is a GeoJSON Feature")
    if dwell_s is not None and not 0 <= dwell_s <= 7 * 86_400:
        raise ValueError("dwell_s must be between 0 and 604800 seconds")
    if not isinstance(properties, Mapping):
        raise ValueError("properties must be an object")
    outline = _outline(geometry, properties)
    lon0, lat0 = outline.lon0, outline.lat0
    if outline.shape is not None:
        shapely.prepare(outline.shape)
    east = plane.wrap_deg(outline.lon - lon0)
    tall = outline.reach_m / 110_500 + 1e-6
    wide = tall / float(np.cos(np.radians(min(np.abs(outline.lat).max() + tall, 85.0))))
    return Fence(
        geofence_id=geofence_id,
        version=version,
        effective_ms=effective_ms,
        ended_ms=ended_ms,
        dwell_s=dwell_s,
        lon0=lon0,
        lat0=lat0,
        radius_m=outline.reach_m if outline.shape is None else np.nan,
        shape=outline.shape,
        bounds=(
            lon0 + float(east.min()) - wide,
            float(outline.lat.min()) - tall,
            lon0 + float(east.max()) + wide,
            float(outline.lat.max()) + tall,
        ),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Outline:
    """A geometry on its plane: the origin, its positions (degrees), how far it reaches beyond them, and its shape."""

    lon0: float
    lat0: float
    lon: Floats
    lat: Floats
    reach_m: float
    shape: Any


def _outline(geometry: Mapping[str, Any], properties: Mapping[str, Any]) -> _Outline:
    """Read a geometry by its kind; a circle has no shape."""
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind == "Point":
        lon, lat = _positions([coordinates])
        return _Outline(float(lon[0]), float(lat[0]), lon, lat, _metres(properties, "radius_m", MAX_RADIUS_M), None)
    if kind == "LineString":
        lon, lat = _positions(coordinates)
        reach_m = _metres(properties, "buffer_m", MAX_BUFFER_M)
        lon0, lat0 = _centre(lon, lat)
        line = np.column_stack(plane.project(lon, lat, lon0, lat0))
        if len(line) < 2 or not np.ptp(line, axis=0).any():
            raise ValueError("a LineString needs two different positions")
        shape = shapely.buffer(shapely.LineString(line), reach_m)
        if shape.is_empty or shape.area < LEAST_AREA_M2:
            raise ValueError("properties.buffer_m leaves the corridor no area")
        return _Outline(lon0, lat0, lon, lat, reach_m, shape)
    if kind in ("Polygon", "MultiPolygon"):
        lon, lat = _positions([at for ring in _rings(geometry) for at in ring])
        lon0, lat0 = _centre(lon, lat)
        return _Outline(lon0, lat0, lon, lat, 0.0, polygon_on_plane(geometry, lon0, lat0))
    raise ValueError("the geometry must be a Point, Polygon, MultiPolygon or LineString")


def polygon_on_plane(geometry: Mapping[str, Any], lon0: float, lat0: float) -> Any:
    """Put a GeoJSON Polygon or MultiPolygon (or a Feature of one) on a plane, prepared for asking.

    Raises:
        ValueError: a sentence about what is wrong with it.
    """
    if geometry.get("type") == "Feature":
        geometry = _mapping(geometry, "geometry")
    _check_rings(_rings(geometry))
    shape = _joined(_polygons(geometry, lon0, lat0))
    if shape.is_empty or shape.area < LEAST_AREA_M2:
        raise ValueError("the polygon has no area")
    shapely.prepare(shape)
    return shape


def _check_rings(rings: Sequence[Sequence[Any]]) -> None:
    """Raise unless every ring is closed and all of them together are positions, not too many."""
    for ring in rings:
        if len(ring) < 4:
            raise ValueError("a ring of a polygon needs at least four positions")
        if list(ring[0])[:2] != list(ring[-1])[:2]:
            raise ValueError("a ring of a polygon must end where it begins")
    _positions([at for ring in rings for at in ring])


def _polygons(geometry: Mapping[str, Any], lon0: float, lat0: float) -> list[Any]:
    """Draw every part on the plane: its first ring is the shell, the others are holes."""
    polygons = []
    for part in [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]:
        shell, *holes = (np.column_stack(plane.project(*_positions(ring), lon0, lat0)) for ring in part)
        polygons.append(shapely.Polygon(shell, holes))
    return polygons


def _joined(polygons: Sequence[Any]) -> Any:
    """Make one shape of polygons. Parts cut apart at the antimeridian touch along it on the plane: no mistake."""
    shape = polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)
    if shapely.is_valid(shape):
        return shape
    if len(polygons) == 1 or not all(shapely.is_valid(polygon) for polygon in polygons):
        reason = shapely.is_valid_reason(shape).split("[")[0].strip().lower()
        raise ValueError(f"the polygon is not valid: {reason}")
    return shapely.union_all(polygons)


def _mapping(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = parent.get(name)
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} must be an object")
    return value


def _rings(geometry: Mapping[str, Any]) -> list[Sequence[Any]]:
    coordinates: Any = geometry.get("coordinates")
    parts: Any = [coordinates] if geometry.get("type") == "Polygon" else coordinates
    if geometry.get("type") not in ("Polygon", "MultiPolygon"):
        raise ValueError("the geometry must be a Polygon or MultiPolygon")
    if not isinstance(parts, Sequence) or not parts or not all(isinstance(part, Sequence) and part for part in parts):
        raise ValueError("a polygon needs rings of positions")
    rings = [ring for part in parts for ring in part]
    if not all(isinstance(ring, Sequence) and ring and not isinstance(ring, str) for ring in rings):
        raise ValueError("a polygon needs rings of positions")
    return rings


def _positions(coordinates: Any) -> tuple[Floats, Floats]:
    """Check GeoJSON positions and give their columns."""
    if not isinstance(coordinates, Sequence) or isinstance(coordinates, str) or not coordinates:
        raise ValueError("coordinates must be a list of positions")
    if len(coordinates) > MAX_VERTICES:
        raise ValueError(f"a geofence has at most {MAX_VERTICES} positions")
    pairs = []
    for at in coordinates:
        if not isinstance(at, Sequence) or len(at) < 2 or not all(type(value) in (int, float) for value in at[:2]):
            raise ValueError("a position is [longitude, latitude]")
        pairs.append((float(at[0]), float(at[1])))
    lon, lat = np.array(pairs, np.float64).T
    if not (np.abs(lon) <= 180).all() or not (np.abs(lat) <= MAX_LAT_DEG).all():  # NaN fails too
        raise ValueError("longitude must be between -180 and 180, latitude between -80 and 80")
    return np.ascontiguousarray(lon), np.ascontiguousarray(lat)


def _metres(properties: Mapping[str, Any], name: str, at_most: float) -> float:
    value: Any = properties.get(name)
    if type(value) not in (int, float) or not 0 < value <= at_most:
        raise ValueError(f"properties.{name} must be more than 0 and at most {at_most:.0f} metres")
    return float(value)


def _centre(lon: Floats, lat: Floats) -> tuple[float, float]:
    east = plane.wrap_deg(lon - lon[0])
    if np.ptp(east) > MAX_WIDTH_DEG or np.ptp(lat) > MAX_WIDTH_DEG:
        raise ValueError(f"a geofence is at most {MAX_WIDTH_DEG:.0f} degrees wide and high")
    return float(lon[0] + (east.min() + east.max()) / 2), float((lat.min() + lat.max()) / 2)
