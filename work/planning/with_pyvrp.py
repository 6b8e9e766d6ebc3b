"""Tours by PyVRP: loads, windows, depots, pickups before deliveries, skills; no breaks.

Its defaults are tuned for hours. What is set otherwise here, and why, is in docs/howto/planning.md.
"""

import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from pyvrp import (
    Activity,
    ActivityType,
    Client,
    ClientGroup,
    Depot,
    IteratedLocalSearch,
    IteratedLocalSearchParams,
    Location,
    PenaltyManager,
    PenaltyParams,
    ProblemData,
    RandomNumberGenerator,
    Route,
    Shipment,
    Solution,
    VehicleType,
)
from pyvrp.exceptions import PenaltyBoundWarning
from pyvrp.search import (
    OPERATORS,
    LocalSearch,
    NeighbourhoodParams,
    PerturbationManager,
    PerturbationParams,
    compute_neighbours,
)

from geo.pings import Bools, Floats, Ints
from geo.tours.numbers import FOREVER
from geo.tours.problem import Matrix, TourAnswer, TourJob, TourProblem, TourVan, VanTour, loads_of, padded
from geo.tours.sequence import on_to_nearest, short, shorter
from work.planning.protocol import PlanAsked

NEVER = 1 << 26
"""Metres and seconds of a drive that must not be: more than any tour has, so that no other gain pays for it."""

SIGN_S = 0.5
"""How often it says how far it is."""


@dataclass(slots=True, eq=False)
class _Model:
    """The problem in PyVRP's words, and the way back."""

    data: ProblemData
    job_of_client: list[int]
    jobs_of_shipment: list[tuple[int, int]]
    vehicles_of_type: list[list[int]]


def solve(asked: PlanAsked, say: Callable[[float, int | None], None], began_s: float) -> TourAnswer:
    """Search until the time is over.

    Args:
        say: is told now and then which part of the time is over, and the cost of the best so far.
        began_s: `time.monotonic()` when the clock of the limit began.
    """
    model = _model(asked.problem)
    if not model.job_of_client and not model.jobs_of_shipment:
        return TourAnswer(tours=())
    data = model.data
    rng = RandomNumberGenerator(seed=asked.seed)
    drive = _drives_of_one_van(asked.problem)
    near = NeighbourhoodParams() if drive is None else NeighbourhoodParams(num_neighbours=NEAR_IN_TURN)
    changes = PerturbationParams() if drive is None else PerturbationParams(*CHANGED_IN_TURN)
    search = LocalSearch(data, rng, compute_neighbours(data, near), PerturbationManager(changes))
    for operator in OPERATORS:
        if operator.supports(data):
            search.add_operator(operator(data))
    penalties = PenaltyManager(_first_penalties(asked.problem), PenaltyParams(solutions_between_updates=OFTEN))
    start = asked.start or (() if drive is None else (VanTour(vehicle=0, jobs=tuple(short(drive).tolist())),))
    begun = _begun(model, start) if start else Solution.make_random(data, rng)
    first = search(begun, penalties.max_cost_evaluator(), exhaustive=True)
    stop = _Stop(began_s + asked.limit_s, began_s, asked.patience, say)
    runs = _Runs(model=model, search=search, penalties=penalties)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PenaltyBoundWarning)
        settling = _AtMost(SETTLING, stop)
        settled = runs.on(first, settling) if drive is None else runs.in_turns(first, drive, settling)
        runs.penalties = PenaltyManager(penalties.penalties(), PenaltyParams())
        best = runs.on(settled, stop) if drive is None else runs.elsewhere(settled, drive, stop)
    return TourAnswer(tours=tuple(_tours(model, best)), rounds=runs.rounds)


@dataclass(slots=True, eq=False)
class _Runs:
    """Goes around from answers to better ones; `rounds`: how often it did.

    What is moved here inside of a tour is two visits at most. So a tour of one van is searched in short runs at first,
    and stretches of it are moved between them; with the time that is left it is begun elsewhere, since short runs dare
    too little to leave a good tour for a better one.
    """

    model: _Model
    search: LocalSearch
    penalties: PenaltyManager
    rounds: int = 0

    def on(self, best: Solution, stop: "_Stop | _AtMost") -> Solution:
        """Search until it is to stop."""
        settings = IteratedLocalSearchParams(history_length=HISTORY)
        algorithm = IteratedLocalSearch(self.model.data, self.penalties, self.search, best, settings)
        result = algorithm.run(stop, collect_stats=False)
        self.rounds += result.num_iterations
        return result.best

    def in_turns(self, best: Solution, drive: Floats, stop: "_AtMost") -> Solution:
        """Search a tour of one van in short runs until it is to stop."""
        while True:
            best = self.on(best, _AtMost(TURN, stop))
            if stop.is_over:
                return best
            tours = _tours(self.model, best)
            if tours and len(tours[0].jobs) == len(drive) - 2:
                best = self._better(best, self._in_order(shorter(drive, np.array(tours[0].jobs, np.int64))))

    def elsewhere(self, best: Solution, drive: Floats, stop: "_Stop") -> Solution:
        """Search from another beginning until it is to stop; give what is better in the end."""
        if stop.is_over:
            return best
        begun = self._in_order(shorter(drive, on_to_nearest(drive)))
        return self._better(
            best, self.on(self.search(begun, self.penalties.max_cost_evaluator(), exhaustive=True), stop)
        )

    def _in_order(self, order: Ints) -> Solution:
        return _begun(self.model, [VanTour(vehicle=0, jobs=tuple(order.tolist()))])

    def _better(self, one: Solution, other: Solution) -> Solution:
        cost = self.penalties.cost_evaluator().cost
        return other if cost(other) < cost(one) else one


