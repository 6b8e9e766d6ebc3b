"""Visits put into a tour under way: the least late, then the soonest over; what is brought is fetched first."""

import numpy as np

from geo.tours.joining import Visits, joined

INF = np.inf


def on_a_street(places_s: list[float], *, closes_s: dict[int, float] | None = None) -> Visits:
    """Visits along a street, by how many seconds they are from its beginning; row 0 is where the van is."""
    at = np.array(places_s)
    closes = np.full(len(at), INF)
    for row, until in (closes_s or {}).items():
        closes[row] = until
    return Visits(
        drive_s=np.rint(np.abs(at[:, None] - at[None])).astype(np.int64),
        service_s=np.array([0.0, *[60.0] * (len(at) - 1)]),
        opens_s=np.full(len(at), -INF),
        closes_s=closes,
    )


def test_a_visit_goes_where_the_tour_passes_it():
    assert joined(on_a_street([0, 100, 300, 200]), [1, 2], [3]) == [1, 3, 2]


def test_a_promise_counts_more_than_the_way():
    assert joined(on_a_street([0, 100, 300, 200], closes_s={2: 460}), [1, 2], [3]) == [1, 3, 2]
    assert joined(on_a_street([0, 100, 300, 200], closes_s={2: 400}), [1, 2], [3]) == [1, 2, 3]


def test_what_is_brought_is_fetched_before():
    street = on_a_street([0, 100, 300, 200, 150])
    assert joined(street, [1, 2], [3], fetch=4) == [1, 4, 3, 2]
    assert joined(street, [1, 2, 4], [3], fetch=4) == [1, 2, 4, 3]


def test_many_go_into_a_tour_that_has_none():
    assert joined(on_a_street([0, 300, 100, 200]), [], [1, 2, 3]) == [2, 3, 1]
