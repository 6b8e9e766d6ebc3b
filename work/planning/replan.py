"""A day is planned again while it goes on: how it would go on, a better way, and what that means for each recipient.

Two ways are found and the better one is proposed: everything stays as it is, and what is new is put where it costs
least; or an engine puts all that is free another way, where each leg that is not driven anyhow counts a little longer.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from geo.times import ms_of
from geo.tours.check import Checked, check
from geo.tours.going_on import as_late_as, better, late_jobs, with_more
from geo.tours.matrix import keys_of_hour, service_keys, service_s
from geo.tours.numbers import FOREVER
from geo.tours.problem import Matrix, TourJob, TourProblem, VanTour, drive_s
from sql.eta.learning import rows_of_keys
from sql.planning.plans import TourPlanRow
from sql.pool import Pool
from work.planning.ahead import DayAhead, ahead_of, places_of_day, works_of_day
from work.planning.assemble import DROPPED, clock_of
from work.planning.drives import RoadTables, drives
from work.planning.process import PlannerProcess, plan
from work.planning.proposal import Proposed, proposal
from work.planning.protocol import PlannerFailed, Sign
from work.planning.so_far import DaySoFar, read_so_far
from work.planning.words import DepotWords

log = logging.getLogger(__name__)

STABLE_M = 200
"""A leg that nobody drives now counts as so much longer: what drivers have seen changes only where it is worth it."""

SAVED = 30
"""How much dearer it is to be late, where that can be helped, than to leave an order without priority out."""

BASE_S, PER_STOP_S, LONGEST_S = 2.0, 0.02, 60.0
"""Time for a proposal that does not name any: so much, and so much more for each visit ahead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTools:
    """What plans are made with."""

    planner: PlannerProcess
    roads: RoadTables


async def replan(
    pool: Pool,
    tools: PlanTools,
    row: TourPlanRow,
    depot: DepotWords,
    *,
    most: int,
    hear: Callable[[Sign], None],
) -> dict[str, Any]:
    """Find out how a day should go on; gives what is kept and shown.

    Args:
        most: orders that may be new.

    Raises:
        PlannerFailed: there is nothing to be proposed; a sentence says why.
    """
    day = await read_so_far(pool, row, depot, most=most + 1, now=pool.clock.now())
    if len(day.new) > most:
        raise PlannerFailed(f"there are more than {most} orders; name those that are to come onto tours")
    if not day.vans:
        raise PlannerFailed("no van of this day is under way or waits for its tour")
    ahead = await _ahead(pool, tools.roads, row.account_id, day)
    before, kept = await asyncio.to_thread(_as_it_is, ahead)
    best = kept
    if ahead.visits and ahead.vans:
        limit_s = row.asked["limit_s"] or min(BASE_S + PER_STOP_S * len(ahead.visits), LONGEST_S)
        search = _Search(planner=tools.planner, limit_s=limit_s, seed=row.asked["seed"], hear=hear)
        found = await search.better_than(ahead, before, kept)
        if found is not None:
            best = found
    return proposal(
        Proposed(plan_id=row.id, because=row.asked["because"], day=day, ahead=ahead, before=before, after=best)
    )


async def _ahead(pool: Pool, roads: RoadTables, account_id: int, day: DaySoFar) -> DayAhead:
    """Make the problem of what is ahead, with the drives and services that were learned."""
    clock = clock_of(day.vans[0].words, day.depot)
    works = works_of_day(day)
    rows = await rows_of_keys(pool, account_id, service_keys(works) | keys_of_hour(*clock))
    lon, lat = np.array(places_of_day(day)).T
    metres, seconds = await drives(roads, lon, lat, rows, clock)
    service = dict(zip(works, service_s(rows, works, ms_of(day.now)), strict=True))
    return await asyncio.to_thread(ahead_of, day, metres, seconds, service)


def _as_it_is(ahead: DayAhead) -> tuple[Checked, Checked]:
    """Time the day as it would go on, and with what is new put where it costs least."""
    free = _free(ahead)
    grown = with_more(as_late_as(ahead.problem, ahead.tours), ahead.tours, ahead.more)
    before, kept = (check(free, [tour for tour in tours if tour.jobs]) for tours in (ahead.tours, grown))
    return before, kept


def _free(ahead: DayAhead) -> TourProblem:
    """Allow whatever may have to be: being late is told, not refused."""
    allowed = as_late_as(ahead.problem, ahead.tours)
    return replace(allowed, jobs=[_whenever(job) for job in allowed.jobs])


def _whenever(job: TourJob) -> TourJob:
    return replace(job, windows=(*job.windows[:-1], (job.windows[-1][0], FOREVER))) if job.windows else job


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """What an engine is asked with."""

    planner: PlannerProcess
    limit_s: float
    seed: int
    hear: Callable[[Sign], None]

    async def better_than(self, ahead: DayAhead, before: Checked, kept: Checked) -> Checked | None:
        """Look for a better way to go on than one that is known; None: there is none."""
        late = list(late_jobs(ahead.problem, before.timed))
        asked = await asyncio.to_thread(_to_solve, ahead, late)
        _, judged = await plan(
            asked,
            self.planner,
            limit_s=self.limit_s,
            seed=self.seed,
            start=[timed.tour for timed in kept.timed],
            hear=self.hear,
        )
        if not judged.holds:
            log.info("what the engine found does not hold: %s", sorted({wrong.why for wrong in judged.wrong}))
            return None
        return await asyncio.to_thread(_if_better, ahead, [timed.tour for timed in judged.timed], late, kept)


def _to_solve(ahead: DayAhead, late: Sequence[int]) -> TourProblem:
    """Make what an engine is asked: to be in time where that can still be, and to change little."""
    problem = as_late_as(ahead.problem, ahead.tours)
    jobs = list(problem.jobs)
    van_of = {job: tour.vehicle for tour in ahead.tours for job in tour.jobs}
    for job in late:
        van = problem.vehicles[van_of[job]]
        at_best_s = van.shift[0] + drive_s(problem, van, van.start, jobs[job].place)
        if at_best_s <= ahead.problem.jobs[job].windows[-1][1] and jobs[job].after is None:
            jobs[job] = replace(ahead.problem.jobs[job], drop_cost=SAVED * DROPPED)
    return replace(problem, jobs=jobs, soft_m=_steady_m(ahead))


def _steady_m(ahead: DayAhead) -> Matrix:
    """Give what each leg counts longer for not being driven now."""
    problem = ahead.problem
    soft_m = np.full_like(problem.distance_m, STABLE_M)
    for tour in ahead.tours:
        van = problem.vehicles[tour.vehicle]
        places = [van.start, *(problem.jobs[job].place for job in tour.jobs), van.end]
        known = [place for place in places if place is not None]
        soft_m[tuple(zip(*pairwise(known), strict=True))] = 0
    np.fill_diagonal(soft_m, 0)
    return soft_m


def _if_better(ahead: DayAhead, tours: list[VanTour], late: Sequence[int], kept: Checked) -> Checked | None:
    """Add what the engine left out for being late, and judge all of it; None where it is no better."""
    free = _free(ahead)
    has_one = {tour.vehicle for tour in tours}
    tours += [tour for tour in ahead.tours if tour.vehicle not in has_one and not tour.jobs]
    on_tour = {job for tour in tours for job in tour.jobs}
    tours = with_more(free, tours, [job for job in late if job not in on_tour])
    judged = check(free, [tour for tour in tours if tour.jobs])
    promised = replace(ahead.problem, soft_m=_steady_m(ahead))
    return judged if judged.holds and better(promised, judged, kept) else None
