"""What a simulated driver does at work, and how it is written for `POST /v1/driver/events`. Pure and seeded.

Most stops are completed, some fail, are skipped or done in part; arrivals and departures are said now and then, and
there is a pause here and there.
"""

import io
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from PIL import Image, ImageDraw

from geo.pings import Ints

OUTCOMES = {"completed": 86, "failed": 6, "partially_completed": 5, "skipped": 3}
"""What becomes of a hundred stops."""

REASONS = ("nobody_home", "wrong_address", "refused", "no_access")
_ARRIVES, _DEPARTS, _PAUSES, _PHOTOS = 0.6, 0.35, 0.06, 0.25
_SHORTEST_PAUSE_MS = 20_000
_HANDED_OVER = frozenset({"completed", "partially_completed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """Something a driver does and says.

    Attributes:
        id: of the event, a uuid.
        at_ms: by the trip's clock.
        stop: external id; None of what is about no stop.
        photos: how many are taken, besides one that the stop asks for.
    """

    id: str
    at_ms: int
    type: str
    stop: str | None = None
    photos: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A photo on a phone.

    Attributes:
        upload_id: a uuid that the phone made.
        stop_id: what it shows.
        content: JPEG.
    """

    upload_id: str
    stop_id: str
    content: bytes


def make_day(name: str, stays_ms: Ints, *, from_ms: int, to_ms: int, stops: Sequence[str] | None = None) -> list[Deed]:
    """Make what a driver does in a stretch of a trip, in order; the same name and trip make the same day.

    Args:
        name: nobody else's.
        stays_ms: (s, 2) when the van comes to each stop and leaves it.
        from_ms, to_ms: when the shift begins and ends, by the trip's clock.
        stops: their external ids; None: they are numbered, as `route_of_tour` does.
    """
    called = [f"{number:02}" for number in range(1, len(stays_ms) + 1)] if stops is None else stops
    chance = random.Random(f"{name}'s day")
    said: list[tuple[int, str, str | None]] = [(from_ms, "shift_started", None), (from_ms + 1, "route_started", None)]
    for stop, (came_ms, left_ms) in zip(called, stays_ms.tolist(), strict=True):
        if from_ms + 2 < came_ms and left_ms < to_ms - 2:
            said += _at_stop(stop, came_ms, left_ms, chance)
    said.append((to_ms - 1, "shift_ended", None))
    said.sort(key=lambda one: one[0])
    return [
        Deed(
            id=str(uuid5(NAMESPACE_URL, f"{name}/{number}")),
            at_ms=at_ms,
            type=kind,
            stop=about,
            photos=int(kind in OUTCOMES and kind != "skipped" and chance.random() < _PHOTOS),
        )
        for number, (at_ms, kind, about) in enumerate(said)
    ]


def _at_stop(stop: str, came_ms: int, left_ms: int, chance: random.Random) -> Iterator[tuple[int, str, str | None]]:
    stay_ms = left_ms - came_ms
    done_ms = came_ms + round(stay_ms * chance.uniform(0.5, 0.7))
    if chance.random() < _ARRIVES:
        yield came_ms + round(stay_ms * chance.uniform(0.05, 0.2)), "arrived", stop
    yield done_ms, chance.choices(list(OUTCOMES), list(OUTCOMES.values()))[0], stop
    if chance.random() < _PAUSES and left_ms - done_ms > _SHORTEST_PAUSE_MS:
        yield done_ms + 2_000, "break_started", None
        yield left_ms - 2_000, "break_ended", None
    if chance.random() < _DEPARTS:
        yield left_ms, "departed", stop


def event_of(
    deed: Deed, stop: Mapping[str, Any] | None, photos: Sequence[Photo], *, at_ms: int, pin: str | None
) -> Any:
    """Write a deed for the door.

    Args:
        stop: as the manifest has it; None of what is about no stop.
        at_ms: epoch milliseconds.
        pin: that the recipient told.
    """
    event: dict[str, Any] = {"id": deed.id, "type": deed.type, "occurred_at": at_ms}
    if stop is None:
        return event
    event |= {"stop_id": stop["id"], "lat": stop["lat"], "lon": stop["lon"]}
    if deed.type == "partially_completed" and len(stop["parcels"]) < 2:
        event["type"] = "completed"  # there is no part of one parcel
    chance = random.Random(deed.id)
    data: dict[str, Any] = {}
    if deed.type in _HANDED_OVER:
        data = _handed_over(stop, chance, all_of_it=event["type"] == "completed") | ({"pin": pin} if pin else {})
    elif deed.type in ("failed", "skipped"):
        data = {"reason": chance.choice(REASONS)}
    if photos:
        data["proofs"] = [{"upload_id": photo.upload_id, "kind": "photo"} for photo in photos]
    return event | ({"data": data} if data else {})


def needs_pin(deed: Deed, stop: Mapping[str, Any]) -> bool:
    """Tell whether the recipient is asked for a PIN."""
    return "pin" in stop["proof"] and deed.type in _HANDED_OVER


def photos_of(deed: Deed, stop: Mapping[str, Any]) -> list[Photo]:
    """Take the photos of a deed."""
    wanted = max(deed.photos, int("photo" in stop["proof"] and deed.type in _HANDED_OVER))
    return [
        Photo(
            upload_id=str(uuid5(NAMESPACE_URL, f"{deed.id}/{number}")),
            stop_id=stop["id"],
            content=draw_door(f"{deed.id}/{number}"),
        )
        for number in range(wanted)
    ]


def draw_door(seed: str) -> bytes:
    """Draw a parcel in front of a door, a JPEG of some kilobytes."""
    chance = random.Random(seed)
    image = Image.new("RGB", (480, 360), _colour(chance, 170, 230))
    pen = ImageDraw.Draw(image)
    left = chance.randrange(120, 200)
    pen.rectangle((left, 40, left + 150, 320), fill=_colour(chance, 60, 130), outline=(40, 40, 40), width=4)
    pen.ellipse((left + 125, 180, left + 137, 192), fill=(230, 200, 80))
    pen.rectangle((0, 320, 480, 360), fill=(120, 115, 110))
    place, size = chance.randrange(60, 330), chance.randrange(50, 90)
    pen.rectangle((place, 335 - size, place + size, 335), fill=(190, 145, 95), outline=(110, 80, 50), width=3)
    pen.line((place, 335 - size // 2, place + size, 335 - size // 2), fill=(225, 205, 160), width=6)
    written = io.BytesIO()
    image.save(written, "JPEG", quality=80)
    return written.getvalue()


def _handed_over(stop: Mapping[str, Any], chance: random.Random, *, all_of_it: bool) -> dict[str, Any]:
    recipient = {"name": stop["name"]}
    if chance.random() < 0.15:
        recipient = {"name": "Portería", "relation": "edificio"}
    data: dict[str, Any] = {"recipient": recipient, "barcodes": [parcel["barcode"] for parcel in stop["parcels"]]}
    if not all_of_it:
        outcomes = ("refused", *["delivered"] * (len(stop["parcels"]) - 1))
        data["parcels"] = [{"seq": seq, "outcome": outcome} for seq, outcome in enumerate(outcomes)]
    if due := stop["cash_on_delivery"]:
        amount = due["amount"] if chance.random() < 0.9 else round(due["amount"] * 0.9)
        data["cash"] = {"amount": amount, "method": chance.choice(("cash", "cash", "card", "transfer"))}
    return data


def _colour(chance: random.Random, least: int, most: int) -> tuple[int, int, int]:
    red, green, blue = (chance.randrange(least, most) for _ in range(3))
    return red, green, blue
