"""What stands on a certificate, in the words of its language; the two pages only lay it out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from api.certificate.map import SmallMap
from api.certificate.told import Pen, ToldOutcome, told_of
from api.pages.catalog.texts import CertificateTexts, MapTexts, VariantTexts
from api.proofs.stop import StopProof
from api.proofs.view import Proof, ProofPlace
from sql.account.settings import AccountSettings

MOST_PHOTOS = 4
"""On one page; of more the newest."""

_TONES: dict[str, Literal["good", "partly", "bad"]] = {
    "completed": "good",
    "partially_completed": "partly",
    "failed": "bad",
    "skipped": "bad",
}
Row = tuple[str, str]
"""A label and what stands beside it."""

Section = tuple[str, Sequence[Row]]
"""A title and what stands below it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A photo or signature to show: a JPEG and what stands below it."""

    jpeg: bytes
    width_px: int
    height_px: int
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A certificate, ready to be laid out. All texts are plain: whoever lays them out escapes them."""

    language: str
    brand: str
    colour: str
    title: str
    verdict: str
    verdict_more: str
    tone: Literal["good", "partly", "bad", "open"]
    sections: Sequence[Section]
    map: SmallMap
    map_words: MapTexts
    missing: str
    """Said of letters for which no font was found."""
    photos_title: str
    photos: Sequence[Picture]
    signature_title: str
    signature: Picture | None
    nothing: str
    """Said in place of photos and signature when there is neither."""
    hashes_title: str
    hashes: Sequence[Row]
    footer: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """The place that a certificate speaks of, and how good it is."""

    place: ProofPlace
    distance_m: float
    accuracy_m: float | None


def spot_of(whole: StopProof) -> Spot | None:
    """Choose the place: where the outcome was said, else where the first proof was taken; None: nobody knows."""
    said, first = whole.outcome, next((one for one in _stored(whole) if one.place is not None), None)
    fix = next((one.fix for one in _stored(whole) if one.fix is not None), None)
    accuracy_m = None if fix is None else fix.accuracy_m
    if said is not None and said.lat is not None and said.lon is not None and said.distance_m is not None:
        place = ProofPlace(lat=said.lat, lon=said.lon, source="event")
        return Spot(place=place, distance_m=said.distance_m, accuracy_m=accuracy_m)
    if first is None or first.place is None or first.distance_m is None:
        return None
    return Spot(place=first.place, distance_m=first.distance_m, accuracy_m=accuracy_m)


def photos_on(whole: StopProof) -> list[Proof]:
    """Choose the photos that have room."""
    return whole.photos[-MOST_PHOTOS:]


def sheet_of(
    whole: StopProof,
    settings: AccountSettings,
    words: CertificateTexts,
    *,
    language: str,
    small_map: SmallMap,
    pictures: Mapping[str, bytes],
    now: datetime,
) -> Sheet:
    """Write a certificate.

    Args:
        pictures: the JPEG of each proof that has room, by its id.
        now: when it is issued.
    """
    pen = Pen(words=words, zone=ZoneInfo(whole.route.timezone))
    told, variant = told_of(whole, settings), _variant(whole, words)
    photos, signature = _photos(whole, pictures, pen), _signature(whole, pictures, told, words)
    more = len(whole.photos) - len(photos)
    has_pictures = bool(photos) or signature is not None
    reference = words.reference.format(stop=whole.stop.external_id, route=whole.route.external_id)
    sections = [_what(whole, told, pen), _when(whole, told, pen), _where(whole, pen), _who(told, variant, words)]
    return Sheet(
        language=language,
        brand=settings.brand,
        colour=settings.colours.primary,
        title=variant.title,
        verdict=variant.verdict(told.ended) or words.open,
        verdict_more=pen.when(told.at),
        tone=_TONES.get(told.ended, "open"),
        sections=list(_filled(sections)),
        map=small_map,
        map_words=words.map,
        missing=words.missing,
        photos_title=words.photos + (f" ({words.more.format(n=more)})" if more > 0 else ""),
        photos=photos,
        signature_title=words.kind.signature,
        signature=signature,
        nothing="" if has_pictures else words.none,
        hashes_title=words.hashes,
        hashes=_hashes(whole, words),
        footer=[
            f"{reference} · {whole.stop.id}",
            words.issued.format(when=pen.when(now), timezone=whole.route.timezone),
            words.page if has_pictures else "",
        ],
    )


