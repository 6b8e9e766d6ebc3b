"""A planner's file as a problem of ours, and the cost as such files count it."""

from dataclasses import dataclass

import numpy as np

from geo.pings import Floats
from geo.tours.check import Checked
from geo.tours.problem import TourJob, TourProblem, TourVan
from reparto.command import CannotRun


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlanInstance:
    """A file that was read.

    Attributes:
        weights: (n, n) as costs are counted.
        counts: how, in words.
        nodes: for each job, what the file calls its customer: a number, the depot being 0, or a text.
        places: (n, 2) x to the east and y to the north, the depot first; None: the file has none.
        in_metres: the problem is one of metres and seconds, and `places` are lon and lat in degrees.
    """

    problem: TourProblem
    weights: Floats
    counts: str
    nodes: tuple[int | str, ...]
    places: Floats | None
    in_metres: bool = False

    def cost(self, judged: Checked) -> float:
        """Count what tours cost: the weights of their drives and nothing else."""
        total = 0.0
        for timed in judged.timed:
            row = [0, *(self.problem.jobs[job].place for job in timed.tour.jobs), 0]
            total += float(self.weights[row[:-1], row[1:]].sum())
        whole = round(total, 6)
        return int(whole) if whole == int(whole) else whole


def one_van(instance: PlanInstance, count: int) -> PlanInstance:
    """Leave the customers that are nearest to the first one, for one van without windows, services and loads.

    Raises:
        CannotRun: there are fewer.
    """
    metres, seconds = instance.problem.distance_m, instance.problem.duration_s
    if not 1 <= count <= len(metres) - 1:
        raise CannotRun(f"The file has {len(metres) - 1} customers, so it cannot be {count} of them.")
    near = 1 + np.argsort(metres[1, 1:], kind="stable")[:count]
    at = np.concatenate(([0], near))
    grid = np.ix_(at, at)
    jobs = [TourJob(place=row) for row in range(1, count + 1)]
    vehicles = [TourVan(start=0, end=0)]
    return PlanInstance(
        problem=TourProblem(duration_s=seconds[grid], distance_m=metres[grid], jobs=jobs, vehicles=vehicles),
        weights=instance.weights[grid],
        counts=instance.counts,
        nodes=tuple(instance.nodes[row - 1] for row in near.tolist()),
        places=None if instance.places is None else instance.places[at],
        in_metres=instance.in_metres,
    )
