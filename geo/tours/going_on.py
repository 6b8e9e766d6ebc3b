"""A day that goes on: tours as they are now, what of it does not hold any more, and more visits put into them.

What is late already may stay as late as it is, so that the tours as they are hold: no answer needs to be worse.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from geo.tours.check import Checked, Timed, check, late_s, time_tour
from geo.tours.insertion import cheapest
from geo.tours.numbers import FOREVER, TRIED
from geo.tours.problem import Matrix, TourJob, TourProblem, TourVan, VanTour


def as_late_as(problem: TourProblem, tours: Sequence[VanTour]) -> TourProblem:
    """Allow what does not hold on tours as they are: windows, ends, lengths and loads as far as they are overrun."""
    jobs, vehicles = list(problem.jobs), list(problem.vehicles)
    for tour in tours:
        timed, wrong = time_tour(problem, tour)
        van = vehicles[tour.vehicle]
        kinds = {one.why: max(other.by for other in wrong if other.why == one.why) for one in wrong}
        vehicles[tour.vehicle] = replace(
            van,
            shift=(van.shift[0], van.shift[1] + kinds.get("shift_end", 0)),
            longest_s=None if van.longest_s is None else van.longest_s + kinds.get("too_long", 0),
            farthest_m=None if van.farthest_m is None else van.farthest_m + kinds.get("too_far", 0),
            capacity=tuple(room + kinds.get("overloaded", 0) for room in van.capacity),
            skills=van.skills.union(
                *(problem.jobs[one.job].skills for one in wrong if one.why == "skill" and one.job is not None)
            ),
            breaks=tuple(replace(one, latest_s=one.latest_s + kinds.get("break", 0)) for one in van.breaks),
        )
        for visit in timed.visits:
            jobs[visit.job] = _until(jobs[visit.job], visit.begin_s)
    return replace(problem, jobs=jobs, vehicles=vehicles)


def _until(job: TourJob, begin_s: int) -> TourJob:
    if not late_s(job, begin_s):
        return job
    return replace(job, windows=(*job.windows[:-1], (job.windows[-1][0], begin_s)))


def late_jobs(problem: TourProblem, timed: Sequence[Timed]) -> dict[int, int]:
    """Tell which visits begin after their last window, and by how many seconds."""
    late = {visit.job: late_s(problem.jobs[visit.job], visit.begin_s) for one in timed for visit in one.visits}
    return {job: by for job, by in late.items() if by}


def with_more(problem: TourProblem, tours: Sequence[VanTour], jobs: Sequence[int]) -> list[VanTour]:
    """Put visits into tours, the most important first, each where it costs least; those that fit nowhere are left out.

    Args:
        tours: one for each vehicle that may have one, maybe empty.
        jobs: rows, not on any tour yet; one that is named as another's `after` goes with it.
    """
    by_vehicle = {tour.vehicle: tour for tour in tours}
    fetched = {problem.jobs[job].after for job in jobs}
    for job in sorted(jobs, key=lambda row: (-_worth(problem.jobs[row]), row)):
        if job in fetched:
            continue  # comes with what follows it
        timed = check(problem, list(by_vehicle.values())).timed
        after = problem.jobs[job].after
        if after is None or any(after in tour.jobs for tour in by_vehicle.values()):
            found = cheapest(problem, timed, job)
            grown = None if found is None else found.tour
        else:
            grown = _cheapest_pair(problem, timed, after, job)
        if grown is not None:
            by_vehicle[grown.vehicle] = grown
    return list(by_vehicle.values())


def _worth(job: TourJob) -> int:
    return FOREVER if job.drop_cost is None else job.drop_cost


def _cheapest_pair(problem: TourProblem, timed: Sequence[Timed], first: int, then: int) -> VanTour | None:
    """Put two visits into one tour, the one somewhere before the other, where it costs least."""
    places = (problem.jobs[first].place, problem.jobs[then].place)
    tries = sorted(
        (extra, row, at, later)
        for row, one in enumerate(timed)
        for extra, at, later in _pairs(problem, one.tour, *places)
    )
    for _, row, at, later in tries[: TRIED * 4]:
        tour = timed[row].tour
        jobs = (*tour.jobs[:at], first, *tour.jobs[at:later], then, *tour.jobs[later:])
        breaks = tuple(rest + (rest > at) + (rest > later) for rest in tour.breaks)
        grown = replace(tour, jobs=jobs, breaks=breaks)
        if not time_tour(problem, grown)[1]:
            return grown
    return None


def _pairs(problem: TourProblem, tour: VanTour, first: int, then: int) -> Iterator[tuple[int, int, int]]:
    """Give what the way costs more for every two gaps that a pair of places can have, and the gaps."""
    van = problem.vehicles[tour.vehicle]
    places = [van.start, *(problem.jobs[job].place for job in tour.jobs), van.end]
    gaps = list(pairwise(places))
    alone = [[_detour(problem, van, before, after, [place]) for before, after in gaps] for place in (first, then)]
    for at, (before, after) in enumerate(gaps):
        yield _detour(problem, van, before, after, [first, then]), at, at
        for later in range(at + 1, len(gaps)):
            yield alone[0][at] + alone[1][later], at, later


def _detour(problem: TourProblem, van: TourVan, before: int | None, after: int | None, by: Sequence[int]) -> int:
    return _way_cost(problem, van, [before, *by, after]) - _way_cost(problem, van, [before, after])


def _way_cost(problem: TourProblem, van: TourVan, places: Sequence[int | None]) -> int:
    legs = [(a, b) for a, b in pairwise(places) if a is not None and b is not None]
    return sum(
        van.cost_per_m * int(problem.distance_m[leg]) + van.cost_per_s * int(problem.duration_s[leg]) for leg in legs
    )


def better(problem: TourProblem, one: Checked, other: Checked) -> bool:
    """Tell whether the one is better: less is left out, then fewer promises are broken, then it costs less.

    Args:
        problem: with the windows as they were promised; costs count what is held to be longer (`soft_m`) too.
    """
    return _badness(problem, one) < _badness(problem, other)


def _badness(problem: TourProblem, judged: Checked) -> tuple[int, int, int]:
    left = sum(_worth(problem.jobs[job]) for job in judged.left_out)
    cost = 0
    for timed in judged.timed:
        if timed.visits:
            cost += timed.cost
            if problem.soft_m is not None:
                cost += _softly(problem, problem.soft_m, timed.tour)
    return left, len(late_jobs(problem, judged.timed)), cost


def _softly(problem: TourProblem, soft_m: Matrix, tour: VanTour) -> int:
    van = problem.vehicles[tour.vehicle]
    places = [van.start, *(problem.jobs[job].place for job in tour.jobs), van.end]
    return van.cost_per_m * sum(int(soft_m[a, b]) for a, b in pairwise(places) if a is not None and b is not None)