def _drives_of_one_van(problem: TourProblem) -> Floats | None:
    """Give what each drive costs a single van, as `geo.tours.sequence` has it; None where its order is not all."""
    if len(problem.vehicles) != 1 or len(problem.jobs) > MOST_IN_TURN:
        return None
    if any(job.after is not None for job in problem.jobs):
        return None
    (van,), count = problem.vehicles, len(problem.jobs)
    metres = problem.distance_m + (0 if problem.soft_m is None else problem.soft_m)
    cost = van.cost_per_m * metres + van.cost_per_s * problem.duration_s * van.pace / 100
    at = np.array([job.place for job in problem.jobs])
    drive = np.zeros((count + 2, count + 2))
    drive[:-2, :-2] = cost[np.ix_(at, at)]
    if van.start is not None:
        drive[-2, :-2] = cost[van.start, at]
    if van.end is not None:
        drive[:-2, -1] = cost[at, van.end]
    return drive


class _Stop:
    """Ends the search, and tells how far it is."""

    def __init__(
        self, until_s: float, began_s: float, patience: int | None, say: Callable[[float, int | None], None]
    ) -> None:
        self._until_s, self._began_s, self._patience, self._say = until_s, began_s, patience, say
        self._said_s = began_s
        self._best: float | None = None
        self._since = 0
        self.is_over = False

    def __call__(self, best_cost: float) -> bool:
        now_s = time.monotonic()
        if self._best is None or best_cost < self._best:
            self._best, self._since = best_cost, 0
        self._since += 1
        if now_s - self._said_s >= SIGN_S:
            self._said_s = now_s
            part = (now_s - self._began_s) / max(self._until_s - self._began_s, 1e-9)
            self._say(min(part, 1.0), int(self._best) if self._best < FOREVER * 1000 else None)
        self.is_over = now_s >= self._until_s or (self._patience is not None and self._since > self._patience)
        return self.is_over


class _AtMost:
    """Ends after so many rounds, or sooner where another one does."""

    def __init__(self, rounds: int, stop: "_Stop | _AtMost") -> None:
        self._left, self._stop = rounds, stop
        self.is_over = False

    def __call__(self, best_cost: float) -> bool:
        self._left -= 1
        self.is_over = self._stop(best_cost) or self._left < 0
        return self.is_over


def _first_penalties(problem: TourProblem) -> tuple[list[float], float, float]:
    """Say what a unit of load too much, a second too late and a metre too far cost at first.

    PyVRP begins in the middle of its range, at 50,000, and comes down by a tenth every 500 rounds: on a delivery day
    that takes it half a minute in which it dares nothing. These are of the size that it comes down to.
    """
    vehicle_m = max((vehicle.cost_per_m for vehicle in problem.vehicles), default=1)
    vehicle_s = max((vehicle.cost_per_s for vehicle in problem.vehicles), default=0)
    drive_m, drive_s = float(problem.distance_m.mean()), float(problem.duration_s.mean())
    drive_cost = max(1.0, vehicle_m * drive_m + vehicle_s * drive_s)
    loads = []
    for dimension in range(loads_of(problem)):
        both = ((padded(job.delivery, dimension + 1), padded(job.pickup, dimension + 1)) for job in problem.jobs)
        moved = [max(given[-1], taken[-1]) for given, taken in both]
        loads.append(LOAD_SHARE * drive_cost / max(float(np.mean(moved)), 1.0))
    return loads, max(1.0, LATE_SHARE * drive_cost / max(drive_s, 1.0)), max(1.0, float(vehicle_m))


LATE_SHARE, LOAD_SHARE = 1.0, 0.07
"""How dear, at first, a second too late is against one of driving, and an order's load too much against a drive."""

