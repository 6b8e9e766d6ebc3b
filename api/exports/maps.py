"""Files for maps, written piece by piece: GeoJSON holds every row, GPX and KML draw drives and mark stops.

GPX and KML leave out pings that do not count, and stops' everything but name and address.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import msgspec

from api.exports.columns import Table, places_of
from api.exports.text import XML_HEAD, FileWriter, xml_text
from api.history.tables import time_text


class GeoJson(FileWriter):
    """Features with all columns; of rows that have one value more than columns, that is the line of their geometry."""

    def __init__(self, title: str, table: Table) -> None:
        self._title, self._places = title, places_of(table)
        self._names = [column.name for column in table]
        self._is_first = True

    def begin(self) -> bytes:
        """Write what comes before the first row."""
        return b'{"type":"FeatureCollection","title":' + msgspec.json.encode(self._title) + b',"features":['

    def rows(self, rows: Sequence[Sequence[Any]]) -> bytes:
        """Write some rows."""
        features = b",\n".join(msgspec.json.encode(self._feature(row)) for row in rows)
        if not features:
            return b""
        comma, self._is_first = (b"" if self._is_first else b",\n"), False
        return comma + features

    def end(self) -> bytes:
        """Write what comes after the last row."""
        return b"]}"

    def _feature(self, row: Sequence[Any]) -> dict[str, Any]:
        properties = dict(zip(self._names, row, strict=False))
        geometry: dict[str, Any] | None = None
        if len(row) > len(self._names):
            geometry = {"type": "LineString", "coordinates": row[-1]}
        elif self._places and row[self._places[0]] is not None:
            lat, lon = (row[place] for place in self._places)
            geometry = {"type": "Point", "coordinates": [lon, lat]}
        return {"type": "Feature", "geometry": geometry, "properties": properties}


class _Drawn(FileWriter):
    """What GPX and KML have in common: drives by tour, or marked places."""

    _last: str
    _after_tour: str

    def __init__(self, title: str, table: Table) -> None:
        self._title = title
        self._names = [column.name for column in table]
        self._are_pings = "believed" in self._names
        self._tour: str | None = None

    def rows(self, rows: Sequence[Sequence[Any]]) -> bytes:
        """Write some rows."""
        named = [dict(zip(self._names, row, strict=True)) for row in rows]
        if not self._are_pings:
            return "".join(self._place(row) for row in named).encode()
        return "".join(self._drives(row for row in named if row["believed"] is not False)).encode()

    def end(self) -> bytes:
        """Write what comes after the last row."""
        return (self._tour_ends() + self._last).encode()

    def _drives(self, pings: Iterator[Mapping[str, Any]]) -> Iterator[str]:
        for tour, driven in groupby(pings, lambda ping: ping["route_id"]):
            if tour != self._tour:
                yield self._tour_ends()
                self._tour = tour
                yield self._tour_begins(tour)
            yield self._driven(list(driven))

    def _tour_ends(self) -> str:
        return "" if self._tour is None else self._after_tour

    @abstractmethod
    def _tour_begins(self, tour: str) -> str: ...

    @abstractmethod
    def _driven(self, pings: Sequence[Mapping[str, Any]]) -> str: ...

    @abstractmethod
    def _place(self, row: Mapping[str, Any]) -> str: ...


class Gpx(_Drawn):
    """GPX 1.1."""

    _last = "</gpx>"
    _after_tour = "</trkseg></trk>\n"

    def begin(self) -> bytes:
        """Write what comes before the first row."""
        garmin = "http://www.garmin.com/xmlschemas/TrackPointExtension/v2"
        spaces = f'xmlns="http://www.topografix.com/GPX/1/1" xmlns:gpxtpx="{garmin}"'
        return f'{XML_HEAD}<gpx version="1.1" creator="Reparto" {spaces}>\n'.encode()

    def _tour_begins(self, tour: str) -> str:
        return f"<trk><name>{xml_text(tour)}</name><trkseg>\n"

    def _driven(self, pings: Sequence[Mapping[str, Any]]) -> str:
        return "".join(
            f'<trkpt lat="{ping["lat"]:.6f}" lon="{ping["lon"]:.6f}"><time>{time_text(ping["time"])}</time>'
            f"{_motion(ping)}</trkpt>\n"
            for ping in pings
        )

    def _place(self, row: Mapping[str, Any]) -> str:
        name, said = xml_text(row["name"] or row["external_id"]), xml_text(row["address"] or "")
        return f'<wpt lat="{row["lat"]:.6f}" lon="{row["lon"]:.6f}"><name>{name}</name><desc>{said}</desc></wpt>\n'


def _motion(ping: Mapping[str, Any]) -> str:
    told = (("speed", ping["speed_mps"]), ("course", ping["heading_deg"]))
    each = "".join(f"<gpxtpx:{name}>{value:g}</gpxtpx:{name}>" for name, value in told if value is not None)
    both = f"<gpxtpx:TrackPointExtension>{each}</gpxtpx:TrackPointExtension>"
    return f"<extensions>{both}</extensions>" if each else ""


class Kml(_Drawn):
    """KML 2.2; a drive is as many tracks as it took to write it, joined."""

    _last = "</Document></kml>"
    _after_tour = "</gx:MultiTrack></Placemark>\n"

    def begin(self) -> bytes:
        """Write what comes before the first row."""
        spaces = 'xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2"'
        return f"{XML_HEAD}<kml {spaces}><Document><name>{xml_text(self._title)}</name>\n".encode()

    def _tour_begins(self, tour: str) -> str:
        return f"<Placemark><name>{xml_text(tour)}</name><gx:MultiTrack><gx:interpolate>1</gx:interpolate>\n"

    def _driven(self, pings: Sequence[Mapping[str, Any]]) -> str:
        times = "".join(f"<when>{time_text(ping['time'])}</when>" for ping in pings)
        places = "".join(f"<gx:coord>{ping['lon']:.6f} {ping['lat']:.6f} 0</gx:coord>" for ping in pings)
        return f"<gx:Track>{times}{places}</gx:Track>\n"

    def _place(self, row: Mapping[str, Any]) -> str:
        name, said = xml_text(row["name"] or row["external_id"]), xml_text(row["address"] or "")
        point = f"<Point><coordinates>{row['lon']:.6f},{row['lat']:.6f}</coordinates></Point>"
        return f"<Placemark><name>{name}</name><description>{said}</description>{point}</Placemark>\n"
