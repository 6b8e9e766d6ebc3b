"""Google's Geocoding API.

Source: https://developers.google.com/maps/documentation/geocoding/requests-geocoding: `status`, `location_type`,
`partial_match`. Its terms let places be kept for 30 days.
"""

from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from work.addresses.geocoders.protocol import AskedAddress, Denied, FoundAddress, FoundQuality, Strange, found

_NO_ANSWER = frozenset({"OVER_DAILY_LIMIT", "OVER_QUERY_LIMIT", "REQUEST_DENIED", "INVALID_REQUEST"})
_STREETS = frozenset({"route", "intersection", "street_address", "premise", "subpremise"})
_BOX_DEG = 0.5
_LESS: dict[FoundQuality, FoundQuality] = {"roof": "street", "street": "area", "area": "area"}


class _Location(Struct, frozen=True, kw_only=True):
    lat: float
    lng: float


class _Geometry(Struct, frozen=True, kw_only=True):
    location: _Location
    location_type: str


class _Result(Struct, frozen=True, kw_only=True):
    geometry: _Geometry
    types: list[str] = []
    partial_match: bool = False


class _Answer(Struct, frozen=True, kw_only=True):
    status: str
    results: list[_Result] = []


class Google:
    """See `protocol.Geocoder`."""

    url, per_s, needs_key = "https://maps.googleapis.com", 25.0, True

    def path(self, asked: AskedAddress, key: str) -> str:
        """Ask for an address, in a box around where it probably is before others."""
        query = {"address": asked.address}
        if asked.countries:
            query["components"] = "|".join(f"country:{one.upper()}" for one in asked.countries)
        if asked.near is not None:
            lat, lon = asked.near
            query["bounds"] = f"{lat - _BOX_DEG:.4f},{lon - _BOX_DEG:.4f}|{lat + _BOX_DEG:.4f},{lon + _BOX_DEG:.4f}"
        return f"/maps/api/geocode/json?{urlencode({**query, 'key': key})}"

    def read(self, body: bytes) -> FoundAddress | None:
        """Read its JSON; the status is in the body."""
        try:
            said = msgspec.json.decode(body, type=_Answer)
        except (msgspec.DecodeError, ValueError) as error:
            raise Strange("not what Google answers") from error
        if said.status in _NO_ANSWER:
            raise Denied(said.status)
        if said.status == "ZERO_RESULTS":
            return None
        if said.status != "OK" or not said.results:
            raise Strange(f"the status {said.status[:40]!r}")
        first = said.results[0]
        return found(first.geometry.location.lat, first.geometry.location.lng, _quality(first))


def _quality(result: _Result) -> FoundQuality:
    quality: FoundQuality = "area"
    if result.geometry.location_type == "ROOFTOP":
        quality = "roof"
    elif result.geometry.location_type == "RANGE_INTERPOLATED" or _STREETS & set(result.types):
        quality = "street"
    return _LESS[quality] if result.partial_match else quality
