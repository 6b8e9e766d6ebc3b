"""Windows hold four of five arrivals, follow errors that change, and never get narrower than a minute."""

from dataclasses import fields

import numpy as np
import pytest

from geo.eta.numbers import LEAST_REACH_S, LEVEL, OFF_ROUTE_TIMES
from geo.eta.window import BUILT_IN, Given, adapt, widen


def given_of(rng, scale, tours=20, each=30, bias=0.0, waits=False):
    lead = rng.uniform(120, 9000, tours * each)
    spread = np.sqrt(20 * lead)
    # errors of a tour have a part in common
    error = scale * spread * (0.6 * np.repeat(rng.normal(size=tours), each) + 0.8 * rng.normal(size=tours * each))
    waits = np.full(len(lead), waits)
    return Given(lead, spread, error + bias * spread, waits, np.repeat(np.arange(tours), each))


def coverage(bands, given):
    early, late = widen(bands, given.lead_s, given.spread_s, np.ones(len(given.lead_s), bool), given.waits)
    return np.mean((given.error_s >= -early) & (given.error_s <= late))


def learned(bands, rng, scale, batches=150, bias=0.0, waits=False):
    for _ in range(batches):
        bands = adapt(bands, given_of(rng, scale, bias=bias, waits=waits))
    return bands


@pytest.mark.parametrize("scale", [0.6, 1.0, 2.5])
def test_windows_hold_what_they_promise_whatever_the_errors(scale):
    rng = np.random.default_rng(3)
    bands = learned(BUILT_IN, rng, scale)
    assert coverage(bands, given_of(rng, scale, tours=800)) == pytest.approx(LEVEL, abs=0.03)
    assert all(band.alpha == pytest.approx(1 - LEVEL, abs=0.08) for band in bands[1:] if not band.waits)


def test_windows_follow_errors_that_change():
    rng = np.random.default_rng(4)
    calm = learned(BUILT_IN, rng, 0.7)
    assert coverage(calm, given_of(rng, 2.0, tours=400)) < 0.5
    assert coverage(learned(calm, rng, 2.0), given_of(rng, 2.0, tours=800)) == pytest.approx(LEVEL, abs=0.04)


def test_late_arrivals_move_the_end_and_not_the_beginning():
    rng = np.random.default_rng(5)
    bands = learned(BUILT_IN, rng, 1.0, bias=1.0)
    assert all(band.late > 2 * band.early for band in bands[1:] if not band.waits)


def test_one_tour_has_one_vote():
    lead, spread = np.full(400, 1200.0), np.full(400, 150.0)
    bad = adapt(BUILT_IN, Given(lead, spread, np.full(400, 9000.0), np.zeros(400, bool), np.zeros(400, np.int64)))
    early, late = (
        after / before for after, before in ((bad[3].early, BUILT_IN[3].early), (bad[3].late, BUILT_IN[3].late))
    )
    assert 1.0 < late < 1.04
    assert 0.99 < early < 1.0


def test_vans_that_wait_have_windows_of_their_own():
    rng = np.random.default_rng(7)
    bands = learned(learned(BUILT_IN, rng, 0.7), rng, 2.5, waits=True)
    assert coverage(bands, given_of(rng, 0.7, tours=800)) == pytest.approx(LEVEL, abs=0.03)
    assert coverage(bands, given_of(rng, 2.5, tours=800, waits=True)) == pytest.approx(LEVEL, abs=0.03)


def test_the_order_within_a_batch_does_not_matter():
    given = given_of(np.random.default_rng(6), 1.5)
    back = Given(*(getattr(given, field.name)[::-1] for field in fields(Given)))
    for one, other in zip(adapt(BUILT_IN, given), adapt(BUILT_IN, back), strict=True):
        assert (one.early, one.late, one.n, one.alpha) == pytest.approx((other.early, other.late, other.n, other.alpha))


def test_nothing_given_changes_nothing():
    none = np.zeros(0)
    assert adapt(BUILT_IN, Given(none, none, none, np.zeros(0, bool), np.zeros(0, np.int64))) == BUILT_IN


def test_no_window_is_narrower_than_a_minute_to_both_sides_nor_sure_off_the_route():
    lead = np.array([0.0, 10.0, 600.0, 1e6])
    spread = np.array([0.0, 10.0, 100.0, 4000.0])
    early, late = widen(BUILT_IN, lead, spread, np.ones(4, bool), np.zeros(4, bool))
    assert (np.minimum(early, late)[:2] == LEAST_REACH_S).all()
    far_early, far_late = widen(BUILT_IN, lead, spread, np.zeros(4, bool), np.zeros(4, bool))
    assert far_early[2:].tolist() == pytest.approx((OFF_ROUTE_TIMES * early[2:]).tolist())
    assert far_late[2:].tolist() == pytest.approx((OFF_ROUTE_TIMES * late[2:]).tolist())


def test_built_in_windows_grow_with_the_lead():
    lead = np.linspace(0, 14_400, 200)
    early, late = widen(BUILT_IN, lead, np.sqrt(20 * lead), np.ones(200, bool), np.zeros(200, bool))
    assert (np.diff(early) >= 0).all()
    assert (np.diff(late) >= -1e-9).all()
