"""Tours by VROOM: what PyVRP cannot (breaks, several windows of pickups). It holds Python's lock all the time."""

import math
import time
from collections.abc import Callable
from datetime import timedelta

import numpy as np
import vroom

from geo.tours.check import place_breaks, time_tour
from geo.tours.problem import TourAnswer, TourBreak, TourJob, TourProblem, VanTour, Window, loads_of, padded
from work.planning.protocol import PlanAsked

EXPLORATION = 5
"""VROOM's own measure of thoroughness, 0 to 5."""

_LATEST_S, _NOWHERE = (1 << 31) - 1, int(np.iinfo(np.uint32).max)


def solve(asked: PlanAsked, say: Callable[[float, int | None], None], began_s: float) -> TourAnswer:
    """Search once; see `work.planning.with_pyvrp.solve`."""
    problem = asked.problem
    say(0.0, None)
    left_s = max(asked.limit_s - (time.monotonic() - began_s), 0.1)
    found = _input(problem).solve(EXPLORATION, 1, timedelta(seconds=left_s))
    rows: dict[int, list[int]] = {}
    for step in found.routes.to_dict("records"):
        if step["type"] in ("job", "pickup", "delivery"):
            rows.setdefault(int(step["vehicle_id"]), []).append(int(step["id"]))
    tours: list[VanTour] = []
    for vehicle, jobs in rows.items():
        tours.append(place_breaks(problem, vehicle, tuple(jobs)))
    say(1.0, sum(time_tour(problem, tour)[0].cost for tour in tours))
    return TourAnswer(tours=tuple(tours))


def _input(problem: TourProblem) -> vroom.Input:
    given = vroom.Input()
    _add_matrices(given, problem)
    dimensions = loads_of(problem)
    skills = {name: number for number, name in enumerate(sorted({s for j in problem.jobs for s in j.skills}))}
    pinned = {
        job.vehicles: len(skills) + number
        for number, job in enumerate({job.vehicles: job for job in problem.jobs if job.vehicles is not None}.values())
    }
    for row, vehicle in enumerate(problem.vehicles):
        can = {skills[name] for name in vehicle.skills if name in skills}
        can |= {number for rows, number in pinned.items() if rows is not None and row in rows}
        given.add_vehicle(
            vroom.Vehicle(
                row,
                start=vehicle.start,
                end=vehicle.end,
                profile=f"pace {vehicle.pace}",
                capacity=_free(vehicle.capacity, vehicle.aboard, dimensions),
                skills=can,
                time_window=vroom.TimeWindow(*_window(vehicle.shift)),
                breaks=[_break(number, one) for number, one in enumerate(vehicle.breaks)],
                costs=vroom.VehicleCosts(fixed=min(vehicle.fixed_cost, _LATEST_S)),
                max_distance=vehicle.farthest_m if vehicle.farthest_m is not None else _NOWHERE,
            )
        )
    _add_jobs(given, problem, dimensions, skills, pinned)
    return given


def _add_matrices(given: vroom.Input, problem: TourProblem) -> None:
    """Give the matrices of each pace; costs are scaled into VROOM's 32 bits."""
    metres = problem.distance_m + (0 if problem.soft_m is None else problem.soft_m)
    for name in {vehicle.pace for vehicle in problem.vehicles}:
        profile = f"pace {name}"
        duration = np.minimum(-(-problem.duration_s * name // 100), _NOWHERE // 4)
        given.set_durations_matrix(profile, duration.astype(np.uint32))
        given.set_distances_matrix(profile, np.minimum(problem.distance_m, _NOWHERE // 4).astype(np.uint32))
        cost = metres * max(one.cost_per_m for one in problem.vehicles)
        cost += duration * max(one.cost_per_s for one in problem.vehicles)
        scale = max(1, int(cost.max(initial=0)) // (_NOWHERE // 1000))
        given.set_costs_matrix(profile, (cost // scale).astype(np.uint32))


def _add_jobs(
    given: vroom.Input,
    problem: TourProblem,
    dimensions: int,
    skills: dict[str, int],
    pinned: dict[frozenset[int] | None, int],
) -> None:
    dearest = max((job.drop_cost or 0 for job in problem.jobs), default=0)
    partner = {job.after: row for row, job in enumerate(problem.jobs) if job.after is not None}
    for row, job in enumerate(problem.jobs):
        if job.after is not None:
            continue
        need = {skills[name] for name in job.skills}
        if job.vehicles is not None:
            need.add(pinned[job.vehicles])
        priority = 100 if job.drop_cost is None else math.floor(99 * job.drop_cost / max(dearest, 1))
        if row in partner:
            other = problem.jobs[partner[row]]
            steps = [
                vroom.ShipmentStep(at, one.place, default_service=one.service_s, time_windows=_windows(one))
                for at, one in ((row, job), (partner[row], other))
            ]
            amount = vroom.Amount(padded(other.delivery, dimensions))
            given.add_shipment(*steps, amount=amount, skills=need, priority=priority)
        else:
            given.add_job(
                vroom.Job(
                    row,
                    job.place,
                    default_service=job.service_s,
                    delivery=vroom.Amount(padded(job.delivery, dimensions)),
                    pickup=vroom.Amount(padded(job.pickup, dimensions)),
                    skills=need,
                    priority=priority,
                    time_windows=_windows(job),
                )
            )


def _break(number: int, meant: TourBreak) -> vroom.Break:
    window = vroom.TimeWindow(*_window((meant.earliest_s, meant.latest_s)))
    return vroom.Break(number, time_windows=[window], service=meant.duration_s)


def _windows(job: TourJob) -> list[vroom.TimeWindow]:
    return [vroom.TimeWindow(*_window(window)) for window in job.windows]


def _window(window: Window) -> Window:
    return min(window[0], _LATEST_S), min(window[1], _LATEST_S)


def _free(capacity: tuple[int, ...], aboard: tuple[int, ...], dimensions: int) -> list[int]:
    taken = padded(aboard, dimensions)
    return [max(0, room - load) for room, load in zip(padded(capacity, dimensions), taken, strict=True)]
