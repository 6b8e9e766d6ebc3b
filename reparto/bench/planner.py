"""What the planner at hand makes of a made-up day in a fixed time."""

import time

import msgspec
import numpy as np

from geo.tours.problem import TourJob, TourProblem, TourVan
from work.planning.process import PlannerProcess, plan

_JOBS, _VANS, _SEED = 300, 12, 1
_ACROSS_M, _DETOUR, _SPEED_MPS, _SERVICE_S, _SHIFT_S = 15_000, 1.35, 8.0, 180, 9 * 3600


class PlannerOut(msgspec.Struct, frozen=True, kw_only=True):
    """What one plan gave.

    Attributes:
        rounds_per_s: how often the engine went around, a second.
        cost: of the tours, metres; only compared with that of another planner in the same time.
    """

    jobs: int
    took_s: float
    rounds_per_s: float
    cost: int


async def measure_planner(seconds: float) -> PlannerOut:
    """Plan a day of 300 stops and twelve vans.

    Raises:
        PlannerFailed: the extra `plan` is not installed, or there are no tours that hold.
    """
    async with PlannerProcess.started() as planner:
        problem = _made_up()
        began_s = time.perf_counter()
        answer, judged = await plan(problem, planner, limit_s=seconds, seed=_SEED)
        took_s = time.perf_counter() - began_s
    return PlannerOut(
        jobs=_JOBS,
        took_s=took_s,
        rounds_per_s=answer.rounds / took_s,
        cost=sum(timed.distance_m for timed in judged.timed),
    )


def _made_up() -> TourProblem:
    dice = np.random.default_rng(_SEED)
    places = dice.uniform(0, _ACROSS_M, (_JOBS + 1, 2))
    distance_m = np.rint(_DETOUR * np.linalg.norm(places[:, None] - places[None], axis=2)).astype(np.int64)
    jobs = [
        TourJob(place=place, service_s=_SERVICE_S, windows=((early, early + 4 * 3600),), delivery=(1,))
        for place, early in enumerate(dice.integers(0, 5 * 3600, _JOBS).tolist(), start=1)
    ]
    van = TourVan(start=0, end=0, shift=(0, _SHIFT_S), capacity=(_JOBS // _VANS + 10,))
    duration_s = np.rint(distance_m / _SPEED_MPS).astype(np.int64)
    return TourProblem(duration_s=duration_s, distance_m=distance_m, jobs=jobs, vehicles=[van] * _VANS)
