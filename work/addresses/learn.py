"""The book learns from tours that are over: where proofs were taken, where vans stood and parked. A job of `work`."""

from collections.abc import Iterator
from datetime import timedelta

from geo.shape.plane import metres_between
from sql.addresses import book
from sql.addresses.book import NewSighting, SeenDelivery, Source
from sql.pool import Pool
from work.addresses.text import normalised, person_of
from work.job import Job

LEARN_AFTER = timedelta(hours=1)
"""A tour is over for so long: proofs that were on their way are there."""

FARTHEST_M = 2_000.0
"""From where the stop was planned: what lies farther away was seen somewhere else, or said at the end of the day."""

_ROUTES_AT_ONCE = 10


async def learn_addresses(pool: Pool) -> bool:
    """Learn from some tours; tell whether there may be more."""
    async with pool.acquire() as db, db.transaction():
        over = await book.routes_to_learn(db, closed_before=db.clock.now() - LEARN_AFTER, at_most=_ROUTES_AT_ONCE)
        for route_id, account_id in over:
            seen = [one for stop in await book.delivered_stops(db, route_id) for one in _sightings(stop)]
            if seen:
                await book.put_sightings(db, account_id, seen)
        await book.note_learned(db, [route_id for route_id, _ in over])
    return len(over) == _ROUTES_AT_ONCE


LEARN_ADDRESSES = Job(name="address book", do=learn_addresses, pause_s=60.0)
"""The job that learns."""


def _sightings(stop: SeenDelivery) -> Iterator[NewSighting]:
    address = normalised(stop.address)
    person = person_of(phone=stop.phone, email=stop.email, name=stop.name)
    places: tuple[tuple[Source, float | None, float | None], ...] = (
        ("proof", stop.door_lat, stop.door_lon),
        ("van", stop.van_lat, stop.van_lon),
        ("spot", stop.spot_lat, stop.spot_lon),
    )
    for source, lat, lon in places:
        if address and lat is not None and lon is not None and _near(stop, lat, lon):
            yield NewSighting(
                address=address,
                person=person,
                source=source,
                lat=lat,
                lon=lon,
                stop_id=stop.stop_id,
                seen_at=stop.seen_at,
            )


def _near(stop: SeenDelivery, lat: float, lon: float) -> bool:
    return metres_between(lon, lat, stop.planned_lon, stop.planned_lat) <= FARTHEST_M
