import numpy as np
import pytest

from geo.shape.stretch import stretch

# A street 1 km north, then 1 km east, from a corner of Bogotá; 1 km is about 0.009 degrees.
LON = [-74.0700, -74.0700, -74.0700, -74.0610]
LAT = [4.6000, 4.6045, 4.6090, 4.6090]
ALONG = [0.0, 500.0, 1000.0, 2000.0]


def test_it_begins_and_ends_where_asked_and_keeps_the_corner():
    line = stretch(LON, LAT, ALONG, 250, 1500)
    assert line == pytest.approx(np.array([[-74.07, 4.60225], [-74.07, 4.609], [-74.0655, 4.609]]), abs=1e-6)


def test_a_vertex_on_a_straight_line_is_left_out():
    assert len(stretch(LON, LAT, ALONG, 0, 1000)) == 2


def test_nothing_lies_ahead_of_a_van_that_has_passed():
    assert stretch(LON, LAT, ALONG, 800, 700).shape == (0, 2)
    assert stretch([], [], [], 0, 700).shape == (0, 2)


def test_beyond_the_end_is_the_end():
    assert stretch(LON, LAT, ALONG, 1500, 9000)[-1] == pytest.approx([-74.061, 4.609], abs=1e-6)
