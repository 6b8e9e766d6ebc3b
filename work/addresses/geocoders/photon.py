"""Photon, of komoot or one's own.

Source: https://github.com/komoot/photon (README, docs/api-v1.md): GeoJSON; `type` is house, street,
locality, district, city …
"""

from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from work.addresses.geocoders.protocol import AskedAddress, FoundAddress, FoundQuality, GeoJsonPoint, Strange, found


class _Properties(Struct, frozen=True, kw_only=True):
    type: str = ""
    housenumber: str = ""
    countrycode: str = ""


class _Feature(Struct, frozen=True, kw_only=True):
    geometry: GeoJsonPoint
    properties: _Properties


class _Answer(Struct, frozen=True, kw_only=True):
    features: list[_Feature]


class Photon:
    """See `protocol.Geocoder`. It takes no list of countries: where it probably is says enough."""

    url, per_s, needs_key = "https://photon.komoot.io", 1.0, False

    def path(self, asked: AskedAddress, key: str) -> str:
        """Ask for the first place of a free text, near where it probably is."""
        query = {"q": asked.address, "limit": "1"}
        if asked.near is not None:
            query |= {"lat": f"{asked.near[0]:.4f}", "lon": f"{asked.near[1]:.4f}"}
        return f"/api/?{urlencode(query)}"

    def read(self, body: bytes) -> FoundAddress | None:
        """Read its GeoJSON."""
        try:
            features = msgspec.json.decode(body, type=_Answer).features
        except (msgspec.DecodeError, ValueError) as error:
            raise Strange("not what Photon answers") from error
        if not features:
            return None
        lon, lat = features[0].geometry.coordinates
        return found(lat, lon, _quality(features[0].properties))


def _quality(said: _Properties) -> FoundQuality:
    if said.type == "house":
        return "roof" if said.housenumber else "street"
    return "street" if said.type == "street" else "area"
