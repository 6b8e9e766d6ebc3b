"""Insertion against trying everything; reasons in words; matrices that agree with ETAs."""

import time
from dataclasses import replace

import numpy as np
import pytest

from geo.eta.rows import Row, RowKey
from geo.numbers import TYPICAL_MPS
from geo.tours.check import check, time_tour
from geo.tours.insertion import cheapest, cheapest_in, gaps_of, why_not
from geo.tours.matrix import (
    DoorWork,
    drive_factors,
    keys_of_hour,
    on_roads,
    service_keys,
    service_s,
    speed,
    straight,
    to_all,
)
from geo.tours.problem import TourJob, TourProblem, TourVan, VanTour


def day(tours: int, stops: int, *, seed: int = 3, windows: bool = True) -> tuple[TourProblem, list[VanTour]]:
    """Tours through random places; the last job is on none of them."""
    rng = np.random.default_rng(seed)
    count = tours * stops + 2
    lon, lat = -75.6 + 0.1 * rng.random(count), 6.2 + 0.1 * rng.random(count)
    metres, seconds = straight(lon, lat)
    jobs = [TourJob(place=row + 1, service_s=120, delivery=(1,)) for row in range(count - 1)]
    van = TourVan(start=0, end=0, shift=(0, 36_000), capacity=(stops + 1,), cost_per_m=1, cost_per_s=2)
    problem = TourProblem(duration_s=seconds, distance_m=metres, jobs=jobs, vehicles=[van] * tours)
    made = [VanTour(vehicle=row, jobs=tuple(range(row * stops, (row + 1) * stops))) for row in range(tours)]
    if windows:
        for tour in made:
            for visit in time_tour(problem, tour)[0].visits:
                around = (max(0, visit.begin_s - 1_800), visit.begin_s + 1_800)
                jobs[visit.job] = replace(jobs[visit.job], windows=(around,))
        jobs[-1] = replace(jobs[-1], windows=((5_000, 9_000),))
    return problem, made


def by_trying(problem: TourProblem, tours: list[VanTour], job: int) -> int | None:
    costs = []
    for tour in tours:
        before = time_tour(problem, tour)[0].cost
        for place in range(len(tour.jobs) + 1):
            timed, wrong = time_tour(problem, replace(tour, jobs=(*tour.jobs[:place], job, *tour.jobs[place:])))
            if not wrong:
                costs.append(timed.cost - before)
    return min(costs, default=None)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("windows", [False, True])
def test_the_cheapest_place_is_found_and_holds(seed: int, windows: bool) -> None:
    problem, tours = day(4, 6, seed=seed, windows=windows)
    job = len(problem.jobs) - 1
    timed = check(problem, tours).timed
    found, best = cheapest(problem, timed, job), by_trying(problem, tours, job)
    assert (found is None) == (best is None)
    if found is not None and best is not None:
        assert time_tour(problem, found.tour) == (found.timed, [])
        assert found.extra <= 1.05 * best + 50


def test_a_van_that_stands_idle_may_take_it() -> None:
    problem, tours = day(2, 3)
    timed = check(problem, tours[:1]).timed
    full = replace(problem, vehicles=[replace(problem.vehicles[0], capacity=(3,)), problem.vehicles[1]])
    found = cheapest(full, timed, 6, idle=[1])
    assert found is not None
    assert found.tour == VanTour(vehicle=1, jobs=(6,))
    assert cheapest(full, timed, 6) is None


def test_reasons_are_said_in_words() -> None:
    problem, tours = day(1, 3)
    timed = check(problem, tours).timed

    def reason(**changes: object) -> tuple[str, dict[str, bool]]:
        jobs = [*problem.jobs[:-1], replace(problem.jobs[-1], **changes)]  # type: ignore[arg-type]
        return why_not(replace(problem, jobs=jobs), timed, 3, idle=[])

    assert reason(skills=frozenset({"lift"}))[0] == "No vehicle of the day can do lift."
    assert "more than any vehicle" in reason(delivery=(99,))[0]
    late, change = reason(windows=((0, 1),))
    assert "after its last window" in late
    assert change["any_time"]
    assert "longer than a shift" in reason(service_s=90_000)[0]
    assert reason(delivery=(2,)) == (
        "The vans that could take it are full, or elsewhere in its window.",
        {"any_time": False, "one_more_van": True},
    )


def test_five_hundred_orders_leave_time_to_answer_a_shop() -> None:
    problem, tours = day(20, 25)
    timed = check(problem, tours).timed
    began_s = time.process_time()
    for _ in range(5):
        assert cheapest(problem, timed, 500) is not None
    assert (time.process_time() - began_s) / 5 < 0.15


def test_plans_drive_as_fast_as_etas_expect() -> None:
    at_ms, offset_s = 1_772_000_000_000, -18_000
    slow = {key: Row(1e9, 2.0, 0.0, at_ms) for key in keys_of_hour(at_ms, offset_s)}
    assert speed({}, at_ms, offset_s) == TYPICAL_MPS
    assert speed(slow, at_ms, offset_s) == pytest.approx(TYPICAL_MPS / 4, rel=0.01)
    work = DoorWork(kind="delivery", parcels=1, lat=6.2, lon=-75.6, planned_s=100)
    (of_all, *_) = (key for key in service_keys([work]) if key.scope == "service")
    assert service_s({of_all: Row(1e9, 1.5, 0.0, at_ms)}, [work], at_ms) == [150]
    lon, lat = np.array([-75.6, -75.5]), np.array([6.2, 6.2])
    metres, seconds = straight(lon, lat)
    assert metres[0, 1] == metres[1, 0] == to_all(-75.6, 6.2, lon, lat)[0][1]
    assert metres[0, 1] == pytest.approx(11_062 * 1.3, rel=0.01)
    assert seconds[0, 1] == pytest.approx(11_062 / TYPICAL_MPS, rel=0.01)


def test_roads_count_as_they_are_and_slow_ones_as_slow_ones_were() -> None:
    at_ms = 1_772_000_000_000
    crawling = {RowKey("drive_speed", "0-14 km/h"): Row(1e9, 3.0, 0.0, at_ms)}
    lon, lat = np.array([-75.6, -75.5]), np.array([6.2, 6.2])
    road_m, road_s = np.array([[0.0, 15_000], [np.nan, 0]]), np.array([[0.0, 1_000], [1, 0]])
    metres, seconds = on_roads(road_m, road_s, lon, lat, drive_factors(crawling, at_ms, 0))
    assert (metres[0, 1], seconds[0, 1]) == (15_000, 1_000)
    assert (metres[1, 0], seconds[1, 0]) == (straight(lon, lat)[0][1, 0], straight(lon, lat)[1][1, 0])
    _, seconds = on_roads(road_m, road_s * 10, lon, lat, drive_factors(crawling, at_ms, 0))
    assert seconds[0, 1] == pytest.approx(30_000, rel=0.01)


@pytest.mark.parametrize("seed", range(6))
def test_many_windows_are_answered_as_one_after_the_other(seed: int) -> None:
    problem, tours = day(4, 6, seed=seed)
    job = len(problem.jobs) - 1
    timed = check(problem, tours).timed
    windows = [(start_s, start_s + 1_800) for start_s in range(0, 43_200, 1_800)]
    alone = [replace(problem, jobs=[*problem.jobs[:-1], replace(problem.jobs[-1], windows=(one,))]) for one in windows]
    found = cheapest_in(problem, timed, job, windows, [gaps_of(problem, one) for one in timed])
    assert found == [cheapest(one, timed, job) for one in alone]
    assert any(one is None for one in found)
    assert any(one is not None for one in found)
