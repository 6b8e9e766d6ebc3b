from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.eta.estimate import estimate
from geo.eta.model import COLD
from geo.eta.window import Band
from geo.fold.fold import advance, fresh
from geo.numbers import TYPICAL_MPS
from geo.pings import UNKNOWN_MS
from geo.plan.plans import Timeline
from tests.geo.city import START_MS, fold, pings_at, plan_along, town_day, walk

STREET = [(0.0, 0.0), (3000.0, 0.0)]
STOPS = [(1000.0, 10.0), (2000.0, 10.0), (2900.0, 10.0)]


def eta_after(pings, plan):
    track, _ = fold(pings, plan)
    return track, estimate(np.array([track]), [Timeline(driver_id=1, plans=(plan,))])


def test_without_planned_times_by_length_and_service():
    track, eta = eta_after(pings_at(*walk((0, 0, 0), (50, 500, 0))), plan_along(STREET, STOPS, service_s=100))
    as_of = track["recorded_ms"]
    lead = (eta.expected_ms - as_of) / 1000
    assert lead.tolist() == pytest.approx(
        [500 / TYPICAL_MPS, 1500 / TYPICAL_MPS + 100, 2400 / TYPICAL_MPS + 200], abs=3
    )
    assert eta.remaining_m.tolist() == pytest.approx([500, 1500, 2400], abs=10)
    assert eta.stop_id.tolist() == [100, 101, 102]
    assert eta.stops_before.tolist() == [0, 1, 2]


def test_with_planned_times_by_the_present_delay():
    planned = START_MS + np.array([100, 300, 500]) * 1000
    track, eta = eta_after(
        pings_at(*walk((0, 0, 0), (150, 1000, 0), (190, 1000, 0))), plan_along(STREET, STOPS, planned_ms=planned)
    )
    assert eta.stop_id.tolist() == [101, 102]
    assert ((eta.expected_ms - planned[1:]) / 1000).tolist() == pytest.approx([50, 50], abs=6)
    assert track["delay_s"] == pytest.approx(50, abs=6)


def test_at_a_stop_the_rest_of_its_service_counts():
    pings = pings_at(*walk((0, 0, 0), (100, 1000, 0), (140, 1000, 0)))
    track, eta = eta_after(pings, plan_along(STREET, STOPS, service_s=300))
    lead = (eta.expected_ms[0] - track["recorded_ms"]) / 1000
    assert lead == pytest.approx(1000 / TYPICAL_MPS + 260, abs=10)


def test_no_route_no_eta():
    track, _ = fold(pings_at([0], 0, 0))
    for tracks in (np.array([track]), fresh(np.array([1])), fresh(np.array([], np.int64))):
        eta = estimate(tracks, [Timeline(driver_id=1)] * len(tracks))
        assert len(eta.track) == len(eta.expected_ms) == 0


def test_windows_never_narrow_with_the_lead_whatever_was_learned():
    bands = (Band(0.0, 3.0, 3.0, 9.0, 0.2), Band(300.0, 0.4, 0.4, 9.0, 0.2), Band(3600.0, 0.3, 0.3, 9.0, 0.2))
    track, _ = fold(pings_at(*walk((0, 0, 0), (50, 500, 0))), plan := plan_along(STREET, STOPS, service_s=100))
    eta = estimate(np.array([track]), [Timeline(driver_id=1, plans=(plan,))], [replace(COLD, bands=bands)])
    assert (np.diff(eta.high_ms - eta.low_ms) >= 0).all()
    assert (np.diff(eta.high_ms - eta.expected_ms) >= 0).all()


@given(st.integers(1, 400), st.integers(0, 3))
@settings(max_examples=12)
def test_windows_hold_their_expectation_and_never_run_backwards(upto, seed):
    days = [town_day(seed + i, driver_id=i + 1, stops=8, every_s=15) for i in range(3)]
    timelines = [Timeline(driver_id=i + 1, plans=(plan,)) for i, (plan, _, _) in enumerate(days)]
    tracks = np.concatenate(
        [
            advance(fresh(np.array([i + 1])), day.rows_at(slice(0, upto)), [timelines[i]])[0]
            for i, (_, _, day) in enumerate(days)
        ]
    )
    eta = estimate(tracks, timelines)
    as_of = tracks["recorded_ms"][eta.track]
    assert (eta.low_ms >= as_of).all()
    assert (eta.low_ms <= eta.expected_ms).all()
    assert (eta.expected_ms <= eta.high_ms).all()
    same = np.diff(eta.track) == 0
    for column in (eta.expected_ms, eta.low_ms, eta.high_ms):
        assert (np.diff(column)[same] >= 0).all()
    assert (eta.remaining_m >= 0).all()
    for i in range(3):
        alone = estimate(tracks[i : i + 1], timelines[i : i + 1])
        assert alone.expected_ms.tolist() == eta.expected_ms[eta.track == i].tolist()


def test_it_comes_true_on_a_made_up_day():
    plan, truth, pings = town_day(2, stops=20)
    half = pings.rows_at(pings.rows["recorded_ms"] < truth.departed_ms[5] + 30_000)
    _, eta = eta_after(half, plan)
    arrived = dict(zip(plan.stop_ids.tolist(), truth.arrived_ms.tolist(), strict=True))
    error_s = (eta.expected_ms - [arrived[stop_id] for stop_id in eta.stop_id.tolist()]) / 1000
    assert len(eta.stop_id) in (13, 14)
    assert np.abs(error_s[:4]).max() < 300
    assert plan.stop_due_ms[0] != UNKNOWN_MS
