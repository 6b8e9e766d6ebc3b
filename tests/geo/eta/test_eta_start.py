"""When a tour begins that has not: learned, with how far off that is, and told anew as long as it does not."""

import numpy as np
import pytest

from geo.eta.numbers import LEAST_START_S, START_NOISE_S
from geo.eta.places import places
from geo.eta.rows import Row, RowKey
from geo.eta.start import left_s, noise_s
from tests.geo.city import START_MS, plan_along


def test_long_before_its_start_a_tour_is_expected_as_others_began():
    left, far = left_s(np.array([120.0]), np.array([90.0]), np.array([-3600.0]))
    assert left.tolist() == pytest.approx([3720], abs=1)
    assert far.tolist() == pytest.approx([82], abs=3)  # a logistic distribution has its middle nearer than a normal one


def test_what_is_told_is_the_median_of_those_that_have_not_begun_either():
    rng = np.random.default_rng(1)
    began_s = 60 + 90 * np.sqrt(3) / np.pi * rng.logistic(size=400_000)
    for now_s in (-100.0, 0.0, 60.0, 200.0, 400.0):
        left, far = left_s(np.array([60.0]), np.array([90.0]), np.array([now_s]))
        later_s = began_s[began_s > now_s] - now_s
        assert left[0] == pytest.approx(np.median(later_s), rel=0.05)
        low_s, high_s = np.quantile(later_s, (0.16, 0.84))
        assert far[0] == pytest.approx(0.5 * (high_s - low_s), rel=0.05)


def test_one_that_should_have_begun_long_ago_is_awaited_at_any_moment_for_ever():
    left, far = left_s(np.full(3, 0.0), np.full(3, 90.0), np.array([900.0, 9e3, 9e6]))
    assert left.tolist() == pytest.approx([34.4] * 3, abs=0.1)
    assert np.ptp(far) < 0.1


def test_how_far_off_starts_are_is_learned_from_all_and_from_the_place():
    plan = plan_along([(0.0, 0.0), (4000.0, 0.0)])
    keys = places(plan).start_keys
    assert noise_s({}, keys, START_MS) == START_NOISE_S
    (everywhere,), (here,) = ([key for key, _ in parts] for parts in keys)
    punctual = Row(1e6, 0.0, 1e6 * 0.5**2, START_MS)
    assert noise_s({everywhere: punctual}, keys, START_MS) == pytest.approx(30, abs=0.1)
    some = {everywhere: punctual, here: Row(2.0, 0.0, 2 * 4.0**2, START_MS)}
    assert noise_s(some, keys, START_MS) == pytest.approx(60 * np.sqrt((4.0**2 + 0.5**2) / 2), abs=0.1)
    assert noise_s({RowKey("start"): Row(1e9, 0.0, 0.0, START_MS)}, keys, START_MS) == pytest.approx(LEAST_START_S, 1)
