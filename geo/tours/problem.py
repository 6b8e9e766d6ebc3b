"""What a planner is asked: who can drive, what is to be done, and what it costs to come from one place to another.

Problem ──► an engine (work.planning) ──► Tours ──► geo.tours.check ──► Timed tours, or what does not hold
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from geo.tours.numbers import FOREVER, MOST_LOADS

Matrix: TypeAlias = NDArray[np.int64]
"""(p, p) whole numbers: from each place (row) to each place (column). Never taken for symmetric."""

Window: TypeAlias = tuple[int, int]
"""First and last moment, both included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TourJob:
    """One visit to make.

    Attributes:
        place: row of the matrices.
        service_s: how long it takes there, >= 0.
        windows: the service begins in one of them, ascending and apart; empty: any time.
        delivery: what is handed over, one number a dimension; aboard since the start of the tour, or since `after`.
        pickup: what is taken along, to the end of the tour or to the job that names this one as `after`.
        skills: what the vehicle must be able to do.
        after: an earlier job of the same tour, by its row in the problem; None where it depends on none.
        vehicles: only these may do it, by their rows; None: any.
        drop_cost: what it costs, in the unit of costs, to leave it out; None: it must be done.
        ready_s: the tour that does it leaves no earlier.
    """

    place: int
    service_s: int = 0
    windows: tuple[Window, ...] = ()
    delivery: tuple[int, ...] = ()
    pickup: tuple[int, ...] = ()
    skills: frozenset[str] = frozenset()
    after: int | None = None
    vehicles: frozenset[int] | None = None
    drop_cost: int | None = None
    ready_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TourBreak:
    """A rest that begins within [earliest_s, latest_s], between two visits, wherever the van is."""

    earliest_s: int
    latest_s: int
    duration_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TourVan:
    """A van on one shift.

    Attributes:
        start, end: rows of the matrices; None: it begins at its first visit, ends at its last.
        shift: leaves no earlier and is back no later.
        longest_s: from leaving to being back; None: as long as the shift.
        farthest_m: metres of its tour; None: any.
        capacity: one number a dimension.
        skills: what it can do.
        breaks: in their order.
        fixed_cost: of using it at all.
        cost_per_m, cost_per_s: of its driving, and of its time from leaving to being back.
        pace: seconds it drives for each second of the matrix, in per cent; 100 for a van like all.
        overtime: (seconds from leaving after which a second costs more, how much more); None: none does.
        aboard: what it carries already, for tours that begin on the way; one number a dimension.
    """

    start: int | None
    end: int | None
    shift: Window = (0, FOREVER)
    longest_s: int | None = None
    farthest_m: int | None = None
    capacity: tuple[int, ...] = ()
    skills: frozenset[str] = frozenset()
    breaks: tuple[TourBreak, ...] = ()
    fixed_cost: int = 0
    cost_per_m: int = 1
    cost_per_s: int = 0
    pace: int = 100
    overtime: tuple[int, int] | None = None
    aboard: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TourProblem:
    """Everything a planner needs to know.

    Attributes:
        duration_s: seconds of driving.
        distance_m: metres of driving.
        soft_m: metres that a drive is held to be longer, for reasons that are not on the road (habits, yesterday's
            plan); None: for none. They steer, and are in no figure that is told.
        jobs, vehicles: rows; other rows name them.
    """

    duration_s: Matrix
    distance_m: Matrix
    jobs: Sequence[TourJob]
    vehicles: Sequence[TourVan]
    soft_m: Matrix | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VanTour:
    """One vehicle's visits.

    Attributes:
        vehicle: its row.
        jobs: rows of the visits, in their order.
        breaks: for each break of the vehicle, how many visits come before it.
    """

    vehicle: int
    jobs: tuple[int, ...]
    breaks: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TourAnswer:
    """What an engine found.

    Attributes:
        tours: at most one a vehicle; a vehicle without one stays where it is.
        rounds: how often the engine went around; tells two machines apart, nothing else.
    """

    tours: tuple[VanTour, ...]
    rounds: int = 0
    extra: dict[str, Any] = field(default_factory=dict)


