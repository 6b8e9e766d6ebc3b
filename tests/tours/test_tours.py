"""A short `make stress`: few made-up tours, always the same ones."""

import numpy as np
import pytest

from geo.shape import plane
from tests.tours.driver import KINDS
from tests.tours.measure import Measured, apart, by_rate, measured, tracked
from tests.tours.tours import EVERY_S, SKIES, made, thinned

SMALL = {"stops": 10, "blocks": 8}
NOISY = list(zip(KINDS, [*SKIES, "town", "open"], (5, 10, 15, 30, 5, 10, 15), strict=True))
LEAVING = ("skips stops", "comes back", "along later")


def test_the_same_seed_makes_the_same_tour():
    one, same, other = (made(seed, "skips stops", "town", **SMALL) for seed in (3, 3, 4))
    assert one.pings.rows.tobytes() == same.pings.rows.tobytes() != other.pings.rows.tobytes()
    assert (np.diff(thinned(one.pings, 15).rows["recorded_ms"]) >= 15_000).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_truth_is_where_the_phone_is(kind):
    tour = made(11, kind, "open")
    rows, plan = tour.pings.rows, tour.plan
    x_m, y_m = plane.project(rows["lon_e6"] * 1e-6, rows["lat_e6"] * 1e-6, plan.lon0, plan.lat0)
    ends_m = np.concatenate((plan.segments[:, :2], plan.segments[-1:, :2] + plan.segments[-1:, 2:4]))
    true_m = [np.interp(tour.along_m, plan.path_along_m, column) for column in ends_m.T]
    away_m = np.hypot(true_m[0] - x_m, true_m[1] - y_m)[tour.scored]
    assert np.median(away_m) < 10
    assert np.quantile(away_m, 0.9) < 35
    served = set(tour.came[:, 0].tolist())
    assert (served == set(range(len(plan.stop_ids)))) is (kind != "skips stops")
    assert (len(tour.left) > 0) is (kind not in ("as planned", "backwards"))


def test_few_places_are_wrong_and_most_visits_are_seen():
    tours = [made(700 + i, kind, sky, **SMALL) for i, (kind, sky, _) in enumerate(NOISY)]
    told = tracked(tours, [seconds for *_, seconds in NOISY])
    found = Measured()
    for one in map(measured, tours, told):
        found.add(one)
    assert found.gross < 0.03
    for matched, claimed, true in (found.arrived, found.departed):
        assert matched / claimed > 0.9
        assert matched / true > 0.85


def test_how_often_a_phone_sends_hardly_matters():
    """At one fix in 30 s a stop of half a minute is not always seen: there the bound is wider."""
    tours = [made(300 + i, kind, "open", stops=7, blocks=7) for i, kind in enumerate(LEAVING)]
    stops = sum(len(tour.plan.stop_ids) for tour in tours)
    told = by_rate(tours)
    for seconds in EVERY_S[1:]:
        found = [apart(*each) for each in zip(tours, told[1], told[seconds], strict=True)]
        assert max(one.last_m for one in found) < 150, seconds
        assert np.mean([one.places for one in found]) < (0.04 if seconds < 30 else 0.06), seconds
        assert sum(len(one.visits) for one in found) <= (0.05 if seconds < 30 else 0.1) * stops, seconds