SETTLING, OFTEN = 1_000, 50
"""At first, penalties are changed every 50 rounds instead of 500, for so many rounds: where they begin too low, nothing
that holds is found until they have risen, and 500 stops on a busy core have some hundred rounds a second."""

TURN, MOST_IN_TURN = 15, 300
"""Rounds of a tour of one van before stretches of it are moved, and how many visits it may have: 300 take a second."""

NEAR_IN_TURN, CHANGED_IN_TURN = 30, (3, 30)
"""Visits that one of a single van is tried beside, and how many are changed at first in a round, at least and at most:
fewer and more than the defaults of 50 and 1 to 25, which are for many vans. Half a second has some 200 rounds."""

HISTORY = 100
"""Rounds after which a worse answer must be better than one that was taken then; shorter than the default of 300, since
in half a minute there are some 40,000 rounds."""


def _model(problem: TourProblem) -> _Model:
    dimensions = loads_of(problem)
    depot_of: dict[int, int] = {}  # -1: nowhere, from and to which no drive takes time
    for vehicle in problem.vehicles:
        for place in (vehicle.start, vehicle.end):
            depot_of.setdefault(-1 if place is None else place, len(depot_of))
    first_job = len(depot_of)
    places = [*depot_of, *(job.place for job in problem.jobs)]
    visits = _visits(problem.jobs, first_job, dimensions)
    profiles, types, vehicles_of_type = _fleet(problem, depot_of, dimensions)
    at = np.array(places, np.int64)
    metres = problem.distance_m + (0 if problem.soft_m is None else problem.soft_m)
    matrices = [_matrices(problem, metres, at, first_job, pace, allowed) for pace, allowed in profiles]
    data = ProblemData(
        [Location(0, 0) for _ in places],
        visits.clients,
        [Depot(location=row) for row in range(first_job)],
        types,
        [distance for distance, _ in matrices],  # type: ignore[misc]  # its stubs take an array's shape for a type
        [duration for _, duration in matrices],  # type: ignore[misc]
        visits.groups,
        visits.shipments,
    )
    return _Model(data, visits.job_of_client, visits.jobs_of_shipment, vehicles_of_type)


@dataclass(slots=True, eq=False)
class _Visits:
    """Jobs in PyVRP's words: one client a window, and pickups with their deliveries."""

    clients: list[Client] = field(default_factory=list)
    groups: list[ClientGroup] = field(default_factory=list)
    shipments: list[Shipment] = field(default_factory=list)
    job_of_client: list[int] = field(default_factory=list)
    jobs_of_shipment: list[tuple[int, int]] = field(default_factory=list)


def _visits(jobs: Sequence[TourJob], first_job: int, dimensions: int) -> _Visits:
    after = {job.after: row for row, job in enumerate(jobs) if job.after is not None}
    found = _Visits()
    for row, job in enumerate(jobs):
        if row in after:
            partner = jobs[after[row]]
            found.shipments.append(_shipment(job, partner, first_job + row, first_job + after[row], dimensions))
            found.jobs_of_shipment.append((row, after[row]))
        elif job.after is None:
            made = _clients(job, first_job + row, dimensions, len(found.groups))
            if len(made) > 1:
                rows = list(range(len(found.clients), len(found.clients) + len(made)))
                found.groups.append(ClientGroup(rows, required=job.drop_cost is None))
            found.clients += made
            found.job_of_client += [row] * len(made)
    return found


def _clients(job: TourJob, location: int, dimensions: int, group: int) -> list[Client]:
    windows = job.windows or ((0, FOREVER),)
    return [
        Client(
            location=location,
            delivery=padded(job.delivery, dimensions),
            pickup=padded(job.pickup, dimensions),
            service_duration=job.service_s,
            tw_early=first_s,
            tw_late=last_s,
            release_time=min(job.ready_s, last_s),
            prize=job.drop_cost or 0,
            required=job.drop_cost is None and len(windows) == 1,
            group=group if len(windows) > 1 else None,
        )
        for first_s, last_s in windows
    ]


def _shipment(taken: TourJob, given: TourJob, pickup: int, delivery: int, dimensions: int) -> Shipment:
    (from_s, to_s), (then_s, at_last_s) = (job.windows[0] if job.windows else (0, FOREVER) for job in (taken, given))
    drop = [job.drop_cost for job in (taken, given)]
    return Shipment(
        pickup,
        delivery,
        pickup_tw_early=from_s,
        pickup_tw_late=to_s,
        pickup_service_duration=taken.service_s,
        delivery_tw_early=then_s,
        delivery_tw_late=at_last_s,
        delivery_service_duration=given.service_s,
        amount=padded(given.delivery, dimensions),
        prize=sum(one or 0 for one in drop),
        required=any(one is None for one in drop),
    )


