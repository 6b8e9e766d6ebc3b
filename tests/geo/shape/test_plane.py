"""The plane against PROJ, and the table of sines against libm."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod, Transformer

from geo.shape import plane


def around(lon0, lat0, reach_m, n=400):
    random = np.random.default_rng(1)
    lon, lat, _ = Geod(ellps="WGS84").fwd(
        np.full(n, lon0), np.full(n, lat0), random.uniform(0, 360, n), random.uniform(0, reach_m, n)
    )
    proj = Transformer.from_crs("EPSG:4326", f"+proj=tmerc +lon_0={lon0} +lat_0={lat0} +ellps=WGS84", always_xy=True)
    return lon, lat, proj.transform(lon, lat)


@pytest.mark.parametrize(("lon0", "lat0"), [(-58.4, -34.6), (8.7, 49.4), (-78.5, 0.0), (25.5, 71.0), (-179.99, -17.0)])
@pytest.mark.parametrize(("reach_m", "within_m"), [(30_000, 0.01), (100_000, 0.5)])
def test_it_agrees_with_proj(lon0, lat0, reach_m, within_m):
    lon, lat, (x, y) = around(lon0, lat0, reach_m)
    x_m, y_m = plane.project(lon, lat, lon0, lat0)
    assert np.hypot(x_m - x, y_m - y).max() < within_m


@given(lon0=st.floats(-180, 180), lat0=st.floats(-70, 70), x=st.floats(-1e5, 1e5), y=st.floats(-1e5, 1e5))
@settings(max_examples=100)
def test_there_and_back(lon0, lat0, x, y):
    lon, lat = plane.unproject(x, y, lon0, lat0)
    x_m, y_m = plane.project(lon, lat, lon0, lat0)
    assert -180 <= lon < 180
    assert math.hypot(x_m - x, y_m - y) < 0.05


def test_each_row_has_its_own_origin_and_the_same_bits_alone():
    lon0, lat0 = np.array([-58.4, 8.7, 179.9]), np.array([-34.6, 49.4, -17.0])
    together = plane.project(lon0 + 0.01, lat0 + 0.02, lon0, lat0)
    for row in range(3):
        alone = plane.project(lon0[row] + 0.01, lat0[row] + 0.02, lon0[row], lat0[row])
        assert (together[0][row], together[1][row]) == alone


def test_far_places_stay_far():
    x_m, y_m = plane.project(np.array([121.0, -58.4, 0.0]), np.array([34.0, 89.0, 0.0]), -58.4, -34.6)
    assert np.hypot(x_m, y_m).min() > 300_000


@given(st.floats(-360, 360))
@settings(max_examples=200)
def test_sines(degrees):
    s, c = plane.sin_cos(degrees)
    assert abs(s - math.sin(math.radians(degrees))) < 2e-15
    assert abs(c - math.cos(math.radians(degrees))) < 2e-15


def test_straight_lines_through_the_earth():
    lon, lat = np.array([-58.4, -58.3, 179.999, -179.999]), np.array([-34.6, -34.6, 10.0, 10.0])
    spot = plane.in_space(lon, lat)
    apart = [float(np.linalg.norm(spot[0] - spot[1])), float(np.linalg.norm(spot[2] - spot[3]))]
    _, _, ground = Geod(ellps="WGS84").inv(lon[[0, 2]], lat[[0, 2]], lon[[1, 3]], lat[[1, 3]])
    assert apart == pytest.approx(list(ground), rel=1e-6)
