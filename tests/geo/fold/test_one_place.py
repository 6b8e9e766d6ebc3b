"""One place that a tour meets more than once: whose turn it is, and what one standing serves."""

import numpy as np
import pytest

from geo.fold.fold import advance, fresh
from geo.plan.facts import FactType
from geo.plan.plans import Claim, Timeline
from tests.geo.city import START_MS, fold, of_type, pings_at, plan_along, walk

ARRIVED, DEPARTED = FactType.STOP_ARRIVED, FactType.STOP_DEPARTED
STREET = [(0.0, 0.0), (3000.0, 0.0)]
ROUND = [(0, 0), (0, 1000), (1000, 1000), (1000, 0), (0, 0), (0, 700)]
SHOP, GATE, LANE = (-75, 500), (0, 0), (0, 500)


def drive(*legs, mps=8.0):
    """Fixes along straight lines through places; a number is seconds of standing at the one before."""
    points, second = [(0, *legs[0])], 0.0
    for one in legs[1:]:
        if isinstance(one, tuple):
            second += np.hypot(one[0] - points[-1][1], one[1] - points[-1][2]) / mps
            points.append((second, *one))
        else:
            second += one
            points.append((second, *points[-1][1:]))
    return pings_at(*walk(*points))


def visited(facts):
    """The stops of the arrivals in the order of their times, each with its number."""
    arrived = np.sort(of_type(facts.happened, ARRIVED), order=("occurred_ms", "stop_id"))
    return list(zip(arrived["stop_id"].tolist(), arrived["ordinal"].tolist(), strict=True))


MORNING = (GATE, 60, LANE, SHOP, 120, LANE, (0, 1000), (500, 1000), 60)
EVENING = ((1000, 1000), (1000, 400), 60, (1000, 0), GATE, LANE, SHOP, 120, LANE, (0, 700))


@pytest.mark.parametrize("kinds", [("delivery", "pickup"), ("pickup", "delivery"), ("depot", "depot"), ("pickup",) * 2])
def test_the_first_visit_of_a_shop_is_that_of_the_stop_whose_turn_it_is(kinds):
    first, last = kinds
    plan = plan_along(
        ROUND, [SHOP, (500, 1010), (1010, 400), SHOP], kinds=(first, "delivery", "delivery", last),
        stop_along_m=[500, 1500, 2600, 4500],
    )  # fmt: skip
    track, facts = fold(drive(*MORNING), plan)
    assert visited(facts) == [(100, 1), (101, 1)]
    assert track["next_stop_id"] == 102
    _, facts = fold(drive(*MORNING, *EVENING), plan)
    assert visited(facts) == [(100, 1), (101, 1), (102, 1), (103, 1)]


def test_who_comes_back_at_once_is_not_at_the_end_of_the_tour():
    """Round the block for a parking place: the collection is not due before anything else was done."""
    plan = plan_along(
        ROUND, [SHOP, (500, 1010), (1010, 400), SHOP], kinds=("delivery", "delivery", "delivery", "pickup"),
        stop_along_m=[500, 1500, 2600, 4500],
    )  # fmt: skip
    _, facts = fold(drive(GATE, 60, LANE, SHOP, 120, (-75, 900), SHOP, 120, LANE, (0, 1000), (500, 1000), 60), plan)
    assert 103 not in [stop_id for stop_id, _ in visited(facts)]


def test_a_stop_that_was_left_out_is_served_before_one_whose_turn_is_later():
    plan = plan_along(
        ROUND, [(-75, 300), SHOP, (500, 1010), (1010, 400), SHOP], kinds=("delivery",) * 4 + ("pickup",),
        stop_along_m=[300, 500, 1500, 2600, 4500],
    )  # fmt: skip
    _, facts = fold(drive(GATE, 60, (0, 1000), (500, 1000), 60, (0, 1000), LANE, SHOP, 120), plan)
    assert visited(facts) == [(102, 1), (101, 1)]


