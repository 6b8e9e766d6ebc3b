"""Pelias, one's own or Geocode Earth's.

Source: https://github.com/pelias/documentation (response.md, result_quality.md): `layer`, `match_type` exact,
interpolated or fallback, `accuracy` point or centroid.
"""

from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from work.addresses.geocoders.protocol import AskedAddress, FoundAddress, FoundQuality, GeoJsonPoint, Strange, found


class _Properties(Struct, frozen=True, kw_only=True):
    layer: str
    match_type: str = ""
    accuracy: str = ""


class _Feature(Struct, frozen=True, kw_only=True):
    geometry: GeoJsonPoint
    properties: _Properties


class _Answer(Struct, frozen=True, kw_only=True):
    features: list[_Feature]


class Pelias:
    """See `protocol.Geocoder`."""

    url, per_s, needs_key = "", 5.0, False

    def path(self, asked: AskedAddress, key: str) -> str:
        """Ask for the first place of a free text, near where it probably is."""
        query = {"text": asked.address, "size": "1"}
        if asked.countries:
            query["boundary.country"] = ",".join(asked.countries).upper()
        if asked.near is not None:
            query |= {"focus.point.lat": f"{asked.near[0]:.4f}", "focus.point.lon": f"{asked.near[1]:.4f}"}
        if key:
            query["api_key"] = key
        return f"/v1/search?{urlencode(query)}"

    def read(self, body: bytes) -> FoundAddress | None:
        """Read its GeoJSON."""
        try:
            features = msgspec.json.decode(body, type=_Answer).features
        except (msgspec.DecodeError, ValueError) as error:
            raise Strange("not what Pelias answers") from error
        if not features:
            return None
        lon, lat = features[0].geometry.coordinates
        return found(lat, lon, _quality(features[0].properties))


def _quality(said: _Properties) -> FoundQuality:
    if said.layer == "address":
        exact = said.match_type in ("exact", "") and said.accuracy in ("point", "")
        return "roof" if exact else "street"
    return "street" if said.layer in ("street", "intersection", "venue") else "area"