def _variant(whole: StopProof, words: CertificateTexts) -> VariantTexts:
    return words.pickup if whole.stop.kind in ("pickup", "return") else words.delivery


def _photos(whole: StopProof, pictures: Mapping[str, bytes], pen: Pen) -> list[Picture]:
    return [
        _picture(
            one,
            pictures[one.id],
            f"{pen.words.kind.photo}, {pen.when(one.taken_at)}" if one.taken_at else "",
            pen.words,
        )
        for one in photos_on(whole)
        if one.id in pictures
    ]


def _signature(
    whole: StopProof, pictures: Mapping[str, bytes], told: ToldOutcome, words: CertificateTexts
) -> Picture | None:
    signature = whole.signature
    if signature is None or signature.id not in pictures:
        return None
    return _picture(signature, pictures[signature.id], told.recipient, words)


def _picture(proof: Proof, jpeg: bytes, caption: str, words: CertificateTexts) -> Picture:
    served = proof.served
    width_px, height_px = (served.width_px, served.height_px) if served else (None, None)
    said = ", ".join(part for part in (caption, words.cut if proof.whole is False else "") if part)
    return Picture(jpeg=jpeg, width_px=width_px or 4, height_px=height_px or 3, caption=said)


def _hashes(whole: StopProof, words: CertificateTexts) -> list[Row]:
    rows = [(f"{words.kind.of(one.kind)} {one.id}", one.sha256 or "") for one in _stored(whole)]
    return rows[-MOST_PHOTOS - 2 :]


def _stored(whole: StopProof) -> list[Proof]:
    return [*whole.photos, *([whole.signature] if whole.signature else []), *whole.documents]


def _filled(sections: Sequence[Section]) -> Iterator[Section]:
    """Leave out rows without a value, and sections without a row."""
    for title, rows in sections:
        filled = [row for row in rows if row[1]]
        if filled:
            yield title, filled


def _what(whole: StopProof, told: ToldOutcome, pen: Pen) -> Section:
    stop, words = whole.stop, pen.words
    return words.what, [
        (words.order, stop.external_id),
        (words.addressee, stop.name),
        (words.address, stop.address or ""),
        (words.parcels, pen.parcels(stop.parcels, told.parcels)),
        (words.cash, pen.cash(told.cash)),
    ]


def _when(whole: StopProof, told: ToldOutcome, pen: Pen) -> Section:
    words = pen.words
    return words.when_label, [
        (words.arrived_at, pen.clock(whole.stop.arrived_at)),
        (words.outcome_at, pen.clock(told.at)),
        (words.departed_at, pen.clock(whole.stop.departed_at)),
    ]


def _where(whole: StopProof, pen: Pen) -> Section:
    spot, words = spot_of(whole), pen.words
    if spot is None:
        return words.where, [("", words.no_place)]
    where = f"{words.distance.format(distance=pen.metres(spot.distance_m))}, {words.place.of(spot.place.source)}"
    if spot.accuracy_m is not None:
        where += f" ({words.accuracy.format(distance=pen.metres(spot.accuracy_m))})"
    return words.where, [("", where)]


def _who(told: ToldOutcome, variant: VariantTexts, words: CertificateTexts) -> Section:
    return words.who, [
        (words.driver, told.driver),
        (variant.recipient, told.recipient),
        (words.reason, told.reason),
        (words.note, told.note),
    ]