class Nonsense(ValueError):  # noqa: N818 (it reads better where it is raised)
    """A problem that no planner can be asked; the text is a sentence."""


def require_sense(problem: TourProblem) -> None:
    """Refuse a problem whose numbers do not belong together.

    Raises:
        Nonsense: says the first thing that is wrong.
    """
    places = len(problem.duration_s)
    for name, matrix in (
        ("durations", problem.duration_s),
        ("distances", problem.distance_m),
        ("soft costs", problem.soft_m),
    ):
        if matrix is None:
            continue
        if matrix.shape != (places, places) or matrix.dtype != np.int64:
            raise Nonsense(f"the matrix of {name} is not {places} times {places} whole numbers")
        if places and (matrix.min() < 0 or matrix.max() >= FOREVER):
            raise Nonsense(f"the matrix of {name} has a number below 0 or beyond all measure")
    loads = {len(one) for job in problem.jobs for one in (job.delivery, job.pickup)}
    loads |= {len(vehicle.capacity) for vehicle in problem.vehicles}
    if max(loads, default=0) > MOST_LOADS:
        raise Nonsense(f"a load has at most {MOST_LOADS} dimensions")
    for row, job in enumerate(problem.jobs):
        _require_job(problem, row, job, places)
    for row, vehicle in enumerate(problem.vehicles):
        _require_vehicle(row, vehicle, places)


def _require_job(problem: TourProblem, row: int, job: TourJob, places: int) -> None:
    if not 0 <= job.place < places:
        raise Nonsense(f"job {row} is at place {job.place}, and there are {places}")
    if not 0 <= job.service_s < FOREVER:
        raise Nonsense(f"job {row} takes {job.service_s} s")
    if any(load < 0 for load in (*job.delivery, *job.pickup)):
        raise Nonsense(f"job {row} has a load below 0")
    before = -1
    for start, end in job.windows:
        if not before < start <= end or start < 0:
            raise Nonsense(f"the windows of job {row} are not ascending and apart")
        before = end
    if job.after is not None and (not 0 <= job.after < len(problem.jobs) or job.after == row):
        raise Nonsense(f"job {row} comes after job {job.after}, and there are {len(problem.jobs)}")


def _require_vehicle(row: int, vehicle: TourVan, places: int) -> None:
    if any(place is not None and not 0 <= place < places for place in (vehicle.start, vehicle.end)):
        raise Nonsense(f"vehicle {row} starts or ends at a place that there is not")
    if not 0 <= vehicle.shift[0] <= vehicle.shift[1]:
        raise Nonsense(f"the shift of vehicle {row} ends before it begins")
    numbers = (*vehicle.capacity, *vehicle.aboard, vehicle.fixed_cost, vehicle.cost_per_m, vehicle.cost_per_s)
    if any(number < 0 for number in numbers) or vehicle.pace <= 0:
        raise Nonsense(f"vehicle {row} has a number below 0")


def loads_of(problem: TourProblem) -> int:
    """Tell how many dimensions a load has: as many as the vehicle that counts most."""
    return max((len(vehicle.capacity) for vehicle in problem.vehicles), default=0)


def padded(load: tuple[int, ...], dimensions: int) -> list[int]:
    """Give a load with zeros for the dimensions it does not name."""
    return [*load, *[0] * (dimensions - len(load))][:dimensions]


def drive_s(problem: TourProblem, vehicle: TourVan, start: int | None, end: int | None) -> int:
    """Tell how long a vehicle drives from one place to another, whole seconds, rounded up; 0 from or to nowhere."""
    if start is None or end is None:
        return 0
    return -(-int(problem.duration_s[start, end]) * vehicle.pace // 100)
