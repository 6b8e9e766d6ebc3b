"""What the account's own book says of an address: a person's pin, else the middle of where deliveries were seen.

Unknown is never a value: too few sightings, or ones that do not agree, say nothing.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from geo.shape.middle import middle
from sql.addresses.book import Sighting, sightings_of
from sql.pool import Db, Pool

FEWEST_PROOFS, FEWEST_VANS = 2, 3
"""So many deliveries say where a door is: one may be of a neighbour, and vans stand where there is room."""

PROOFS_WITHIN_M, VANS_WITHIN_M = 60.0, 100.0
"""Half of them lie no farther from their middle, else they do not agree: phones without sky, two houses of one name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookPlace:
    """Where an address is by the book, degrees; `seen`: how many sightings say so."""

    lat: float
    lon: float
    quality: Literal["pinned", "learned"]
    seen: int


async def read_book(
    db: Db | Pool, account_id: int, asked: Sequence[tuple[str, str]]
) -> Mapping[tuple[str, str], BookPlace]:
    """Look addresses up.

    Args:
        asked: normalised address and person, as `work.addresses.text` writes them.

    Returns:
        Those that the book knows.
    """
    seen: defaultdict[str, list[Sighting]] = defaultdict(list)
    for one in await sightings_of(db, account_id, sorted({address for address, _ in asked if address})):
        seen[one.address].append(one)
    found = {(address, person): place_of(seen[address], person) for address, person in asked if address in seen}
    return {key: place for key, place in found.items() if place is not None}


def place_of(seen: Sequence[Sighting], person: str) -> BookPlace | None:
    """Say where a person's address is; None: nobody knows.

    Args:
        seen: sightings of the address, newest first. Pins of other recipients say nothing: one could move another's
            door. What their deliveries saw counts where this person's own say nothing yet.
    """
    for pin in seen:
        if pin.source == "pin" and pin.person in (person, ""):
            return BookPlace(lat=pin.lat, lon=pin.lon, quality="pinned", seen=1)
    own = [one for one in seen if one.person == person]
    return _learned(own) or _learned(seen)


def _learned(seen: Sequence[Sighting]) -> BookPlace | None:
    for source, fewest, within_m in (("proof", FEWEST_PROOFS, PROOFS_WITHIN_M), ("van", FEWEST_VANS, VANS_WITHIN_M)):
        places = [one for one in seen if one.source == source]
        if len(places) < fewest:
            continue
        found = middle([one.lon for one in places], [one.lat for one in places])
        if found.spread_m <= within_m:
            lat, lon = round(found.lat, 6), round(found.lon, 6)
            return BookPlace(lat=lat, lon=lon, quality="learned", seen=len(places))
    return None
