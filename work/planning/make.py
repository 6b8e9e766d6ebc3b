"""Plans are made: a job of `work`, one at a time, in a process that may be ended at any moment.

Nothing of a plan is written before all of it is: tours, what is on none of them and why, and the problem for later
edits go into one row by one statement, only if the plan is still wanted and still this process's.
"""

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np

from geo.shape.plane import project
from geo.tours.check import Checked, check, time_tour
from geo.tours.habits import Past, like_drivers, votes
from geo.tours.numbers import MOST_TOURS
from geo.tours.problem import TourProblem, VanTour
from sql.account.settings import read_settings
from sql.planning import plans
from sql.planning.orders import find_orders, orders_to_plan
from sql.planning.plans import PlanEnd, TourPlanRow
from sql.planning.resources import shifts_of_day
from sql.pool import Pool
from work.job import Job
from work.planning.assemble import KeptProblem, assemble, matrices, out_of_turn, pack, read_day, reasons, told
from work.planning.drives import RoadTables
from work.planning.process import PlannerProcess, plan
from work.planning.protocol import PlannerFailed, Sign
from work.planning.replan import PlanTools, replan
from work.planning.so_far import depot_of_day

log = logging.getLogger(__name__)

HOLD_S, LOOK_S = 30.0, 0.5
"""How long a plan stays with a process that is not heard of, and how often that looks whether it is still wanted."""

MOST_ATTEMPTS = 3
"""A plan that ended so many processes is not tried again."""

MOST_ORDERS = 5_000
"""Of one plan: its matrices have 25 million numbers each."""

BASE_S, PER_ORDER_S, LONGEST_S = 5.0, 0.02, 600.0
"""Time for a plan that does not name any: so much, and so much more for each order."""

HABIT_DAYS = 90
"""Tours older than that teach nothing."""

DEARER = 1.08
"""How much dearer a tour may be for being like the drivers would drive it."""


class PlanMaker:
    """Makes one plan at a time beside whatever else the process does, so that it can end at once.

    What it was at is taken up by another process, HOLD_S after this one was last heard of.
    """

    def __init__(self, roads: RoadTables) -> None:
        self._planner = PlannerProcess()
        self._tools = PlanTools(planner=self._planner, roads=roads)
        self._plan: TourPlanRow | None = None
        self._making: asyncio.Task[None] | None = None
        self._is_ending = False
        self._progress = [0.0]

    @property
    def planner_pid(self) -> int | None:
        """Of the process that searches; None while there is none."""
        return self._planner.pid

    async def look(self, pool: Pool) -> bool:
        """Take a plan that waits, or see whether the one at hand is still wanted; False: look again later."""
        if self._making is not None and self._plan is not None:
            await asyncio.wait([self._making], timeout=0)
            if not self._making.done():
                if not self._is_ending and not await self._kept(pool, self._plan):
                    log.info("plan %d is not wanted any more", self._plan.id)
                    await self.drop()
                return False
            done, self._making = self._making, None
            done.result()
            return True
        self._plan = await plans.take_plan(pool, hold_s=HOLD_S)
        if self._plan is None:
            return False
        if self._plan.attempts > MOST_ATTEMPTS:
            why = "Planning it ended its process again and again. Plan fewer orders at once, or give it more memory."
            await plans.end_plan(pool, self._plan, PlanEnd(state="failed", why=why))
            return True
        self._progress, self._is_ending = [0.0], False
        self._making = asyncio.create_task(self._made(pool, self._plan), name=f"plan {self._plan.id}")
        return False

    async def _kept(self, pool: Pool, row: TourPlanRow) -> bool:
        """Say that a plan is still being made; False when nobody wants it any more, True when it just ended itself."""
        return await plans.keep_plan(pool, row, hold_s=HOLD_S, progress=self._progress[0]) or self._is_ending

    async def drop(self) -> None:
        """End what is being made; nothing of it is written."""
        making, self._making = self._making, None
        if making is not None:
            making.cancel()
            await asyncio.gather(making, return_exceptions=True)
        await self._planner.end()

    async def _made(self, pool: Pool, row: TourPlanRow) -> None:
        try:
            end = await _make(pool, self._tools, row, self._progress)
        except PlannerFailed as error:
            log.warning("plan %d failed: %s", row.id, error)
            end = PlanEnd(state="failed", why=f"The planner failed: {error}.")
        self._is_ending = True
        await plans.end_plan(pool, row, end)


def plan_job(roads: RoadTables) -> Job:
    """Give the job of making plans."""
    maker = PlanMaker(roads)
    return Job(name="plans", do=maker.look, pause_s=LOOK_S)