def _fleet(
    problem: TourProblem, depot_of: dict[int, int], dimensions: int
) -> tuple[list[tuple[int, Bools]], list[VehicleType], list[list[int]]]:
    """Put vehicles that are alike together: their matrices (pace, jobs they may do), their types, their rows."""
    profiles: dict[tuple[int, bytes], int] = {}
    masks: list[tuple[int, Bools]] = []
    rows_of: defaultdict[tuple[TourVan, int], list[int]] = defaultdict(list)
    for row, vehicle in enumerate(problem.vehicles):
        allowed = np.array([_may(vehicle, row, job) for job in problem.jobs], np.bool_)
        key = (vehicle.pace, allowed.tobytes())
        if key not in profiles:
            profiles[key] = len(masks)
            masks.append((vehicle.pace, allowed))
        rows_of[(replace(vehicle, skills=frozenset()), profiles[key])].append(row)
    types = [_type(vehicle, profile, len(rows), depot_of, dimensions) for (vehicle, profile), rows in rows_of.items()]
    return masks, types, list(rows_of.values())


def _may(vehicle: TourVan, row: int, job: TourJob) -> bool:
    return job.skills <= vehicle.skills and (job.vehicles is None or row in job.vehicles)


def _type(vehicle: TourVan, profile: int, count: int, depot_of: dict[int, int], dimensions: int) -> VehicleType:
    longest_s = vehicle.longest_s if vehicle.longest_s is not None else FOREVER
    more: dict[str, Any] = {}
    shift_s = longest_s
    if vehicle.overtime and vehicle.overtime[0] < longest_s:
        shift_s = vehicle.overtime[0]
        more = {"max_overtime": longest_s - shift_s, "unit_overtime_cost": vehicle.overtime[1]}
    if vehicle.farthest_m is not None:
        more["max_distance"] = vehicle.farthest_m
    return VehicleType(
        count,
        padded(vehicle.capacity, dimensions),
        start_depot=depot_of[-1 if vehicle.start is None else vehicle.start],
        end_depot=depot_of[-1 if vehicle.end is None else vehicle.end],
        fixed_cost=vehicle.fixed_cost,
        tw_early=vehicle.shift[0],
        tw_late=vehicle.shift[1],
        shift_duration=shift_s,
        unit_distance_cost=vehicle.cost_per_m,
        unit_duration_cost=vehicle.cost_per_s,
        profile=profile,
        initial_load=padded(vehicle.aboard, dimensions) if vehicle.aboard else [],
        **more,
    )


def _matrices(
    problem: TourProblem, metres: Matrix, at: Matrix, first_job: int, pace: int, allowed: Bools
) -> tuple[Matrix, Matrix]:
    nowhere = at < 0
    both = np.ix_(at, at)
    distance, duration = metres[both], problem.duration_s[both]
    if pace != 100:
        duration = -(-duration * pace // 100)
    for matrix in (distance, duration):
        matrix[nowhere, :] = 0
        matrix[:, nowhere] = 0
        matrix[:, first_job:][:, ~allowed] = NEVER
        np.fill_diagonal(matrix, 0)
    return distance, duration


def _begun(model: _Model, tours: Sequence[VanTour]) -> Solution:
    type_of = {row: kind for kind, rows in enumerate(model.vehicles_of_type) for row in rows}
    client_of: dict[int, int] = {}
    for client, job in enumerate(model.job_of_client):
        client_of.setdefault(job, client)
    step_of = {
        job: (kind, row)
        for row, pair in enumerate(model.jobs_of_shipment)
        for job, kind in zip(pair, _STEPS, strict=True)
    }
    routes = []
    for tour in tours:
        steps = [
            Activity(ActivityType.CLIENT, client_of[job]) if job in client_of else Activity(*step_of[job])
            for job in tour.jobs
        ]
        if steps:
            routes.append(Route(model.data, steps, type_of[tour.vehicle]))
    return Solution(model.data, routes)


_STEPS = (ActivityType.PICKUP, ActivityType.DELIVERY)


def _tours(model: _Model, solution: Solution) -> list[VanTour]:
    free = [list(rows) for rows in model.vehicles_of_type]
    tours = []
    for route in solution.routes():
        jobs = []
        for step in route:
            if step.is_client():
                jobs.append(model.job_of_client[step.idx])
            elif step.is_pickup():
                jobs.append(model.jobs_of_shipment[step.idx][0])
            elif step.is_delivery():
                jobs.append(model.jobs_of_shipment[step.idx][1])
        if jobs:
            tours.append(VanTour(vehicle=free[route.vehicle_type()].pop(0), jobs=tuple(jobs)))
    return tours
