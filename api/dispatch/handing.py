"""Where parcels are of stops that go to another tour, and where its van takes them aboard.

A tour that has left has aboard what it delivers. Another van that is to bring it comes there first: to a stop of kind
`depot`, whose parcels are called like the stops they are for, as those of a day that is planned again.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from api.dispatch.under_way import TourUnderWay
from api.http import ids
from api.planning.stops import loading_stop
from api.routes.body import StopBody
from sql.delivery.stops import StopRow
from work.planning.ahead import LOAD_S
from work.planning.so_far import loads_of_stop

_FETCH = re.compile(r"fetch-(?P<at>.+)-\d+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who has parcels.

    Attributes:
        at: the same for all that lies together: the id of the route whose van has it.
        name: as a driver reads it.
        lon, lat: where that was seen last, degrees.
    """

    at: str
    name: str
    lon: float
    lat: float


def holder_of(tour: TourUnderWay, place: tuple[float, float]) -> Holder:
    """Tell who has what a tour delivers; `place`: where its van sets out, degrees."""
    name = tour.head.external_id
    if tour.head.status != "started":
        name = tour.plan.depot_name or name
    elif tour.driver is not None:
        name = f"{tour.driver.name} · {name}"
    return Holder(at=ids.shown(ids.ROUTE, tour.head.id), name=name, lon=place[0], lat=place[1])


def holders(tour: TourUnderWay, moved: Sequence[StopRow], own: Holder) -> dict[int, Holder]:
    """Tell who has the parcels of stops that leave a tour, by stop; those that bring nothing are left out."""
    waits = {name: stop for stop in tour.ahead for name in loads_of_stop(stop)}
    return {
        stop.id: _lies_at(waits[stop.plan.external_id]) if stop.plan.external_id in waits else own
        for stop in moved
        if stop.plan.kind == "delivery"
    }


def _lies_at(loading: StopRow) -> Holder:
    known = _FETCH.match(loading.plan.external_id)
    at = known["at"] if known else loading.plan.external_id
    return Holder(at=at, name=loading.plan.name, lon=loading.plan.lon, lat=loading.plan.lat)


def without_loads(tour: TourUnderWay, gone: frozenset[str]) -> list[StopBody]:
    """Give the stops ahead without those that are gone, and without what was to be taken aboard for them."""
    loading = {stop.plan.external_id for stop in tour.ahead if loads_of_stop(stop)}
    left = []
    for stop in tour.bodies_ahead():
        if stop.external_id in gone:
            continue
        parcels = [one for one in stop.parcels if one.description not in gone]
        if stop.external_id not in loading or len(parcels) == len(stop.parcels):
            left.append(stop)
        elif parcels:
            left.append(msgspec.structs.replace(stop, parcels=parcels))
    return left


def fetching(tour: TourUnderWay, holder: Holder, names: Sequence[str], now: datetime) -> StopBody:
    """Give the stop at which a tour takes aboard what somebody has: one that is ahead already, or another one."""
    loads = list(names)
    name = f"fetch-{holder.at}-{tour.head.version + 1}"[:200]
    there = next((stop for stop in tour.ahead if loads_of_stop(stop) and _lies_at(stop).at == holder.at), None)
    if there is not None:
        name, loads = there.plan.external_id, [*loads_of_stop(there), *names]
        holder = Holder(at=holder.at, name=there.plan.name, lon=there.plan.lon, lat=there.plan.lat)
    entry: dict[str, Any] = {
        "order": name,
        "name": holder.name[:200],
        "lat": holder.lat,
        "lon": holder.lon,
        "arrive_at": now.isoformat(),
        "depart_at": now.isoformat(),
        "loads": loads,
    }
    return msgspec.structs.replace(loading_stop(entry), service_s=float(LOAD_S * len(loads)))
