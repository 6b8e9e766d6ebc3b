"""Tours on real streets: a short `make stress STREETS=…`, of a town that is not part of this tree."""

from pathlib import Path

import numpy as np
import pytest

from geo.shape import plane
from tests.tours import recorded
from tests.tours.city import City
from tests.tours.measure import Measured, measured, tracked
from tests.tours.streets import read

EXTRACT = Path(__file__).resolve().parents[3] / "shared" / "data" / "osm-extracts" / "porto-alegre.osm.pbf"

pytestmark = pytest.mark.skipif(not EXTRACT.is_file(), reason=f"needs the streets of a town: {EXTRACT}")


@pytest.fixture(scope="module")
def town() -> tuple[City, tuple[float, float]]:
    return read(EXTRACT)


def test_every_corner_of_a_town_leads_somewhere_and_its_streets_are_short(town):
    city, (lon, lat) = town
    assert len(city.xy_m) > 10_000
    assert min(map(len, city.streets)) > 0
    assert (lon, lat) == pytest.approx((-51.19, -30.05), abs=0.02)
    far_m = [city.far_m(a, b) for a in range(0, len(city.xy_m), 50) for b in city.streets[a]]
    assert 10 < np.median(far_m) < 100


def test_a_tour_in_a_town_is_where_its_phone_is_and_the_same_of_the_same_seed(town):
    one, same, other = (recorded.made(seed, *town, 5) for seed in (3, 3, 4))
    assert one.pings.rows.tobytes() == same.pings.rows.tobytes() != other.pings.rows.tobytes()
    rows, plan = one.pings.rows, one.plan
    x_m, y_m = plane.project(rows["lon_e6"] * 1e-6, rows["lat_e6"] * 1e-6, plan.lon0, plan.lat0)
    ends_m = np.concatenate((plan.segments[:, :2], plan.segments[-1:, :2] + plan.segments[-1:, 2:4]))
    true_m = [np.interp(one.along_m, plan.path_along_m, column) for column in ends_m.T]
    away_m = np.hypot(true_m[0] - x_m, true_m[1] - y_m)[one.scored]
    assert np.median(away_m) < 20
    assert np.quantile(away_m, 0.9) < 60
    assert 20 <= len(plan.stop_ids) <= 61


def test_few_places_in_a_town_are_wrong_and_most_visits_are_seen(town):
    tours = [recorded.made(900 + seconds, *town, seconds) for seconds in recorded.EVERY_S[1:]]
    found = Measured()
    for tour, told in zip(tours, tracked(tours, [1] * len(tours)), strict=True):
        found.add(measured(tour, told))
    assert found.gross < 0.03
    for matched, claimed, true in (found.arrived, found.departed):
        assert matched / claimed > 0.9
        assert matched / true > 0.85
