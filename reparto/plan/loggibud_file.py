"""A file of LoggiBUD as a problem of ours: deliveries of a Brazilian city for vans of one size, without any times.

{"origin": {"lng", "lat"}, "vehicle_capacity": 180, "deliveries": [{"id", "point": {"lng", "lat"}, "size"}, …]}

Such files name no roads: drives are straight lines, as a plan has them where no roads are configured. As many vans as
wanted; only kilometres cost.
"""

from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta, Struct

from geo.tours.matrix import straight
from geo.tours.problem import TourJob, TourProblem, TourVan
from reparto.plan.instance import PlanInstance

_Size = Annotated[int, Meta(ge=0, le=2**31)]


class _Point(Struct, frozen=True):
    lng: Annotated[float, Meta(ge=-180, le=180)]
    lat: Annotated[float, Meta(ge=-90, le=90)]


class _Delivery(Struct, frozen=True):
    id: str
    point: _Point
    size: _Size


class _LoggiBud(Struct, frozen=True):
    origin: _Point
    vehicle_capacity: _Size
    deliveries: Annotated[list[_Delivery], Meta(min_length=1, max_length=8_000)]


def instance_of(text: str) -> PlanInstance:
    """Read the text of a file.

    Raises:
        ValueError: it is another one.
    """
    given = msgspec.json.decode(text, type=_LoggiBud)
    points = [given.origin, *(delivery.point for delivery in given.deliveries)]
    places = np.array([(point.lng, point.lat) for point in points], np.float64)
    distance_m, duration_s = straight(*places.T)
    jobs = [TourJob(place=row, delivery=(delivery.size,)) for row, delivery in enumerate(given.deliveries, 1)]
    van = TourVan(start=0, end=0, capacity=(given.vehicle_capacity,))
    return PlanInstance(
        problem=TourProblem(duration_s=duration_s, distance_m=distance_m, jobs=jobs, vehicles=[van] * len(jobs)),
        weights=distance_m / 1000,
        counts="kilometres, 1.3 times those of straight lines",
        nodes=tuple(delivery.id for delivery in given.deliveries),
        places=places,
        in_metres=True,
    )
