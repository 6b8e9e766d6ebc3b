"""What a phone says of a file it sends: as metadata of an upload, or as fields of a form."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from api.http import ids
from api.http.problem import FieldError, Invalid
from api.proofs.said import KINDS, read_kind, read_sha256, read_uuid
from geo.times import iso_time

T = TypeVar("T")

LONGEST_NAME = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a phone says of a file; None where it does not say.

    Attributes:
        upload_id: made by the phone, so that it may say everything twice; None: the server makes one.
        taken_at, lat, lon: when and where, by the phone's clock and in degrees.
        sha256: of the bytes it is going to send.
    """

    stop_id: int
    kind: str
    upload_id: UUID | None
    filename: str | None
    taken_at: datetime | None
    lat: float | None
    lon: float | None
    sha256: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field(Generic[T]):
    """A field that a phone may say: how it is read, None where it cannot be, and what it must be then."""

    read: Callable[[str], T | None]
    must_be: str


def _degrees(limit: float) -> Callable[[str], float | None]:
    def read(text: str) -> float | None:
        try:
            value = float(text)
        except ValueError:
            return None
        return value if math.isfinite(value) and abs(value) <= limit else None

    return read


def _time(text: str) -> datetime | None:
    """Read a time with its zone; what is none is as good as unsaid: a proof is not lost for it."""
    at = iso_time(text)
    return at if at is not None and at.tzinfo is not None and 1900 < at.year < 2200 else None


_STOP = _Field(read=lambda text: ids.number_of(ids.STOP, text), must_be="the id of a stop, like st_7")
_KIND = _Field(read=read_kind, must_be=f"one of {', '.join(KINDS)}")
_UPLOAD = _Field(read=read_uuid, must_be="a UUID")
_SHA256 = _Field(read=read_sha256, must_be="64 hexadecimal digits")
_LAT = _Field(read=_degrees(90.0), must_be="degrees")
_LON = _Field(read=_degrees(180.0), must_be="degrees")


class _Reader:
    """Reads fields one after the other and keeps what is wrong with them."""

    def __init__(self, values: Mapping[str, str], at: str) -> None:
        self._values, self._at = values, at
        self.errors: list[FieldError] = []

    def wrong(self, name: str, why: str) -> None:
        self.errors.append(FieldError(at=self._at + name, why=why))

    def maybe(self, name: str, field: _Field[T]) -> T | None:
        """Read a field that may be left out."""
        if name not in self._values:
            return None
        value = field.read(self._values[name])
        if value is None:
            self.wrong(name, f"must be {field.must_be}")
        return value

    def needed(self, name: str, field: _Field[T]) -> T | None:
        """Read a field that must be there, and be more than nothing."""
        if self._values.get(name):
            return self.maybe(name, field)
        self.wrong(name, "is missing")
        return None


def about_in(values: Mapping[str, str], *, at: str) -> About:
    """Read what is said; unknown names are left alone, because upload libraries add their own.

    Args:
        at: where the names stand, for the errors: a prefix like `Upload-Metadata/`.

    Raises:
        Invalid: names everything that is missing or wrong.
    """
    reader = _Reader(values, at)
    stop_id, kind = reader.needed("stop_id", _STOP), reader.needed("kind", _KIND)
    upload_id = reader.maybe("upload_id", _UPLOAD)
    sha256 = reader.maybe("sha256", _SHA256)
    lat, lon = reader.maybe("lat", _LAT), reader.maybe("lon", _LON)
    if ("lat" in values) != ("lon" in values):
        reader.wrong("lat" if "lon" in values else "lon", "is missing, though the other one is given")
    if reader.errors or stop_id is None or kind is None:
        raise Invalid("What is said of the file is not usable; nothing was changed.", errors=reader.errors)
    return About(
        stop_id=stop_id,
        kind=kind,
        upload_id=upload_id,
        filename=_name(values.get("filename", "")),
        taken_at=_time(values.get("taken_at", "")),
        lat=lat,
        lon=lon,
        sha256=sha256,
    )


def _name(text: str) -> str | None:
    """Make a name that can be kept of one that a phone made up: it is no reason to refuse a proof."""
    return "".join(character for character in text if character.isprintable())[:LONGEST_NAME] or None
