"""A proof as the account sees it: where and when it was taken, how far from the stop, and links to its bytes."""

from datetime import UTC, datetime

import numpy as np
from msgspec import Struct

from api.http import ids
from api.proofs.links import Signer
from geo.shape.plane import in_space
from sql.delivery.proofs import ProofRow
from work.proofs.store import ORIGINAL, SHOWN, THUMBNAIL


class ProofPlace(Struct, frozen=True, kw_only=True):
    """Where it was taken, degrees.

    `source`: who says so: `app` (of this very file), `event` (the driver's event that names it), `photo` (its EXIF),
    `ping` (the driver's nearest one).
    """

    lat: float
    lon: float
    source: str


class NearestFix(Struct, frozen=True, kw_only=True):
    """The driver's believed ping that is nearest in time. `age_s`: before the proof; negative is after."""

    recorded_at: datetime
    age_s: float
    accuracy_m: float | None
    lat: float
    lon: float
    distance_m: float | None
    """From the place of the proof."""


class Exif(Struct, frozen=True, kw_only=True):
    """What the photo says of itself; what is served says nothing."""

    taken_at: datetime | None
    lat: float | None
    lon: float | None


class Served(Struct, frozen=True, kw_only=True):
    """What is shown of it: drawn anew, so that nothing but the picture is in it. A PDF is served as it is."""

    size: int
    sha256: str
    type: str
    width_px: int | None
    height_px: int | None


class Proof(Struct, frozen=True, kw_only=True):
    """A proof of delivery.

    `sha256`, `size` (bytes) and `type` are of the file as it was uploaded, which is kept untouched; `served` is what
    the links lead to. `state`: pending (not all of it has come), stored, or refused with a reason in `why`.
    `whole` is false where bytes of a picture are missing or damaged and what can be seen of it is shown.
    `taken_source`: who says when: `app`, `event`, `photo`, or `upload` (when it began). Links are null where there is
    nothing to fetch; a picture that was refused is shown, too, if it can be read. `original_url` is for dispatchers and
    admins only.
    """

    id: str
    stop_id: str
    driver_id: str
    upload_id: str
    event_id: str | None
    kind: str
    state: str
    why: str | None
    whole: bool | None
    filename: str | None
    sha256: str | None
    size: int | None
    type: str | None
    served: Served | None
    taken_at: datetime | None
    taken_source: str | None
    place: ProofPlace | None
    distance_m: float | None
    """From the place to the stop."""
    fix: NearestFix | None
    exif: Exif | None
    stored_at: datetime | None
    url: str | None
    thumbnail_url: str | None
    original_url: str | None
    links_expire_at: datetime


def proof_of(row: ProofRow, signer: Signer, *, with_original: bool) -> Proof:
    """Show a proof."""
    taken_at, taken_source = taken_of(row)
    place = place_of(row)
    is_shown = row.served_type is not None
    return Proof(
        id=ids.shown(ids.PROOF, row.id),
        stop_id=ids.shown(ids.STOP, row.stop_id),
        driver_id=ids.shown(ids.DRIVER, row.driver_id),
        upload_id=str(row.upload_id),
        event_id=None if row.event_id is None else str(row.event_id),
        kind=row.kind,
        state=row.state,
        why=row.why,
        whole=row.whole if is_shown else None,
        filename=row.filename,
        sha256=row.sha256.hex() if row.sha256 else None,
        size=row.size_bytes,
        type=row.media_type,
        served=_served(row),
        taken_at=taken_at,
        taken_source=taken_source,
        place=place,
        distance_m=None if place is None else distance_m(place.lat, place.lon, row.stop_lat, row.stop_lon),
        fix=_fix(row, taken_at, place),
        exif=_exif(row),
        stored_at=row.stored_at,
        url=signer.link(row.id, SHOWN) if is_shown else None,
        thumbnail_url=signer.link(row.id, THUMBNAIL) if is_shown and row.width_px else None,
        original_url=signer.link(row.id, ORIGINAL) if with_original and row.sha256 else None,
        links_expire_at=datetime.fromtimestamp(signer.expires_s, UTC),
    )


def taken_of(row: ProofRow) -> tuple[datetime | None, str | None]:
    """Tell when it was taken, and who says so: the most direct witness that there is."""
    told = (("app", row.said_at), ("event", row.event_at), ("photo", row.exif_at), ("upload", row.begun_at))
    return next(((at, source) for source, at in told if at is not None), (None, None))


def place_of(row: ProofRow) -> ProofPlace | None:
    """Tell where it was taken, and who says so; None when nobody does."""
    told = (
        ("app", row.said_lat, row.said_lon),
        ("event", row.event_lat, row.event_lon),
        ("photo", row.exif_lat, row.exif_lon),
        ("ping", row.fix_lat, row.fix_lon),
    )
    for source, lat, lon in told:
        if lat is not None and lon is not None:
            return ProofPlace(lat=lat, lon=lon, source=source)
    return None


def distance_m(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Measure between two places, metres to a tenth."""
    here, there = in_space(np.array([lon, other_lon]), np.array([lat, other_lat]))
    return round(float(np.linalg.norm(here - there)), 1)


def _served(row: ProofRow) -> Served | None:
    if row.served_bytes is None or row.served_sha256 is None or row.served_type is None:
        return None
    return Served(
        size=row.served_bytes,
        sha256=row.served_sha256.hex(),
        type=row.served_type,
        width_px=row.width_px,
        height_px=row.height_px,
    )


def _fix(row: ProofRow, taken_at: datetime | None, place: ProofPlace | None) -> NearestFix | None:
    if row.fix_at is None or row.fix_lat is None or row.fix_lon is None or taken_at is None:
        return None
    return NearestFix(
        recorded_at=row.fix_at,
        age_s=round((taken_at - row.fix_at).total_seconds(), 1),
        accuracy_m=None if row.fix_accuracy_m is None else round(row.fix_accuracy_m, 1),
        lat=row.fix_lat,
        lon=row.fix_lon,
        distance_m=None if place is None else distance_m(place.lat, place.lon, row.fix_lat, row.fix_lon),
    )


def _exif(row: ProofRow) -> Exif | None:
    if row.exif_at is None and row.exif_lat is None:
        return None
    return Exif(taken_at=row.exif_at, lat=row.exif_lat, lon=row.exif_lon)
