"""The planner's process: it answers, and killed, full, cancelled or given nonsense it leaves nothing but a no."""

import asyncio
import os
import signal
from dataclasses import replace

import numpy as np
import pytest

from geo.tours.problem import TourBreak, TourJob, TourProblem, TourVan, VanTour
from work.planning.process import PlannerProcess, engine_for, plan
from work.planning.protocol import Engine, PlanAsked, PlannerFailed, Sign
from work.planning.with_pyvrp import MOST_IN_TURN


def town(jobs: int, vehicles: int = 4, *, seed: int = 7, **more: object) -> TourProblem:
    """Places at random in a square of 10 km, driven through at 36 km/h."""
    xy_m = np.random.default_rng(seed).uniform(0, 10_000, (jobs + 1, 2))
    metres = np.sqrt(((xy_m[:, None] - xy_m[None]) ** 2).sum(axis=2)).astype(np.int64)
    return TourProblem(
        duration_s=metres // 10,
        distance_m=metres,
        jobs=[TourJob(place=row, service_s=60, delivery=(1,), drop_cost=10**7) for row in range(1, jobs + 1)],
        vehicles=[TourVan(start=0, end=0, shift=(0, 36_000), capacity=(jobs,))] * vehicles,
        **more,  # type: ignore[arg-type]
    )


async def test_tours_are_found_and_hold() -> None:
    heard: list[Sign] = []
    async with PlannerProcess.started("pyvrp") as planner:
        _, judged = await plan(town(40), planner, limit_s=2, hear=heard.append)
    assert judged.holds
    assert not judged.left_out
    assert heard
    assert all(0 <= sign.progress <= 1 for sign in heard)


async def test_a_van_alone_keeps_its_windows_though_another_order_is_shorter() -> None:
    base = town(12, 1)
    turns = np.argsort(base.duration_s[0, 1:])[::-1]
    jobs = list(base.jobs)
    for turn, row in enumerate(turns.tolist()):
        jobs[row] = replace(jobs[row], windows=((turn * 2_000, turn * 2_000 + 1_900),))
    async with PlannerProcess.started() as planner:
        _, judged = await plan(replace(base, jobs=jobs), planner, limit_s=30, patience=200)
    assert judged.holds
    assert not judged.left_out
    assert [visit.job for visit in judged.timed[0].visits] == turns.tolist()


async def test_a_van_alone_may_have_more_visits_than_are_put_into_order_first() -> None:
    problem = town(MOST_IN_TURN + 1, 1)
    async with PlannerProcess.started() as planner:
        _, judged = await plan(problem, planner, limit_s=2)
    assert judged.holds
    assert not judged.left_out


async def test_the_same_seed_gives_the_same_tours() -> None:
    async with PlannerProcess.started() as planner:
        asked = PlanAsked(problem=town(20), limit_s=30, patience=300)
        first = await planner.ask(asked)
        assert (await planner.ask(asked)).tours == first.tours


async def test_everything_asked_of_a_tour_is_kept() -> None:
    lift = frozenset({"lift"})
    jobs = [
        TourJob(place=1, service_s=60, windows=((0, 1_500), (9_000, 12_000)), skills=lift, delivery=(2, 1)),
        TourJob(place=2, service_s=60, pickup=(3, 0)),
        TourJob(place=3, service_s=60, delivery=(3, 0), after=1),
        TourJob(place=4, service_s=60, delivery=(1, 1), vehicles=frozenset({1})),
        TourJob(place=5, service_s=60, delivery=(9, 9), drop_cost=100),
    ]
    base = town(5)
    vehicles = [
        TourVan(start=0, end=None, shift=(0, 20_000), capacity=(4, 4), cost_per_s=1),
        TourVan(start=None, end=0, shift=(0, 20_000), capacity=(4, 4), skills=lift, pace=130, fixed_cost=500),
    ]
    async with PlannerProcess.started() as planner:
        _, judged = await plan(replace(base, jobs=jobs, vehicles=vehicles), planner, limit_s=1)
    assert judged.holds, judged.wrong
    assert judged.left_out == (4,)


async def test_breaks_are_kept_by_the_second_engine() -> None:
    base = town(12, vehicles=2)
    lunch = TourBreak(earliest_s=3_600, latest_s=7_200, duration_s=1_800)
    jobs = [replace(job, service_s=900) for job in base.jobs]
    vehicles = [replace(vehicle, breaks=(lunch,)) for vehicle in base.vehicles]
    problem = replace(base, jobs=jobs, vehicles=vehicles)
    assert engine_for(problem) == "vroom"
    async with PlannerProcess.started() as planner:
        _, judged = await plan(problem, planner, limit_s=3)
    assert judged.holds, judged.wrong
    assert not judged.left_out
    assert all(3_600 <= timed.rests[0][0] <= 7_200 for timed in judged.timed)


async def test_tours_to_begin_with_are_kept_when_there_is_no_time() -> None:
    problem = town(30, vehicles=1)
    async with PlannerProcess.started() as planner:
        good = (await planner.ask(PlanAsked(problem=problem, limit_s=20, patience=2_000))).tours
        again = await planner.ask(PlanAsked(problem=problem, limit_s=20, patience=1, start=good))
    assert again.tours == (VanTour(vehicle=0, jobs=good[0].jobs),)


async def test_a_planner_that_is_killed_says_so_and_the_next_question_is_answered() -> None:
    async with PlannerProcess.started() as planner:
        heard = asyncio.Event()
        task = asyncio.create_task(planner.ask(PlanAsked(problem=town(80), limit_s=60), lambda _: heard.set()))
        await heard.wait()
        assert planner.pid is not None
        os.kill(planner.pid, signal.SIGKILL)
        with pytest.raises(PlannerFailed, match="signal 9: by hand, or because the machine had no memory"):
            await task
        assert (await planner.ask(PlanAsked(problem=town(5), limit_s=5, patience=50))).tours


async def test_a_planner_that_is_cancelled_is_gone_at_once() -> None:
    async with PlannerProcess.started() as planner:
        heard = asyncio.Event()
        task = asyncio.create_task(planner.ask(PlanAsked(problem=town(80), limit_s=600), lambda _: heard.set()))
        await heard.wait()
        pid = planner.pid
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert pid is not None
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.parametrize("warm", [("pyvrp",), ()])
async def test_a_planner_that_wants_all_memory_gets_a_no(warm: tuple[Engine, ...]) -> None:
    async with PlannerProcess.started(*warm) as planner:
        asked = PlanAsked(problem=town(1_500, vehicles=200), limit_s=20, memory_bytes=160 << 20)
        with pytest.raises(PlannerFailed, match="needs more memory than it may take"):
            await planner.ask(asked)


async def test_nonsense_gets_a_no() -> None:
    nonsense = replace(town(3), jobs=[TourJob(place=99)])
    async with PlannerProcess.started() as planner:
        with pytest.raises(PlannerFailed, match="place 99"):
            await planner.ask(PlanAsked(problem=nonsense, limit_s=1))
        with pytest.raises(PlannerFailed, match="place 99"):
            await plan(nonsense, planner, limit_s=1)


async def test_nothing_to_do_is_done() -> None:
    async with PlannerProcess.started() as planner:
        _, judged = await plan(replace(town(3), jobs=[]), planner, limit_s=1)
    assert judged.holds
    assert judged.timed == ()
