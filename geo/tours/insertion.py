"""One more visit in tours that are there: where it costs least and everything still holds.

Candidates come from slack (how much later each visit may begin) in one pass over columns; the best are then driven
again by the checker, so that what is offered can really be driven.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from geo.pings import Floats
from geo.tours.check import Timed, Wrong, cost_of, late_s, time_tour
from geo.tours.numbers import FOREVER, ROUNDED_S, TRIED
from geo.tours.problem import TourJob, TourProblem, VanTour, Window, loads_of, padded

Indices: TypeAlias = NDArray[np.int64]

_NOWHERE = (*[np.zeros(0, np.int64)] * 2, *[np.zeros(0)] * 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Insertion:
    """A visit put into a tour.

    Attributes:
        tour: with the visit in it.
        timed: the tour in time.
        extra: cost that it adds, in the problem's unit; `extra_s`, `extra_m`: seconds and metres of driving.
        begin_s: when its service begins.
    """

    tour: VanTour
    timed: Timed
    extra: int
    extra_s: int
    extra_m: int
    begin_s: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gaps:
    """Where a tour may be opened for one more visit, whatever that is: one entry a gap.

    Attributes:
        before_s: when the van can leave the place before.
        latest_s: by when it must be at the one after.
        start, end: rows of the two places; -1: there is none.
        direct_m, direct_s: of driving from one to the other, as the matrices say.
        load: what may be aboard at once, one number a dimension: exact for deliveries alone, careful else.
    """

    before_s: Floats
    latest_s: Floats
    start: Indices
    end: Indices
    direct_m: Floats
    direct_s: Floats
    load: tuple[int, ...]


def gaps_of(problem: TourProblem, one: Timed) -> Gaps:
    """Find the gaps of a tour."""
    before_s, latest_s, places = _slack(problem, one)
    start, end = places[:-1], places[1:]
    known = (start >= 0) & (end >= 0)
    return Gaps(
        before_s=before_s,
        latest_s=latest_s,
        start=start,
        end=end,
        direct_m=np.where(known, problem.distance_m[start, end], 0).astype(float),
        direct_s=np.where(known, problem.duration_s[start, end], 0).astype(float),
        load=_load(problem, one),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Detours:
    """A visit in every gap of every tour that may do it, whatever its window is: one entry a gap.

    Attributes:
        tour, place: row of the tour, and how many visits are before the gap.
        there_s: when the van can be there.
        until_s: when the service must begin, for all that follows to hold.
        extra: cost that it adds if nobody waits less for it.
        least: cost that it adds at least: all waiting of the tour is spared.
    """

    tour: Indices
    place: Indices
    there_s: Floats
    until_s: Floats
    extra: Floats
    least: Floats


def cheapest(
    problem: TourProblem,
    timed: Sequence[Timed],
    job: int,
    *,
    idle: Sequence[int] = (),
    gaps: Sequence[Gaps] | None = None,
) -> Insertion | None:
    """Put a visit where it costs least.

    Args:
        timed: the tours, as the checker timed them.
        job: row in the problem; on no tour yet.
        idle: vehicles without a tour that may get one.
        gaps: of `timed`, where they are at hand; there is nobody `idle` then.

    Returns:
        None where it fits nowhere.
    """
    every = [*timed, *(time_tour(problem, VanTour(vehicle=row, jobs=()))[0] for row in idle)]
    known = [gaps_of(problem, one) for one in every] if gaps is None else gaps
    return _cheapest(problem, every, job, _detours(problem, every, job, known))


def cheapest_in(
    problem: TourProblem, timed: Sequence[Timed], job: int, windows: Sequence[Window], gaps: Sequence[Gaps]
) -> list[Insertion | None]:
    """Do the same for each of some windows, as if it were the only one of the visit."""
    detours, jobs = _detours(problem, timed, job, gaps), list(problem.jobs)
    found = []
    for window in windows:
        jobs[job] = replace(jobs[job], windows=(window,))
        found.append(_cheapest(replace(problem, jobs=jobs), timed, job, detours))
    return found


def _cheapest(problem: TourProblem, timed: Sequence[Timed], job: int, detours: _Detours) -> Insertion | None:
    begin_s = _opens(problem.jobs[job], detours.there_s)
    fits = np.flatnonzero(np.isfinite(begin_s) & (begin_s <= detours.until_s))
    best: Insertion | None = None
    for row in fits[np.argsort(detours.extra[fits], kind="stable")[:TRIED]].tolist():
        if best is not None and detours.least[row] >= best.extra:
            continue
        found = _driven(problem, timed[detours.tour[row]], job, int(detours.place[row]))
        if found is not None and (best is None or found.extra < best.extra):
            best = found
    return best


def _detours(problem: TourProblem, timed: Sequence[Timed], job: int, gaps: Sequence[Gaps]) -> _Detours:
    new, found = problem.jobs[job], [_NOWHERE]
    to = problem.distance_m[:, new.place], problem.duration_s[:, new.place]
    on = problem.distance_m[new.place], problem.duration_s[new.place]
    for row, (one, gap) in enumerate(zip(timed, gaps, strict=True)):
        vehicle = problem.vehicles[one.tour.vehicle]
        if not new.skills <= vehicle.skills or (new.vehicles is not None and one.tour.vehicle not in new.vehicles):
            continue
        if not _has_room(problem, one, gap, new):
            continue
        to_m, to_s = (np.where(gap.start >= 0, column[gap.start], 0) for column in to)
        from_m, from_s = (np.where(gap.end >= 0, column[gap.end], 0) for column in on)
        pace = vehicle.pace / 100
        extra = vehicle.cost_per_m * (to_m + from_m - gap.direct_m)
        extra = extra + vehicle.cost_per_s * ((to_s + from_s - gap.direct_s) * pace + new.service_s)
        if not one.tour.jobs:
            extra = extra + vehicle.fixed_cost
        per_s = vehicle.cost_per_s + (vehicle.overtime[1] if vehicle.overtime else 0)
        places = np.arange(len(extra))
        until_s = gap.latest_s + 1 - from_s * pace - new.service_s
        least = extra - per_s * (one.wait_s + ROUNDED_S)
        found.append((np.full_like(places, row), places, gap.before_s + to_s * pace, until_s, extra, least))
    tour, place, there_s, until_s, extra, least = (np.concatenate(column) for column in zip(*found, strict=True))
    return _Detours(tour=tour, place=place, there_s=there_s, until_s=until_s, extra=extra, least=least)


def _slack(problem: TourProblem, one: Timed) -> tuple[Floats, Floats, Indices]:
    """Tell for each gap of a tour when the van leaves the place before, and by when it must be at the one after.

    Gives the rows of all places on its way too, one more than gaps; -1: there is none.
    """
    vehicle = problem.vehicles[one.tour.vehicle]
    jobs = [problem.jobs[job] for job in one.tour.jobs]
    places: list[int | None] = [vehicle.start, *(job.place for job in jobs), vehicle.end]
    early = replace_start(problem, one)
    before = [early.start_s, *(visit.depart_s for visit in early.visits)]
    last_s = min(vehicle.shift[1], early.start_s + vehicle.longest_s if vehicle.longest_s is not None else FOREVER)
    latest: list[float] = [last_s]
    for row in range(len(jobs) - 1, -1, -1):
        leg_s = early.visits[row + 1].arrive_s - early.visits[row].depart_s if row + 1 < len(jobs) else 0
        if row + 1 == len(jobs):
            leg_s = early.end_s - early.visits[row].depart_s
        by_next = latest[0] - leg_s - jobs[row].service_s
        latest.insert(0, min(by_next, jobs[row].windows[-1][1] if jobs[row].windows else by_next))
    return np.array(before, float), np.array(latest, float), np.array([-1 if at is None else at for at in places])


def replace_start(problem: TourProblem, one: Timed) -> Timed:
    """Drive a tour from the beginning of its shift: an insertion may need it to leave earlier than it does."""
    vehicle = problem.vehicles[one.tour.vehicle]
    visits, now_s, at = (
        [],
        max([vehicle.shift[0], *(problem.jobs[job].ready_s for job in one.tour.jobs)]),
        vehicle.start,
    )
    start_s = now_s
    for visit in one.visits:
        job = problem.jobs[visit.job]
        now_s += 0 if at is None else -(-int(problem.duration_s[at, job.place]) * vehicle.pace // 100)
        begin_s = min(max(now_s, _first(job, now_s)), visit.begin_s)
        visits.append(replace(visit, arrive_s=now_s, begin_s=begin_s, depart_s=begin_s + job.service_s))
        now_s, at = begin_s + job.service_s, job.place
    home_s = one.end_s - one.visits[-1].depart_s if one.visits else one.end_s - one.start_s
    return replace(one, visits=tuple(visits), start_s=start_s, end_s=now_s + home_s)


def _first(job: TourJob, now_s: int) -> int:
    return next((max(now_s, start) for start, end in job.windows if now_s <= end), now_s)


def _opens(job: TourJob, there_s: Floats) -> Floats:
    if not job.windows:
        return there_s
    begin = np.full(len(there_s), np.inf)
    for start, end in reversed(job.windows):
        begin = np.where(there_s <= end, np.maximum(there_s, start), begin)
    return begin


def _load(problem: TourProblem, one: Timed) -> tuple[int, ...]:
    """Sum up what may be aboard at once."""
    dimensions = loads_of(problem)
    total = padded(problem.vehicles[one.tour.vehicle].aboard, dimensions)
    for row in one.tour.jobs:
        total = _with_load(total, problem.jobs[row])
    return tuple(total)


def _with_load(total: Sequence[int], job: TourJob) -> list[int]:
    given, taken = padded(job.delivery, len(total)), padded(job.pickup, len(total))
    return [a + max(out, back) for a, out, back in zip(total, given, taken, strict=True)]


def _has_room(problem: TourProblem, one: Timed, gap: Gaps, new: TourJob) -> bool:
    """Tell whether a load fits beside all that is ever aboard."""
    room = padded(problem.vehicles[one.tour.vehicle].capacity, len(gap.load))
    return all(load <= free for load, free in zip(_with_load(gap.load, new), room, strict=True))


def _driven(problem: TourProblem, one: Timed, job: int, place: int) -> Insertion | None:
    jobs = (*one.tour.jobs[:place], job, *one.tour.jobs[place:])
    breaks = tuple(at + (at > place) for at in one.tour.breaks)
    tour = replace(one.tour, jobs=jobs, breaks=breaks)
    timed, wrong = time_tour(problem, tour)
    if wrong:
        return None
    vehicle = problem.vehicles[tour.vehicle]
    before = one.cost if one.tour.jobs else cost_of(replace(vehicle, fixed_cost=0), 0, 0)
    return Insertion(
        tour=tour,
        timed=timed,
        extra=timed.cost - before,
        extra_s=timed.drive_s - one.drive_s if one.tour.jobs else timed.drive_s,
        extra_m=timed.distance_m - one.distance_m if one.tour.jobs else timed.distance_m,
        begin_s=timed.visits[place].begin_s,
    )


def why_not(
    problem: TourProblem, timed: Sequence[Timed], job: int, *, idle: Sequence[int]
) -> tuple[str, dict[str, bool]]:
    """Say in a sentence why a job is on no tour, and whether another window or one more van would change that.

    Returns:
        The sentence; `any_time` and `one_more_van`: whether it would then fit.
    """
    one = problem.jobs[job]
    able = [row for row, vehicle in enumerate(problem.vehicles) if one.skills <= vehicle.skills]
    if not problem.vehicles:
        return "There is no shift on this day at this depot.", {"any_time": False, "one_more_van": True}
    if not able:
        return f"No vehicle of the day can do {', '.join(sorted(one.skills))}.", {
            "any_time": False,
            "one_more_van": False,
        }
    alone = [time_tour(problem, VanTour(vehicle=row, jobs=(job,))) for row in able]
    free = _relaxed(problem, job)
    more = any(all(fault.why == "break" for fault in wrong) for _, wrong in alone)
    any_time = cheapest(free, timed, job, idle=idle) is not None
    change = {"any_time": any_time, "one_more_van": more}
    if more:
        return "The vans that could take it are full, or elsewhere in its window.", change
    return _even_alone(one, alone), change


def _even_alone(one: TourJob, alone: Sequence[tuple[Timed, Sequence[Wrong]]]) -> str:
    """Say why a job cannot be done, given what does not hold on tours that have nothing else."""
    faults = {fault.why for _, wrong in alone for fault in wrong}
    if "overloaded" in faults:
        return "It is more than any vehicle that can do it carries."
    if "late" in faults:
        late = min(late_s(one, timed.visits[0].begin_s) for timed, _ in alone)
        return f"Even a van that drives there first comes {max(1, round(late / 60))} min after its last window."
    if faults & {"shift_end", "too_long"}:
        return "Even alone on a tour it takes longer than a shift."
    if "too_far" in faults:
        return "It is farther away than any vehicle's range."
    return "It comes after another order that is on no tour."


def _relaxed(problem: TourProblem, job: int) -> TourProblem:
    jobs = list(problem.jobs)
    jobs[job] = replace(jobs[job], windows=())
    return replace(problem, jobs=jobs)
