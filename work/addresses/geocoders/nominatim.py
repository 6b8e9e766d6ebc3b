"""Nominatim, of OpenStreetMap or one's own.

Source: https://nominatim.org/release-docs/latest/api/Search/, .../api/Output/, .../customize/Ranking/ (rank 30 is a
house, 26 and 27 are streets); https://operations.osmfoundation.org/policies/nominatim/ (one a second, by name).
"""

from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from work.addresses.geocoders.protocol import AskedAddress, FoundAddress, FoundQuality, Strange, found

_HOUSE_RANK, _STREET_RANK = 30, 26
_BOX_DEG = 1.0


class _Place(Struct, frozen=True, kw_only=True):
    lat: str
    lon: str
    place_rank: int
    address: dict[str, str] = {}


class Nominatim:
    """See `protocol.Geocoder`."""

    url, per_s, needs_key = "https://nominatim.openstreetmap.org", 1.0, False

    def path(self, asked: AskedAddress, key: str) -> str:
        """Ask for the first place of a free text, in a box around where it probably is before others."""
        query = {"q": asked.address, "format": "jsonv2", "limit": "1", "addressdetails": "1"}
        if asked.countries:
            query["countrycodes"] = ",".join(asked.countries)
        if asked.near is not None:
            lat, lon = asked.near
            corners = (lon - _BOX_DEG, lat - _BOX_DEG, lon + _BOX_DEG, lat + _BOX_DEG)
            query["viewbox"] = ",".join(f"{part:.4f}" for part in corners)
        return f"/search?{urlencode(query)}"

    def read(self, body: bytes) -> FoundAddress | None:
        """Read `jsonv2`."""
        try:
            places = msgspec.json.decode(body, type=list[_Place])
            if not places:
                return None
            lat, lon = float(places[0].lat), float(places[0].lon)
        except (msgspec.DecodeError, ValueError) as error:
            raise Strange("not what Nominatim answers") from error
        return found(lat, lon, _quality(places[0]))


def _quality(place: _Place) -> FoundQuality:
    if place.place_rank >= _HOUSE_RANK:
        return "roof" if "house_number" in place.address else "street"
    return "street" if place.place_rank >= _STREET_RANK else "area"