@pytest.mark.parametrize(
    ("stops", "same"),
    [
        ([(1000, 12), (1000, 12), (1025, 12), (1000, 12)], {100, 101, 103}),
        ([(1000, 12), (1030, -12), (1000, 12)], {100, 102}),
        ([(1000, 12), (1000, 12), (1030, -12), (1001, 12), (970, 12), (1000, 13)], {100, 101, 103, 105}),
    ],
    ids=["geocoded aside", "across the street", "both"],
)
def test_orders_of_one_address_share_a_standing_though_others_are_between(stops, same):
    plan = plan_along(STREET, [*stops, (2000, 0)])
    _, facts = fold(drive((0, 0), 60, (1000, 0), 400, (2000, 0), 120, (2200, 0)), plan)
    arrived, departed = (of_type(facts.happened, kind) for kind in (ARRIVED, DEPARTED))
    assert same <= set(arrived["stop_id"].tolist())
    assert same <= set(departed["stop_id"].tolist())
    shared = arrived[np.isin(arrived["stop_id"], list(same))]
    assert set(shared["occurred_ms"].tolist()) == {shared["occurred_ms"][0]}


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 1, 0, 2), (2, 3, 1, 0)])
def test_four_orders_of_one_address_in_any_order_of_the_tour(order):
    """Other addresses lie between them, up the street and back: whoever stands there hands over all four."""
    flat, others = (1000, 12), [(1500, 12), (2000, 12), (2500, 12)]
    tour = [flat, others[0], flat, others[1], flat, others[2], flat]
    ids = np.array([100 + order[0], 201, 100 + order[1], 202, 100 + order[2], 203, 100 + order[3]])
    path = [(0, 0), (1500, 0), (1000, 0), (2000, 0), (1000, 0), (2500, 0), (1000, 0), (3000, 0)]
    plan = plan_along(path, tour, stop_ids=ids)
    _, facts = fold(drive((0, 0), 60, (1000, 0), 300, (1500, 0), 60), plan)
    assert set(visited(facts)) == {(100, 1), (101, 1), (102, 1), (103, 1), (201, 1)}


def test_what_the_plan_has_in_the_afternoon_is_not_served_in_the_morning():
    plan = plan_along(
        ROUND, [SHOP, (500, 1010), (1010, 400), SHOP], stop_along_m=[500, 1500, 2600, 4500],
        planned_ms=START_MS + np.array([2, 60, 120, 180]) * 60_000,
    )  # fmt: skip
    _, facts = fold(drive(*MORNING, *EVENING), plan)
    assert visited(facts) == [(100, 1), (101, 1), (102, 1), (103, 1)]


def test_a_reload_at_noon_is_a_visit_of_its_own():
    path = [(0, 0), (1000, 0), (0, 0), (0, 1000), (0, 0)]
    plan = plan_along(
        path, [(10, 10), (500, 10), (900, 10), (10, 10), (10, 500), (10, 10)],
        kinds=("pickup", "delivery", "delivery", "pickup", "delivery", "depot"),
        stop_along_m=[0, 500, 900, 2000, 2500, 4000], return_to_depot=True,
    )  # fmt: skip
    day = drive((0, 0), 120, (500, 0), 60, (900, 0), 60, (1000, 0), (0, 0), 200, (0, 500), 60, (0, 1000), (0, 0), 100)
    _, facts = fold(day, plan)
    assert visited(facts) == [(100, 1), (101, 1), (102, 1), (103, 1), (104, 1), (105, 1)]


def said(second, kind, stop_id):
    return Claim(at_ms=START_MS + second * 1000, id=f"{second}", kind=kind, route_id=5, stop_id=stop_id)


def told(pings, claims, plan):
    timeline = Timeline(driver_id=1, plans=(plan,), claims=claims)
    tracks, facts = advance(fresh(np.array([1])), pings, [timeline], np.ones(1, bool))
    newest = {
        (FactType(int(row["type"])), int(row["stop_id"]), int(row["ordinal"])): (int(row["occurred_ms"]) - START_MS)
        / 1000
        for row in facts.happened
    }
    return tracks[0], newest


FLATS = plan_along(STREET, [(1000, 12), (1030, -12), (1000, 12), (2000, 0)])
AT_FLATS = drive((0, 0), 60, (1000, 0), 400, (2000, 0), 120)


def test_doors_of_one_address_are_left_one_by_one():
    claims = (said(300, "departed", 100), said(350, "departed", 102))
    _, facts = told(AT_FLATS, claims, FLATS)
    assert (facts[DEPARTED, 100, 1], facts[DEPARTED, 102, 1]) == (300, 350)


def test_the_ends_of_a_shared_visit_are_corrected_one_by_one_and_nobody_elses():
    claims = (said(590, "departed", 102), said(591, "departed", 101), said(595, "departed", 100))
    _, facts = told(AT_FLATS, claims, FLATS)
    assert (facts[DEPARTED, 102, 1], facts[DEPARTED, 100, 1]) == (590, 595)
    assert (DEPARTED, 101, 0) not in facts


def test_a_delivery_that_is_done_is_not_arrived_at_with_the_others():
    _, facts = told(AT_FLATS, (said(50, "failed", 102),), FLATS)
    assert (ARRIVED, 100, 1) in facts
    assert (ARRIVED, 102, 1) not in facts
