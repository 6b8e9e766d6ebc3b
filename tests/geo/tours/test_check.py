"""The checker: everything a tour can break is found, and times are those of a person with a watch."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.tours.check import Why, check, place_breaks, time_tour
from geo.tours.problem import Nonsense, TourBreak, TourJob, TourProblem, TourVan, VanTour, require_sense

LINE = np.array([0, 100, 200, 300])
"""Places on a street; place 0 is the depot, 1 s and 10 m apart for each step of the numbers."""

VAN = TourVan(start=0, end=0, shift=(0, 10_000), capacity=(10,))


def street(*jobs: TourJob, vehicle: TourVan = VAN, **more: object) -> TourProblem:
    duration_s = np.abs(LINE[:, None] - LINE[None]).astype(np.int64)
    return TourProblem(duration_s=duration_s, distance_m=duration_s * 10, jobs=jobs, vehicles=[vehicle], **more)  # type: ignore[arg-type]


def faults(problem: TourProblem, *jobs: int, breaks: tuple[int, ...] = ()) -> set[Why]:
    return {wrong.why for wrong in check(problem, [VanTour(vehicle=0, jobs=jobs, breaks=breaks)]).wrong}


def test_a_tour_is_timed_as_it_is_driven() -> None:
    problem = street(TourJob(place=1, service_s=30), TourJob(place=3, service_s=60))
    timed, wrong = time_tour(problem, VanTour(vehicle=0, jobs=(0, 1)))
    assert not wrong
    assert [(one.arrive_s, one.begin_s, one.depart_s) for one in timed.visits] == [(100, 100, 130), (330, 330, 390)]
    assert (timed.start_s, timed.end_s, timed.drive_s, timed.distance_m, timed.cost) == (0, 690, 600, 6000, 6000)


def test_it_leaves_late_rather_than_waits() -> None:
    problem = street(TourJob(place=1, windows=((1_000, 1_100),)), TourJob(place=2, windows=((1_150, 5_000),)))
    timed, _ = time_tour(problem, VanTour(vehicle=0, jobs=(0, 1)))
    assert (timed.start_s, timed.wait_s, timed.end_s) == (950, 0, 1_350)


def test_the_one_of_several_windows_is_taken_that_is_open_next() -> None:
    job = TourJob(place=1, windows=((10, 20), (500, 600)))
    timed, wrong = time_tour(street(job), VanTour(vehicle=0, jobs=(0,)))
    assert not wrong
    assert timed.visits[0].begin_s == 500


@pytest.mark.parametrize(
    ("job", "vehicle", "why"),
    [
        (TourJob(place=1, windows=((0, 99),)), VAN, "late"),
        (TourJob(place=1, delivery=(11,)), VAN, "overloaded"),
        (TourJob(place=1, pickup=(11,)), VAN, "overloaded"),
        (TourJob(place=1, skills=frozenset({"lift"})), VAN, "skill"),
        (TourJob(place=1, vehicles=frozenset({7})), VAN, "vehicle"),
        (TourJob(place=3), replace(VAN, shift=(0, 599)), "shift_end"),
        (TourJob(place=3), replace(VAN, longest_s=599), "too_long"),
        (TourJob(place=3), replace(VAN, farthest_m=5_999), "too_far"),
        (TourJob(place=3), replace(VAN, aboard=(11,)), "overloaded"),
        (TourJob(place=3), replace(VAN, breaks=(TourBreak(earliest_s=0, latest_s=50, duration_s=60),)), "break"),
    ],
)
def test_what_does_not_hold_is_named(job: TourJob, vehicle: TourVan, why: Why) -> None:
    assert faults(street(job, vehicle=vehicle), 0) == {why}


def test_what_is_taken_along_needs_room_when_it_is_taken() -> None:
    problem = street(TourJob(place=1, delivery=(6,)), TourJob(place=2, pickup=(6,)))
    assert faults(problem, 0, 1) == set()
    assert faults(problem, 1, 0) == {"overloaded"}


def test_a_pickup_comes_before_its_delivery() -> None:
    problem = street(TourJob(place=2, pickup=(10,)), TourJob(place=1, delivery=(10,), after=0))
    assert faults(problem, 0, 1) == set()
    assert "order" in faults(problem, 1, 0)


def test_nobody_is_visited_twice_and_nobody_forgotten() -> None:
    problem = street(TourJob(place=1), TourJob(place=2), TourJob(place=3, drop_cost=5))
    assert faults(problem, 0, 0) == {"twice", "left_out"}
    assert check(problem, [VanTour(vehicle=0, jobs=(0, 1))]).left_out == (2,)
    assert not check(problem, [VanTour(vehicle=0, jobs=(0, 1)), VanTour(vehicle=0, jobs=(2,))]).holds


def test_a_break_is_taken_between_visits() -> None:
    lunch = replace(VAN, breaks=(TourBreak(earliest_s=150, latest_s=400, duration_s=1_000),))
    problem = street(TourJob(place=1, windows=((0, 120),)), TourJob(place=3), vehicle=lunch)
    tour = place_breaks(problem, 0, (0, 1))
    timed, wrong = time_tour(problem, tour)
    assert not wrong
    assert timed.rests == ((150, 1_150),) or timed.rests[0][0] <= 400
    assert timed.end_s == timed.start_s + 600 + 1_000 + timed.wait_s


def test_a_slow_van_takes_longer() -> None:
    timed, _ = time_tour(street(TourJob(place=1), vehicle=replace(VAN, pace=150)), VanTour(vehicle=0, jobs=(0,)))
    assert timed.drive_s == 300


def test_goods_that_come_late_hold_the_van_back() -> None:
    timed, _ = time_tour(street(TourJob(place=1, ready_s=700)), VanTour(vehicle=0, jobs=(0,)))
    assert timed.start_s == 700


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 900), st.integers(0, 900)), min_size=1, max_size=7))
def test_leaving_late_never_makes_a_tour_worse(visits: list[tuple[int, int, int]]) -> None:
    jobs = [TourJob(place=place, windows=((first_s, first_s + wide_s),)) for place, first_s, wide_s in visits]
    problem = street(*jobs)
    tour = VanTour(vehicle=0, jobs=tuple(range(len(jobs))))
    late, faults_then = time_tour(problem, tour)
    at_once, faults_at_once = time_tour(replace(problem, vehicles=[replace(VAN, shift=(0, 10_000))]), tour)
    assert late.end_s <= at_once.end_s
    assert sum(one.by for one in faults_then) <= sum(one.by for one in faults_at_once)
    moments = [moment for one in late.visits for moment in (one.arrive_s, one.begin_s, one.depart_s)]
    assert [late.start_s, *moments, late.end_s] == sorted([late.start_s, *moments, late.end_s])


@pytest.mark.parametrize(
    "job",
    [
        TourJob(place=4),
        TourJob(place=1, service_s=-1),
        TourJob(place=1, windows=((5, 4),)),
        TourJob(place=1, windows=((5, 9), (7, 12))),
        TourJob(place=1, delivery=(-1,)),
        TourJob(place=1, after=9),
        TourJob(place=1, delivery=(1,) * 9),
    ],
)
def test_nonsense_is_refused(job: TourJob) -> None:
    with pytest.raises(Nonsense):
        require_sense(street(job))


def test_matrices_that_do_not_fit_are_refused() -> None:
    with pytest.raises(Nonsense, match="soft"):
        require_sense(street(TourJob(place=1), soft_m=np.zeros((2, 2), np.int64)))
    with pytest.raises(Nonsense, match="below 0"):
        require_sense(street(TourJob(place=1), soft_m=np.full((4, 4), -1, np.int64)))
