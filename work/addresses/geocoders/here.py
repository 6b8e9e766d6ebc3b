"""HERE's Geocoding and Search API v7.

Source: https://docs.here.com/geocoding-and-search/docs/result-types (`resultType`; `houseNumberType` PA is a point,
interpolated is not); new result types may come.
"""

from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from work.addresses.geocoders.protocol import AskedAddress, FoundAddress, FoundQuality, Strange, found

_WELL = 0.7
"""Of its score: below that parts of the address were left out to find something at all."""

_ALPHA_3 = {
    "ar": "ARG", "bo": "BOL", "br": "BRA", "cl": "CHL", "co": "COL", "cr": "CRI", "do": "DOM", "ec": "ECU", "es": "ESP",
    "gt": "GTM", "hn": "HND", "mx": "MEX", "ni": "NIC", "pa": "PAN", "pe": "PER", "pt": "PRT", "py": "PRY", "sv": "SLV",
    "us": "USA", "uy": "URY", "ve": "VEN",
}  # fmt: skip
"""It takes countries by three letters. Others are not named to it, which finds more than was asked for."""


class _Position(Struct, frozen=True, kw_only=True):
    lat: float
    lng: float


class _Scoring(Struct, frozen=True, kw_only=True, rename="camel"):
    query_score: float = 1.0


class _Item(Struct, frozen=True, kw_only=True, rename="camel"):
    position: _Position
    result_type: str
    house_number_type: str = ""
    scoring: _Scoring = _Scoring()


class _Answer(Struct, frozen=True, kw_only=True):
    items: list[_Item]


class HereMaps:
    """See `protocol.Geocoder`."""

    url, per_s, needs_key = "https://geocode.search.hereapi.com", 5.0, True

    def path(self, asked: AskedAddress, key: str) -> str:
        """Ask for the first place of a free text, near where it probably is."""
        query = {"q": asked.address, "limit": "1"}
        if asked.countries and all(one in _ALPHA_3 for one in asked.countries):
            query["in"] = "countryCode:" + ",".join(_ALPHA_3[one] for one in asked.countries)
        if asked.near is not None:
            query["at"] = f"{asked.near[0]:.4f},{asked.near[1]:.4f}"
        return f"/v1/geocode?{urlencode({**query, 'apiKey': key})}"

    def read(self, body: bytes) -> FoundAddress | None:
        """Read its JSON."""
        try:
            items = msgspec.json.decode(body, type=_Answer).items
        except (msgspec.DecodeError, ValueError) as error:
            raise Strange("not what HERE answers") from error
        if not items:
            return None
        return found(items[0].position.lat, items[0].position.lng, _quality(items[0]))


def _quality(item: _Item) -> FoundQuality:
    if item.scoring.query_score < _WELL:
        return "area"
    if item.result_type == "houseNumber":
        return "roof" if item.house_number_type == "PA" else "street"
    return "street" if item.result_type in ("street", "intersection", "place", "addressBlock") else "area"
