"""A day that goes on: what is late may stay as late, pairs are put where they cost least, fewer broken promises win."""

from dataclasses import replace
from itertools import combinations_with_replacement

import numpy as np
import pytest

from geo.tours.check import check, time_tour
from geo.tours.going_on import as_late_as, better, late_jobs, with_more
from geo.tours.problem import TourBreak, TourJob, TourProblem, TourVan, VanTour


def line(*jobs: TourJob, vans: int = 1, **more: object) -> TourProblem:
    """Places on a line, 100 s and 1,000 m apart; place 0 is where vans start and end."""
    place = np.arange(10)
    apart = np.abs(place[:, None] - place[None])
    van = TourVan(start=0, end=0, shift=(0, 5_000), cost_per_m=1, cost_per_s=1, **more)  # type: ignore[arg-type]
    return TourProblem(duration_s=apart * 100, distance_m=apart * 1_000, jobs=list(jobs), vehicles=[van] * vans)


def test_what_does_not_hold_any_more_may_stay_so_but_not_become_worse() -> None:
    rest = TourBreak(earliest_s=0, latest_s=10, duration_s=60)
    problem = line(
        TourJob(place=5, windows=((0, 300),), delivery=(4,), skills=frozenset({"cold"})),
        TourJob(place=9, windows=((0, 9_000),)),
        capacity=(3,),
        farthest_m=10_000,
        longest_s=900,
        breaks=(rest,),
    )
    problem = replace(problem, vehicles=[replace(problem.vehicles[0], shift=(0, 1_000))])
    tour = VanTour(vehicle=0, jobs=(0, 1), breaks=(1,))
    assert {one.why for one in time_tour(problem, tour)[1]} >= {"late", "overloaded", "skill", "too_far", "break"}
    allowed = as_late_as(problem, [tour])
    assert time_tour(allowed, tour)[1] == []
    assert allowed.jobs[1] == problem.jobs[1]
    later = VanTour(vehicle=0, jobs=(1, 0), breaks=(1,))
    assert "late" in {one.why for one in time_tour(allowed, later)[1]}


@pytest.mark.parametrize("seed", range(5))
def test_a_parcel_is_fetched_and_brought_where_that_costs_least(seed: int) -> None:
    rng = np.random.default_rng(seed)
    jobs = [TourJob(place=int(place)) for place in rng.integers(1, 10, 6)]
    fetch = TourJob(place=int(rng.integers(0, 10)), pickup=(1,), drop_cost=5)
    problem = line(*jobs, fetch, TourJob(place=9, delivery=(1,), after=6, drop_cost=5), vans=2, capacity=(1,))
    tours = [VanTour(vehicle=0, jobs=(0, 1, 2)), VanTour(vehicle=1, jobs=(3, 4, 5))]
    grown = check(problem, with_more(problem, tours, [6, 7]))
    assert (grown.holds, grown.left_out) == (True, ())
    costs = []
    for row, tour in enumerate(tours):
        for at, later in combinations_with_replacement(range(4), 2):
            jobs_of = (*tour.jobs[:at], 6, *tour.jobs[at:later], 7, *tour.jobs[later:])
            other = check(problem, [replace(tour, jobs=jobs_of), tours[1 - row]])
            costs.append(sum(one.cost for one in other.timed))
    assert sum(one.cost for one in grown.timed) == min(costs)


def test_what_matters_most_comes_first_and_what_fits_nowhere_is_left_out() -> None:
    jobs = [TourJob(place=1, delivery=(2,), drop_cost=cost) for cost in (1, 9, 5)]
    problem = line(*jobs, TourJob(place=2, delivery=(9,), drop_cost=99), capacity=(4,))
    (tour,) = with_more(problem, [VanTour(vehicle=0, jobs=())], [0, 1, 2, 3])
    assert set(tour.jobs) == {1, 2}


def test_a_kept_promise_is_worth_a_detour_and_an_order_more_than_a_promise() -> None:
    problem = line(TourJob(place=9), TourJob(place=1, windows=((0, 200),), drop_cost=7))
    late, kept = (check(problem, [VanTour(vehicle=0, jobs=jobs)]) for jobs in ((0, 1), (1, 0)))
    without = check(problem, [VanTour(vehicle=0, jobs=(0,))])
    assert late_jobs(problem, late.timed) == {1: 1_500}
    assert better(problem, kept, late)
    assert better(problem, late, without)
    soft_m = np.full_like(problem.distance_m, 50_000)
    soft_m[0, 9] = soft_m[9, 1] = soft_m[1, 0] = 0
    same = line(TourJob(place=9), TourJob(place=1))
    steady = replace(same, soft_m=soft_m)
    tours = [check(same, [VanTour(vehicle=0, jobs=jobs)]) for jobs in ((0, 1), (1, 0))]
    assert better(steady, tours[0], tours[1])
    assert not better(same, tours[0], tours[1])
