"""A van at the border of a fence: what is jitter, and what is coming and going."""

import numpy as np
import pytest

from geo.plan.facts import FactType
from geo.plan.fence import Fences
from tests.geo.city import START_MS, fold, kinds, pings_at
from tests.geo.plan.test_fence import circle, fence, ring

IN, OUT, THROUGH = FactType.FENCE_ENTERED, FactType.FENCE_EXITED, FactType.FENCE_CROSSED
YARD = circle(0, 0, 100)
SQUARE = fence({"type": "Polygon", "coordinates": [ring((-100, -100), (100, -100), (100, 100), (-100, 100))]})


def jitter(seed, count, noise_m, lasting):
    random = np.random.default_rng(seed)
    off = np.zeros((count, 2))
    for i in range(1, count):
        off[i] = lasting * off[i - 1] + np.sqrt(1 - lasting**2) * random.normal(0, noise_m, 2)
    return off.T


def parked(seed, noise_m, lasting, every_s, *, at=(100.0, 0.0), yard=YARD, seconds=240, accuracy_m=8.0, speed=0.2):
    east, north = jitter(seed, seconds // every_s, noise_m, lasting)
    times = np.arange(0, seconds, every_s)
    pings = pings_at(times, at[0] + east, at[1] + north, accuracy_m=accuracy_m, speed_mps=speed)
    return fold(pings, fences=Fences((yard,)))[1].happened


@pytest.mark.parametrize("speed", [0.2, np.nan])
@pytest.mark.parametrize(
    ("accuracy_m", "noise_m", "lasting", "every_s"),
    [(8, 10, 0, 1), (8, 5, 0, 1), (8, 5, 0.9, 1), (15, 10, 0.97, 1), (8, 8, 0, 5), (4, 8, 0.8, 2), (30, 20, 0.9, 10)],
)
def test_who_stands_on_a_border_makes_no_stir(accuracy_m, noise_m, lasting, every_s, speed):
    counts = [
        len(parked(seed, noise_m, lasting, every_s, accuracy_m=accuracy_m, speed=speed, seconds=600))
        for seed in range(8)
    ]
    assert max(counts) <= 3
    assert np.mean(counts) < 1.8


@pytest.mark.parametrize("yard", [YARD, SQUARE], ids=["circle", "square"])
@pytest.mark.parametrize("at", [(95.0, 0.0), (105.0, 0.0), (99.0, 12.0)])
def test_nor_does_who_stands_near_it_nor_drives_through_while_standing(yard, at):
    for seed in range(6):
        facts = kinds(parked(seed, 8, 0, 1, at=at, yard=yard))
        assert THROUGH not in facts
        assert len(facts) <= 3


def test_who_stands_at_a_corner_drives_through_nothing():
    for seed in range(6):
        assert THROUGH not in kinds(parked(seed, 8, 0, 2, at=(102.0, 102.0), yard=SQUARE))


def goes(x_m, *, every_s=5.0, speed=np.nan):
    x_m = np.asarray(x_m, float)
    return fold(pings_at(np.arange(len(x_m)) * every_s, x_m, 0, speed_mps=speed), fences=Fences((YARD,)))[1].happened


def test_who_drives_out_has_left_at_the_second_fix():
    facts = goes([0, 0, 40, 80, 110, 140, 170], speed=[0, 0, 7, 7, 7, 7, 7])
    assert kinds(facts) == [IN, OUT]
    assert (facts["occurred_ms"] - START_MS).tolist() == [0, 15_000]
    assert facts["folded_ms"][1] - START_MS == 25_000


def test_who_walks_out_has_left_when_they_are_away_and_it_is_dated_back():
    x_m = np.r_[0, 0, np.arange(90, 260, 7)]
    facts = goes(x_m, speed=1.4)
    assert kinds(facts) == [IN, OUT]
    assert facts["occurred_ms"][1] - START_MS == 15_000
    assert facts["folded_ms"][1] - facts["occurred_ms"][1] <= 65_000


def test_a_phone_that_always_says_it_stands_leaves_all_the_same():
    facts = goes([0, 0, 300, 600, 900], every_s=30, speed=0.0)
    assert kinds(facts) == [IN, OUT]
    assert facts["folded_ms"][1] - START_MS == 60_000


def test_who_drove_through_and_stands_at_the_next_light_drove_through():
    assert kinds(goes([-300, 300], every_s=60, speed=0.0)) == [THROUGH]


def test_who_parks_outside_has_left():
    x_m = np.r_[0, 0, 60, np.full(40, 135.0)]
    facts = goes(x_m, speed=np.r_[0, 0, 8, np.zeros(40)])
    assert kinds(facts) == [IN, OUT]
    assert facts["occurred_ms"][1] - START_MS == 10_000
