"""What it costs two tours when stops go from one to the other: when their vans come where, and who has what aboard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import numpy as np
from msgspec import Struct

from api.dispatch.handing import Holder, fetching, holder_of, holders, without_loads
from api.dispatch.under_way import TourUnderWay, arrivals, late_s, leaves_at
from api.http import ids
from api.routes.body import StopBody
from geo.tours.joining import Visits, joined
from geo.tours.matrix import straight
from sql.delivery.routes import RoutePlan
from sql.delivery.stops import StopRow

Place = tuple[float, float]
"""Longitude and latitude, degrees."""


class TourCost(Struct, frozen=True, kw_only=True):
    """What it costs a tour.

    Attributes:
        version: for `If-Match` and `to_version`.
        extra_s: how much later its last stop is done; negative earlier. Null: no stop ahead is left, or was.
        late, was_late: stops ahead that are come to after their window.
    """

    route_id: str
    external_id: str
    version: int
    extra_s: float | None
    late: int
    was_late: int


class MovedStop(Struct, frozen=True, kw_only=True):
    """A stop that goes.

    Attributes:
        arrival, was: when a van may come to it on the tour it comes to, and on the one it leaves.
        late_s: how long after the end of its window; 0 within it, and where nothing was promised.
        held_by: who has its parcels; null: whoever is to bring them, or nobody yet.
    """

    stop_id: str
    external_id: str
    arrival: datetime
    was: datetime
    late_s: float
    was_late_s: float
    held_by: str | None


class Fetching(Struct, frozen=True, kw_only=True):
    """Where the van of the other tour takes parcels aboard first; `name`: who has them."""

    name: str
    lat: float
    lon: float
    arrival: datetime
    stops: list[str]


class MoveCost(Struct, frozen=True, kw_only=True):
    """What it costs both tours, reckoned alike: straight lines at a town's pace, from where their vans are."""

    leaves: TourCost
    comes_to: TourCost
    stops: list[MovedStop]
    fetches: list[Fetching]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReckonedMove:
    """Stops `moved` from a tour to another one.

    Attributes:
        left, grown: what is then ahead on the one and on the other.
        done_at: when the last stop of the other is done.
    """

    tour: TourUnderWay
    to: TourUnderWay
    moved: Sequence[StopRow]
    left: Sequence[StopBody]
    grown: Sequence[StopBody]
    done_at: datetime
    cost: MoveCost


def reckoned(
    tours: tuple[TourUnderWay, TourUnderWay], moved: Sequence[StopRow], places: tuple[Place, Place], now: datetime
) -> ReckonedMove:
    """Put stops of the first tour into the second one, and reckon what that costs; `places`: where their vans are."""
    tour, to = tours
    held = _to_fetch(tours, moved, places[0])
    was, to_was = tour.bodies_ahead(), to.bodies_ahead()
    bodies = {stop.id: body for stop, body in zip(tour.ahead, was, strict=True)}
    grown, fetches = _grown(to, {stop.id: bodies[stop.id] for stop in moved}, held, (places[1], now))
    then, done_at = arrivals(to.plan, grown, places[1], now)
    left = without_loads(tour, frozenset(stop.plan.external_id for stop in moved))
    cost = MoveCost(
        leaves=_cost(tour, was, left, places[0], now),
        comes_to=_cost(to, to_was, grown, places[1], now),
        stops=_moved(moved, held, _times(grown, then), _times(was, arrivals(tour.plan, was, places[0], now)[0])),
        fetches=[
            Fetching(name=stop.name, lat=stop.lat, lon=stop.lon, arrival=at, stops=fetches[stop.external_id])
            for stop, at in zip(grown, then, strict=True)
            if stop.external_id in fetches
        ],
    )
    grown = [
        msgspec.structs.replace(stop, planned_arrival=at if stop.planned_arrival else None)
        for stop, at in zip(grown, then, strict=True)
    ]
    return ReckonedMove(tour=tour, to=to, moved=moved, left=left, grown=grown, done_at=done_at, cost=cost)


