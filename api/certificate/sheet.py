"""What stands on a certificate, in the words of its language; the two pages only lay it out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from api.certificate.map import SmallMap
from api.proofs.stop import Said, StopProof
from api.proofs.view import Place, Proof
from sql.account.settings import AccountSettings

MOST_PHOTOS = 4
"""On one page; of more the newest."""

_TONES: dict[str, Literal["good", "partly", "bad"]] = {
    "completed": "good",
    "partially_completed": "partly",
    "failed": "bad",
    "skipped": "bad",
}
_MONTHS = (
    *("", "January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

Row = tuple[str, str]
"""A label and what stands beside it."""


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
    sections: Sequence[tuple[str, Sequence[Row]]]
    map: SmallMap
    map_words: Mapping[str, str]
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

    place: Place
    distance_m: float
    accuracy_m: float | None


def spot_of(whole: StopProof) -> Spot | None:
    """Choose the place: where the outcome was said, else where the first proof was taken; None: nobody knows."""
    said, first = whole.outcome, next((one for one in _stored(whole) if one.place is not None), None)
    fix = next((one.fix for one in _stored(whole) if one.fix is not None), None)
    accuracy_m = None if fix is None else fix.accuracy_m
    if said is not None and said.lat is not None and said.lon is not None and said.distance_m is not None:
        place = Place(lat=said.lat, lon=said.lon, source="event")
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
    words: Mapping[str, str],
    *,
    language: str,
    small_map: SmallMap,
    pictures: Mapping[str, bytes],
    now: datetime,
) -> Sheet:
    """Write a certificate.

    Args:
        words: `catalog.certificate_texts(language)`.
        pictures: the JPEG of each proof that has room, by its id.
        now: when it is issued.
    """
    zone = ZoneInfo(whole.route.timezone)

    def when(at: datetime) -> str:
        return _written(at.astimezone(zone), words["when"])

    outcome = whole.outcome
    ended = outcome.type if outcome else whole.stop.status  # which outlives what was said
    kind = _variant(whole.stop.kind)
    photos = [
        _picture(one, pictures[one.id], f"{words['photo']}, {when(one.taken_at)}" if one.taken_at else "")
        for one in photos_on(whole)
        if one.id in pictures
    ]
    signature = whole.signature if whole.signature is not None and whole.signature.id in pictures else None
    more = len(whole.photos) - len(photos)
    hidden = f" ({words['more'].format(n=more)})" if more > 0 else ""
    reference = words["reference"].format(stop=whole.stop.external_id, route=whole.route.external_id)
    issued = words["issued"].format(when=when(now), timezone=whole.route.timezone)
    return Sheet(
        language=language,
        brand=settings.brand,
        colour=settings.colours.primary,
        title=words["title" + kind],
        verdict=words[ended + kind] if ended in _TONES else words["open"],
        verdict_more=when(outcome.occurred_at) if outcome else "",
        tone=_TONES.get(ended, "open"),
        sections=_sections(whole, settings, words, zone),
        map=small_map,
        map_words={name: words[name] for name in ("map", "map_stop", "map_place")},
        photos_title=words["photos"] + hidden,
        photos=photos,
        signature_title=words["signature"],
        signature=_picture(signature, pictures[signature.id], _recipient(outcome.recipient if outcome else None))
        if signature
        else None,
        nothing="" if photos or signature else words["none"],
        hashes_title=words["hashes"],
        hashes=[(f"{words[one.kind]} {one.id}", one.sha256 or "") for one in _stored(whole)][-MOST_PHOTOS - 2 :],
        footer=[f"{reference} · {whole.stop.id}", issued, words["page"] if photos or signature else ""],
    )


def _picture(proof: Proof, jpeg: bytes, caption: str) -> Picture:
    served = proof.served
    width_px, height_px = (served.width_px, served.height_px) if served else (None, None)
    return Picture(jpeg=jpeg, width_px=width_px or 4, height_px=height_px or 3, caption=caption)


def _sections(
    whole: StopProof, settings: AccountSettings, words: Mapping[str, str], zone: ZoneInfo
) -> list[tuple[str, list[Row]]]:
    stop, outcome, spot = whole.stop, whole.outcome, spot_of(whole)
    kind = _variant(stop.kind)

    def time(at: datetime | None) -> str:
        return "" if at is None else _written(at.astimezone(zone), f"{words['when']}".replace("%H:%M", words["clock"]))

    where = words["no_place"]
    if spot is not None:
        distance = _metres(spot.distance_m, words)
        where = words["distance"].format(distance=distance) + ", " + words[f"place_{spot.place.source}"]
        if spot.accuracy_m is not None:
            where += f" ({words['accuracy'].format(distance=_metres(spot.accuracy_m, words))})"
    reasons = {reason.code: reason.text for reason in settings.failure_reasons}
    sections: list[tuple[str, list[Row]]] = [
        (
            words["what"],
            [
                (words["order"], stop.external_id),
                (words["for"], stop.name),
                (words["address"], stop.address or ""),
                (words["parcels"], _parcels(stop.parcels, outcome, words)),
                (words["cash"], _cash(outcome.cash, words) if outcome and outcome.cash else ""),
            ],
        ),
        (
            words["when_label"],
            [
                (words["arrived_at"], time(stop.arrived_at)),
                (words["outcome_at"], time(outcome.occurred_at) if outcome else ""),
                (words["departed_at"], time(stop.departed_at)),
            ],
        ),
        (words["where"], [("", where)]),
        (
            words["who"],
            [
                (words["driver"], outcome.driver_name.split()[0] if outcome and outcome.driver_name.split() else ""),
                (words["recipient" + kind], _recipient(outcome.recipient) if outcome else ""),
                (words["reason"], reasons.get(outcome.reason or "", outcome.reason or "") if outcome else ""),
                (words["note"], (outcome.note or "")[:300] if outcome else ""),
            ],
        ),
    ]
    return [(title, [row for row in rows if row[1]]) for title, rows in sections if any(row[1] for row in rows)]


def _variant(kind: str) -> str:
    return "_pickup" if kind in ("pickup", "return") else ""


def _stored(whole: StopProof) -> list[Proof]:
    return [*whole.photos, *([whole.signature] if whole.signature else []), *whole.documents]


def _written(at: datetime, pattern: str) -> str:
    """Write a time; months in English whatever the machine's locale."""
    return at.strftime(pattern.replace("%B", _MONTHS[at.month])).removeprefix("0" if "%B" in pattern else "")


