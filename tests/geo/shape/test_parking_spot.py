"""The fence of a stop reaches to where vans park for it."""

import numpy as np

from geo.plan.facts import FactType
from geo.shape.fence_shape import polygon_on_plane
from geo.shape.numbers import SPOT_M
from geo.shape.parking_spot import reach_to_spot
from geo.shape.plane import project, unproject
from tests.geo.city import LAT, LON, fold, of_type, pings_at, plan_along, walk


def spot_at(x_m: float, y_m: float) -> tuple[float, float]:
    lon, lat = unproject(x_m, y_m, LON, LAT)
    return float(lon), float(lat)


def test_a_spot_inside_the_circle_changes_nothing():
    assert reach_to_spot(LON, LAT, 60.0, *spot_at(20, 20)) is None


def test_the_fence_holds_the_door_the_spot_and_the_way_between():
    shape = reach_to_spot(LON, LAT, 40.0, *spot_at(100, 0))
    assert shape is not None
    fence = polygon_on_plane(shape, LON, LAT)
    x_m, y_m = project(*np.array(shape["coordinates"][0]).T, LON, LAT)
    assert fence.bounds[2] == x_m.max() > 100 + 0.9 * SPOT_M
    assert x_m.min() < -0.95 * 40
    assert np.abs(y_m[x_m > 101]).max() < SPOT_M + 1


def test_a_van_that_stands_where_vans_park_is_at_the_stop():
    """Its spot is round the corner from the door, 110 m away, and the phone stays in the van."""
    times, x_m, y_m = walk((0, 0, 0), (89, 890, 0), (170, 890, 0), (250, 1700, 0))
    shape = reach_to_spot(*spot_at(1000, 20), 40.0, *spot_at(890, 0))
    for shapes, arrivals in (({}, 0), ({100: shape}, 1)):
        plan = plan_along([(0, 0), (3000, 0)], [(1000, 20)], shapes=shapes)
        _, facts = fold(pings_at(times, x_m, y_m), plan)
        assert len(of_type(facts.happened, FactType.STOP_ARRIVED)) == arrivals