async def _make(pool: Pool, tools: PlanTools, row: TourPlanRow, heard: list[float]) -> PlanEnd:
    words = await depot_of_day(pool, row)
    if words is None:
        raise PlannerFailed(f"there is no depot {row.depot!r} any more")

    def hear(sign: Sign) -> None:
        heard[0] = max(heard[0], min(0.99, sign.progress))

    if "because" in row.asked:
        proposed = await replan(pool, tools, row, words, most=MOST_ORDERS, hear=hear)
        has_rule = (await read_settings(pool, row.account_id)).accept_proposals is not None
        return PlanEnd(state="done", result=proposed, for_rule=has_rule)
    shifts = await shifts_of_day(pool, account_id=row.account_id, on=row.date, depot=row.depot)
    if (named := row.asked.get("shifts")) is not None:
        shifts = [shift for shift in shifts if shift.external_id in named]
    orders = await orders_to_plan(
        pool, row.account_id, on=row.date, depot=row.depot, only=row.asked.get("orders"), limit=MOST_ORDERS + 1
    )
    if len(orders) > MOST_ORDERS:
        raise PlannerFailed(f"there are more than {MOST_ORDERS} orders; plan them in parts")
    strange = out_of_turn(orders)
    orders = [order for order in orders if order.external_id not in strange]
    day = await read_day(pool, account_id=row.account_id, depot=words, shifts=shifts, orders=orders)
    between = await matrices(day, tools.roads)
    kept = await asyncio.to_thread(assemble, day, *between, objective=row.asked["objective"])
    judged = await _solved(pool, tools.planner, row, kept, heard)
    never = {"any_time": False, "one_more_van": False}
    missing = {**strange, **await _not_free(pool, row, {*strange, *kept.labels.orders})}
    left = [{"order": name, "why": why, "would_help": never} for name, why in missing.items()]
    result = await asyncio.to_thread(lambda: told(kept, judged, unplanned=[*reasons(kept, judged), *left]))
    body = await asyncio.to_thread(pack, kept)
    return PlanEnd(state="done", problem=body, result=result)


async def _not_free(pool: Pool, row: TourPlanRow, known: Collection[str]) -> dict[str, str]:
    """Say of orders that were asked for by name, and are not among those that can be planned, why."""
    names = [name for name in row.asked.get("orders") or () if name not in known]
    return {
        one.external_id: _NOT_FREE.get(one.state, "It is for other days or from another depot.")
        for one in await find_orders(pool, row.account_id, names)
    }


_NOT_FREE = {
    "received": "Its place is not known well enough.",
    "assigned": "It is on a route already.",
    "closed": "Its stop is over already.",
    "cancelled": "It is cancelled.",
}


async def _solved(
    pool: Pool, planner: PlannerProcess, row: TourPlanRow, kept: KeptProblem, heard: list[float]
) -> Checked:
    if not kept.problem.vehicles or not kept.problem.jobs:
        return check(kept.problem, [])
    limit_s = row.asked.get("limit_s") or min(BASE_S + PER_ORDER_S * len(kept.problem.jobs), LONGEST_S)
    seed, objective = int(row.asked.get("seed") or 1), row.asked["objective"]
    parts = 2 if objective == "balanced" else 1

    def hear(sign: Sign) -> None:
        heard[0] = max(heard[0], min(0.99, sign.progress / parts))

    _, judged = await plan(kept.problem, planner, limit_s=limit_s / parts, seed=seed, hear=hear)
    if objective == "balanced":
        _, judged = await plan(_balanced(kept.problem, judged), planner, limit_s=limit_s / 2, seed=seed)
        judged = check(kept.problem, [timed.tour for timed in judged.timed])
    if objective == "habit":
        judged = await _like_drivers(pool, row, kept, judged)
    if not judged.holds:
        raise PlannerFailed(f"its tours do not hold ({', '.join(sorted({wrong.why for wrong in judged.wrong}))})")
    return judged


def _balanced(problem: TourProblem, judged: Checked) -> TourProblem:
    """Make time beyond an equal share dear: what all tours together take, for each van."""
    share_s = sum(timed.end_s - timed.start_s for timed in judged.timed) // max(len(problem.vehicles), 1)
    dearest = max(1, *(vehicle.cost_per_s for vehicle in problem.vehicles))
    vehicles = [replace(vehicle, overtime=(share_s, 10 * dearest)) for vehicle in problem.vehicles]
    return replace(problem, vehicles=vehicles)


async def _like_drivers(pool: Pool, row: TourPlanRow, kept: KeptProblem, judged: Checked) -> Checked:
    since = pool.clock.now() - timedelta(days=HABIT_DAYS)
    past = await plans.past_tours(pool, account_id=row.account_id, since=since, at_most=MOST_TOURS)
    origin = kept.labels.lon[0], kept.labels.lat[0]
    tours = [
        Past(places=np.column_stack(project(one["lon"], one["lat"], *origin)), names=tuple(one["names"]))
        for one in past
    ]
    places = np.column_stack(project(kept.labels.lon, kept.labels.lat, *origin))
    return await asyncio.to_thread(_reordered, kept.problem, judged, tours, places, kept.labels.orders)


def _reordered(
    problem: TourProblem, judged: Checked, past: Sequence[Past], places: np.ndarray, names: Sequence[str]
) -> Checked:
    """Order each tour as the drivers would, where that holds and is hardly dearer."""
    tours: list[VanTour] = []
    for timed in judged.timed:
        tour, vehicle = timed.tour, problem.vehicles[timed.tour.vehicle]
        at = [problem.jobs[job].place for job in tour.jobs]
        said = votes(past, places[at], [names[job] for job in tour.jobs])
        drive_m = np.zeros((len(at) + 2, len(at) + 2))
        drive_m[:-2, :-2] = problem.distance_m[np.ix_(at, at)]
        if vehicle.start is not None:
            drive_m[-2, :-2] = problem.distance_m[vehicle.start, at]
        if vehicle.end is not None:
            drive_m[:-2, -1] = problem.distance_m[at, vehicle.end]
        order = like_drivers(drive_m, said, np.arange(len(at)))
        other = replace(tour, jobs=tuple(tour.jobs[row] for row in order.tolist()))
        then, wrong = time_tour(problem, other)
        tours.append(other if not wrong and then.cost <= DEARER * timed.cost else tour)
    return check(problem, tours)
