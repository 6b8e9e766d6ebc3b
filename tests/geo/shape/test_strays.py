"""Places that somebody mistook: named when they are far from the others, and only then."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.shape.numbers import STRAY_FEWEST, STRAY_M
from geo.shape.strays import strays

M_LAT = 1 / 110_574.0


def town(count: int, reach_m: float = 3_000, lat: float = 4.3, lon: float = -74.1) -> tuple[list[float], list[float]]:
    """Places on a spiral around a town's middle."""
    turn = np.arange(count) * 2.4
    out_deg = reach_m * M_LAT * np.sqrt((np.arange(count) + 1) / count)
    return list(lon + out_deg * np.cos(turn)), list(lat + out_deg * np.sin(turn))


@pytest.mark.parametrize(
    ("lon", "lat", "likely"),
    [(0.0, 0.0, "zero"), (4.3, -74.1, "exchanged"), (-74.1, 12.4, None), (-73.0, 4.3, None)],
    ids=["0/0", "exchanged", "another country", "another town"],
)
def test_a_place_that_is_not_of_this_town_is_named(lon, lat, likely):
    lons, lats = town(100)
    lons[57], lats[57] = lon, lat
    (stray,) = strays(lons, lats)
    assert (stray.index, stray.likely) == (57, likely)
    assert stray.away_m > STRAY_M


def test_several_at_once_are_all_named():
    lons, lats = town(20)
    for index in (3, 4, 11):
        lons[index], lats[index] = lats[index], lons[index]
    assert [stray.index for stray in strays(lons, lats)] == [3, 4, 11]


def test_a_wide_tour_is_a_wide_tour():
    assert strays(*town(30, reach_m=200_000)) == []
    lons, lats = town(5)
    assert strays(lons * 6, [lat + step * 0.4 for step in range(6) for lat in lats]) == []


def test_a_town_where_the_date_changes_is_one_town():
    lons, lats = town(12, lat=-16.8, lon=180.0)
    assert strays([lon - 360 if lon > 180 else lon for lon in lons], lats) == []


@given(st.integers(0, STRAY_FEWEST - 1))
def test_of_too_few_nobody_can_say_which_is_wrong(count):
    assert strays([0.0, -74.1][:count], [0.0, 4.3][:count]) == []
