import csv
import gzip
import io
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from geo.shape.gait import on_foot
from geo.shape.numbers import SIGHT_S

TRACES = Path(__file__).resolve().parents[4] / "shared" / "data" / "goal-drive-walk" / "trajectories.csv.gz"


def test_a_walk_to_the_door_and_back_between_two_drives():
    seconds = np.arange(0, 301, 5.0)
    x_m = np.interp(seconds, [0, 100, 140, 180, 300], [0, 1000, 1000, 1000, 2200])
    y_m = np.interp(seconds, [0, 100, 140, 180, 300], [0, 0, 45, 0, 0])
    foot = on_foot(seconds, np.column_stack((x_m, y_m)))
    assert foot[(seconds >= 115) & (seconds <= 165)].all()
    assert not foot[(seconds <= 90) | (seconds >= 190)].any()


def test_a_red_light_is_no_walk():
    seconds = np.arange(0, 201, 5.0)
    x_m = np.interp(seconds, [0, 90, 105, 200], [0, 900, 900, 1850])
    assert not on_foot(seconds, np.column_stack((x_m, np.zeros(len(seconds))))).any()


@pytest.mark.parametrize("seed", range(20))
def test_what_is_out_of_sight_says_nothing(seed):
    chance = np.random.default_rng(seed)
    seconds = np.cumsum(chance.choice([1.0, 5.0, 15.0, 200.0, 700.0], 400, p=[0.5, 0.3, 0.14, 0.04, 0.02]))
    speed_mps = np.repeat(chance.choice([0.0, 0.3, 1.2, 9.0], 40), 10)
    way_m = np.cumsum(np.concatenate(([0.0], np.diff(seconds) * speed_mps[1:])))
    places_m = np.column_stack((way_m, chance.normal(0, 3, 400)))
    whole = on_foot(seconds, places_m)
    assert whole.any()
    assert not whole.all()
    for first in range(0, 400, 50):
        page = slice(first, first + 50)
        begin = max(np.searchsorted(seconds, seconds[page][0] - SIGHT_S, "left") - 1, 0)
        end = np.searchsorted(seconds, seconds[page][-1] + SIGHT_S, "right") + 1
        part = on_foot(seconds[begin:end], places_m[begin:end])
        np.testing.assert_array_equal(part[first - begin : first - begin + 50], whole[page])


def test_few_fixes_are_no_mistake():
    assert len(on_foot(np.zeros(0), np.zeros((0, 2)))) == 0
    assert len(on_foot(np.array([3.0]), np.zeros((1, 2)))) == 1


@pytest.mark.skipif(not TRACES.is_file(), reason=f"no recorded traces at {TRACES}")
def test_couriers_who_said_what_they_did():
    rows = csv.DictReader(io.StringIO(gzip.decompress(TRACES.read_bytes()).decode()))
    right = []
    for _, trace in groupby(rows, key=lambda row: row["traj"]):
        trace = list(trace)
        seconds, x_m, y_m = np.array([[float(row[name]) for name in ("t", "x", "y")] for row in trace]).T
        right += (on_foot(seconds, np.column_stack((x_m, y_m))) == [row["label"] == "F" for row in trace]).tolist()
    assert np.mean(right) >= 0.93
