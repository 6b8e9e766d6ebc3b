"""What a geocoder is asked, and what it says."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from msgspec import Struct

FoundQuality: TypeAlias = Literal["roof", "street", "area"]
"""The house; somewhere in the street; somewhere in the quarter or the town."""

KEPT_DAYS, NONE_KEPT_DAYS = 30, 1
"""How long an answer is kept: the longest that any of them allows for places, and a day where there was none."""


class Strange(Exception):  # noqa: N818 (an outcome)
    """The answer is none that this geocoder gives; the text says what is wrong with it."""


class Denied(Exception):  # noqa: N818 (an outcome)
    """It answers nobody with these settings: a key, a contract, a limit of a day. The text says what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedAddress:
    """An address to find.

    Attributes:
        near: (lat, lon), degrees, of where it probably is; None: nobody knows.
        countries: ISO 3166 alpha-2, lower case; empty: any.
    """

    address: str
    near: tuple[float, float] | None
    countries: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundAddress:
    """Where an address is, degrees."""

    lat: float
    lon: float
    quality: FoundQuality


class Geocoder(Protocol):
    """A geocoder: stateless, asks nobody itself."""

    url: str
    """Where it is unless the account says otherwise; empty: the account has to."""

    per_s: float
    """How often it may be asked unless the account's contract says otherwise."""

    needs_key: bool

    def path(self, asked: AskedAddress, key: str) -> str:
        """Give path and query of the question."""

    def read(self, body: bytes) -> FoundAddress | None:
        """Read an answer of status 200; None: it finds nothing.

        Raises:
            Strange: it is none.
            Denied: it says that it does not answer.
        """


class GeoJsonPoint(Struct, frozen=True, kw_only=True):
    """A place as GeoJSON has it."""

    coordinates: tuple[float, float]


def found(lat: float, lon: float, quality: FoundQuality) -> FoundAddress:
    """Give a place that is one.

    Raises:
        Strange: it is nowhere.
    """
    if not (math.isfinite(lat) and math.isfinite(lon) and -90 <= lat <= 90 and -180 <= lon <= 180):
        raise Strange("a place that is nowhere")
    return FoundAddress(lat=round(lat, 6), lon=round(lon, 6), quality=quality)
