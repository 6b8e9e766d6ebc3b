"""Who has gone on to the next tour, and what is said of a tour that its driver is not on any more."""

import numpy as np
import pytest

from geo.fold.fold import advance, fresh
from geo.fold.onward import seen_on
from geo.pings import Pings
from geo.plan.facts import FactType
from geo.plan.plans import Claim, Plan, Timeline
from tests.geo.city import START_MS, of_type, once, pings_at, place, plan_along, walk

HOUR_MS = 3_600_000
BEFORE = plan_along([(0, 0), (2000, 0)], [(1000, 0), (2000, 0)])
AFTER = plan_along(
    [(5000, 0), (9000, 0)], [(6000, 0), (9000, 0)], route_id=6, stop_ids=[200, 201], start_ms=START_MS + HOUR_MS
)


def seen(x_m: float, minute: float, left=(), *, slow: bool = True, said: bool = False) -> bool:
    lon, lat = place(x_m, 0.0)
    at_ms = START_MS + round(minute * 60_000)
    return seen_on(AFTER, BEFORE, np.array(left, np.int64), at_ms, (float(lon), float(lat)), slow=slow, said=said)


@pytest.mark.parametrize(
    ("where_m", "minute", "more", "is_on"),
    [
        (3000, 59, {}, False),
        (3000, 60, {}, True),  # its start has come
        (3000, 60, {"said": True}, False),  # but they said that they drive the one before
        (6000, 10, {}, True),  # stands at a stop of it
        (6000, 10, {"slow": False}, False),
        (5000, 10, {}, True),  # at another depot
        (2000, 60, {"said": True}, False),
        (0, 10, {}, False),  # at the depot where it began
    ],
)
def test_the_time_or_the_place_speaks_for_the_next_tour(where_m, minute, more, is_on):
    assert seen(where_m, minute, **more) is is_on


def test_who_stands_at_an_open_stop_is_still_on_the_tour_before():
    shared = plan_along([(2000, 0), (9000, 0)], [(2000, 0), (9000, 0)], route_id=6, start_ms=START_MS + HOUR_MS)
    lon, lat = place(2000.0, 0.0)
    where = (float(lon), float(lat))
    open_one, none = np.array([1]), np.zeros(0, np.int64)
    assert not seen_on(shared, BEFORE, open_one, START_MS, where, slow=True, said=False)
    assert seen_on(shared, BEFORE, none, START_MS, where, slow=True, said=False)


DROVE = once(pings_at(*walk((0, 0, 0), (200, 2000, 0), (300, 2000, 0), (700, 6000, 0), (900, 6000, 0), (950, 6500, 0))))
"""Passes the first stop, serves the second, and stands at the first one of the next tour."""


SERVED_BOTH = once(
    pings_at(
        *walk((0, 0, 0), (100, 1000, 0), (220, 1000, 0), (320, 2000, 0), (440, 2000, 0), (840, 6000, 0), (950, 6000, 0))
    )
)
"""Serves both stops, and stands at the first one of the next tour."""


def fold(*words: tuple[float, str, int], drove: Pings = DROVE, plans: tuple[Plan, ...] = (BEFORE, AFTER)):
    claims = tuple(
        Claim(at_ms=START_MS + round(at_s * 1000), id=f"{at_s}", kind=kind, route_id=5, stop_id=stop_id)
        for at_s, kind, stop_id in words
    )
    timeline = Timeline(driver_id=1, plans=plans, claims=claims)
    tracks, facts = advance(fresh(np.array([1])), drove, [timeline], np.ones(1, bool))
    done = of_type(facts.happened, FactType.ROUTE_COMPLETED, FactType.ROUTE_REOPENED)
    return int(tracks[0]["route_id"]), [
        (FactType(int(row["type"])).name, int(row["route_id"]), (int(row["occurred_ms"]) - START_MS) / 1000)
        for row in done
    ]


def test_a_tour_with_open_stops_is_left_and_not_done():
    assert fold() == (6, [])


def test_the_last_word_of_a_tour_that_was_left_completes_it_wherever_the_van_is():
    assert fold((310, "completed", 101), (930, "failed", 100)) == (6, [("ROUTE_COMPLETED", 5, 930.0)])


def test_a_word_about_one_of_its_stops_only_leaves_it_open():
    assert fold((930, "completed", 101)) == (6, [])


def test_a_word_about_a_tour_that_only_visits_had_completed_opens_it_again_and_the_last_one_completes_it():
    """Somebody speaks of its stops: then those without a word are open, wherever the van is."""
    on, completed = fold(drove=SERVED_BOTH)
    assert (on, [what[:2] for what in completed]) == (6, [("ROUTE_COMPLETED", 5)])
    opened = ("ROUTE_REOPENED", 5, 945.0)
    assert fold((945, "completed", 100), drove=SERVED_BOTH) == (6, [*completed, opened])
    both = fold((945, "completed", 100), (948, "failed", 101), drove=SERVED_BOTH)
    assert both == (6, [*completed, opened, ("ROUTE_COMPLETED", 5, 948.0)])


def test_a_word_about_the_tour_that_was_driven_last_takes_its_driver_back():
    assert fold(drove=SERVED_BOTH, plans=(BEFORE,))[0] == 0
    on, happened = fold((945, "completed", 100), drove=SERVED_BOTH, plans=(BEFORE,))
    assert (on, [what[0] for what in happened]) == (5, ["ROUTE_COMPLETED", "ROUTE_REOPENED"])
