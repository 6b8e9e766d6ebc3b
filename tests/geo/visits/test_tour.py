"""Where vans are on their tours, of all of them at once as of each."""

import numpy as np

from geo.plan.numbers import MAX_STOPS
from geo.visits.tour import DONE, HERE, rows_here, rows_here_of


def test_the_stops_where_vans_are_of_all_at_once() -> None:
    chance = np.random.default_rng(3)
    visits = chance.choice([0, 1, DONE, HERE | 1, HERE | DONE], (30, MAX_STOPS), p=[0.7, 0.1, 0.1, 0.05, 0.05])
    visits = visits.astype(np.uint8)
    visits[::3] &= ~np.uint8(HERE)
    assert rows_here_of(visits) == [rows_here(of_one) for of_one in visits]
    assert rows_here_of(visits[:0]) == []
