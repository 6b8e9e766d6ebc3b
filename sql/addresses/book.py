"""The address book: where deliveries to an address were seen, and pins that people set."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)

Source: TypeAlias = Literal["pin", "proof", "van", "spot"]
"""A person set it on a map; a proof or the driver's word was there; the phone was there while the van stood; the van
came to stand there."""

NEWEST = 60
"""Sightings of an address that are looked at: older ones say where it was before somebody moved the door."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """Where an address was seen, degrees; `person` empty: whoever waits there."""

    address: str
    person: str
    source: Source
    lat: float
    lon: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSighting(Sighting):
    """One to keep; `stop_id` 0: a person's pin, which replaces the one before."""

    stop_id: int
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenDelivery:
    """A stop that was delivered, and what was seen there; None: nothing was."""

    stop_id: int
    address: str
    name: str
    phone: str | None
    email: str | None
    planned_lat: float
    planned_lon: float
    seen_at: datetime
    door_lat: float | None
    door_lon: float | None
    van_lat: float | None
    van_lon: float | None
    spot_lat: float | None
    spot_lon: float | None


async def sightings_of(db: Db | Pool, account_id: int, addresses: Sequence[str]) -> list[Sighting]:
    """Read the newest sightings of normalised addresses, newest first."""
    return [Sighting(**row) for row in await db.fetch(_SQL["seen_at"], account_id, list(addresses), NEWEST)]


async def put_sightings(db: Db | Pool, account_id: int, seen: Sequence[NewSighting]) -> None:
    """Keep sightings; the same stop's of the same kind replaces the one before."""
    names = ("address", "person", "source", "stop_id", "lat", "lon", "seen_at")
    await db.execute(_SQL["put_seen"], account_id, *([getattr(one, name) for one in seen] for name in names))


async def page_of_book(db: Db | Pool, account_id: int, *, after: tuple[str, str], limit: int) -> list[tuple[str, str]]:
    """Read a page of the book: address and person, in their order."""
    return [tuple(row) for row in await db.fetch(_SQL["page_of_book"], account_id, *after, limit)]


async def forget_address(db: Db | Pool, account_id: int, *, address: str, person: str) -> bool:
    """Forget what was seen of an address and person; False: nothing was."""
    return bool(await db.fetch(_SQL["forget_address"], account_id, address, person))


async def routes_to_learn(db: Db, *, closed_before: datetime, at_most: int) -> list[tuple[int, int]]:
    """Hold tours that are over and nothing was learned of: route and account."""
    return [tuple(row) for row in await db.fetch(_SQL["routes_to_learn"], closed_before, at_most)]


async def delivered_stops(db: Db, route_id: int) -> list[SeenDelivery]:
    """Read what was seen at the delivered stops of a tour."""
    return [SeenDelivery(**row) for row in await db.fetch(_SQL["delivered_stops"], route_id)]


async def note_learned(db: Db, route_ids: Sequence[int]) -> None:
    """Note that the book has what was seen on tours."""
    await db.execute(_SQL["note_learned"], list(route_ids))


async def drop_sightings(db: Db | Pool, before: datetime, *, at_most: int) -> int:
    """Forget what was seen before a time; return how many."""
    return len(await db.fetch(_SQL["drop_seen"], before, at_most))


async def forget_person(db: Db, account_id: int, *, addresses: Sequence[str], persons: Sequence[str]) -> int:
    """Forget a person's addresses, and what geocoders said of them; return how much."""
    gone: int = await db.fetchval(_SQL["forget_person"], account_id, list(addresses), list(persons))
    return gone
