"""Without roads: straight lines; and what every engine is asked."""

import numpy as np
import pytest

from work.roads.choose import STRAIGHT, open_roads
from work.roads.engine import pieces, thinned
from work.roads.protocol import RoadsAway, Trace

EAST_M = 1 / 111_320 / np.cos(np.radians(-34.9))


def street(east_m, time_s=None):
    """A trace along a street that runs east."""
    east_m = np.array(east_m, float)
    return Trace(
        lon=-56.16 + east_m * EAST_M,
        lat=np.full(len(east_m), -34.9),
        time_s=np.arange(len(east_m), dtype=float) if time_s is None else np.array(time_s, float),
        accuracy_m=np.full(len(east_m), 8.0),
    )


async def test_the_way_goes_straight_and_nobody_knows_how_long_that_takes():
    places = np.column_stack((street([0, 1000, 400]).lon, street([0, 1000, 400]).lat))
    async with open_roads("straight", folder=None, osrm_url="") as roads:
        path = await roads.route(places)
    assert path.source == "straight"
    assert path.leg_lengths_m == pytest.approx([1000, 600], rel=0.01)
    assert path.leg_durations_s is None


async def test_a_trace_is_drawn_without_the_fixes_of_a_phone_that_stands():
    matched = await STRAIGHT.match(street([0, 2, 1, 0, 30, 31, 60]))
    ((lon, _),) = matched.lines
    assert (matched.source, len(lon)) == ("straight", 3)


def test_the_first_and_the_last_fix_stay():
    assert thinned(street([0, 3])).time_s.tolist() == [0, 1]
    assert thinned(street([0, 20, 25])).time_s.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("count", "cut"),
    [(2, [(0, 4)]), (4, [(0, 4)]), (5, [(0, 4), (3, 7)]), (7, [(0, 4), (3, 7)]), (8, [(0, 4), (3, 7), (6, 10)])],
)
def test_pieces_begin_where_the_one_before_ended(count, cut):
    found = list(pieces(count, 4))
    assert [(piece.start, piece.stop) for piece in found] == cut
    assert all(len(range(count)[piece]) > 1 for piece in found)


async def test_an_engine_that_is_not_installed_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setattr("work.roads.choose.find_spec", lambda module: None)
    for kind in ("osrm", "valhalla"):
        with pytest.raises(RoadsAway, match=rf"pip install 'reparto\[{kind}\]'"):
            async with open_roads(kind, folder=tmp_path, osrm_url=""):
                pass
