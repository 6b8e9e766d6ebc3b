"""What a phone says of a file it sends: as metadata of an upload, or as fields of a form."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.http import ids
from api.http.problem import FieldError, Invalid
from sql.delivery.proofs import KINDS

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


def about_in(values: Mapping[str, str], *, at: str) -> About:
    """Read what is said; unknown names are left alone, because upload libraries add their own.

    Args:
        at: where the names stand, for the errors: a prefix like `Upload-Metadata/`.

    Raises:
        Invalid: names everything that is missing or wrong.
    """
    errors: list[FieldError] = []

    def wrong(name: str, why: str) -> None:
        errors.append(FieldError(at=at + name, why=why))

    stop_id = ids.number_of(ids.STOP, values.get("stop_id", ""))
    if stop_id is None:
        wrong("stop_id", "must be the id of a stop, like st_7" if values.get("stop_id") else "is missing")
    kind = values.get("kind", "")
    if kind not in KINDS:
        wrong("kind", f"must be one of {', '.join(KINDS)}" if kind else "is missing")
    upload_id, taken_at, sha256 = None, None, None
    if "upload_id" in values and (upload_id := _uuid(values["upload_id"])) is None:
        wrong("upload_id", "must be a UUID")
    if "taken_at" in values and (taken_at := _time(values["taken_at"])) is None:
        wrong("taken_at", "must be a time with its zone, like 2026-03-02T08:15:00-05:00")
    if "sha256" in values and (sha256 := _digest(values["sha256"])) is None:
        wrong("sha256", "must be 64 hexadecimal digits")
    lat, lon = (_degrees(values.get(name), limit) for name, limit in (("lat", 90.0), ("lon", 180.0)))
    for name, value in (("lat", lat), ("lon", lon)):
        if value is None and (name in values or "lat" in values or "lon" in values):
            wrong(name, "must be degrees" if name in values else "is missing, though the other one is given")
    if errors or stop_id is None:
        raise Invalid("What is said of the file is not usable; nothing was changed.", errors=errors)
    return About(
        stop_id=stop_id,
        kind=kind,
        upload_id=upload_id,
        filename=_name(values.get("filename", "")),
        taken_at=taken_at,
        lat=lat,
        lon=lon,
        sha256=sha256,
    )


def _name(text: str) -> str | None:
    """Make a name that can be kept of one that a phone made up: it is no reason to refuse a proof."""
    return "".join(character for character in text if character.isprintable())[:LONGEST_NAME] or None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _digest(text: str) -> bytes | None:
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        return None
    return digest if len(digest) == 32 else None


def _time(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None and 1900 < at.year < 2200 else None


def _degrees(text: str | None, limit: float) -> float | None:
    try:
        value = float(text or "nan")
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) <= limit else None