def _metres(distance: float, words: Mapping[str, str]) -> str:
    if distance < 1_000:
        return f"{round(distance)} m"
    return f"{distance / 1_000:.1f} km".replace(".", words["decimal"])


def _parcels(planned: Sequence[Mapping[str, Any]], outcome: Said | None, words: Mapping[str, str]) -> str:
    """Write the parcels that were planned, and of those not handed over, which come first, what became of them."""
    told = outcome.parcels if outcome else []
    if not told:
        return "; ".join(_parcel(one, one.get("quantity", 1)) for one in planned)
    written = []
    for one in told:
        said = words.get(f"parcel_{one['outcome']}", "")
        as_planned = next((it for it in planned[one["seq"] :][:1] if it.get("barcode") == one.get("barcode")), one)
        what = _parcel(as_planned, one["quantity"])
        written.append(f"{what}: {said}" if said else what)
    return "; ".join(sorted(written, key=lambda one: ": " not in one))


def _parcel(one: Mapping[str, Any], quantity: int) -> str:
    what = one.get("description") or one.get("barcode") or ""
    code = f" [{one['barcode']}]" if one.get("description") and one.get("barcode") else ""
    return f"{quantity} × {what}{code}"


def _recipient(raw: Any) -> str:
    """Read a name, or an object with `name` and `relation`, as an app may have sent it."""
    if isinstance(raw, Mapping):
        parts = [raw.get("name"), raw.get("relation")]
        return ", ".join(part for part in parts if isinstance(part, str) and part)[:200]
    return raw[:200] if isinstance(raw, str) else ""


def _cash(cash: Mapping[str, Any], words: Mapping[str, str]) -> str:
    """Write what was paid: how much, of how much if that was another sum, and how."""
    paid = _amount(cash["amount"], words)
    if cash.get("difference"):
        paid = words["cash_of"].format(amount=paid, due=_amount(cash["due"], words))
    method = cash.get("method") or ""
    how = words.get(f"method_{method}", method)
    return ", ".join(part for part in (f"{paid} {cash.get('currency') or ''}".strip(), how) if part)


def _amount(amount: float, words: Mapping[str, str]) -> str:
    """Write a sum. Spaces part the thousands: a point or a comma there means another sum one country on."""
    written = f"{amount:,.0f}" if amount == round(amount) else f"{amount:,.2f}"
    return written.translate({ord(","): "\u00a0", ord("."): words["decimal"]})
