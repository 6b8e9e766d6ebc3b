"""Where vans park for an address: the middle of where they stood when they came to it.

A van stops where there is room, and the driver walks on. Where a visit began is where the van was; what the phone did
afterwards says where the door is.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from geo.shape.middle import middle
from geo.shape.plane import metres_between
from sql.addresses.book import Sighting, sightings_of
from sql.delivery.stops import StopPlan
from sql.pool import Db
from work.addresses.text import normalised

FEWEST_SPOTS, SPOTS_WITHIN_M = 3, 40.0
"""So many visits say where vans park, if half of them began no farther from their middle: else no spot is usual."""

FARTHEST_SPOT_M = 250.0
"""Drivers do not walk farther from their van: the stop is planned somewhere else than it was."""

_KINDS = frozenset({"delivery", "pickup", "return"})


async def with_spots(db: Db, account_id: int, planned: Sequence[StopPlan], known: Iterable[StopPlan]) -> list[StopPlan]:
    """Say of planned stops where vans park for them, where that is known.

    Args:
        known: stops of the same route as they are. One that stays where it is keeps its spot, so that a route that is
            put again as it was stays as it is.
    """
    before = {stop.external_id: stop for stop in known}
    words = [normalised(stop.address) if stop.address and stop.kind in _KINDS else "" for stop in planned]
    spots: defaultdict[str, list[Sighting]] = defaultdict(list)
    for one in await sightings_of(db, account_id, sorted({address for address in words if address})):
        if one.source == "spot":
            spots[one.address].append(one)
    told = []
    for stop, address in zip(planned, words, strict=True):
        was = before.get(stop.external_id)
        if was and (was.address, was.lat, was.lon) == (stop.address, stop.lat, stop.lon):
            told.append(replace(stop, park_lat=was.park_lat, park_lon=was.park_lon))
        else:
            lat, lon = _spot_of(stop, spots[address]) or (None, None)
            told.append(replace(stop, park_lat=lat, park_lon=lon))
    return told


def _spot_of(stop: StopPlan, seen: Sequence[Sighting]) -> tuple[float, float] | None:
    if len(seen) < FEWEST_SPOTS:
        return None
    found = middle([one.lon for one in seen], [one.lat for one in seen])
    far_m = metres_between(found.lon, found.lat, stop.lon, stop.lat)
    if found.spread_m > SPOTS_WITHIN_M or far_m > FARTHEST_SPOT_M:
        return None
    return round(found.lat, 5), round(found.lon, 5)
