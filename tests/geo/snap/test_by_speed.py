"""A van whose phone is vague for a while is told where its speed leads."""

import numpy as np
import pytest

from tests.geo.city import fold, pings_at, plan_along, walk

STREET = [(0.0, 0.0), (6000.0, 0.0)]


def errors_m(every_s, *, accuracy_m=30.0, off_m=40.0, told=1.0, until_s=130):
    """Drive at 10 m/s, after 100 s with so vague a phone that errs so far ahead; how far ahead is it told to be?"""
    times, x_m, y_m = walk((0, 0, 0), (until_s, 10 * until_s, 0), every_s=every_s)
    vague = times > 100
    pings = pings_at(
        times, x_m + np.where(vague, off_m, 0.0), y_m,
        accuracy_m=np.where(vague, accuracy_m, 5.0), speed_mps=10 * told, heading_deg=90.0,
    )  # fmt: skip
    _, facts = fold(pings, plan_along(STREET))
    return facts.judged["along_m"] - x_m, vague


@pytest.mark.parametrize("every_s", [1, 5, 10])
def test_a_burst_of_errors_is_driven_through(every_s):
    error_m, vague = errors_m(every_s)
    assert 0 < error_m[vague].max() < 25


def test_how_often_a_phone_sends_does_not_matter():
    ends_m = [errors_m(every_s)[0][-1] for every_s in (1, 2, 5, 10)]
    assert np.ptp(ends_m) < 3


@pytest.mark.parametrize("told", [1.0, 0.0, np.nan])
def test_a_sharp_fix_is_told_where_it_lies(told):
    error_m, _ = errors_m(5, accuracy_m=10.0, off_m=20.0, told=told, until_s=300)
    assert error_m[-1] == pytest.approx(20, abs=1)


def test_without_a_speed_a_vague_fix_is_told_where_it_lies():
    error_m, _ = errors_m(5, told=np.nan)
    assert error_m[-1] == pytest.approx(40, abs=1)


def test_a_phone_that_always_says_zero_does_not_hold_its_van_back():
    error_m, _ = errors_m(1, off_m=0.0, told=0.0, until_s=300)
    assert np.abs(error_m).max() <= 2 * 1.4 * 30


def test_nobody_is_led_beyond_the_end_of_the_path():
    times, x_m, y_m = walk((0, 0, 0), (100, 1000, 0), (160, 1000, 0), every_s=5)
    speed_mps = np.where(times <= 105, 10.0, 3.0)
    pings = pings_at(times, x_m, y_m, accuracy_m=np.where(times > 90, 30.0, 5.0), speed_mps=speed_mps, heading_deg=90.0)
    _, facts = fold(pings, plan_along([(0, 0), (1000, 0)]))
    assert facts.judged["along_m"].max() <= 1000
    assert facts.judged["along_m"][-1] == pytest.approx(1000, abs=1)


@pytest.mark.parametrize(("speed_mps", "told_m"), [(0.3, 0), (np.nan, 25), (6.0, 25)])
def test_a_van_that_says_it_stands_is_where_it_was_when_a_fix_jumps(speed_mps, told_m):
    times, x_m, y_m = walk((0, 0, 0), (100, 1000, 0), (130, 1000, 0), every_s=1)
    jumps = times == 130
    speeds_mps = np.where(times < 100, 10.0, speed_mps)
    pings = pings_at(times, x_m + np.where(jumps, 25.0, 0.0), y_m, accuracy_m=6.0, speed_mps=speeds_mps)
    _, facts = fold(pings, plan_along(STREET))
    assert facts.judged["along_m"][-1] - 1000 == pytest.approx(told_m, abs=3)


@pytest.mark.parametrize("every_s", [1, 5, 15])
@pytest.mark.parametrize("accuracy_m", [5.0, 30.0])
def test_who_drives_while_the_phone_says_zero_stays_on_the_path(every_s, accuracy_m):
    times, x_m, y_m = walk((0, 0, 0), (400, 4000, 0), every_s=every_s)
    zeros = (times > 100) & (times <= 300)
    pings = pings_at(times, x_m, y_m, accuracy_m=np.where(zeros, accuracy_m, 5.0), speed_mps=np.where(zeros, 0.0, 10.0))
    _, facts = fold(pings, plan_along(STREET))
    assert facts.judged["on_route"].all()
    assert np.abs(facts.judged["along_m"] - x_m)[times > 315].max() < 20


def test_a_bus_that_stood_at_both_fixes_may_have_driven_between():
    times, x_m, y_m = walk((0, 0, 0), (600, 6000, 0), every_s=30)
    _, facts = fold(pings_at(times, x_m, y_m, speed_mps=0.0), plan_along(STREET))
    assert facts.judged["on_route"].all()
    assert np.abs(facts.judged["along_m"] - x_m).max() < 5
