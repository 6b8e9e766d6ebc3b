import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.shape import lines
from geo.simulate.tour import street_grid_tour
from tests.geo.city import LAT, LON, place


def test_along_counts_geodesic_metres():
    along = lines.along_m([0, 1, 1], [0, 0, 1])
    assert along == pytest.approx([0, 111_319.49, 111_319.49 + 110_574.39], abs=0.01)
    assert lines.along_m([5], [5]).tolist() == [0]


def test_the_way_back_is_not_taken_for_the_way_out():
    lon, lat = place(np.array([0.0, 1000, 0]), np.zeros(3))
    along = lines.along_m(lon, lat)
    stops = place(np.array([300.0, 900, 600, 100]), np.full(4, 5.0))
    assert lines.place_stops(lon, lat, along, *stops) == pytest.approx([300, 900, 1400, 1900], abs=1)


def test_the_plans_times_tell_the_pass_where_distance_cannot():
    """Served on the way back: both passes are as near, but the plan drives there for longer."""
    lon, lat = place(np.array([0.0, 1000, 0, -500]), np.zeros(4))
    along = lines.along_m(lon, lat)
    stops = place(np.array([100.0, 600, -400]), np.full(3, 5.0))
    planned_ms = 1000 * np.array([20, 210, 400])
    placed = lines.place_stops(lon, lat, along, *stops, lines.drive_s(planned_ms, [30, 60, 30]))
    assert placed == pytest.approx([100, 1400, 2400], abs=1)
    assert lines.place_stops(lon, lat, along, *stops) == pytest.approx([100, 600, 2400], abs=1)


def test_a_path_turns_round_where_somebody_stops():
    """Both ways into the street are as near to the door, and there is time for either: who is served turns the van."""
    lon, lat = place(np.array([0.0, 500, 480, 500, 500]), np.array([0.0, 0, 0, 0, 300]))
    along = lines.along_m(lon, lat)
    stops = place(np.array([100.0, 484]), np.full(2, 12.0))
    assert lines.place_stops(lon, lat, along, *stops) == pytest.approx([100, 516], abs=1)


def test_the_way_from_a_stop_hardly_comes_by_where_it_began():
    """The plan has time for the first pass and a little more: but the way on from there would be no quick one."""
    lon, lat = place(np.array([0.0, 1000, 1000, 1000, 0]), np.array([0.0, 0, 40, 0, 0]))
    along = lines.along_m(lon, lat)
    stops = place(np.array([100.0, 900, 500]), np.full(3, 5.0))
    planned_ms = 1000 * np.array([10, 101, 160])
    placed = lines.place_stops(lon, lat, along, *stops, lines.drive_s(planned_ms, np.zeros(3)))
    assert placed == pytest.approx([100, 1180, 1580], abs=1)


def test_a_tour_that_begins_at_a_door_begins_there():
    """The way out leads by the depot again, and from there the plan's times are right."""
    lon, lat = place(np.array([0.0, -200, -200, 0, 5000]), np.array([0.0, 0, 30, 8, 8]))
    along = lines.along_m(lon, lat)
    stops = place(np.array([1.0, 4000, 4900]), np.array([0.0, 8, 8]))
    planned_ms = 1000 * np.array([0, 360, 480])
    placed = lines.place_stops(lon, lat, along, *stops, lines.drive_s(planned_ms, np.zeros(3)))
    assert placed[0] == 0


def test_stops_of_a_made_up_tour_are_found_where_they_were_put():
    for seed in range(5):
        tour = street_grid_tour(LON, LAT, seed=seed, stops=30)
        placed = lines.place_stops(tour.path_lon, tour.path_lat, tour.path_along_m, tour.stop_lon, tour.stop_lat)
        assert (np.diff(placed) >= 0).all()
        assert np.mean(np.abs(placed - tour.stop_along_m) < 20) > 0.9


@given(st.lists(st.tuples(st.floats(0, 900), st.floats(0, 900)), min_size=1, max_size=12), st.integers(0, 50))
@settings(max_examples=60)
def test_stops_are_never_placed_before_the_stop_before(doors, seed):
    random = np.random.default_rng(seed)
    lon, lat = place(*random.uniform(0, 900, (2, 15)))
    along = lines.along_m(lon, lat)
    placed = lines.place_stops(lon, lat, along, *place(*np.array(doors).T))
    assert (np.diff(placed) >= 0).all()
    assert placed.min() >= 0
    assert placed.max() <= along[-1]


def test_polylines_of_both_precisions():
    lon, lat = lines.decode_polyline("_p~iF~ps|U_ulLnnqC_mqNvxq`@")
    assert lon.tolist() == [-120.2, -120.95, -126.453]
    assert lat.tolist() == [38.5, 40.7, 43.252]
    assert lines.decode_polyline("_izlhA~rlgdF_{geC~ywl@_kwzCn`{nI", 6)[1].tolist() == pytest.approx(
        [38.5, 40.7, 43.252]
    )
    for bad in ("_p~iF~ps|U_", "abc def", "ñ", "~" * 40, "_p~iF"):
        with pytest.raises(ValueError, match="polyline"):
            lines.decode_polyline(bad)
    assert len(lines.decode_polyline("")[0]) == 0


def test_a_bad_path_gets_a_sentence():
    for lon, lat, why in [
        ([1], [1], "two different points"),
        ([1, 1, 1], [2, 2, 2], "two different points"),
        ([1, 181], [2, 2], "longitude"),
        ([1, 2], [2, 91], "latitude"),
        ([1, float("nan")], [2, 2], "numbers"),
        ([1, 2, 3], [2, 2], "as many"),
        ([1, 9], [2, 2], "km from its middle"),
        (list(range(60)), [0] * 60, "at most 50 vertices"),
    ]:
        with pytest.raises(ValueError, match=why):
            lines.check_path(lon, lat, max_vertices=50)
    lon, lat = lines.check_path([1, 1, 1.1], [2, 2, 2], max_vertices=50)
    assert lon.tolist() == [1, 1.1]


def test_a_straight_path_skips_repeated_places():
    lon, lat = lines.straight_path([1, 1, 2, 1], [0, 0, 0, 0])
    assert (lon.tolist(), lat.tolist()) == ([1, 2, 1], [0, 0, 0])


@given(
    st.integers(1, 7),
    st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), max_size=30),
)
def test_an_encoded_polyline_reads_as_what_was_written(precision, line):
    lon, lat = np.array([lon for lon, _ in line]), np.array([lat for _, lat in line])
    read_lon, read_lat = lines.decode_polyline(lines.encode_polyline(lon, lat, precision), precision)
    assert read_lon == pytest.approx(lon, abs=0.51 * 10.0**-precision)
    assert read_lat == pytest.approx(lat, abs=0.51 * 10.0**-precision)


def test_a_known_polyline_is_written():
    assert lines.encode_polyline([-120.2, -120.95, -126.453], [38.5, 40.7, 43.252]) == "_p~iF~ps|U_ulLnnqC_mqNvxq`@"