def _grown(
    to: TourUnderWay, bodies: Mapping[int, StopBody], held: Mapping[int, Holder], sets_out: tuple[Place, datetime]
) -> tuple[list[StopBody], dict[str, list[str]]]:
    """Put stops into a tour; give what is then ahead, and what is fetched at which stop of it."""
    grown, fetches = to.bodies_ahead(), {}
    for at in dict.fromkeys(one.at for one in held.values()):
        lot = [stop_id for stop_id, one in held.items() if one.at == at]
        fetch = fetching(to, held[lot[0]], [bodies[stop_id].external_id for stop_id in lot], sets_out[1])
        grown = [fetch if one.external_id == fetch.external_id else one for one in grown]
        grown = _with(to.plan, grown, [bodies[stop_id] for stop_id in lot], sets_out, fetch)
        fetches[fetch.external_id] = [ids.shown(ids.STOP, stop_id) for stop_id in lot]
    more = [body for stop_id, body in bodies.items() if stop_id not in held]
    return _with(to.plan, grown, more, sets_out), fetches


def _to_fetch(tours: tuple[TourUnderWay, TourUnderWay], moved: Sequence[StopRow], place: Place) -> dict[int, Holder]:
    """Tell whose parcels the second van has to fetch, and where: not its own, nor what both load at their depot."""
    tour, to = tours
    own = [ids.shown(ids.ROUTE, to.head.id)]
    if tour.head.status == to.head.status == "planned":
        own.append(ids.shown(ids.ROUTE, tour.head.id))
    held = holders(tour, moved, holder_of(tour, place))
    return {stop_id: one for stop_id, one in held.items() if one.at not in own}


def _with(
    plan: RoutePlan,
    ahead: Sequence[StopBody],
    more: Sequence[StopBody],
    sets_out: tuple[Place, datetime],
    fetch: StopBody | None = None,
) -> list[StopBody]:
    """Put stops into others where that costs least, after the one where they are fetched; that may be there already."""
    place, now = sets_out
    there = [*ahead, *more]
    is_new = fetch is not None and fetch not in there
    if fetch is not None and is_new:
        there.append(fetch)
    lon, lat = np.array([place, *((stop.lon, stop.lat) for stop in there)]).T
    begun = leaves_at(plan, now)

    def seconds(at: datetime) -> float:
        return (at - begun) / timedelta(seconds=1)

    visits = Visits(
        drive_s=straight(lon, lat)[1],
        service_s=np.array([0.0, *(stop.service_s or 0.0 for stop in there)]),
        opens_s=np.array(
            [-np.inf, *(seconds(one.window.start) if one.window and plan.wait_for_window else -np.inf for one in there)]
        ),
        closes_s=np.array([np.inf, *(seconds(one.window.end) if one.window else np.inf for one in there)]),
    )
    rows = range(1, len(ahead) + 1)
    new = range(len(ahead) + 1, len(ahead) + 1 + len(more))
    found = joined(visits, rows, new, None if fetch is None else there.index(fetch) + 1)
    return [there[row - 1] for row in found]


def _times(stops: Sequence[StopBody], at: Sequence[datetime]) -> dict[str, tuple[datetime, float]]:
    return {stop.external_id: (there, late_s(stop, there)) for stop, there in zip(stops, at, strict=True)}


def _moved(
    moved: Sequence[StopRow],
    held: dict[int, Holder],
    then: dict[str, tuple[datetime, float]],
    was: dict[str, tuple[datetime, float]],
) -> list[MovedStop]:
    return [
        MovedStop(
            stop_id=ids.shown(ids.STOP, stop.id),
            external_id=stop.plan.external_id,
            arrival=then[stop.plan.external_id][0],
            was=was[stop.plan.external_id][0],
            late_s=then[stop.plan.external_id][1],
            was_late_s=was[stop.plan.external_id][1],
            held_by=held[stop.id].name if stop.id in held else None,
        )
        for stop in moved
    ]


def _cost(
    tour: TourUnderWay, was: Sequence[StopBody], then: Sequence[StopBody], place: Place, now: datetime
) -> TourCost:
    was_at, was_done = arrivals(tour.plan, was, place, now)
    then_at, then_done = arrivals(tour.plan, then, place, now)
    return TourCost(
        route_id=ids.shown(ids.ROUTE, tour.head.id),
        external_id=tour.head.external_id,
        version=tour.head.version,
        extra_s=(then_done - was_done).total_seconds() if was and then else None,
        late=sum(late_s(stop, at) > 0 for stop, at in zip(then, then_at, strict=True)),
        was_late=sum(late_s(stop, at) > 0 for stop, at in zip(was, was_at, strict=True)),
    )
