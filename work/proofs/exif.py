"""What a photo says of itself: when and where. Kept beside the proof, and never in what is served."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

_NEWEST = timedelta(days=2)  # a camera's clock may be ahead; farther it is not set at all
_OLDEST = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """When and where a photo says that it was taken; degrees. None: it does not say, or cannot be meant."""

    at: datetime | None = None
    lat: float | None = None
    lon: float | None = None


def read_exif(image: Image.Image, zone: ZoneInfo, now: datetime) -> Taken:
    """Read what a photo says of itself; `zone` is that of times that do not name theirs. It was taken before `now`."""
    try:
        exif = image.getexif()
        gps, details = exif.get_ifd(IFD.GPSInfo), exif.get_ifd(IFD.Exif)
    except Exception:  # damaged; Pillow's reader raises whatever that leads it into
        return Taken()
    lat = _degrees(gps.get(GPS.GPSLatitude), gps.get(GPS.GPSLatitudeRef), {"N": 1, "S": -1}, 90)
    lon = _degrees(gps.get(GPS.GPSLongitude), gps.get(GPS.GPSLongitudeRef), {"E": 1, "W": -1}, 180)
    if lat is None or lon is None or (lat, lon) == (0.0, 0.0) or _is_void(gps):
        lat = lon = None  # cameras that know no place write zeros, one of the two, or the place before
    at = _believable(_camera_time(details, zone), now) or _believable(_satellite_time(gps), now)
    return Taken(at=at, lat=lat, lon=lon)


def _degrees(parts: Any, side: Any, hemispheres: Mapping[str, int], limit: int) -> float | None:
    """Read one coordinate; None without its hemisphere, too: the other one is as likely, and half the world away."""
    sign = hemispheres.get(_letter(side))
    try:
        degrees, minutes, seconds = (float(part) for part in parts)
        value = degrees + minutes / 60 + seconds / 3600
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    if sign is None or not min(degrees, minutes, seconds) >= 0 or not max(minutes, seconds) <= 60 or not value <= limit:
        return None  # not a number fails every comparison
    return sign * value


def _letter(text: Any) -> str:
    """Bring a text of EXIF to its one letter: phones write it small, padded, as bytes, or not at all."""
    if isinstance(text, bytes):
        text = text.decode("ascii", "replace")
    return str(text).strip("\0 ").upper() if text is not None else ""


def _is_void(gps: Mapping[int, Any]) -> bool:
    return _letter(gps.get(GPS.GPSStatus)) == "V"  # "measurement interrupted": the place is an older one


def _camera_time(details: Mapping[int, Any], zone: ZoneInfo) -> datetime | None:
    try:
        at = datetime.strptime(str(details[Base.DateTimeOriginal]).strip("\0 "), "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007
    except (KeyError, ValueError):
        return None
    try:
        offset = datetime.strptime(str(details[Base.OffsetTimeOriginal]).strip("\0 "), "%z").utcoffset()
    except (KeyError, ValueError):
        offset = None
    return at.replace(tzinfo=zone if offset is None else timezone(offset))


def _satellite_time(gps: Mapping[int, Any]) -> datetime | None:
    try:
        day = datetime.strptime(str(gps[GPS.GPSDateStamp]).strip("\0 "), "%Y:%m:%d").replace(tzinfo=UTC)
        hours, minutes, seconds = (float(part) for part in gps[GPS.GPSTimeStamp])
        return day + timedelta(hours=hours, minutes=minutes, seconds=seconds)
    except (KeyError, TypeError, ValueError, OverflowError, ZeroDivisionError):
        return None


def _believable(at: datetime | None, now: datetime) -> datetime | None:
    try:
        return at.astimezone(UTC) if at is not None and _OLDEST <= at <= now + _NEWEST else None
    except OverflowError:
        return None
