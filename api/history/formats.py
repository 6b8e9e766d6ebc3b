"""Tracks as files for other programs: GeoJSON and CSV hold every ping with its flags; GPX and KML draw the drive.

GPX and KML leave out the pings that do not count: a map program would join a phone's errors to the line.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from xml.etree import ElementTree as ET

import msgspec

from api.history.tables import csv_of, time_text

Columns: TypeAlias = Mapping[str, Sequence[Any]]

_GPX = "http://www.topografix.com/GPX/1/1"
_GARMIN = "http://www.garmin.com/xmlschemas/TrackPointExtension/v2"  # where every program looks for speed and course
_KML = "http://www.opengis.net/kml/2.2"
_KML_TRACK = "http://www.google.com/kml/ext/2.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A kind of file."""

    media: str
    ending: str


FORMATS = {
    "geojson": Format(media="application/geo+json", ending="geojson"),
    "gpx": Format(media="application/gpx+xml", ending="gpx"),
    "kml": Format(media="application/vnd.google-earth.kml+xml", ending="kml"),
    "csv": Format(media="text/csv", ending="csv"),
}


def write(name: str, title: str, columns: Columns) -> bytes:
    """Write pings as a file.

    Args:
        name: one of `FORMATS`.
        title: of the track, for people.
        columns: of one length; those of `GET …/track`.
    """
    return _WRITERS[name](title, columns)


def _geojson(title: str, columns: Columns) -> bytes:
    names = [name for name in columns if name not in ("lat", "lon")]
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [lon, lat]},
            "properties": dict(zip(names, values, strict=True)),
        }
        for lon, lat, *values in zip(columns["lon"], columns["lat"], *(columns[name] for name in names), strict=True)
    ]
    return msgspec.json.encode({"type": "FeatureCollection", "title": title, "features": features})


def _csv(_title: str, columns: Columns) -> bytes:
    return csv_of(columns, zip(*columns.values(), strict=True))


def _counting(columns: Columns, *names: str) -> list[tuple[Any, ...]]:
    """The rows of those pings that count, or are not judged yet."""
    rows = zip(columns["believed"], *(columns[name] for name in names), strict=True)
    return [values for believed, *values in rows if believed is not False]  # type: ignore[misc]


def _gpx(title: str, columns: Columns) -> bytes:
    root = ET.Element("gpx", {"version": "1.1", "creator": "Reparto", "xmlns": _GPX, "xmlns:gpxtpx": _GARMIN})
    track = ET.SubElement(root, "trk")
    ET.SubElement(track, "name").text = title
    segment = ET.SubElement(track, "trkseg")
    for time, lat, lon, speed_mps, heading_deg in _counting(columns, "time", "lat", "lon", "speed_mps", "heading_deg"):
        point = ET.SubElement(segment, "trkpt", {"lat": f"{lat:.6f}", "lon": f"{lon:.6f}"})
        ET.SubElement(point, "time").text = time_text(time)
        if speed_mps is None and heading_deg is None:
            continue
        more = ET.SubElement(ET.SubElement(point, "extensions"), "gpxtpx:TrackPointExtension")
        for name, value in (("speed", speed_mps), ("course", heading_deg)):
            if value is not None:
                ET.SubElement(more, f"gpxtpx:{name}").text = f"{value:g}"
    return _document(root)


def _kml(title: str, columns: Columns) -> bytes:
    root = ET.Element("kml", {"xmlns": _KML, "xmlns:gx": _KML_TRACK})
    mark = ET.SubElement(ET.SubElement(root, "Document"), "Placemark")
    ET.SubElement(mark, "name").text = title
    track = ET.SubElement(mark, "gx:Track")
    rows = _counting(columns, "time", "lat", "lon")
    for time, _, _ in rows:  # all times come first, then all places
        ET.SubElement(track, "when").text = time_text(time)
    for _, lat, lon in rows:
        ET.SubElement(track, "gx:coord").text = f"{lon:.6f} {lat:.6f} 0"
    return _document(root)


def _document(root: ET.Element) -> bytes:
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


_WRITERS = {"geojson": _geojson, "gpx": _gpx, "kml": _kml, "csv": _csv}
