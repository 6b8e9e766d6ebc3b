"""The checker: times every tour again, from the problem alone, and says what does not hold. No engine is believed.

A tour leaves as late as it can without coming back later; a visit begins when the van is there and a window is open.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from geo.tours.numbers import FOREVER
from geo.tours.problem import TourJob, TourProblem, TourVan, VanTour, Window, drive_s, loads_of, padded

Why: TypeAlias = Literal[
    "late", "overloaded", "skill", "order", "shift_end", "too_long", "too_far", "break", "vehicle", "twice", "left_out"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """Something that does not hold.

    Attributes:
        why: in one word.
        tour: its row; None where it concerns none.
        job: the visit, by its row in the problem; None where it is the whole tour.
        by: how much: seconds late, units of load too much, metres too far; 0 where it cannot be counted.
    """

    why: Why
    tour: int | None
    job: int | None = None
    by: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedVisit:
    """One visit in time, seconds: there, service begins, leaves."""

    job: int
    arrive_s: int
    begin_s: int
    depart_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """A tour in time.

    Attributes:
        start_s, end_s: leaves, is back (or done with the last visit where the tour ends open).
        drive_s, wait_s, distance_m: summed up.
        rests: (begin, end) of the breaks.
        cost: in the problem's unit.
    """

    tour: VanTour
    visits: tuple[TimedVisit, ...]
    rests: tuple[Window, ...]
    start_s: int
    end_s: int
    drive_s: int
    wait_s: int
    distance_m: int
    cost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Tours in time, and everything about them that does not hold; `left_out`: jobs on no tour, which may be."""

    timed: tuple[Timed, ...]
    wrong: tuple[Wrong, ...]
    left_out: tuple[int, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.wrong


def check(problem: TourProblem, tours: Sequence[VanTour]) -> Checked:
    """Time tours and hold them against everything the problem asks."""
    timed, wrong = [], []
    seen = Counter(job for tour in tours for job in tour.jobs)
    vehicles = Counter(tour.vehicle for tour in tours)
    for row, tour in enumerate(tours):
        unknown = [job for job in tour.jobs if not 0 <= job < len(problem.jobs)]
        if unknown or not 0 <= tour.vehicle < len(problem.vehicles) or vehicles[tour.vehicle] > 1:
            wrong.append(Wrong(why="vehicle", tour=row))
            continue
        one, mistakes = time_tour(problem, tour, row)
        timed.append(one)
        wrong += mistakes
    missing = [row for row in range(len(problem.jobs)) if row not in seen]
    wrong += _miscounted(problem, seen, missing)
    return Checked(timed=tuple(timed), wrong=tuple(wrong), left_out=tuple(missing))


def _miscounted(problem: TourProblem, seen: Counter[int], missing: Sequence[int]) -> Iterator[Wrong]:
    for job, times in seen.items():
        if times > 1:
            yield Wrong(why="twice", tour=None, job=job)
    for row in missing:
        if problem.jobs[row].drop_cost is None:
            yield Wrong(why="left_out", tour=None, job=row)


def time_tour(problem: TourProblem, tour: VanTour, row: int = 0) -> tuple[Timed, list[Wrong]]:
    """Time one tour; give what does not hold too. `row` is what the mistakes name it."""
    vehicle = problem.vehicles[tour.vehicle]
    first_s = max([vehicle.shift[0], *(problem.jobs[job].ready_s for job in tour.jobs)])
    early = _run(problem, tour, first_s)
    timed = early
    if (room := _room_s(problem, early)) > 0:
        late = _run(problem, tour, first_s + room)
        # a window or a break that is met another way by leaving later is no reason to come back later
        if late.end_s <= early.end_s and _lateness(problem, late) <= _lateness(problem, early):
            timed = late
    return timed, list(_mistakes(problem, timed, row))


def place_breaks(problem: TourProblem, vehicle: int, jobs: tuple[int, ...]) -> VanTour:
    """Put a vehicle's breaks where the tour ends earliest, one after the other, among the places where all holds."""
    tour = VanTour(vehicle=vehicle, jobs=jobs)
    for count in range(1, len(problem.vehicles[vehicle].breaks) + 1):
        tries = [
            VanTour(vehicle=vehicle, jobs=jobs, breaks=(*tour.breaks, at))
            for at in range(tour.breaks[-1] if tour.breaks else 0, len(jobs) + 1)
        ]
        tour = min(tries, key=lambda one: _how_bad(problem, one, count))
    return tour


def _how_bad(problem: TourProblem, tour: VanTour, breaks: int) -> tuple[int, int]:
    timed, wrong = time_tour(problem, tour)
    unmet = len(problem.vehicles[tour.vehicle].breaks) - breaks  # those still to be placed
    return len(wrong) - unmet, timed.end_s


def _run(problem: TourProblem, tour: VanTour, start_s: int) -> Timed:
    """Drive a tour from a moment on."""
    vehicle = problem.vehicles[tour.vehicle]
    now_s, at = start_s, vehicle.start
    visits: list[TimedVisit] = []
    rests: list[Window] = []
    driven_s = distance_m = wait_s = 0
    resting = list(zip(tour.breaks, vehicle.breaks, strict=False))
    for place, job in enumerate([*tour.jobs, None]):
        while resting and resting[0][0] <= place:
            rest = resting.pop(0)[1]
            begin_s = max(now_s, rest.earliest_s)
            wait_s += begin_s - now_s
            now_s = begin_s + rest.duration_s
            rests.append((begin_s, now_s))
        there = vehicle.end if job is None else problem.jobs[job].place
        leg_s = drive_s(problem, vehicle, at, there)
        driven_s += leg_s
        distance_m += 0 if at is None or there is None else int(problem.distance_m[at, there])
        now_s += leg_s
        if job is None:
            break
        begin_s = opens(problem.jobs[job], now_s)
        wait_s += begin_s - now_s
        depart_s = begin_s + problem.jobs[job].service_s
        visits.append(TimedVisit(job=job, arrive_s=now_s, begin_s=begin_s, depart_s=depart_s))
        now_s, at = depart_s, there
    return Timed(
        tour=tour,
        visits=tuple(visits),
        rests=tuple(rests),
        start_s=start_s,
        end_s=now_s,
        drive_s=driven_s,
        wait_s=wait_s,
        distance_m=distance_m,
        cost=cost_of(vehicle, distance_m, now_s - start_s),
    )


def opens(job: TourJob, now_s: int) -> int:
    """Tell when a service can begin for a van that is there: at once when it is too late for every window."""
    for first_s, last_s in job.windows:
        if now_s <= last_s:
            return max(now_s, first_s)
    return now_s


def cost_of(vehicle: TourVan, distance_m: int, duration_s: int) -> int:
    """What a tour costs, in the problem's unit."""
    cost = vehicle.fixed_cost + vehicle.cost_per_m * distance_m + vehicle.cost_per_s * duration_s
    if vehicle.overtime:
        cost += vehicle.overtime[1] * max(0, duration_s - vehicle.overtime[0])
    return cost


def late_s(job: TourJob, begin_s: int) -> int:
    """Tell by how much a service begins after its last window."""
    return max(0, begin_s - job.windows[-1][1]) if job.windows else 0


def _lateness(problem: TourProblem, timed: Timed) -> int:
    vehicle = problem.vehicles[timed.tour.vehicle]
    breaks = zip(timed.rests, vehicle.breaks, strict=False)
    return (
        sum(late_s(problem.jobs[visit.job], visit.begin_s) for visit in timed.visits)
        + sum(max(0, rest[0] - meant.latest_s) for rest, meant in breaks)
        + max(0, timed.end_s - vehicle.shift[1])
    )


def _room_s(problem: TourProblem, timed: Timed) -> int:
    """Tell by how much the start can move without moving the end: waits on the way, as far as every deadline allows."""
    vehicle = problem.vehicles[timed.tour.vehicle]
    meant = {rest[0]: one for rest, one in zip(timed.rests, vehicle.breaks, strict=False)}
    moments: list[tuple[int, int, int]] = []  # begins, waited before it, last moment it may begin
    for visit in timed.visits:
        job = problem.jobs[visit.job]
        last_s = next((end for start, end in job.windows if start <= visit.begin_s <= end), visit.begin_s)
        moments.append((visit.begin_s, visit.begin_s - visit.arrive_s, last_s if job.windows else FOREVER))
    now_s = timed.start_s
    for begin_s, one in meant.items():
        before = [visit.depart_s for visit in timed.visits if visit.depart_s <= begin_s]
        moments.append((begin_s, max(0, begin_s - max([now_s, *before])), one.latest_s))
    room, waited = FOREVER, 0
    for begin_s, wait_s, last_s in sorted(moments):
        waited += wait_s
        room = min(room, waited + last_s - begin_s)
    return max(0, min(room, waited))


def _mistakes(problem: TourProblem, timed: Timed, row: int) -> Iterator[Wrong]:
    tour = timed.tour
    vehicle = problem.vehicles[tour.vehicle]
    for visit in timed.visits:
        job = problem.jobs[visit.job]
        if by := late_s(job, visit.begin_s):
            yield Wrong(why="late", tour=row, job=visit.job, by=by)
        if not job.skills <= vehicle.skills:
            yield Wrong(why="skill", tour=row, job=visit.job)
        if job.vehicles is not None and tour.vehicle not in job.vehicles:
            yield Wrong(why="vehicle", tour=row, job=visit.job)
    yield from _load_mistakes(problem, tour, row)
    yield from _order_mistakes(problem, tour, row)
    if timed.end_s > vehicle.shift[1]:
        yield Wrong(why="shift_end", tour=row, by=timed.end_s - vehicle.shift[1])
    if vehicle.longest_s is not None and timed.end_s - timed.start_s > vehicle.longest_s:
        yield Wrong(why="too_long", tour=row, by=timed.end_s - timed.start_s - vehicle.longest_s)
    if vehicle.farthest_m is not None and timed.distance_m > vehicle.farthest_m:
        yield Wrong(why="too_far", tour=row, by=timed.distance_m - vehicle.farthest_m)
    if len(timed.rests) < len(vehicle.breaks):
        yield Wrong(why="break", tour=row)
    for rest, meant in zip(timed.rests, vehicle.breaks, strict=False):
        if rest[0] > meant.latest_s:
            yield Wrong(why="break", tour=row, by=rest[0] - meant.latest_s)


def _load_mistakes(problem: TourProblem, tour: VanTour, row: int) -> Iterator[Wrong]:
    vehicle, jobs = problem.vehicles[tour.vehicle], [problem.jobs[job] for job in tour.jobs]
    dimensions = loads_of(problem)
    taken, given = _columns([one.pickup for one in jobs], dimensions), _columns([o.delivery for o in jobs], dimensions)
    from_start = np.array([one.after is None for one in jobs], bool)
    over = np.array(padded(vehicle.aboard, dimensions)) - np.array(padded(vehicle.capacity, dimensions))
    over = over + (given * from_start).sum(axis=1)
    by = int(over.max(initial=0))
    if by > 0:
        yield Wrong(why="overloaded", tour=row, by=by)
    later = (over[:, None] + np.cumsum(taken - given, axis=1)).max(axis=0, initial=0)
    for place in np.flatnonzero(later > 0).tolist():
        yield Wrong(why="overloaded", tour=row, job=tour.jobs[place], by=int(later[place]))


def _columns(loads: Sequence[tuple[int, ...]], dimensions: int) -> NDArray[np.int64]:
    """Give (dimensions, jobs) of loads that may name fewer."""
    columns = np.zeros((dimensions, len(loads)), np.int64)
    for place in range(dimensions):
        columns[place] = [load[place] if place < len(load) else 0 for load in loads]
    return columns


def _order_mistakes(problem: TourProblem, tour: VanTour, row: int) -> Iterator[Wrong]:
    done: set[int] = set()
    for job in tour.jobs:
        after = problem.jobs[job].after
        if after is not None and after not in done:
            yield Wrong(why="order", tour=row, job=job)
        done.add(job)
