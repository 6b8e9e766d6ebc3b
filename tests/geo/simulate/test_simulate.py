import numpy as np
import pytest

from geo.simulate.drive import drive
from geo.simulate.phone import Faults, phone
from geo.simulate.tour import street_grid_tour
from tests.geo.city import LAT, LON, START_MS, town_plan


def test_the_same_seed_makes_the_same_day():
    plan = town_plan(4)
    first, second = (phone(drive(plan, seed=1, start_ms=START_MS), seed=2) for _ in range(2))
    assert first[0].rows.tobytes() == second[0].rows.tobytes()
    other, _ = phone(drive(plan, seed=1, start_ms=START_MS), seed=3)
    assert first[0].rows.tobytes() != other.rows.tobytes()


@pytest.mark.parametrize("stops", [1, 20, 40])
def test_a_tour_follows_its_streets(stops):
    tour = street_grid_tour(LON, LAT, seed=stops, stops=stops)
    assert len(tour.stop_lon) == stops
    assert (np.diff(tour.stop_along_m) >= 0).all()
    assert np.diff(tour.path_along_m).max() < 120
    assert (
        (tour.path_lon[0], tour.path_lat[0])
        == (tour.path_lon[-1], tour.path_lat[-1])
        == (tour.depot_lon, tour.depot_lat)
    )
    assert (np.diff(tour.stop_arrival_s) > 0).all()
    with pytest.raises(ValueError):
        street_grid_tour(LON, LAT, seed=1, stops=0)


def test_a_drive_stands_at_every_stop_and_ends_at_the_depot():
    plan = town_plan(4)
    truth = drive(plan, seed=1, start_ms=START_MS, every_s=2)
    assert (np.diff(truth.along_m) >= 0).all()
    assert truth.along_m[-1] == pytest.approx(plan.length_m)
    assert truth.speed_mps.max() < 20
    assert (truth.departed_ms - truth.arrived_ms >= 10_000).all()
    for row in range(len(plan.stop_ids)):
        during = (truth.ms > truth.arrived_ms[row]) & (truth.ms < truth.departed_ms[row])
        assert truth.along_m[during] == pytest.approx(plan.stops[row, 3], abs=0.5)


def test_a_phone_is_noisy_late_repeats_itself_and_loses_some():
    plan = town_plan(4)
    truth = drive(plan, seed=1, start_ms=START_MS)
    pings, sent = phone(truth, seed=2, driver_id=3, device_id=4)
    rows = pings.rows
    assert (np.diff(sent) >= 0).all()
    assert (sent >= rows["recorded_ms"]).all()
    assert (np.diff(rows["recorded_ms"]) < 0).any()
    assert len(np.unique(rows["recorded_ms"])) < len(rows) < len(truth) * 1.05
    assert len(np.unique(rows["recorded_ms"])) < len(truth)
    assert set(rows["driver_id"].tolist()) == {3}
    mute, _ = phone(truth, seed=2, faults=Faults(mute=True))
    assert np.isnan(mute.rows["speed_mps"]).all()


def test_a_door_in_the_block_of_the_corner_where_the_van_is_ends_the_way():
    tour = street_grid_tour(-103.35, 20.67, seed=422250923, stops=120, blocks=26)
    assert len(tour.stop_lon) == 120
